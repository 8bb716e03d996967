//! What a refund settles, and what is offered when.

use super::decide::{RefundRefusal, RefundStep, RefundView, decide};
use super::samples::{NOW, TTL, call, refund, undelivered};
use super::*;
use crate::call::OFFER_MARGIN_MS;
use crate::call::record::MAX_FILLABLE;
use crate::call::view::{Fact, Payout};

const FILLED: Fact = Fact::Filled(Payout::AsQuoted);

fn failed() -> Fact {
    Fact::Over { how: PaymentState::Failed, reason: None }
}

/// A refund of what is owed for these calls.
fn view(owed: &[&Call]) -> RefundView {
    let key = RefundKey::of(owed[0]).expect("owed");
    let owed = owed.iter().map(|call| RefundedCall::from(*call)).collect();
    RefundView { record: RefundRecord::empty(key), facts: Vec::new(), owed, now_ms: NOW }
}

fn offered(mut view: RefundView, payment: RefundPayment) -> RefundView {
    view.record = view.record.offered(payment, NOW);
    view
}

fn with_fact(mut view: RefundView, n: u32, fact: Fact) -> RefundView {
    view.facts.push((format!("0x{n}"), fact));
    view
}

fn at(mut view: RefundView, ms: i64) -> RefundView {
    view.now_ms = NOW + ms;
    view
}

fn id(n: u32) -> String {
    format!("0x{n}")
}

#[test]
fn what_is_owed_is_quoted_and_nothing_else() {
    let owed = undelivered(1);
    assert_eq!(decide(&view(&[&owed])), RefundStep::Quote);
    let mut nothing = view(&[&owed]);
    nothing.owed.clear();
    assert_eq!(decide(&nothing), RefundStep::Refuse(RefundRefusal::NothingOwed));
}

#[test]
fn the_provider_is_asked_about_what_was_offered_before_it_is_offered_again() {
    let owed = undelivered(1);
    let view = offered(view(&[&owed]), refund(7, &[&owed]));
    assert_eq!(decide(&view), RefundStep::AskProvider(vec![id(7)]));
    assert_eq!(decide(&with_fact(view.clone(), 7, Fact::Waiting)), RefundStep::Offer(id(7)));
    assert_eq!(decide(&with_fact(view.clone(), 7, Fact::Unreachable)), RefundStep::Refuse(RefundRefusal::ProviderUnavailable));
    assert_eq!(decide(&with_fact(view.clone(), 7, Fact::Unknown)), RefundStep::Refuse(RefundRefusal::ProviderUnavailable));
    assert_eq!(decide(&with_fact(view.clone(), 7, FILLED)), RefundStep::Settle(id(7)));
    let differs = Fact::Filled(Payout::Differs);
    assert_eq!(decide(&with_fact(view, 7, differs)), RefundStep::Move(id(7), PaymentState::Pending));
}

#[test]
fn nothing_is_offered_while_a_quote_is_closing() {
    let owed = undelivered(1);
    let waiting = with_fact(offered(view(&[&owed]), refund(7, &[&owed])), 7, Fact::Waiting);
    let closes = NOW + TTL + 60_000;
    for ms in [TTL - OFFER_MARGIN_MS, TTL, TTL + 59_999] {
        assert_eq!(decide(&at(waiting.clone(), ms)), RefundStep::Closing(id(7), closes), "{ms}");
    }
    let closed = at(waiting, TTL + 60_000);
    assert_eq!(decide(&closed), RefundStep::Move(id(7), PaymentState::Failed));
    let moved = RefundView { record: closed.record.clone().moved("0x7", PaymentState::Failed, closed.now_ms), ..closed };
    assert_eq!(decide(&moved), RefundStep::Quote);
    // What was never paid can still be filled late.
    let late = with_fact(RefundView { facts: Vec::new(), ..moved }, 7, FILLED);
    assert_eq!(decide(&late), RefundStep::Settle(id(7)));
    let later = TTL + LATE_FILL_MS + 1;
    assert_eq!(decide(&at(late.clone(), later)), RefundStep::Settle(id(7)), "it is asked about for a day");
    let unreachable = with_fact(RefundView { facts: Vec::new(), ..late }, 7, Fact::Unreachable);
    assert_eq!(decide(&unreachable), RefundStep::Refuse(RefundRefusal::ProviderUnavailable));
    assert_eq!(decide(&at(unreachable, later)), RefundStep::Quote, "but nothing waits for it so long");
}

