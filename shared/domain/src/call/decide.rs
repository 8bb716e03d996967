//! The next step of a gateway call, as a pure function of what is known.
//!
//! The gateway repeats: decide, carry the step out, add what was learnt to the view. A step is a question (`AskProvider`, `Load`
//! …), one conditional write (`Move`, `Settle`, `Deliver`, `Close`, `Quote` …), or the reply. Each rule here is a row of the
//! contract; the tests name them.

use super::key::{CallKey, IdempotencyKey};
use super::view::{
    BodyView, Fact, ListingClosed, Obstacle, Payout, Race, RequestedCurrency, ResolvedBy, SchemaCheck, TrafficRefusal, View,
    is_open,
};
use super::{Call, CallState, PaymentState};
use crate::currency::OriginCurrency;

/// What the gateway does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask the payment provider about the payments of these calls.
    AskProvider(Vec<CallKey>),
    /// Check the body against the listing's input schema.
    CheckSchema,
    /// Read a call that another one names.
    Load(CallKey),
    /// Find out which call has taken over the names of this one, whose quote came to nothing.
    FindSuccessor(CallKey),
    /// Let the client's idempotency key name this call, too.
    AddIdempotencyKey(CallKey),
    /// Write what the provider says about a payment that has not settled.
    Move(CallKey, PaymentMove),
    /// Quote a new call, and offer it.
    Quote(NewCall),
    /// Make a free call, and forward it.
    CallFree(NewCall),
    /// Write that the call is paid for. It is not delivered now.
    Settle(CallKey),
    /// Claim the call and forward it to the seller.
    Deliver {
        /// The call.
        call: CallKey,
        /// Whether the claim also writes that the call is paid for.
        settle: bool,
    },
    /// Close a call that may not be tried any more.
    Close(CallKey),
    /// Reply with the stored response.
    Replay(CallKey),
    /// Reply 402 with the quote of this call.
    Offer(CallKey, OfferReason),
    /// Reply 402 with the price alone.
    Probe,
    /// Reply 202: the payment has not settled, or the delivery has to wait.
    Wait(CallKey),
    /// Reply with an error.
    Refuse(Refusal),
}

/// What the provider says about a payment that has not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentMove {
    /// A deposit was seen.
    DepositSeen,
    /// The payment came to nothing, or was never made.
    Expired(PaymentState),
}

/// A call that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// The key that will name it; `None`: listing and body do.
    pub key: Option<IdempotencyKey>,
    /// The currency to quote; `None`: the one asked for, or that of the buyer's default wallet.
    pub currency: Option<OriginCurrency>,
    /// The call whose quote came to nothing and which this one replaces.
    pub replaces: Option<CallKey>,
    /// What the offer says.
    pub reason: OfferReason,
}

/// Why a quote is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferReason {
    /// Nothing was asked before.
    First,
    /// Asked again, and the provider has seen no deposit.
    NotSeen {
        /// Whether the request names the payment, which says that it was paid.
        by_payment_id: bool,
    },
    /// As [`OfferReason::NotSeen`], but the quote is not offered any more: only who has paid it already should wait for it.
    NotSeenAndClosing {
        /// Milliseconds until the provider no longer fills it.
        ends_in_ms: i64,
    },
    /// The quote before this one came to nothing.
    Replaces {
        /// The call of that quote.
        call: CallKey,
        /// How it came to nothing.
        how: PaymentState,
        /// The provider's reason.
        provider_reason: Option<String>,
    },
    /// The same body was delivered before; this is a new call.
    AfterDelivered(CallKey),
    /// The same body was called before and never delivered; this is a new call.
    AfterUndelivered(CallKey),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No payment of this buyer has the id.
    PaymentNotFound,
    /// The payment belongs to a call with another listing or body.
    BoundToAnotherRequest {
        /// The payment's call.
        call: CallKey,
        /// What differs.
        differs: Differs,
    },
    /// The idempotency key names another call than the payment id.
    IdempotencyKeyConflict,
    /// The idempotency key was used with something else.
    IdempotencyKeyReused(Differs),
    /// An idempotency key names a call that does not exist: an operator must look.
    CallMissing,
    /// The body is not JSON.
    InvalidBody,
    /// The body does not fit the listing's input schema.
    SchemaMismatch,
    /// The currency is none that Crochet knows.
    UnsupportedCurrency,
    /// The listing takes no calls.
    ListingClosed {
        /// Why.
        why: ListingClosed,
        /// The request names a payment: whoever sends it may have paid.
        keep_payment: bool,
    },
    /// The listing takes no further call right now.
    Traffic(TrafficRefusal),
    /// The breaker of the endpoint is open; nothing was quoted or counted.
    BreakerOpen {
        /// Seconds.
        retry_after: u64,
    },
    /// The call is with the seller right now, or another request is moving it.
    InProgress(CallKey),
    /// The call was closed without a delivery.
    Undelivered(CallKey),
    /// The provider does not answer.
    ProviderUnavailable,
    /// The provider says that it is paid, and its record does not show to whom yet.
    PayoutNotRecorded,
    /// The payment is not what was quoted: an operator must look.
    PaymentMismatch(CallKey),
    /// The call is settled, and the seller's endpoint takes no calls.
    SellerUnavailable {
        /// The call.
        call: CallKey,
        /// Seconds until the breaker lets a call through; `None` if the endpoint is paused or missing.
        retry_after: Option<u64>,
    },
    /// A part of ours failed before the call was claimed.
    Failed,
    /// A parallel request is quoting this call.
    QuoteInProgress,
}

