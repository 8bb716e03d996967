//! What everything that was ever offered for the same call leads to.
//!
//! Before anything is offered, the provider is asked about every payment that may still be filled. If one of them is, the call goes
//! on with that one, however it was asked for.

use super::calls::{Calls, Known, currency, is_delivered, is_paid, is_settled};
use super::deliver::is_in_doubt;
use super::deposit::{deposit, settled};
use super::start::{closed, start};
use crate::call::key::{CallKey, CallName};
use crate::call::record::{IdempotencyRecord, LATE_FILL_MS, MAX_FILLABLE, may_be_filled};
use crate::call::step::{CallMove, Differs, NewCall, Offer, OfferReason, Refusal, Step};
use crate::call::view::{BodyView, Fact, Race, RecordView, RequestedCurrency, ResolvedBy, View};
use crate::call::{Call, CallState, PaymentState};
use crate::currency::OriginCurrency;

/// The idempotency key, or listing and body, may mean an existing call. That call continues before anything is quoted.
pub(super) fn by_name(view: &View) -> Step {
    let request = &view.request;
    let sha256 = match &request.body {
        BodyView::Empty if view.listing.is_paid && request.currency == RequestedCurrency::Unsupported => {
            return closed(view, None).unwrap_or(Step::Refuse(Refusal::UnsupportedCurrency));
        }
        BodyView::Empty if view.listing.is_paid => return closed(view, None).unwrap_or(Step::Probe),
        BodyView::Empty | BodyView::Invalid => return closed(view, None).unwrap_or(Step::Refuse(Refusal::InvalidBody)),
        BodyView::Json { sha256, .. } => sha256,
    };
    // The record of a body is not kept as long as a key that came later.
    let of_named = view.named.as_ref().and_then(|key| view.call(key)).map(IdempotencyRecord::empty);
    let record = match (&view.record, &of_named) {
        (RecordView::Found(record), _) | (RecordView::Absent, Some(record)) => record,
        (RecordView::Unread | RecordView::Absent, _) => return first(view, sha256),
    };
    if record.listing != view.listing.id {
        return Step::Refuse(Refusal::IdempotencyKeyReused(Differs::Listing));
    }
    if record.body_sha256 != *sha256 {
        return Step::Refuse(Refusal::IdempotencyKeyReused(Differs::Body));
    }
    if request.currency == RequestedCurrency::Unsupported {
        return Step::Refuse(Refusal::UnsupportedCurrency);
    }
    go_on(view, record, None)
}

fn first(view: &View, sha256: &str) -> Step {
    // A free call without a key, at a listing that never had a price, is not recorded: nobody can ask for it again.
    let name = (view.record == RecordView::Absent).then(|| name_of(view, sha256));
    start(view, NewCall { name, round: 0, currency: None, reason: OfferReason::First, delivered: None })
}

/// Goes on with the calls of a record. `named` is the call of a payment id for which no deposit was seen.
pub(super) fn go_on<'a>(view: &'a View, record: &'a IdempotencyRecord, named: Option<Known<'a>>) -> Step {
    let calls = Calls::of(view, record);
    let ended = calls
        .current()
        .find(|(_, call)| is_delivered(call))
        .or_else(|| calls.current().find(|(_, call)| call.state == CallState::Undelivered));
    // If the call ended while this request was running, it is the call that the request meant.
    let is_past = view.request.resolved_by == ResolvedBy::Body && view.raced != Some(Race::Moved);
    match ended {
        Some((key, call)) if !is_past => {
            return if is_delivered(call) { Step::Replay(key.clone()) } else { Step::Refuse(Refusal::Undelivered(key.clone())) };
        }
        _ => {}
    }
    let paid: Vec<Known> = calls.unended().filter(|(_, call)| is_settled(call) && !calls.is_unused(call)).collect();
    let with_seller = paid.iter().find(|(_, call)| matches!(call.state, CallState::Delivering { .. }));
    let certain = paid.iter().find(|(key, _)| !is_in_doubt(view, key));
    if let Some((key, call)) = with_seller.or(certain).or(paid.first()) {
        return settled(view, key, call);
    }
    let unasked = calls.fillable(view).filter(|(key, _)| view.fact(key).is_none()).map(|(key, _)| key.clone());
    let unasked: Vec<CallKey> = unasked.collect();
    if !unasked.is_empty() {
        return Step::AskProvider(unasked);
    }
    with_facts(view, record, &calls, named, ended)
}

