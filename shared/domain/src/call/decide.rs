//! Decides the next step of a gateway call: a pure function of what is known.
//!
//! The gateway loops: it decides, carries out the step, and adds the result to the view. A step is a read (`AskProvider`,
//! `LoadRecord` …), one conditional write (`Move`, `Settle`, `Deliver`, `Close`, `Quote` …), or the reply. The names of the tests
//! state the rules.
//!
//! [`decide`] answers what a payment id alone can answer, so that a paid retry reads nothing else. [`record`] answers the rest from
//! everything that was ever offered for the same call. [`deliver`] and [`start`] are where both of them end.

mod calls;
mod deliver;
mod deposit;
mod record;
mod start;

use super::CallState;
use super::key::CallKey;
use super::record::IdempotencyRecord;
use super::step::{Differs, Refusal, Step};
use super::view::{BodyView, RecordView, ResolvedBy, View};
use calls::Calls;
use deposit::{deposit, settled};

/// Decides the next step.
#[must_use]
pub fn decide(view: &View) -> Step {
    match view.request.resolved_by {
        ResolvedBy::PaymentId => by_payment_id(view),
        ResolvedBy::IdempotencyKey | ResolvedBy::Body => record::by_name(view),
    }
}

/// A paid call with the same body that was delivered before, and whose response is still stored.
#[must_use]
pub fn delivered_before(view: &View) -> Option<CallKey> {
    match &view.record {
        RecordView::Found(record) => Calls::of(view, record).delivered_before(view),
        RecordView::Unread | RecordView::Absent => None,
    }
}

/// Checks that the payment belongs to this buyer, listing and body, and that an idempotency key does not mean another call.
fn by_payment_id(view: &View) -> Step {
    let request = &view.request;
    let known = view.named.as_ref().and_then(|key| Some((key, view.call(key)?)));
    let Some((key, call)) = known.filter(|(_, call)| call.buyer == request.buyer) else {
        return Step::Refuse(Refusal::PaymentNotFound);
    };
    if call.listing.id != view.listing.id {
        return Step::Refuse(Refusal::BoundToAnotherRequest { call: key.clone(), differs: Differs::Listing });
    }
    match &request.body {
        BodyView::Json { sha256, .. } if *sha256 == call.body_sha256 => {}
        BodyView::Json { .. } => {
            return Step::Refuse(Refusal::BoundToAnotherRequest { call: key.clone(), differs: Differs::Body });
        }
        BodyView::Empty | BodyView::Invalid => return Step::Refuse(Refusal::InvalidBody),
    }
    let is_unknown_key = request.idempotency_key.is_some() && request.idempotency_key != call.idempotency_key;
    match view.key_added {
        None if is_unknown_key => return Step::AddIdempotencyKey(key.clone()),
        Some(false) => return Step::Refuse(Refusal::IdempotencyKeyConflict),
        _ => {}
    }
    // A payment that is filled after the listing became free may be unused money. Only the record says so.
    if !view.listing.is_paid && call.payment.is_some() && view.record == RecordView::Unread {
        return Step::LoadRecord(key.clone());
    }
    match &call.state {
        CallState::Delivered { .. } => Step::Replay(key.clone()),
        CallState::Undelivered => Step::Refuse(Refusal::Undelivered(key.clone())),
        CallState::Delivering { .. } | CallState::Settled => settled(view, key, call),
        CallState::Quoted | CallState::Pending | CallState::Expired => match view.fact(key) {
            None => Step::AskProvider(vec![key.clone()]),
            Some(fact) => deposit(view, key, call, fact).unwrap_or_else(|| match &view.record {
                RecordView::Unread => Step::LoadRecord(key.clone()),
                RecordView::Absent => record::go_on(view, &IdempotencyRecord::empty(call), Some((key, call))),
                RecordView::Found(record) => record::go_on(view, record, Some((key, call))),
            }),
        },
    }
}

#[cfg(test)]
mod tests;