#[test]
fn a_deposit_that_was_seen_counts_until_the_quote_is_closed() {
    let owed = undelivered(1);
    let pending = with_fact(offered(view(&[&owed]), refund(7, &[&owed])), 7, Fact::Pending);
    assert_eq!(decide(&pending), RefundStep::Move(id(7), PaymentState::Pending));
    let seen = RefundView { record: pending.record.clone().moved("0x7", PaymentState::Pending, NOW), ..pending };
    assert_eq!(decide(&seen), RefundStep::Wait(id(7)));
    let gone = with_fact(RefundView { facts: Vec::new(), ..seen }, 7, Fact::Waiting);
    assert_eq!(decide(&gone), RefundStep::Wait(id(7)));
    assert_eq!(decide(&at(gone, TTL + 60_000)), RefundStep::Move(id(7), PaymentState::Failed));
}

#[test]
fn a_failed_payment_is_replaced_and_still_asked_about() {
    let owed = undelivered(1);
    let view = with_fact(offered(view(&[&owed]), refund(7, &[&owed])), 7, failed());
    assert_eq!(decide(&view), RefundStep::Move(id(7), PaymentState::Failed));
    let moved = RefundView { record: view.record.clone().moved("0x7", PaymentState::Failed, NOW), ..view };
    assert_eq!(decide(&moved), RefundStep::Quote);
    let two = offered(moved, refund(8, &[&owed]));
    assert_eq!(decide(&two), RefundStep::AskProvider(vec![id(8)]));
    let both = with_fact(RefundView { facts: vec![(id(7), FILLED)], ..two }, 8, Fact::Pending);
    assert_eq!(decide(&both), RefundStep::Settle(id(7)), "what is filled wins");
}

#[test]
fn a_payment_that_differs_blocks_every_other_until_it_is_given_up() {
    let owed = undelivered(1);
    let differs = with_fact(offered(view(&[&owed]), refund(7, &[&owed])), 7, Fact::Filled(Payout::Differs));
    let seen = RefundView { record: differs.record.clone().moved("0x7", PaymentState::Pending, NOW), ..differs };
    for ms in [0, TTL, TTL + 60_000, TTL + 24 * 3_600_000] {
        assert_eq!(decide(&at(seen.clone(), ms)), RefundStep::Refuse(RefundRefusal::PaymentMismatch(id(7))), "{ms}");
    }
    let given_up = RefundView { record: seen.record.clone().moved("0x7", PaymentState::Refunded, NOW), ..seen };
    assert_eq!((given_up.record.payments.len(), given_up.record.due_ms(NOW)), (0, None), "nobody asks about it any more");
    assert_eq!(decide(&given_up), RefundStep::Quote);
}

#[test]
fn a_payment_for_something_that_is_owed_no_more_is_not_offered() {
    let (first, second) = (undelivered(1), undelivered(2));
    let both = with_fact(offered(view(&[&first, &second]), refund(7, &[&first, &second])), 7, Fact::Waiting);
    assert_eq!(decide(&both), RefundStep::Offer(id(7)));
    let mut one = both;
    one.owed.pop();
    assert_eq!(decide(&one), RefundStep::Closing(id(7), NOW + TTL + 60_000));
    // A debt that came later waits for the next payment.
    let third = undelivered(3);
    one.owed = [&first, &second, &third].map(RefundedCall::from).to_vec();
    assert_eq!(decide(&one), RefundStep::Offer(id(7)));
}

