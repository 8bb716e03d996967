//! What the forms of the account do.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use crochet::app::App;
use crochet_domain::timestamp::rfc3339;
use maud::{Markup, html};
use serde_json::{Value, json};
use time::Duration;

use super::api::{Answer, Refused, Visitor, see_other};
use super::enter::codes_figure;
use super::form::{Form, escaped};
use super::refused;
use super::view::{at, list};
use crate::format;
use crate::web::icon;
use crate::web::layout::Page;

/// Sends one request of the API for a form, and leads back to the account.
async fn act(app: &App, visitor: &Visitor, form: &Form, action: &str, method: Method, path: &str) -> Response {
    match ask(visitor, method, path, None).await {
        Ok(answer) => see_other("/account", answer.cookie),
        Err(error) => refused::page(app, error, action, form),
    }
}

async fn ask(visitor: &Visitor, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Refused> {
    visitor.may_have_session()?;
    visitor.send(method, path, body).await?.accepted()
}

/// Removes a passkey.
pub(crate) async fn post_remove_passkey(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    let path = format!("/auth/passkey/credentials/{}", escaped(form.get("id")));
    act(&app, &visitor, &form, "/account/passkeys/remove", Method::DELETE, &path).await
}

/// Ends a read key.
pub(crate) async fn post_end_key(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    act(&app, &visitor, &form, "/account/keys/end", Method::DELETE, &format!("/api-keys/{}", escaped(form.get("id")))).await
}

/// Ends a session. The end of the present one leads to the front page.
pub(crate) async fn post_end_session(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    let path = format!("/sessions/{}", escaped(form.get("id")));
    match ask(&visitor, Method::DELETE, &path, None).await {
        Ok(Answer { cookie: Some(cleared), .. }) => see_other("/", Some(cleared)),
        Ok(_) => see_other("/account#sessions", None),
        Err(error) => refused::page(&app, error, "/account/sessions/end", &form),
    }
}

/// Logs out here.
pub(crate) async fn post_logout(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    log_out(&app, &visitor, &form, "/account/logout", "/session").await
}

/// Logs out everywhere, and ends the keys if the form says so.
pub(crate) async fn post_logout_everywhere(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    let path = if form.get("keys") == "true" { "/session?everywhere=true&keys=true" } else { "/session?everywhere=true" };
    log_out(&app, &visitor, &form, "/account/logout-everywhere", path).await
}

async fn log_out(app: &App, visitor: &Visitor, form: &Form, action: &str, path: &str) -> Response {
    match ask(visitor, Method::DELETE, path, None).await {
        Ok(answer) => see_other("/", answer.cookie),
        Err(error) => refused::page(app, error, action, form),
    }
}

/// Makes ten new codes and shows them, once.
pub(crate) async fn post_codes(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    let made = async {
        let session = ask(&visitor, Method::GET, "/session", None).await?.body;
        Ok((session, ask(&visitor, Method::POST, "/auth/passkey/recovery-codes", None).await?.body))
    };
    let (session, codes) = match made.await {
        Ok(made) => made,
        Err(error) => return refused::page(&app, error, "/account/codes", &form),
    };
    let codes: Vec<&str> = list(&codes, "/recovery_codes").iter().filter_map(Value::as_str).collect();
    let host = app.config.public_url.host_str().unwrap_or_default();
    let person = refused::line(at(&session, "/profile/display_name"));
    let body = html! {
        div.narrow.flow {
            p.crumbs { a href="/account" { "Account" } " / Recovery codes" }
            h1 { "Your recovery codes" }
            (codes_figure(&html! { bdi { (person) } " at " (host) ", " (today(&app)) }, &codes))
        }
    };
    Page::new("Recovery codes", "/account/codes", body).account().reply(&app.config, &HeaderMap::new())
}

fn today(app: &App) -> Markup {
    format::date(crochet_domain::timestamp::unix_ms(app.clock.now()))
}

/// Makes a read key and shows it, once.
pub(crate) async fn post_key(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    let mut request = json!({ "name": form.get("name") });
    if let Ok(days @ 1..=3_650) = form.get("days").parse::<i64>() {
        request["expires_at"] = rfc3339(app.clock.now() + Duration::days(days)).into();
    }
    let made = match ask(&visitor, Method::POST, "/api-keys", Some(&request)).await {
        Ok(answer) => answer.body,
        Err(error) => return refused::page(&app, error, "/account/keys", &form),
    };
    let body = html! {
        div.narrow.flow {
            p.crumbs { a href="/account" { "Account" } " / Read key" }
            h1 { "Your read key" }
            p.lead { "It reads your account and your agents’ books, and nothing else. It is shown now and never again." }
            figure.code {
                figcaption {
                    span { bdi { (refused::line(at(&made, "/key/name"))) } }
                    button.copy type="button" data-copy="key" hidden { (icon::decorative("i-copy")) span { "Copy" } }
                }
                pre.wraps #key tabindex="0" { (at(&made, "/api_key")) }
            }
            p { "Send it in a header: " code { "Authorization: Bearer am_k_…" } }
            p.acts { a.btn.quiet href="/account#keys" { "Back to your account" } }
        }
    };
    Page::new("Read key", "/account/keys", body).account().reply(&app.config, &HeaderMap::new())
}