/// What differs between a request and what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// The listing.
    Listing,
    /// The body.
    Body,
    /// The currency.
    Currency,
}

/// How a request came to a call.
#[derive(Debug, Clone)]
enum Way {
    Named(ResolvedBy),
    /// In place of a call whose quote came to nothing.
    Instead(OfferReason),
}

impl Way {
    fn is(&self, by: ResolvedBy) -> bool {
        matches!(self, Self::Named(named) if *named == by)
    }
}

/// The next step.
#[must_use]
pub fn decide(view: &View) -> Step {
    match view.request.resolved_by {
        ResolvedBy::PaymentId => by_payment_id(view),
        ResolvedBy::IdempotencyKey | ResolvedBy::Body => without_payment_id(view),
    }
}

/// The payment must be this buyer's, for this listing and body, and an idempotency key must not name another call.
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

/// The idempotency key, or listing and body, may name a call that exists. It is gone on with before anything is quoted.
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

/// Which of a buyer's calls for a body is gone on with.
enum Candidate<'a> {
    Ask(Vec<CallKey>),
    Unreachable,
    Call(&'a CallKey, &'a Call),
    None,
}

/// One that is paid or on its way; else the open quote of the currency asked for or preferred. If several quotes are open, the
/// provider is asked about all of them first, so that nobody pays twice.
fn candidate(view: &View) -> Candidate<'_> {
    let calls: Vec<(&CallKey, &Call)> = view
        .candidates
        .iter()
        .filter_map(|key| Some((key, view.call(key)?)))
        .filter(|(_, call)| is_asked_for(view, call))
        .collect();
    // One that a parallel request has just expired is open if the provider says that it is paid.
    let (open, ended): (Vec<_>, Vec<_>) =
        calls.into_iter().partition(|(key, call)| is_open(call) || (call.state == CallState::Expired && has_deposit(view, key)));
    let found = |found: Option<(&'_ CallKey, &'_ Call)>| found.map(|(key, _)| key.clone());
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
        return Candidate::Ask(open.iter().filter_map(|known| found(Some(*known))).collect());
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

/// Whether the provider says that a call is paid for, or that a deposit was seen.
fn has_deposit(view: &View, key: &CallKey) -> bool {
    matches!(view.known(key).and_then(|known| known.fact.as_ref()), Some(Fact::Filled(_) | Fact::Pending))
}

fn currency(call: &Call) -> Option<OriginCurrency> {
    call.payment.as_ref().map(|payment| payment.origin_currency)
}

