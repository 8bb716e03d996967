//! What a call counts as, once it has ended, and what changes that later.
//!
//! A call that has ended gives one or more events, each with an id of its own. Every one carries a difference, and the time of the
//! call's first end, so that a correction lands on the day on which the call stood. A call gives more events as more happens to it,
//! and never other ones: whoever adds each id once, in any order, has counted the call as it is now.

use sha2::{Digest, Sha256};

use super::Facts;
use super::milli;
use crate::call::ledger::Settlement;
use crate::call::{Call, CallState, PaymentState};
use crate::ids::{ListingId, ProfileId};
use crate::money::Micros;

/// A seller cannot be blamed for a call that was presented less often than this.
const PRESENTED_IN_EARNEST: usize = 3;
/// A seller cannot be blamed for a call that was presented only within this time: 10 minutes.
const IN_EARNEST_FOR_MS: i64 = 600_000;

/// The id of an event: the first eight bytes of a SHA-256.
pub type EventId = [u8; 8];

/// Something that happened to a call, and what it adds to the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// The first end of the call (Unix milliseconds).
    pub at_ms: i64,
    /// The seller.
    pub seller: ProfileId,
    /// The buyer.
    pub buyer: ProfileId,
    /// The listing.
    pub listing: ListingId,
    /// The difference.
    pub facts: Facts,
}

/// What has happened to a call: nothing before it has ended. `unit_fee` is the fee of a whole call.
#[must_use]
pub fn events(call: &Call, unit_fee: Micros) -> Vec<Event> {
    let ended = match &call.state {
        CallState::Delivered { .. } => delivered(call, unit_fee),
        CallState::Undelivered => undelivered(call, unit_fee),
        // Reversed before anything was delivered, it has never stood anywhere.
        _ => return Vec::new(),
    };
    let event = |what: &str, facts: Facts| Event {
        id: id(call, what),
        at_ms: call.updated_ms,
        seller: call.seller,
        buyer: call.buyer,
        listing: call.listing.id,
        facts,
    };
    let mut events = vec![event("ended", ended)];
    let is_reversed = call.payment.as_ref().is_some_and(|payment| payment.state == PaymentState::Refunded);
    if is_reversed {
        events.push(event("reversed", -ended));
    }
    if call.debts.seller != Settlement::Open {
        let back = paid_back(call, ended);
        events.push(event("paid_back", back));
        if is_reversed {
            events.push(event("paid_back_reversed", -back));
        }
    }
    events
}

fn id(call: &Call, what: &str) -> EventId {
    let digest = Sha256::digest(format!("{}#{what}", call.id));
    let mut id = EventId::default();
    id.copy_from_slice(&digest[..8]);
    id
}

/// A response about the request, such as 404, says nothing about the seller.
fn delivered(call: &Call, unit_fee: Micros) -> Facts {
    let counts = call_milli(call, unit_fee);
    let fees = if counts > 0 { call.split.fee.0 } else { 0 };
    let heard = Facts { bought: counts, fees, ..Facts::default() };
    let status = call.attempts.last().and_then(|attempt| attempt.seller_status_code);
    if !status.is_some_and(|status| (200..300).contains(&status)) {
        return heard;
    }
    let lost = if call.failures() > 0 { counts / 2 } else { 0 };
    Facts { kept: counts, lost, ..heard }
}

/// A call that was never presented, or whose attempts all ended with our own process, says nothing about the seller.
fn undelivered(call: &Call, unit_fee: Micros) -> Facts {
    let counts = call_milli(call, unit_fee);
    if counts == 0 || call.in_vain_ms.is_none() {
        return Facts::default();
    }
    let unserved = Facts { unserved: 1, ..Facts::default() };
    if is_in_earnest(call) {
        Facts { open: counts, open_half: counts / 2, ..unserved }
    } else {
        Facts { lost: counts / 2, ..unserved }
    }
}

/// Whether the buyer tried for long enough to get what it had paid for. A seller whose endpoint accepted no calls when the call was
/// first presented is not better off because the buyer gave up: how often it met a closed door is not stored.
fn is_in_earnest(call: &Call) -> bool {
    let failed = || call.attempts.iter().filter(|attempt| attempt.is_failure());
    let (Some(first), Some(last)) = (failed().next(), failed().next_back()) else { return true };
    if call.in_vain_ms.is_some_and(|met| met < first.started_ms) {
        return true;
    }
    failed().count() >= PRESENTED_IN_EARNEST && last.started_ms - first.started_ms > IN_EARNEST_FOR_MS
}

/// An undelivered call that was paid back, or whose buyer waives it, is lost and no longer owed. A delivered one that was refunded
/// by good will counts nothing.
fn paid_back(call: &Call, ended: Facts) -> Facts {
    match call.state {
        CallState::Delivered { .. } => -ended,
        _ => Facts { open: -ended.open, open_half: -ended.open_half, lost: ended.open_half, ..Facts::default() },
    }
}

fn call_milli(call: &Call, unit_fee: Micros) -> i64 {
    if call.payment.is_none() { 0 } else { milli(call.split.fee, unit_fee) }
}