/// The provider was asked about everything that may still be filled.
fn with_facts(view: &View, record: &IdempotencyRecord, calls: &Calls, named: Option<Known>, ended: Option<Known>) -> Step {
    let go_on_with = |(key, call): Known| view.fact(key).and_then(|fact| deposit(view, key, call, fact));
    let (unused, wanted): (Vec<Known>, Vec<Known>) = calls.all().partition(|(_, call)| calls.is_unused(call));
    // One that is paid wins over one that is on its way.
    let wanted = wanted.into_iter().filter(|(_, call)| may_be_filled(call, view.now_ms));
    let (paid, others): (Vec<Known>, Vec<Known>) = wanted.partition(|(key, call)| is_paid(view, key, call));
    if let Some(step) = paid.into_iter().chain(others).find_map(go_on_with) {
        return step;
    }
    let paid = unused.iter().filter(|(key, call)| is_paid(view, key, call)).map(|(key, _)| (*key).clone());
    let paid: Vec<CallKey> = paid.collect();
    // The id of a payment fetches an answer, which a free call does not have.
    let delivered = calls.all().filter(|(_, call)| is_delivered(call)).max_by_key(|(_, call)| call.payment.is_some());
    if let (Some((delivered, _)), false) = (delivered, paid.is_empty()) {
        return Step::Refuse(Refusal::AlreadyDelivered { delivered: delivered.clone(), unused: paid });
    }
    let unused = unused.into_iter().filter(|(_, call)| may_be_filled(call, view.now_ms));
    if let Some(step) = unused.into_iter().find_map(go_on_with) {
        return step;
    }
    if calls.fillable(view).chain(named).any(|(key, call)| is_unanswered(view, key, call)) {
        return Step::Refuse(Refusal::ProviderUnavailable);
    }
    if calls.is_one_arriving {
        return Step::Refuse(Refusal::QuoteInProgress);
    }
    for (key, call) in calls.fillable(view) {
        if let Some(how) = over(view, key, call)
            && (call.state != CallState::Expired || call.payment.as_ref().is_some_and(|payment| payment.state != how))
        {
            return Step::Move(key.clone(), CallMove::Expired(how));
        }
    }
    // The name leads to a call that has ended, and that the record does not list any more. It is not bought again.
    if let (None, Some(key), true) = (ended, &view.named, calls.round < record.round) {
        return Step::Refuse(Refusal::AnswerExpired(key.clone()));
    }
    let open = if ended.is_some() { None } else { open_quote(view, record, calls, named) };
    match open {
        Some(step) => step,
        None => again(view, record, calls, named, ended),
    }
}

/// Offers an open, unpaid quote again, if there is one that the request means.
fn open_quote(view: &View, record: &IdempotencyRecord, calls: &Calls, named: Option<Known>) -> Option<Step> {
    let open: Vec<Known> = calls.current().filter(|(_, call)| call.payment.is_some() && call.state == CallState::Quoted).collect();
    let asked = match view.request.currency {
        RequestedCurrency::Known(asked) if named.is_none() => Some(asked),
        _ => None,
    };
    if let (Some(asked), Some(bound), Some(_)) = (asked, record.currency, &view.request.idempotency_key)
        && asked != bound
        && view.listing.is_paid
    {
        return Some(Step::Refuse(Refusal::OtherCurrency(bound)));
    }
    let in_currency = |wanted: Option<OriginCurrency>| open.iter().copied().find(|(_, call)| currency(call) == wanted);
    let chosen = match (named, asked) {
        (Some((key, call)), _) => open.iter().copied().find(|(other, _)| *other == key).or_else(|| in_currency(currency(call))),
        (None, Some(asked)) => in_currency(Some(asked)),
        (None, None) => in_currency(view.request.default_currency).or_else(|| open.first().copied()),
    };
    if !view.listing.is_paid && view.listing.closed.is_none() && view.request.buyer_suspended.is_none() {
        return None;
    }
    let (key, call) = match chosen {
        Some(chosen) => chosen,
        None => return closed(view, open.first().map(|(key, _)| *key)),
    };
    if let Some(refused) = closed(view, Some(key)) {
        return Some(refused);
    }
    let payment = call.payment.as_ref()?;
    if view.now_ms >= payment.expires_ms {
        return Some(Step::Closing(key.clone(), payment.closes_ms()));
    }
    let reason = match named {
        Some((named, before)) if named != key => replaces(view, named, before),
        _ if view.raced == Some(Race::Created) => OfferReason::First,
        _ => OfferReason::NotSeen { by_payment_id: named.is_some() },
    };
    Some(Step::Offer(Offer { call: key.clone(), reason, delivered: calls.delivered_before(view) }))
}