/// Goes on with a call that exists.
fn go_on(view: &View, key: &CallKey, call: &Call, way: &Way) -> Step {
    let again = |reason| new_call(view, NewCall { key: None, currency: None, replaces: None, reason });
    // A call that ended while this request ran is the one that was meant.
    let is_past = way.is(ResolvedBy::Body) && view.raced != Some(Race::Moved);
    match &call.state {
        CallState::Delivered { .. } if is_past => again(OfferReason::AfterDelivered(key.clone())),
        CallState::Undelivered if is_past => again(OfferReason::AfterUndelivered(key.clone())),
        CallState::Delivered { .. } => Step::Replay(key.clone()),
        CallState::Undelivered => Step::Refuse(Refusal::Undelivered(key.clone())),
        CallState::Delivering { lease_until_ms, .. } if view.now_ms < *lease_until_ms => {
            Step::Refuse(Refusal::InProgress(key.clone()))
        }
        // Another request has just settled or tried it: its caller gets the outcome.
        CallState::Delivering { .. } | CallState::Settled if view.raced == Some(Race::Moved) => {
            Step::Refuse(Refusal::InProgress(key.clone()))
        }
        CallState::Delivering { .. } | CallState::Settled => deliver(view, key, call, false),
        CallState::Quoted | CallState::Pending | CallState::Expired => payment(view, key, call, way),
    }
}

/// A call that has not settled: the provider says where its payment stands.
fn payment(view: &View, key: &CallKey, call: &Call, way: &Way) -> Step {
    let (Some(known), Some(payment)) = (view.known(key), &call.payment) else { return Step::Refuse(Refusal::CallMissing) };
    let Some(fact) = &known.fact else { return Step::AskProvider(vec![key.clone()]) };
    let waits = matches!(call.state, CallState::Quoted | CallState::Expired);
    let is_expired = call.state == CallState::Expired;
    match fact {
        Fact::Unreachable => Step::Refuse(Refusal::ProviderUnavailable),
        Fact::Filled(Payout::NotRecorded) => Step::Refuse(Refusal::PayoutNotRecorded),
        Fact::Filled(Payout::AsQuoted) => deliver(view, key, call, true),
        // The history shows that something was paid; the provider is asked again each time.
        Fact::Filled(Payout::Differs) | Fact::Pending if waits => Step::Move(key.clone(), PaymentMove::DepositSeen),
        Fact::Filled(Payout::Differs) => Step::Refuse(Refusal::PaymentMismatch(key.clone())),
        Fact::Pending => Step::Wait(key.clone()),
        Fact::Waiting if view.now_ms < payment.expires_ms && !is_expired => still_open(view, key, call, way),
        // No longer offered, but it settles if it is paid, and whoever sends its id says so.
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

/// An open quote that nobody has paid. It is offered again, unless the quote that it replaces turns out to be paid after all.
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
            // What has ended is the past for a request that names neither payment nor key.
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

/// A quote came to nothing: a new call takes its names over. If that has happened already, that call is gone on with.
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

/// The key under which a call is replaced: the client's; or, at a listing that became free, the payment that the request names.
/// A request that names nothing is a new call each time.
#[must_use]
pub fn replacement_key(view: &View, key: &CallKey, call: &Call) -> Option<IdempotencyKey> {
    let client = view.request.idempotency_key.clone().or_else(|| call.idempotency_key.clone());
    let names_payment = view.request.resolved_by != ResolvedBy::Body && !view.listing.is_paid;
    client.map(IdempotencyKey::Client).or_else(|| names_payment.then(|| IdempotencyKey::Payment(key.clone())))
}

/// Delivers a call that is paid for or free. With `settle` this request is the first to see that it is paid.
fn deliver(view: &View, key: &CallKey, call: &Call, settle: bool) -> Step {
    if !settle && call.is_overdue(view.now_ms) {
        return Step::Close(key.clone());
    }
    if call.payment.is_none() {
        // Nothing is owed to a free call: it is held to the listing's state and limits like any other.
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

/// A call that does not exist yet. No money is asked for a doomed one.
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
    // A parallel request was first, and its transaction is still on its way.
    if view.raced == Some(Race::Created) { Step::Refuse(Refusal::QuoteInProgress) } else { Step::Quote(new) }
}

fn closed(view: &View) -> Option<Step> {
    view.listing.closed.map(|why| Step::Refuse(Refusal::ListingClosed { why, keep_payment: false }))
}

#[cfg(test)]
mod tests;
