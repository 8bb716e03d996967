//! The rules of money that no step may break, whatever the world.

use super::calls::HOUR;
use crate::call::record::{IdempotencyRecord, MAX_FILLABLE, may_be_filled};
use crate::call::step::{CallMove, NewCall, Offer, Refusal, Step};
use crate::call::view::{Fact, Payout, RecordView, RequestedCurrency, ResolvedBy, View};
use crate::call::{CONFIRMED_FOR_MS, Call, CallKey, CallState, PaymentState};
use crate::currency::OriginCurrency;

type Rule = Result<(), String>;

fn rule(holds: bool, broken: impl FnOnce() -> String) -> Rule {
    if holds { Ok(()) } else { Err(broken()) }
}

/// What is wrong with this step, if anything is.
pub(super) fn check(view: &View, step: &Step) -> Rule {
    rule(!is_blind(view, step), || {
        "the provider did not answer, nothing is known to be paid, and this is written or offered".into()
    })?;
    match step {
        Step::AskProvider(calls) => calls.iter().try_for_each(|key| {
            rule(read(view, key)?.payment.is_some() && view.fact(key).is_none(), || format!("{key} is asked about in vain"))
        }),
        Step::Quote(new) => is_quote(view, new),
        Step::CallFree(_) => {
            rule(!view.listing.is_paid && view.listing.closed.is_none(), || "a free call that is none".into())?;
            offers_nothing_paid(view)
        }
        Step::Offer(offer) => is_offer(view, offer),
        Step::Closing(key, until_ms) => {
            let payment = read(view, key)?.payment.as_ref().ok_or("no quote")?;
            let closes_ms = payment.ttl_ms + 60_000;
            let is_closing = (payment.ttl_ms - 180_000..closes_ms).contains(&view.now_ms);
            rule(is_closing && *until_ms == closes_ms, || format!("{key} is not closing until {until_ms}"))
        }
        Step::Settle(key) => is_settlement(view, key),
        Step::Deliver { call: key, settle } => is_delivery(view, key, *settle),
        Step::Move(key, what) => is_move(view, key, *what),
        Step::Close(key) => {
            let call = read(view, key)?;
            let is_owed_at_once = !view.listing.is_paid && call.payment.is_some();
            rule(is_paid_or_free(call) && (call.is_overdue(view.now_ms) || is_owed_at_once), || format!("{key} closes too early"))?;
            rule(view.fact(key) != Some(&Fact::Unreachable), || format!("{key} closes, and the provider did not answer"))?;
            is_confirmed(view, key, call)
        }
        Step::Replay(key) => rule(is_delivered(read(view, key)?), || format!("{key} has no answer")),
        Step::Refuse(Refusal::AlreadyDelivered { delivered, unused }) => {
            let are_paid = unused.iter().all(|key| is_known_paid(view, key));
            let holds = is_delivered(read(view, delivered)?) && !unused.is_empty() && are_paid;
            let is_by_body = view.request.resolved_by == ResolvedBy::Body;
            let has_answer = recorded(view).any(|(_, call)| is_delivered(call) && is_meant(view, call));
            rule(holds && (is_by_body || !has_answer), || "nothing is unused, or there is an answer".into())
        }
        Step::LoadRecord(key) | Step::AddIdempotencyKey(key) | Step::Wait(key) => read(view, key).map(|_| ()),
        Step::CheckSchema | Step::Probe | Step::Refuse(_) => Ok(()),
    }
}

fn read<'a>(view: &'a View, key: &CallKey) -> Result<&'a Call, String> {
    view.call(key).ok_or_else(|| format!("{key} was not read"))
}

/// The calls of the request's record, as far as they are the buyer's and there.
fn recorded(view: &View) -> impl Iterator<Item = (&CallKey, &Call)> {
    let record = match &view.record {
        RecordView::Found(record) => Some(record),
        RecordView::Unread | RecordView::Absent => None,
    };
    let calls = record.into_iter().flat_map(|record| record.calls.iter().map(move |listed| (record, &listed.key)));
    let is_own =
        |record: &IdempotencyRecord, call: &Call| call.buyer == view.request.buyer && call.body_sha256 == record.body_sha256;
    calls.filter_map(move |(record, key)| view.call(key).filter(|call| is_own(record, call)).map(|call| (key, call)))
}

fn is_delivered(call: &Call) -> bool {
    matches!(call.state, CallState::Delivered { .. })
}

fn is_paid_or_free(call: &Call) -> bool {
    matches!(call.state, CallState::Settled | CallState::Delivering { .. })
}

fn is_known_paid(view: &View, key: &CallKey) -> bool {
    view.fact(key) == Some(&Fact::Filled(Payout::AsQuoted)) || view.call(key).is_some_and(is_paid_or_free)
}

