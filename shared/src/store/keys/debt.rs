//! Keys of debts, and of the refunds that pay them.

use time::OffsetDateTime;

use super::call::{due, due_partition, shard};
use super::catalogue::changed_since;
use super::key::{ABOVE_ALL, BELOW_ALL, GSI3, IndexKey, Key, KeyRange};
use crochet_domain::ids::{CallId, ProfileId, RefundId};
use crochet_domain::refund::RefundKey;
use crochet_domain::timestamp::unix_ms;

/// Prefix of the partition keys of debts.
const DEBTS: &str = "DEBT#";
/// Prefix of the partition keys of refunds.
const REFUNDS: &str = "REFUND#";
/// Prefixes of the sort keys of refund records: of what is owed to a buyer, and of a call that is refunded by good will.
const OWED: &str = "OWED#";
const GOOD_WILL: &str = "GIVEN#";
/// Prefix of the sort keys of refunds that were paid.
const PAID: &str = "PAID#";

/// What a seller owes a buyer for a call.
#[must_use]
pub fn debt(seller: ProfileId, buyer: ProfileId, call: CallId) -> Key {
    Key::new(format!("{DEBTS}{seller}"), format!("{buyer}#{call}"))
}

/// All debts of a seller.
#[must_use]
pub fn debts_of(seller: ProfileId) -> KeyRange {
    KeyRange { pk: format!("{DEBTS}{seller}"), from: BELOW_ALL.to_owned(), to: ABOVE_ALL.to_owned() }
}

/// The debts of a seller to one buyer, oldest call first.
#[must_use]
pub fn debts_to(seller: ProfileId, buyer: ProfileId) -> KeyRange {
    KeyRange::starting_with(format!("{DEBTS}{seller}"), &format!("{buyer}#"))
}

/// The seller whose debts are in a partition.
#[must_use]
pub fn debtor_of_partition(pk: &str) -> Option<ProfileId> {
    pk.strip_prefix(DEBTS)?.parse().ok()
}

/// The time at which a debt needs attention.
#[must_use]
pub fn debt_due(call: CallId, at: OffsetDateTime) -> IndexKey {
    due(call, at)
}

/// The record of what a refund is for.
#[must_use]
pub fn refund(key: &RefundKey) -> Key {
    let sk = match key.good_will {
        None => format!("{OWED}{}", key.buyer),
        Some(call) => format!("{GOOD_WILL}{}#{call}", key.buyer),
    };
    Key::new(refunds_of(key.seller), sk)
}

/// The record that is stored at this key, or `None` if another item is.
#[must_use]
pub fn parse_refund(key: &Key) -> Option<RefundKey> {
    let seller = key.pk.strip_prefix(REFUNDS)?.parse().ok()?;
    if let Some(buyer) = key.sk.strip_prefix(OWED) {
        return Some(RefundKey { seller, buyer: buyer.parse().ok()?, good_will: None });
    }
    let (buyer, call) = key.sk.strip_prefix(GOOD_WILL)?.split_once('#')?;
    Some(RefundKey { seller, buyer: buyer.parse().ok()?, good_will: Some(call.parse().ok()?) })
}

/// What the seller has to do to pay a refund, by the provider's id for the payment.
#[must_use]
pub fn refund_requirements(seller: ProfileId, payment_id: &str) -> Key {
    Key::new(refunds_of(seller), format!("PAY#{payment_id}"))
}

/// A refund that was paid.
#[must_use]
pub fn paid_refund(seller: ProfileId, id: RefundId) -> Key {
    Key::new(refunds_of(seller), format!("{PAID}{id}"))
}

/// The refunds that a seller has paid, in order of their offer.
#[must_use]
pub fn paid_refunds(seller: ProfileId) -> KeyRange {
    KeyRange::starting_with(refunds_of(seller), PAID)
}

/// The seller whose refund is stored at this key, and the refund; `None` if another item is.
#[must_use]
pub fn parse_paid_refund(key: &Key) -> Option<(ProfileId, RefundId)> {
    Some((key.pk.strip_prefix(REFUNDS)?.parse().ok()?, key.sk.strip_prefix(PAID)?.parse().ok()?))
}

/// The time at which a refund's record, or a refund that was paid, needs attention.
#[must_use]
pub fn refund_due(id: RefundId, at: OffsetDateTime) -> IndexKey {
    let id = id.to_string();
    IndexKey::new(GSI3, due_partition(shard(&id)), format!("{}{id}", changed_since(unix_ms(at))))
}

fn refunds_of(seller: ProfileId) -> String {
    format!("{REFUNDS}{seller}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_refunds_record_is_read_back() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let owed = RefundKey { seller: ProfileId::generate(now), buyer: ProfileId::generate(now), good_will: None };
        let given = RefundKey { good_will: Some(CallId::generate(now)), ..owed };
        for key in [owed, given] {
            assert_eq!(parse_refund(&refund(&key)), Some(key));
        }
        let id = RefundId::generate(now);
        assert_eq!(parse_refund(&paid_refund(owed.seller, id)), None);
        assert_eq!(parse_paid_refund(&paid_refund(owed.seller, id)), Some((owed.seller, id)));
        assert_eq!(parse_paid_refund(&refund(&given)), None);
        assert_eq!(debtor_of_partition(&debts_of(owed.seller).pk), Some(owed.seller));
    }
}
