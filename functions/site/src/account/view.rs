//! Reading replies of the API, and writing them as pages do.

use crochet_domain::money::Micros;
use crochet_domain::timestamp::unix_ms;
use maud::{Markup, html};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{foreign, format};

/// A text at a JSON pointer; empty if there is none.
pub(super) fn at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A list at a JSON pointer; empty if there is none.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A name that others chose.
pub(super) fn name(value: &Value, pointer: &str) -> Markup {
    foreign::name(at(value, pointer))
}

/// An amount at a JSON pointer.
pub(super) fn amount(value: &Value, pointer: &str) -> Micros {
    Micros(value.pointer(pointer).and_then(|amount| amount["amount_micros"].as_i64()).unwrap_or(0))
}

/// An amount with its sign: `+$0.06`, `−$0.06`.
pub(super) fn signed(amount: Micros) -> String {
    let plus = if amount > Micros::ZERO { "+" } else { "" };
    format!("{plus}{}", format::money(amount))
}

/// Unix milliseconds of a time of the API.
pub(super) fn ms(value: &Value, pointer: &str) -> Option<i64> {
    OffsetDateTime::parse(at(value, pointer), &Rfc3339).ok().map(unix_ms)
}

/// A day and minute, or what is said instead.
pub(super) fn minute(value: &Value, pointer: &str, none: &str) -> Markup {
    match ms(value, pointer) {
        Some(ms) => format::minute(ms),
        None => html! { span.soft { (none) } },
    }
}

/// A day, or what is said instead.
pub(super) fn day(value: &Value, pointer: &str, none: &str) -> Markup {
    match ms(value, pointer) {
        Some(ms) => format::date(ms),
        None => html! { span.soft { (none) } },
    }
}

/// A time in books: `28 Nov 12:03:41`.
pub(super) fn second(value: &Value, pointer: &str) -> Markup {
    let Some(moment) = OffsetDateTime::parse(at(value, pointer), &Rfc3339).ok() else { return html! {} };
    let clock = format!("{:02}:{:02}:{:02}", moment.hour(), moment.minute(), moment.second());
    html! { time datetime=(at(value, pointer)) { (format::short_day(moment)) " " span.soft { (clock) } } }
}

/// A form with one hidden field and one button. `what` completes the button for those who hear it alone.
pub(super) fn button(action: &str, field: (&str, &str), label: &str, what: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name=(field.0) value=(field.1);
            button.btn.quiet type="submit" { (label) span.hide { " " (what) } }
        }
    }
}
