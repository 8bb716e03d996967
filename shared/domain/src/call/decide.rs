//! Decides the next step of a gateway call: a pure function of what is known.
//!
//! The gateway loops: it decides, carries out the step, and adds the result to the view. A step is a read (`AskProvider`, `Load`
//! …), one conditional write (`Move`, `Settle`, `Deliver`, `Close`, `Quote` …), or the reply. The names of the tests state the
//! rules.

use super::key::{CallKey, IdempotencyKey};
use super::step::{Differs, NewCall, OfferReason, PaymentMove, Refusal, Step};
use super::view::{BodyView, Fact, Obstacle, Payout, Race, RequestedCurrency, ResolvedBy, SchemaCheck, View, is_open};
use super::{Call, CallState, PaymentState};
use crate::currency::OriginCurrency;

/// How the decision reached a call.
#[derive(Debug, Clone)]
enum Way {
    Named(ResolvedBy),
    /// As the replacement of a call whose quote ended unpaid.
    Instead(OfferReason),
}

impl Way {
    fn is(&self, by: ResolvedBy) -> bool {
        matches!(self, Self::Named(named) if *named == by)
    }
}

/// Decides the next step.
#[must_use]
pub fn decide(view: &View) -> Step {
    match view.request.resolved_by {
        ResolvedBy::PaymentId => by_payment_id(view),
        ResolvedBy::IdempotencyKey | ResolvedBy::Body => without_payment_id(view),
    }
}

/// Checks that the payment belongs to this buyer, listing and body, and that an idempotency key does not identify another call.
fn by_payment_id(view: &View) -> Step {
    let request = &view.request;
    let known = view.candidates.first().and_then(|key| Some((key, view.call(key)?)));
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
        None if is_unknown_key => Step::AddIdempotencyKey(key.clone()),
        Some(false) => Step::Refuse(Refusal::IdempotencyKeyConflict),
        _ => go_on(view, key, call, &Way::Named(ResolvedBy::PaymentId)),
    }
}

/// The idempotency key, or listing and body, may identify an existing call. That call continues before anything is quoted.
fn without_payment_id(view: &View) -> Step {
    let request = &view.request;
    let sha256 = match &request.body {
        BodyView::Empty if view.listing.is_paid => return closed(view).unwrap_or(Step::Probe),
        BodyView::Empty | BodyView::Invalid => return closed(view).unwrap_or(Step::Refuse(Refusal::InvalidBody)),
        BodyView::Json { sha256, .. } => sha256,
    };
    let way = Way::Named(request.resolved_by);
    if let Some(record) = &view.record {
        if record.listing != view.listing.id {
            return Step::Refuse(Refusal::IdempotencyKeyReused(Differs::Listing));
        }
        if record.body_sha256 != *sha256 {
            return Step::Refuse(Refusal::IdempotencyKeyReused(Differs::Body));
        }
        match (record.currency, request.currency) {
            (_, RequestedCurrency::Unsupported) => return Step::Refuse(Refusal::UnsupportedCurrency),
            (Some(bound), RequestedCurrency::Known(asked)) if bound != asked => {
                return Step::Refuse(Refusal::IdempotencyKeyReused(Differs::Currency));
            }
            _ => {}
        }
        return match view.call(&record.call) {
            Some(call) => go_on(view, &record.call, call, &way),
            None => Step::Refuse(Refusal::CallMissing),
        };
    }
    if !view.candidates.is_empty() && request.currency == RequestedCurrency::Unsupported {
        return Step::Refuse(Refusal::UnsupportedCurrency);
    }
    match candidate(view) {
        Candidate::Ask(calls) => Step::AskProvider(calls),
        Candidate::Unreachable => Step::Refuse(Refusal::ProviderUnavailable),
        Candidate::Call(key, call) => go_on(view, key, call, &way),
        Candidate::None => {
            let key = request.idempotency_key.clone().map(IdempotencyKey::Client);
            new_call(view, NewCall { key, currency: None, replaces: None, reason: OfferReason::First })
        }
    }
}

/// Which of a buyer's calls for a body continues.
enum Candidate<'a> {
    Ask(Vec<CallKey>),
    Unreachable,
    Call(&'a CallKey, &'a Call),
    None,
}