/// Whether the provider did not answer about a payment, nothing is known to be paid or on its way, and yet something is written or
/// offered.
fn is_blind(view: &View, step: &Step) -> bool {
    let writes = matches!(
        step,
        Step::Move(..)
            | Step::Quote(_)
            | Step::CallFree(_)
            | Step::Offer(_)
            | Step::Settle(_)
            | Step::Deliver { .. }
            | Step::Close(_)
            | Step::Closing(..)
    );
    let is_unanswered = view.calls.iter().any(|known| known.fact == Some(Fact::Unreachable));
    let is_paid = view
        .calls
        .iter()
        .any(|known| known.fact.as_ref().is_some_and(Fact::is_deposit) || known.call.as_ref().is_some_and(is_paid_or_free));
    writes && is_unanswered && !is_paid
}

/// Every payment that may still be filled was asked about, and none of them is paid or on its way.
fn offers_nothing_paid(view: &View) -> Rule {
    let named = view.named.as_ref().and_then(|key| Some((key, view.call(key)?)));
    for (key, call) in recorded(view).chain(named) {
        let fact = view.fact(key);
        let is_asked = fact.is_some() || !may_be_filled(call, view.now_ms);
        rule(is_asked, || format!("an offer, and nobody asked about {key}"))?;
        let is_settled = is_paid_or_free(call);
        let is_deposit = may_be_filled(call, view.now_ms) && fact.is_some_and(Fact::is_deposit);
        let was_seen = call.state == CallState::Pending;
        rule(!is_settled && !is_deposit && !was_seen, || format!("an offer, and {key} is {:?}, {fact:?}", call.state))?;
        let before_ttl = call.payment.as_ref().is_some_and(|payment| view.now_ms < payment.ttl_ms);
        let is_unanswered = matches!(fact, Some(Fact::Unreachable)) || (matches!(fact, Some(Fact::Unknown)) && before_ttl);
        // A call that was closed is owed, whatever becomes of the next one.
        let is_closed = call.state == CallState::Undelivered;
        rule(!is_unanswered || is_closed, || format!("an offer, and the provider gave no answer about {key}"))?;
    }
    let is_key = view.request.resolved_by != ResolvedBy::Body;
    rule(!is_key || !recorded(view).any(|(_, call)| is_delivered(call) && is_meant(view, call)), || {
        "an offer for a call that was delivered".into()
    })
}

/// Whether a call is of the round that the request means.
fn is_meant(view: &View, call: &Call) -> bool {
    let named = view.named.as_ref().and_then(|key| view.call(key));
    match (&view.record, named) {
        (_, Some(named)) => call.round == named.round,
        (RecordView::Found(record), None) => call.round == record.round,
        _ => false,
    }
}

fn is_quote(view: &View, new: &NewCall) -> Rule {
    rule(view.listing.is_paid && view.listing.closed.is_none(), || "a quote of a free or closed listing".into())?;
    rule(new.name.is_some(), || "a quote that is not recorded".into())?;
    offers_nothing_paid(view)?;
    let fillable = recorded(view).filter(|(_, call)| may_be_filled(call, view.now_ms)).count();
    rule(fillable < MAX_FILLABLE, || format!("{fillable} payments may still be filled"))?;
    let currency = new.currency.or(view.request.default_currency);
    let is_open = |call: &Call| call.state == CallState::Quoted && currency_of(call) == currency && call.round == new.round;
    let open = recorded(view).find(|(_, call)| is_open(call));
    rule(open.is_none(), || format!("a second open payment in {currency:?} beside {open:?}"))?;
    let is_known = |key: &CallKey| view.call(key).is_some_and(is_delivered);
    let is_by_body = view.request.resolved_by == ResolvedBy::Body;
    let is_by_key = view.request.resolved_by == ResolvedBy::IdempotencyKey && view.named.is_none();
    rule(new.delivered.as_ref().is_none_or(|key| is_known(key) && !is_by_key), || "no such delivery".into())?;
    let must_be_named = is_by_body && recorded(view).any(|(_, call)| is_delivered_and_stored(view, call));
    rule(!must_be_named || new.delivered.is_some(), || "the answer that was paid for is not named".into())
}

fn is_delivered_and_stored(view: &View, call: &Call) -> bool {
    match &call.state {
        CallState::Delivered { response: Some(response) } => call.payment.is_some() && view.now_ms < response.kept_until_ms,
        _ => false,
    }
}

fn currency_of(call: &Call) -> Option<OriginCurrency> {
    call.payment.as_ref().map(|payment| payment.origin_currency)
}

