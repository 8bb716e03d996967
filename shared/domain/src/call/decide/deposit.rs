//! Decides what happens to a call whose deposit was seen.

use super::deliver::deliver;
use crate::call::key::CallKey;
use crate::call::step::{CallMove, Refusal, Step};
use crate::call::view::{Fact, Payout, Race, View};
use crate::call::{Call, CallState, PaymentState};

/// Goes on with a call that has settled, or is being delivered.
pub(super) fn settled(view: &View, key: &CallKey, call: &Call) -> Step {
    match &call.state {
        CallState::Delivering { lease_until_ms, .. } if view.now_ms < *lease_until_ms => {
            Step::Refuse(Refusal::InProgress(key.clone()))
        }
        // Another request has just settled or attempted the call. Its caller gets the outcome.
        _ if view.raced == Some(Race::Moved) => Step::Refuse(Refusal::InProgress(key.clone())),
        _ => deliver(view, key, call, false),
    }
}

/// Whether a payment that was refunded shows as filled all the same. Only an operator can say which of the two is true.
fn is_filled_again(fact: &Fact) -> bool {
    matches!(fact, Fact::Filled(Payout::AsQuoted | Payout::Differs))
}

/// Goes on with a call that has not settled, if the provider has seen a deposit for it.
pub(super) fn deposit(view: &View, key: &CallKey, call: &Call, fact: &Fact) -> Option<Step> {
    // It was settled, and refunded. A settlement is booked once.
    if call.settled_ms.is_some() {
        return is_filled_again(fact).then(|| Step::Refuse(Refusal::PaymentMismatch(key.clone())));
    }
    let waits = matches!(call.state, CallState::Quoted | CallState::Expired);
    // A deposit that was seen counts, even if the provider takes it back, until the quote is closed.
    let was_seen = call.state == CallState::Pending && call.payment.as_ref().is_some_and(|p| view.now_ms < p.closes_ms());
    // An operator has decided that a payment that differs from its quote does not count.
    let is_void = call.state == CallState::Expired && call.payment.as_ref().is_some_and(|p| p.state == PaymentState::Refunded);
    let is_ttl_over = call.payment.as_ref().is_some_and(|p| view.now_ms >= p.ttl_ms);
    Some(match fact {
        Fact::Filled(Payout::AsQuoted) => deliver(view, key, call, true),
        Fact::Filled(Payout::Differs) if is_void => return None,
        // The history must show that something was paid. The provider is asked again each time.
        Fact::Filled(_) | Fact::Pending if waits => Step::Move(key.clone(), CallMove::DepositSeen),
        Fact::Filled(Payout::Differs) => Step::Refuse(Refusal::PaymentMismatch(key.clone())),
        Fact::Filled(Payout::NotRecorded) | Fact::Pending => Step::Wait(key.clone()),
        Fact::Waiting if was_seen => Step::Wait(key.clone()),
        Fact::Unknown if was_seen && is_ttl_over => Step::Wait(key.clone()),
        Fact::Waiting | Fact::Over { .. } | Fact::Unknown | Fact::Unreachable => return None,
    })
}
