//! The steps that the tests expect, spelled shortly.

use super::asking::Asking;
use super::calls::{BODY, key, listing};
use crate::call::step::{NewCall, Offer, OfferReason, Refusal, Step};
use crate::call::view::ListingClosed;
use crate::call::{CallKey, CallName, PaymentState};

pub(super) const EVERY_CLOSED: [ListingClosed; 3] = [ListingClosed::NotActive, ListingClosed::NoEndpoint, ListingClosed::Paused];

/// This request is the first to see the payment.
pub(super) fn settles_and_delivers(payment: &str) -> Step {
    Step::Deliver { call: key(payment), settle: true }
}

/// The call has settled before.
pub(super) fn delivers(payment: &str) -> Step {
    Step::Deliver { call: key(payment), settle: false }
}

pub(super) fn offers(payment: &str, reason: OfferReason) -> Step {
    Step::Offer(Offer { call: key(payment), reason, delivered: None })
}

/// The same quote again.
pub(super) fn not_seen(payment: &str) -> Step {
    offers(payment, OfferReason::NotSeen { by_payment_id: false })
}

/// The same quote again, to whoever sends its id.
pub(super) fn not_seen_by_id(payment: &str) -> Step {
    offers(payment, OfferReason::NotSeen { by_payment_id: true })
}

pub(super) fn asks_about(payments: &[&str]) -> Step {
    Step::AskProvider(payments.iter().map(|payment| key(payment)).collect())
}

pub(super) fn closed(why: ListingClosed, quoted: Option<CallKey>) -> Step {
    Step::Refuse(Refusal::ListingClosed { why, quoted })
}

pub(super) fn already_delivered(delivered: &CallKey, unused: &[&str]) -> Step {
    let unused = unused.iter().map(|payment| key(payment)).collect();
    Step::Refuse(Refusal::AlreadyDelivered { delivered: delivered.clone(), unused })
}

pub(super) fn replaces(payment: &str, how: PaymentState) -> OfferReason {
    let provider_reason = (how == PaymentState::Failed).then(|| "no liquidity".to_owned());
    OfferReason::Replaces { call: key(payment), how, provider_reason }
}

pub(super) fn body_name() -> CallName {
    CallName::Body { listing: listing(), sha256: BODY.into() }
}

pub(super) fn key_name() -> CallName {
    CallName::Key("k".into())
}

pub(super) fn first(name: CallName) -> NewCall {
    NewCall { name: Some(name), round: 0, currency: None, reason: OfferReason::First, delivered: None }
}

/// The call that this request quotes.
pub(super) fn quote_of(asked: &Asking) -> NewCall {
    match asked.decide() {
        Step::Quote(new) => new,
        other => panic!("a quote, not {other:?} of {:#?}", asked.view),
    }
}

/// The free call that this request makes.
pub(super) fn free_call_of(asked: &Asking) -> NewCall {
    match asked.decide() {
        Step::CallFree(new) => new,
        other => panic!("a free call, not {other:?} of {:#?}", asked.view),
    }
}

/// Every request comes to this step.
pub(super) fn all_come_to(asked: impl IntoIterator<Item = Asking>, expected: &Step) {
    for asked in asked {
        assert_eq!(asked.decide(), *expected, "{:#?}", asked.view);
    }
}

/// The provider was not asked why.
pub(super) fn replaces_without_reason(payment: &str, how: PaymentState) -> OfferReason {
    OfferReason::Replaces { call: key(payment), how, provider_reason: None }
}
