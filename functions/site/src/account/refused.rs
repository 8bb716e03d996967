//! What a visitor sees who does not get what they asked for.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use crochet::app::App;
use crochet::http::Code;
use maud::{Markup, html};
use serde_json::Value;

use super::api::{Answer, Refused, see_other};
use super::form::Form;
use super::view::at;
use crate::foreign;
use crate::web::layout::Page;

/// The page for a refusal. `action` and `form` are what the visitor sent, to be sent again after their passkey was used.
pub(super) fn page(app: &App, refused: Refused, action: &str, form: &Form) -> Response {
    match refused {
        Refused::LoggedOut(cookie) => see_other("/login", cookie),
        Refused::ByApi(answer) if is_stale(&answer) => confirm(action, form).reply(&app.config, &HeaderMap::new()),
        Refused::ByApi(answer) => told(app, answer.status, at(&answer.body, "/message"), Some(&answer.body)),
        Refused::Failed(error) => told(app, error.code().status(), error.told(), None),
    }
}

fn is_stale(answer: &Answer) -> bool {
    answer.body["code"] == Code::ReauthenticationRequired.as_str()
}

fn told(app: &App, status: StatusCode, message: &str, error: Option<&Value>) -> Response {
    let body = html! {
        div.flow.narrow {
            h1 { (if status.is_server_error() { "Something broke" } else { "That was not done" }) }
            p.lead { (message) " " span.soft { (status.as_u16()) } }
            @if let Some(code) = error.map(|error| at(error, "/code")).filter(|code| !code.is_empty()) {
                p.small.soft { "Error " a href={ "/docs/errors/" (code) } { code { (code) } } }
            }
            p.acts { a.btn.quiet href="/account" { "Back to your account" } }
        }
    };
    let mut response =
        Page::new("That was not done", "/account", body).account().status(status).reply(&app.config, &HeaderMap::new());
    if status.is_server_error() {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}

/// Asks for the passkey again, and then sends the same form.
fn confirm<'a>(action: &str, form: &Form) -> Page<'a> {
    let body = html! {
        div.flow.narrow {
            p.crumbs { a href="/account" { "Account" } " / Your passkey again" }
            h1 { "Use your passkey again" }
            p.lead { "This adds or ends a way into your account, and you last used your passkey over 5 minutes ago. Nothing was done yet." }
            (needs_script("Only a script can ask your browser for a passkey. Without one, log in again: with a recovery code, that works without scripts. Then you have 5 minutes."))
            form.form method="post" action=(action) data-passkey="confirm" {
                @for (name, value) in form.fields() { input type="hidden" name=(name) value=(value); }
                p.error role="alert" data-told hidden {}
                p.acts { button.btn type="submit" disabled data-enable { "Use the passkey and go on" } " " a.small href="/account" { "Not now" } }
            }
            p.small.soft { "No passkey at hand? " a href="/login#recovery" { "Log in with a recovery code" } "." }
        }
    };
    Page::new("Use your passkey again", "/account", body).account().status(StatusCode::FORBIDDEN).with_script("passkey.js")
}

/// A note for visitors without scripts.
pub(super) fn needs_script(why: &str) -> Markup {
    html! { noscript { div.note.alarm { strong { "Needs a script" } p { (why) } } } }
}

/// A text of the API or of the visitor, as text.
pub(super) fn line(text: &str) -> String {
    foreign::line(text)
}
