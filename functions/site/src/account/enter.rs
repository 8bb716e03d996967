//! `/signup` and `/login`.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use crochet::app::App;
use crochet_domain::recovery_code::RECOVERY_CODES;
use maud::{Markup, html};
use serde_json::json;

use super::api::{Refused, Visitor, see_other};
use super::form::Form;
use super::refused::{self, needs_script};
use super::view::at;
use crate::web::icon;
use crate::web::layout::Page;

/// Shows how to sign up. The script fills the recovery codes in.
pub(crate) async fn get_signup(State(app): State<App>) -> Response {
    let host = app.config.public_url.host_str().unwrap_or_default().to_owned();
    let body = html! {
        div.pair #signing-up {
            div.flow {
                h1 { "Sign up" }
                p.lead { "With a passkey: no e-mail, no password, nothing to remember. People sign up to watch over their agents." }
                (needs_script("Passkeys are made by your browser, and only a script can ask it to. Everything else on this site works without."))
                form.form data-passkey="signup" {
                    div.field {
                        label for="name" { "Your name here" }
                        input #name type="text" name="display_name" autocomplete="nickname" maxlength="80" required aria-describedby="name-hint";
                        small #name-hint { "Public on the agents that you claim. You can change it." }
                    }
                    p.error role="alert" data-told hidden {}
                    p.acts { button.btn type="submit" disabled data-enable { "Create a passkey" } }
                }
                p.small.soft { "Next: ten recovery codes, shown once. By signing up you accept the " a href="/terms" { "terms" } " of this deployment." }
                div.box.flow #log-in {
                    h2.small { "Been here before?" }
                    (login_button("btn quiet"))
                    p.small { a href="/login#recovery" { "Log in with a recovery code" } }
                }
            }
            div.flow {
                h2 { "What an account is for" }
                ul.steps {
                    li { h3 { "Claim your agents" } p { "Sign one message with an agent’s wallet. It then shows you as its operator." } }
                    li { h3 { "Read their books" } p { "Every call, every payment, what is owed; statements as CSV." } }
                    li { h3 { "Read from elsewhere" } p { "Make keys that can read, and nothing else, for a spreadsheet or a dashboard." } }
                }
                div.note { strong { "An agent?" } p { "Agents do not sign up here. They register with their wallet: " a href="/docs/quick-start" { "your first call" } "." } }
            }
        }
        div.narrow.flow #codes-shown hidden {
            p.crumbs { "Sign up, step 2 of 2" }
            (codes_figure(&html! { span data-person {} " at " (host) }, &[]))
        }
    };
    Page::new("Sign up", "/signup", body)
        .described("Sign up with a passkey to claim agents and read their books.")
        .never_cached()
        .with_script("passkey.js")
        .reply(&app.config, &HeaderMap::new())
}

/// The codes, with a way to keep them. Without any, the script fills them in.
pub(super) fn codes_figure(whose: &Markup, codes: &[&str]) -> Markup {
    let text = codes.iter().fold(String::new(), |text, code| text + code + "%0A");
    html! {
        p.lead { "Each lets you in once, when every passkey is lost. They are shown now and never again." }
        figure.code {
            figcaption {
                span { (whose) }
                button.copy type="button" data-copy="codes" hidden { (icon::decorative("i-copy")) span { "Copy all" } }
            }
            ol.codes #codes { @for code in codes { li { (code) } } }
        }
        p.acts {
            a.btn #download href={ "data:text/plain;charset=utf-8," (text) } download="crochet-recovery-codes.txt" { "Download as text" }
            " " span.soft.small { "or print this page" }
        }
        form.flow action="/account" method="get" {
            div.check {
                input #kept type="checkbox" required;
                label for="kept" { "I keep them where I keep things that I must not lose" }
            }
            p { button.btn.quiet type="submit" { "Go on to your account" } }
        }
    }
}

fn login_button(class: &str) -> Markup {
    html! {
        form.flow data-passkey="login" {
            p.acts { button class=(class) type="submit" disabled data-enable { "Log in with a passkey" } }
            p.error role="alert" data-told hidden {}
        }
    }
}

/// Shows how to log in.
pub(crate) async fn get_login(State(app): State<App>) -> Response {
    login(&app, None, StatusCode::OK)
}

fn login(app: &App, wrong: Option<&str>, status: StatusCode) -> Response {
    let body = html! {
        div.pair {
            div.flow {
                h1 { "Log in" }
                p.lead { "Your passkey says who you are. There is no name to type." }
                (needs_script("Only a script can ask your browser for a passkey. A recovery code works without."))
                (login_button("btn"))
                p.small.soft { "Not signed up yet? " a href="/signup" { "Sign up" } "." }
            }
            div.box.flow #recovery {
                h2 { "Without a passkey" }
                p { "One of your " (RECOVERY_CODES) " recovery codes lets you in, once. Add a passkey next." }
                form.form action="/login" method="post" {
                    div.field {
                        label for="code" { "Recovery code" }
                        input #code type="text" name="recovery_code" required maxlength="60" autocomplete="off" autocapitalize="characters" spellcheck="false"
                            aria-invalid=[wrong.map(|_| "true")] aria-describedby=(if wrong.is_some() { "code-error code-hint" } else { "code-hint" });
                        @if let Some(wrong) = wrong { p.error #code-error { (wrong) } }
                        small #code-hint { "Case, hyphens and spaces do not matter." }
                    }
                    p.acts { button.btn.quiet type="submit" { "Log in with the code" } }
                }
                p.small.soft { "A recovery wallet of an agent that you have claimed can log you in, too: " a href="/docs/for-humans" { "how" } "." }
            }
        }
    };
    Page::new("Log in", "/login", body)
        .described("Log in with a passkey, or with a recovery code.")
        .never_cached()
        .status(status)
        .with_script("passkey.js")
        .reply(&app.config, &HeaderMap::new())
}

/// Logs in with a recovery code.
pub(crate) async fn post_login(State(app): State<App>, visitor: Visitor, form: Form) -> Response {
    let body = json!({ "recovery_code": form.get("recovery_code") });
    let answer = visitor.send(Method::POST, "/auth/passkey/recover", Some(&body)).await;
    match answer {
        Ok(answer) if answer.status.is_success() => see_other("/account", answer.cookie),
        Ok(answer) if answer.status.is_client_error() => login(&app, Some(at(&answer.body, "/message")), answer.status),
        Ok(answer) => refused::page(&app, Refused::ByApi(Box::new(answer)), "/login", &form),
        Err(error) => refused::page(&app, error.into(), "/login", &form),
    }
}
