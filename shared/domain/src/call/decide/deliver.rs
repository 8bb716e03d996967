//! A call that is paid, or free: deliver it, or say why not now.

use super::start::closed;
use crate::call::key::CallKey;
use crate::call::step::{CallMove, Refusal, Step};
use crate::call::view::{Fact, Obstacle, RecordView, View};
use crate::call::{CONFIRMED_FOR_MS, Call, CallState, PaymentState};

/// Delivers a paid or free call. With `settle`, this request is the first to see the payment.
pub(super) fn deliver(view: &View, key: &CallKey, call: &Call, settle: bool) -> Step {
    // What was refunded is not owed, so that comes before the call is closed.
    if !settle
        && call.payment.is_some()
        && let Some(step) = confirm(view, key, call)
    {
        return step;
    }
    if !settle && call.is_overdue(view.now_ms) {
        return close(view, key);
    }
    if call.payment.is_none() {
        return deliver_free(view, key, call);
    }
    if was_served_for_free(view, key, call) {
        // Nobody needs it any more, so it is owed at once.
        return if settle { Step::Settle(key.clone()) } else { close(view, key) };
    }
    if let Some(retry_from_ms) = waits_until(view, call) {
        return Step::Refuse(Refusal::FailedBefore { call: key.clone(), retry_from_ms });
    }
    to_seller(view, key, call, settle)
}

/// Without an answer from the provider, nothing is known to be owed.
fn close(view: &View, key: &CallKey) -> Step {
    if is_in_doubt(view, key) { Step::Refuse(Refusal::ProviderUnavailable) } else { Step::Close(key.clone()) }
}

/// Whether the provider was asked about a payment and did not answer.
pub(super) fn is_in_doubt(view: &View, key: &CallKey) -> bool {
    view.fact(key) == Some(&Fact::Unreachable)
}

/// Nobody has paid for a free call, so the listing's state and limits apply as to a new one.
fn deliver_free(view: &View, key: &CallKey, call: &Call) -> Step {
    if view.listing.is_paid {
        return Step::Move(key.clone(), CallMove::Expired(PaymentState::Waiting));
    }
    if let Some(refused) = closed(view, None).or_else(|| view.listing.traffic.map(|why| Step::Refuse(Refusal::Traffic(why)))) {
        return refused;
    }
    if let Some(retry_from_ms) = waits_until(view, call) {
        return Step::Refuse(Refusal::FailedBefore { call: key.clone(), retry_from_ms });
    }
    to_seller(view, key, call, false)
}

fn to_seller(view: &View, key: &CallKey, call: &Call, settle: bool) -> Step {
    let breaker = view.listing.breaker_retry_after.or(match view.obstacle {
        Some(Obstacle::BreakerOpen(seconds)) => Some(seconds),
        _ => None,
    });
    let is_lost = view.obstacle == Some(Obstacle::SecretLost);
    let is_kept_away = !view.listing.endpoint_active || breaker.is_some() || is_lost;
    if !is_kept_away && view.obstacle.is_none() {
        return Step::Deliver { call: key.clone(), settle };
    }
    if settle {
        return Step::Settle(key.clone());
    }
    if is_kept_away {
        // From the first time on, the call must be delivered within 24 hours, or it is owed.
        if call.in_vain_ms.is_none() && call.payment.is_some() {
            return Step::Move(key.clone(), CallMove::PresentedInVain);
        }
        let retry_after = breaker.filter(|_| view.listing.endpoint_active);
        return Step::Refuse(Refusal::SellerUnavailable { call: key.clone(), retry_after });
    }
    match view.obstacle {
        Some(Obstacle::NoTime) => Step::Wait(key.clone()),
        _ => Step::Refuse(Refusal::Failed),
    }
}

/// Until when the seller is not called after a failed attempt. A changed endpoint ends the wait.
fn waits_until(view: &View, call: &Call) -> Option<i64> {
    let is_same = call.tried_endpoint == view.listing.endpoint_mark;
    call.retry_from_ms(view.listing.relaxed).filter(|from| is_same && view.now_ms < *from)
}

/// A settlement that was not delivered for a while is asked about once more. It may have been refunded.
fn confirm(view: &View, key: &CallKey, call: &Call) -> Option<Step> {
    let is_old = call.settled_ms.is_some_and(|settled| view.now_ms >= settled + CONFIRMED_FOR_MS);
    match view.fact(key) {
        None if is_old => Some(Step::AskProvider(vec![key.clone()])),
        Some(Fact::Over { how: PaymentState::Refunded, .. }) if is_old => Some(Step::Move(key.clone(), CallMove::Reversed)),
        _ => None,
    }
}

/// Whether the listing has become free, and has served what this call was wanted for.
fn was_served_for_free(view: &View, key: &CallKey, call: &Call) -> bool {
    let RecordView::Found(record) = &view.record else { return false };
    !view.listing.is_paid
        && record.calls.iter().filter(|listed| listed.round == call.round && listed.key != *key).any(|listed| {
            view.call(&listed.key)
                .is_some_and(|other| other.payment.is_none() && matches!(other.state, CallState::Delivered { .. }))
        })
}