fn is_offer(view: &View, offer: &Offer) -> Rule {
    let call = read(view, &offer.call)?;
    let payment = call.payment.as_ref().ok_or("an offer without a quote")?;
    rule(call.state == CallState::Quoted && view.now_ms < payment.expires_ms, || format!("{} is over", offer.call))?;
    rule(view.listing.is_paid && view.listing.closed.is_none(), || "an offer of a free or closed listing".into())?;
    if let RequestedCurrency::Known(asked) = view.request.currency
        && view.request.resolved_by != ResolvedBy::PaymentId
    {
        rule(asked == payment.origin_currency, || format!("{asked:?} was asked for"))?;
    }
    let is_by_key = view.request.resolved_by == ResolvedBy::IdempotencyKey && view.named.is_none();
    let must_be_named = !is_by_key && recorded(view).any(|(_, call)| is_delivered_and_stored(view, call));
    rule(must_be_named == offer.delivered.is_some(), || "the answer that was paid for is not named".into())?;
    offers_nothing_paid(view)
}

fn is_settlement(view: &View, key: &CallKey) -> Rule {
    let call = read(view, key)?;
    let is_unsettled = matches!(call.state, CallState::Quoted | CallState::Pending | CallState::Expired);
    let fact = view.fact(key);
    let is_paid = fact == Some(&Fact::Filled(Payout::AsQuoted));
    rule(is_unsettled && is_paid, || format!("{key} settles, is {:?}, and the provider says {fact:?}", call.state))
}

/// The provider was asked about an old settlement, and does not say that it refunded it.
fn is_confirmed(view: &View, key: &CallKey, call: &Call) -> Rule {
    let is_old = call.settled_ms.is_some_and(|settled| view.now_ms - settled >= CONFIRMED_FOR_MS);
    let fact = view.fact(key);
    let is_refunded = matches!(fact, Some(Fact::Over { how: PaymentState::Refunded, .. }));
    rule(!is_old || (fact.is_some() && !is_refunded), || format!("{key} settled long ago, and the provider says {fact:?}"))
}

fn is_delivery(view: &View, key: &CallKey, settle: bool) -> Rule {
    let call = read(view, key)?;
    if settle {
        is_settlement(view, key)?;
    } else {
        let is_paid = call.payment.is_none() || call.settled_ms.is_some();
        rule(is_paid && is_paid_or_free(call), || format!("{key} is not paid"))?;
        rule(!call.is_overdue(view.now_ms), || format!("{key} is overdue"))?;
        is_confirmed(view, key, call)?;
    }
    if let CallState::Delivering { lease_until_ms, .. } = call.state {
        rule(view.now_ms >= lease_until_ms, || format!("{key} is with the seller"))?;
    }
    rule(call.payment.is_some() || !view.listing.is_paid, || "a free call of a paid listing".into())?;
    // By its own id, unused money is delivered, too.
    let is_by_its_id = view.request.resolved_by == ResolvedBy::PaymentId && view.named.as_ref() == Some(key);
    let served = recorded(view).find(|(other, call_2)| *other != key && call_2.round == call.round && is_delivered(call_2));
    rule(is_by_its_id || served.is_none(), || format!("{key} is delivered beside {served:?}"))
}

fn is_move(view: &View, key: &CallKey, what: CallMove) -> Rule {
    let call = read(view, key)?;
    let fact = view.fact(key);
    let closes_ms = call.payment.as_ref().map(|payment| payment.ttl_ms + 60_000);
    let holds = match what {
        CallMove::DepositSeen => matches!(call.state, CallState::Quoted | CallState::Expired) && fact.is_some_and(Fact::is_deposit),
        CallMove::Expired(_) if call.payment.is_none() => view.listing.is_paid && is_paid_or_free(call),
        CallMove::Expired(how) => {
            let is_over = match fact {
                Some(Fact::Over { how: reported, .. }) => *reported == how,
                Some(Fact::Waiting | Fact::Unknown) => {
                    how == PaymentState::Waiting && closes_ms.is_some_and(|closes| view.now_ms >= closes)
                }
                _ => false,
            };
            is_over && matches!(call.state, CallState::Quoted | CallState::Pending | CallState::Expired)
        }
        CallMove::PresentedInVain => call.settled_ms.is_some() && is_paid_or_free(call) && call.in_vain_ms.is_none(),
        CallMove::Reversed => {
            let is_old = call.settled_ms.is_some_and(|settled| view.now_ms - settled >= CONFIRMED_FOR_MS);
            is_paid_or_free(call) && is_old && matches!(fact, Some(Fact::Over { how: PaymentState::Refunded, .. }))
        }
    };
    rule(holds, || format!("{key}, {:?}, makes the move {what:?}, and the provider says {fact:?}", call.state))?;
    // What is moved is asked about for an hour only, unless its id is sent.
    let is_named = view.named.as_ref() == Some(key);
    let is_recent = closes_ms.is_none_or(|closes| view.now_ms < closes + HOUR);
    let is_expiry = matches!(what, CallMove::Expired(_)) && call.state == CallState::Expired;
    rule(!is_expiry || is_recent || is_named, || format!("{key} expired long ago"))
}
