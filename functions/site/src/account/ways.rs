//! The parts of the account about ways in: passkeys, recovery codes, read keys and sessions.

use maud::{Markup, html};
use serde_json::Value;

use super::view::{at, button, day, list, minute, name};
use crate::web::part::{sheet, wide};

/// Passkeys and recovery codes.
pub(super) fn passkeys(passkeys: &Value, session: &Value) -> Markup {
    let about = html! { p { "Adding or ending one asks for your passkey again, if the last time is over 5 minutes ago." } };
    let known = list(passkeys, "/passkeys");
    let left = session.pointer("/session/recovery_codes_left").and_then(Value::as_u64).unwrap_or(0);
    let table = html! {
        table.book {
            thead { tr { th scope="col" { "Passkey" } th scope="col" { "Made" } th scope="col" { "Last used" } th scope="col" { span.hide { "Actions" } } } }
            tbody { @for passkey in known {
                tr {
                    th.any scope="row" { (name(passkey, "/name")) }
                    td.w data-l="made" { (day(passkey, "/created_at", "")) }
                    td.w data-l="used" { (minute(passkey, "/last_used_at", "never")) }
                    td.n { @if known.len() > 1 { (button("/account/passkeys/remove", ("id", at(passkey, "/id")), "Remove", &name(passkey, "/name"))) } @else { span.soft { "the only one" } } }
                }
            } }
        }
    };
    sheet(
        "ways",
        "Ways in",
        &about,
        &html! {
            div.flow {
                (wide("Passkeys", &table))
                form.acts.pick data-passkey="add" {
                    div.field { label for="passkey-name" { "Name of a new passkey" } input #passkey-name type="text" name="name" maxlength="80" placeholder="Laptop"; }
                    button.btn type="submit" disabled data-enable { "Add a passkey" }
                    p.error role="alert" data-told hidden {}
                }
                noscript { p.small.soft { "Adding a passkey needs a script: only a script can ask your browser for one." } }
                p { "Recovery codes: " b { (left) " of 10" } " left. Your agents’ recovery wallets can log you in, too." }
                form method="post" action="/account/codes" { button.btn.quiet type="submit" { "Ten new codes" } " " span.small.soft { "The old ones stop working." } }
            }
        },
    )
}

/// Keys that can read.
pub(super) fn keys(keys: &[Value]) -> Markup {
    let about = html! { p { "For spreadsheets and dashboards. They can read, and nothing else." } };
    let table = html! {
        table.book {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Key" } th scope="col" { "Last used" } th scope="col" { "Ends" } th scope="col" { span.hide { "Actions" } } } }
            tbody { @for key in keys {
                tr {
                    th.any scope="row" { (name(key, "/name")) }
                    td.w { code { (at(key, "/prefix")) "…" } }
                    td.w data-l="used" { (minute(key, "/last_used_at", "never")) }
                    td.w data-l="ends" { (day(key, "/expires_at", "never")) }
                    td.n { (button("/account/keys/end", ("id", at(key, "/id")), "End", &name(key, "/name"))) }
                }
            } }
        }
    };
    sheet(
        "keys",
        "Read keys",
        &about,
        &html! {
            div.flow {
                @if keys.is_empty() { p { "You have none." } } @else { (wide("Read keys", &table)) }
                form.acts.pick method="post" action="/account/keys" {
                    div.field { label for="key-name" { "Name of a new key" } input #key-name type="text" name="name" required maxlength="80" placeholder="Month-end sheet"; }
                    div.field {
                        label for="key-days" { "Ends" }
                        select #key-days name="days" { option value="90" { "in 90 days" } option value="365" { "in a year" } option value="" { "never" } }
                    }
                    button.btn.quiet type="submit" { "Make a read key" }
                }
            }
        },
    )
}

/// Open sessions, and the end of all of them.
pub(super) fn sessions(sessions: &Value, keys: usize) -> Markup {
    let open = list(sessions, "/sessions");
    let table = html! {
        table.book {
            thead { tr { th scope="col" { "Opened" } th scope="col" { "By" } th scope="col" { "Last seen" } th scope="col" { "Ends" } th scope="col" { span.hide { "Actions" } } } }
            tbody { @for session in open {
                @let is_this = session["current"] == true;
                tr {
                    th.w scope="row" { (minute(session, "/created_at", "")) @if is_this { " " span.tag { "this one" } } }
                    td { (opened_with(at(session, "/opened_with"))) }
                    td.w data-l="seen" { (minute(session, "/last_seen_at", "")) }
                    td.w data-l="ends" { (minute(session, "/expires_at", "")) }
                    td.n { (button("/account/sessions/end", ("id", at(session, "/id")), if is_this { "Log out" } else { "End" }, &html! { "session of " (minute(session, "/created_at", "")) })) }
                }
            } }
        }
    };
    sheet(
        "sessions",
        "Sessions",
        &html! { p { "A session ends 12 hours after its last use, and after 7 days at the latest." } },
        &html! {
            div.flow {
                (wide("Sessions", &table))
                form.flow method="post" action="/account/logout-everywhere" {
                    div.check {
                        input #endkeys type="checkbox" name="keys" value="true";
                        label for="endkeys" { "also end " (match keys { 0 => "every read key (you have none)".to_owned(), 1 => "your read key".to_owned(), many => format!("all {many} read keys") }) }
                    }
                    p { button.btn.quiet type="submit" { "Log out everywhere" } }
                }
            }
        },
    )
}

fn opened_with(method: &str) -> &'static str {
    match method {
        "recovery_code" => "Recovery code",
        "wallet" => "An agent’s wallet",
        _ => "Passkey",
    }
}
