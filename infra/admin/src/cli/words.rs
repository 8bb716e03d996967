//! Words of the command line: times, ids and names.

use crochet_domain::ids::{CallId, ListingId, ProfileId};
use crochet_domain::timestamp::unix_ms;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// Unix milliseconds of a date or a time.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).map(|date| date.midnight().assume_utc());
    let time = date.or_else(|_| OffsetDateTime::parse(text, &Rfc3339));
    time.map(unix_ms).map_err(|_| format!("\"{text}\" is neither a date like 2026-01-31 nor a time like 2026-01-31T12:00:00Z."))
}

/// A day, as the time at which it begins (Unix milliseconds).
pub(super) fn day(text: &str) -> Result<i64, String> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    date.map(|date| unix_ms(date.midnight().assume_utc())).map_err(|_| format!("\"{text}\" is not a day like 2026-01-31."))
}

pub(super) fn call_id(text: &str) -> Result<CallId, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not the id of a call (gw_req_…)."))
}

pub(super) fn listing_id(text: &str) -> Result<ListingId, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not the id of a listing."))
}

pub(super) fn profile_id(text: &str) -> Result<ProfileId, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not the id of a profile."))
}