/// Selects a call that is paid or in progress; otherwise, the open quote in the requested or preferred currency. If several quotes
/// are open, the provider is asked about all of them first, so that nobody pays twice.
fn candidate(view: &View) -> Candidate<'_> {
    let calls: Vec<(&CallKey, &Call)> = view
        .candidates
        .iter()
        .filter_map(|key| Some((key, view.call(key)?)))
        .filter(|(_, call)| is_asked_for(view, call))
        .collect();
    // A call that a parallel request has just expired counts as open if the provider says that it is paid.
    let (open, ended): (Vec<_>, Vec<_>) =
        calls.into_iter().partition(|(key, call)| is_open(call) || (call.state == CallState::Expired && has_deposit(view, key)));
    if open.is_empty() {
        let newest = ended.into_iter().max_by_key(|(_, call)| call.created_ms);
        return newest.map_or(Candidate::None, |(key, call)| Candidate::Call(key, call));
    }
    let paid = open.iter().find(|(_, call)| call.state != CallState::Quoted);
    if let Some((key, call)) = paid {
        return Candidate::Call(key, call);
    }
    let fact = |key: &CallKey| view.known(key).and_then(|known| known.fact.as_ref());
    if open.len() > 1 && open.iter().any(|(key, _)| fact(key).is_none()) {
        return Candidate::Ask(open.iter().map(|(key, _)| (*key).clone()).collect());
    }
    if open.len() > 1 && open.iter().any(|(key, _)| fact(key) == Some(&Fact::Unreachable)) {
        return Candidate::Unreachable;
    }
    let preferred = match view.request.currency {
        RequestedCurrency::Known(asked) => Some(asked),
        _ => view.request.default_currency,
    };
    let with_deposit = open.iter().find(|(key, _)| open.len() > 1 && has_deposit(view, key));
    let in_preferred = || open.iter().find(|(_, call)| currency(call) == preferred);
    with_deposit.or_else(in_preferred).or(open.first()).map_or(Candidate::None, |(key, call)| Candidate::Call(key, call))
}

fn is_asked_for(view: &View, call: &Call) -> bool {
    match view.request.currency {
        RequestedCurrency::Known(asked) => currency(call) == Some(asked),
        _ => true,
    }
}

/// Whether the provider says that a call is paid, or has seen a deposit for it.
fn has_deposit(view: &View, key: &CallKey) -> bool {
    matches!(view.known(key).and_then(|known| known.fact.as_ref()), Some(Fact::Filled(_) | Fact::Pending))
}

fn currency(call: &Call) -> Option<OriginCurrency> {
    call.payment.as_ref().map(|payment| payment.origin_currency)
}

/// Continues an existing call.
fn go_on(view: &View, key: &CallKey, call: &Call, way: &Way) -> Step {
    let again = |reason| new_call(view, NewCall { key: None, currency: None, replaces: None, reason });
    // If the call ended while this request was running, it is the call that the request meant.
    let is_past = way.is(ResolvedBy::Body) && view.raced != Some(Race::Moved);
    match &call.state {
        CallState::Delivered { .. } if is_past => again(OfferReason::AfterDelivered(key.clone())),
        CallState::Undelivered if is_past => again(OfferReason::AfterUndelivered(key.clone())),
        CallState::Delivered { .. } => Step::Replay(key.clone()),
        CallState::Undelivered => Step::Refuse(Refusal::Undelivered(key.clone())),
        CallState::Delivering { lease_until_ms, .. } if view.now_ms < *lease_until_ms => {
            Step::Refuse(Refusal::InProgress(key.clone()))
        }
        // Another request has just settled or attempted the call. Its caller gets the outcome.
        CallState::Delivering { .. } | CallState::Settled if view.raced == Some(Race::Moved) => {
            Step::Refuse(Refusal::InProgress(key.clone()))
        }
        CallState::Delivering { .. } | CallState::Settled => deliver(view, key, call, false),
        CallState::Quoted | CallState::Pending | CallState::Expired => payment(view, key, call, way),
    }
}

