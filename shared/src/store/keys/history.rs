//! Index keys of histories and accounts.

use time::OffsetDateTime;
use time::macros::format_description;

use super::key::{GSI1, GSI2, IndexKey};
use crochet_domain::ids::{CallId, ProfileId};
use crochet_domain::timestamp::from_unix_ms;

/// A buyer's calls, by id.
#[must_use]
pub fn buyer_history(buyer: ProfileId, call: CallId) -> IndexKey {
    IndexKey::new(GSI1, buyer_history_partition(buyer), call.to_string())
}

/// The partition of [`buyer_history`].
#[must_use]
pub fn buyer_history_partition(buyer: ProfileId) -> String {
    format!("BUYER#{buyer}")
}

/// A seller's calls of one day, by id.
#[must_use]
pub fn seller_history(seller: ProfileId, call: CallId) -> IndexKey {
    IndexKey::new(GSI2, seller_history_partition(seller, from_unix_ms(call.created_ms())), call.to_string())
}

/// The partition of [`seller_history`] for the day of `at`.
#[must_use]
pub fn seller_history_partition(seller: ProfileId, at: OffsetDateTime) -> String {
    format!("SELLER#{seller}#{}", day(at))
}

/// A profile's account as a buyer, by entry id.
#[must_use]
pub fn account(profile: ProfileId, entry_id: &str) -> IndexKey {
    IndexKey::new(GSI1, account_partition(profile), entry_id)
}

/// The partition of [`account`].
#[must_use]
pub fn account_partition(profile: ProfileId) -> String {
    format!("ACCOUNT#{profile}")
}

/// A profile's account as a seller, one day of it, by entry id.
#[must_use]
pub fn earnings(profile: ProfileId, at: OffsetDateTime, entry_id: &str) -> IndexKey {
    IndexKey::new(GSI2, earnings_partition(profile, at), entry_id)
}

/// The partition of [`earnings`] for the day of `at`.
#[must_use]
pub fn earnings_partition(profile: ProfileId, at: OffsetDateTime) -> String {
    format!("EARNINGS#{profile}#{}", day(at))
}

fn day(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(format_description!("[year][month][day]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sellers_history_is_split_by_day() {
        let seller = ProfileId::generate(OffsetDateTime::UNIX_EPOCH);
        let call = CallId::generate(OffsetDateTime::from_unix_timestamp(86_400 * 2).expect("a date"));
        assert!(seller_history(seller, call).pk.ends_with("#19700103"));
    }
}