/// Nothing that was offered is open: starts again under the same name.
fn again(view: &View, record: &IdempotencyRecord, calls: &Calls, named: Option<Known>, ended: Option<Known>) -> Step {
    let fillable: Vec<Known> = calls.fillable(view).collect();
    if view.listing.is_paid && fillable.len() >= MAX_FILLABLE {
        let first_over = fillable.iter().filter_map(|(_, call)| call.payment.as_ref()).map(|p| p.ttl_ms + LATE_FILL_MS).min();
        return Step::Refuse(Refusal::TooManyQuotes { until_ms: first_over.unwrap_or(view.now_ms) });
    }
    let asked = match (named, view.request.currency) {
        (Some((_, call)), _) => currency(call),
        (None, RequestedCurrency::Known(asked)) => Some(asked),
        (None, _) => view.request.idempotency_key.as_ref().and(record.currency),
    };
    let newest =
        calls.current().find(|(_, call)| call.state == CallState::Expired && asked.is_none_or(|c| currency(call) == Some(c)));
    let before = named.or(newest.filter(|_| ended.is_none()));
    let reason = match (ended, before) {
        (Some((key, call)), _) if call.state == CallState::Undelivered => OfferReason::AfterUndelivered(key.clone()),
        (None, Some((key, call))) if call.payment.is_some() => replaces(view, key, call),
        _ => OfferReason::First,
    };
    // Without a currency in the request, a replacement keeps that of the quote before it.
    let kept = before.filter(|_| view.request.currency == RequestedCurrency::Absent).and_then(|(_, call)| currency(call));
    let sha256 = record.body_sha256.as_str();
    let name = match named {
        Some((_, call)) => call.name(),
        None => calls.all().map(|(_, call)| call.name()).next().unwrap_or_else(|| name_of(view, sha256)),
    };
    let new = NewCall {
        name: Some(name),
        round: if ended.is_some() { calls.round + 1 } else { calls.round },
        currency: asked.or(kept),
        reason,
        delivered: calls.delivered_before(view),
    };
    start(view, new)
}

/// Whether the provider gave no answer about a payment. After the end of its `ttl`, an id that the provider does not know was not
/// paid.
fn is_unanswered(view: &View, key: &CallKey, call: &Call) -> bool {
    let may_be_paid = call.payment.as_ref().is_some_and(|payment| view.now_ms < payment.ttl_ms);
    match view.fact(key) {
        Some(Fact::Unreachable) | None => true,
        Some(Fact::Unknown) => may_be_paid,
        Some(_) => false,
    }
}

/// How a payment ended without a fill, if it has.
fn over(view: &View, key: &CallKey, call: &Call) -> Option<PaymentState> {
    let payment = call.payment.as_ref()?;
    match view.fact(key)? {
        Fact::Over { how, .. } => Some(*how),
        Fact::Waiting | Fact::Unknown if call.state == CallState::Expired => None,
        Fact::Waiting | Fact::Unknown if view.now_ms >= payment.closes_ms() => Some(PaymentState::Waiting),
        _ => None,
    }
}

fn replaces(view: &View, key: &CallKey, call: &Call) -> OfferReason {
    let provider_reason = match view.fact(key) {
        Some(Fact::Over { reason, .. }) => reason.clone(),
        _ => None,
    };
    let how = call.payment.as_ref().map_or(PaymentState::Waiting, |payment| payment.state);
    OfferReason::Replaces { call: key.clone(), how, provider_reason }
}

fn name_of(view: &View, sha256: &str) -> CallName {
    match &view.request.idempotency_key {
        Some(key) => CallName::Key(key.clone()),
        None => CallName::Body { listing: view.listing.id, sha256: sha256.to_owned() },
    }
}