/// Continues a call that has not settled, by what the provider says about its payment.
fn payment(view: &View, key: &CallKey, call: &Call, way: &Way) -> Step {
    let (Some(known), Some(payment)) = (view.known(key), &call.payment) else { return Step::Refuse(Refusal::CallMissing) };
    let Some(fact) = &known.fact else { return Step::AskProvider(vec![key.clone()]) };
    let waits = matches!(call.state, CallState::Quoted | CallState::Expired);
    let is_expired = call.state == CallState::Expired;
    match fact {
        Fact::Unreachable => Step::Refuse(Refusal::ProviderUnavailable),
        Fact::Filled(Payout::NotRecorded) => Step::Refuse(Refusal::PayoutNotRecorded),
        Fact::Filled(Payout::AsQuoted) => deliver(view, key, call, true),
        // The history must show that something was paid. The provider is asked again each time.
        Fact::Filled(Payout::Differs) | Fact::Pending if waits => Step::Move(key.clone(), PaymentMove::DepositSeen),
        Fact::Filled(Payout::Differs) => Step::Refuse(Refusal::PaymentMismatch(key.clone())),
        Fact::Pending => Step::Wait(key.clone()),
        Fact::Waiting if view.now_ms < payment.expires_ms && !is_expired => still_open(view, key, call, way),
        // The quote is no longer offered, but it settles if it is paid, and the payment id says that it may be.
        Fact::Waiting if view.now_ms < payment.ttl_ms && !is_expired && way.is(ResolvedBy::PaymentId) => {
            Step::Offer(key.clone(), OfferReason::NotSeenAndClosing { ends_in_ms: payment.ttl_ms - view.now_ms })
        }
        Fact::Waiting if view.now_ms >= payment.ttl_ms && !is_expired => {
            Step::Move(key.clone(), PaymentMove::Expired(PaymentState::Waiting))
        }
        Fact::Waiting => replace(view, key, call, PaymentState::Waiting, None),
        Fact::Over { how, .. } if !is_expired || payment.state != *how => Step::Move(key.clone(), PaymentMove::Expired(*how)),
        Fact::Over { how, reason } => replace(view, key, call, *how, reason.clone()),
    }
}

/// Offers an open, unpaid quote again, unless the quote that it replaces turns out to be paid after all.
fn still_open(view: &View, key: &CallKey, call: &Call, way: &Way) -> Step {
    let mut after = None;
    if let Some(before) = &call.replaces {
        let Some(known) = view.known(before) else { return Step::Load(before.clone()) };
        if let Some(earlier) = &known.call {
            let waits = matches!(earlier.state, CallState::Quoted | CallState::Pending | CallState::Expired);
            let is_paid = match &known.fact {
                _ if !waits || earlier.payment.is_none() => true,
                None => return Step::AskProvider(vec![before.clone()]),
                Some(Fact::Unreachable) => return Step::Refuse(Refusal::ProviderUnavailable),
                Some(fact) => matches!(fact, Fact::Filled(_) | Fact::Pending),
            };
            // A request without payment id and key starts a new call once the earlier one has ended.
            match &earlier.state {
                CallState::Delivered { .. } if way.is(ResolvedBy::Body) => {
                    after = Some(OfferReason::AfterDelivered(before.clone()));
                }
                CallState::Undelivered if way.is(ResolvedBy::Body) => {
                    after = Some(OfferReason::AfterUndelivered(before.clone()));
                }
                _ if is_paid => return go_on(view, before, earlier, &Way::Named(ResolvedBy::PaymentId)),
                _ => {}
            }
        }
    }
    let by_payment_id = way.is(ResolvedBy::PaymentId);
    if let Some(why) = view.listing.closed {
        return Step::Refuse(Refusal::ListingClosed { why, keep_payment: by_payment_id });
    }
    let reason = match (after, way) {
        (Some(after), _) => after,
        (None, Way::Instead(reason)) => reason.clone(),
        (None, Way::Named(_)) if view.raced == Some(Race::Created) => OfferReason::First,
        (None, Way::Named(_)) => OfferReason::NotSeen { by_payment_id },
    };
    Step::Offer(key.clone(), reason)
}