#[test]
fn so_many_failures_end_it_for_an_hour() {
    let owed = undelivered(1);
    let mut many = view(&[&owed]);
    for n in 0..u32::try_from(MAX_FILLABLE).expect("small") {
        many.record = many.record.offered(refund(n, &[&owed]), NOW).moved(&id(n), PaymentState::Failed, NOW);
        many.facts.push((id(n), failed()));
    }
    assert_eq!(decide(&many), RefundStep::Refuse(RefundRefusal::TooManyQuotes { until_ms: NOW + TTL + LATE_FILL_MS }));
    assert_eq!(decide(&at(many, TTL + LATE_FILL_MS)), RefundStep::Quote);
}

#[test]
fn a_paid_refund_settles_what_is_open_and_sums_to_zero() {
    let (first, second) = (undelivered(1), undelivered(2));
    let record = RefundRecord::empty(RefundKey::of(&first).expect("owed")).offered(refund(7, &[&first, &second]), NOW);
    let settled = record.clone().settled("0x7", vec![first.clone(), second.clone()], NOW).expect("listed");
    assert_eq!((settled.paid.amount, settled.paid.unused), (Micros(1_902_000), Micros::ZERO));
    assert_eq!((settled.record.payments.len(), settled.record.version), (0, record.version + 1));
    for (call, ledger) in settled.calls.iter().zip(&settled.ledger) {
        assert_eq!((call.debts.seller, call.debts.operator), (Settlement::Settled, Settlement::Open));
        assert_eq!(call.debts.refund, Some(settled.paid.id));
        assert_eq!(ledger.call, call.id);
        assert_eq!(ledger.legs.iter().map(|leg| leg.amount).sum::<Micros>(), Micros::ZERO);
        assert_eq!(ledger.legs[0].amount, Micros(-951_000), "the buyer's claim ends");
    }
    // The same calls once more: the seller has paid twice.
    let twice = record.settled("0x7", settled.calls, NOW).expect("listed");
    assert_eq!((twice.calls.len(), twice.paid.unused), (0, Micros(1_902_000)));
}

#[test]
fn a_delivered_call_is_refunded_alone() {
    let mut delivered = call(1).settled(None, NOW);
    delivered.state = CallState::Delivered { response: None };
    let key = RefundKey::of(&delivered).expect("paid");
    assert_eq!(key.good_will, Some(delivered.id));
    let settled = RefundRecord::empty(key).offered(refund(7, &[&delivered]), NOW).settled("0x7", vec![delivered], NOW);
    let settled = settled.expect("listed");
    assert_eq!(settled.ledger[0].legs[0].amount, Micros(951_000), "the buyer gains");
    for (state, expected) in [(call(2), None), (call(3).settled(None, NOW), None)] {
        assert_eq!(RefundKey::of(&state), expected);
    }
    let free = Call { payment: None, ..undelivered(4) };
    assert_eq!(RefundKey::of(&free), None);
}

#[test]
fn a_record_is_due_as_long_as_a_payment_may_be_filled() {
    let owed = undelivered(1);
    let record = RefundRecord::empty(RefundKey::of(&owed).expect("owed")).offered(refund(7, &[&owed]), NOW);
    assert_eq!(record.due_ms(NOW), Some(NOW + TTL + 60_000));
    let over = record.moved("0x7", PaymentState::Failed, NOW);
    assert_eq!(over.due_ms(NOW), Some(NOW + TTL + 3_600_000));
    let hour = NOW + TTL + 3_600_000;
    assert_eq!(over.due_ms(hour), Some(NOW + TTL + 24 * 3_600_000));
    let day = NOW + TTL + 24 * 3_600_000;
    let last = over.moved("0x7", PaymentState::Failed, day);
    assert_eq!((last.payments.len(), last.due_ms(day)), (0, None));
}