/// The quote ended unpaid: a new call replaces its call. If one already has, that one continues.
fn replace(view: &View, key: &CallKey, call: &Call, how: PaymentState, provider_reason: Option<String>) -> Step {
    let reason = OfferReason::Replaces { call: key.clone(), how, provider_reason };
    let Some((_, successor)) = view.successors.iter().find(|(of, _)| of == key) else {
        return Step::FindSuccessor(key.clone());
    };
    if let Some(successor) = successor.as_ref().filter(|successor| *successor != key)
        && let Some(next) = view.call(successor)
        && (next.state != CallState::Expired || has_deposit(view, successor))
    {
        return go_on(view, successor, next, &Way::Instead(reason));
    }
    let key_of_new = replacement_key(view, key, call);
    new_call(view, NewCall { key: key_of_new, currency: currency(call), replaces: Some(key.clone()), reason })
}

/// The idempotency key of a replacement: the client's key or, if the listing has become free, the payment that the request names.
/// Without either, each request makes a new call.
#[must_use]
pub fn replacement_key(view: &View, key: &CallKey, call: &Call) -> Option<IdempotencyKey> {
    let client = view.request.idempotency_key.clone().or_else(|| call.idempotency_key.clone());
    let names_payment = view.request.resolved_by != ResolvedBy::Body && !view.listing.is_paid;
    client.map(IdempotencyKey::Client).or_else(|| names_payment.then(|| IdempotencyKey::Payment(key.clone())))
}

/// Delivers a paid or free call. With `settle`, this request is the first to see the payment.
fn deliver(view: &View, key: &CallKey, call: &Call, settle: bool) -> Step {
    if !settle && call.is_overdue(view.now_ms) {
        return Step::Close(key.clone());
    }
    if call.payment.is_none() {
        // Nobody has paid for a free call, so the listing's state and limits apply as to a new one.
        if let Some(refused) = closed(view).or_else(|| view.listing.traffic.map(|why| Step::Refuse(Refusal::Traffic(why)))) {
            return refused;
        }
    }
    let unavailable = |retry_after| Refusal::SellerUnavailable { call: key.clone(), retry_after };
    let held_back = match (view.listing.endpoint_active, view.listing.breaker_retry_after, view.obstacle) {
        (false, ..) => Step::Refuse(unavailable(None)),
        (true, Some(seconds), _) | (true, None, Some(Obstacle::BreakerOpen(seconds))) => Step::Refuse(unavailable(Some(seconds))),
        (true, None, Some(Obstacle::NoTime)) => Step::Wait(key.clone()),
        (true, None, Some(Obstacle::Failed)) => Step::Refuse(Refusal::Failed),
        (true, None, None) => return Step::Deliver { call: key.clone(), settle },
    };
    if settle { Step::Settle(key.clone()) } else { held_back }
}

/// Starts a new call. Nobody is asked to pay for a call that must fail.
fn new_call(view: &View, new: NewCall) -> Step {
    if let Some(refused) = closed(view) {
        return refused;
    }
    match &view.request.body {
        BodyView::Empty | BodyView::Invalid => return Step::Refuse(Refusal::InvalidBody),
        BodyView::Json { schema: SchemaCheck::Unchecked, .. } => return Step::CheckSchema,
        BodyView::Json { schema: SchemaCheck::Fails, .. } => return Step::Refuse(Refusal::SchemaMismatch),
        BodyView::Json { schema: SchemaCheck::Fits, .. } => {}
    }
    if let Some(retry_after) = view.listing.breaker_retry_after {
        return Step::Refuse(Refusal::BreakerOpen { retry_after });
    }
    if let Some(why) = view.listing.traffic {
        return Step::Refuse(Refusal::Traffic(why));
    }
    if !view.listing.is_paid {
        return Step::CallFree(new);
    }
    if new.currency.is_none() && view.request.currency == RequestedCurrency::Unsupported {
        return Step::Refuse(Refusal::UnsupportedCurrency);
    }
    // A parallel request was first, and its transaction has not finished.
    if view.raced == Some(Race::Created) { Step::Refuse(Refusal::QuoteInProgress) } else { Step::Quote(new) }
}

fn closed(view: &View) -> Option<Step> {
    view.listing.closed.map(|why| Step::Refuse(Refusal::ListingClosed { why, keep_payment: false }))
}

#[cfg(test)]
mod tests;
