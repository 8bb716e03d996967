//! What becomes of a call that nobody presents.

use std::sync::LazyLock;

use super::super::attend::{Attention, attend};
use super::super::view::{Fact, Payout};
use super::super::{Call, CallState, MAX_ATTEMPTS, Payment, PaymentState, REDELIVER_MS, UNPRESENTED_MS};
use super::{CLOSES, HOUR, TTL, call, failed, report};
use crate::call::outcome::Outcome;

const FILLED: Fact = Fact::Filled(Payout::AsQuoted);
const DIFFERS: Fact = Fact::Filled(Payout::Differs);
const NOT_RECORDED: Fact = Fact::Filled(Payout::NotRecorded);
/// Steps in which every call has got what it needs.
const MAX_STEPS: usize = 8;

fn over(how: PaymentState) -> Fact {
    Fact::Over { how, reason: None }
}

fn facts() -> Vec<Fact> {
    let over = [over(PaymentState::Failed), over(PaymentState::Refunded)];
    let known = [Fact::Waiting, Fact::Pending, FILLED, DIFFERS, NOT_RECORDED, Fact::Unknown, Fact::Unreachable];
    known.into_iter().chain(over).collect()
}

/// The same call each time, with the same ids.
fn quoted() -> Call {
    static QUOTED: LazyLock<Call> = LazyLock::new(|| call(100));
    QUOTED.clone()
}

fn settled() -> Call {
    quoted().settled(None, 10)
}

fn delivering(call: Call, lease_until_ms: i64) -> Call {
    call.begun("attempt".into(), lease_until_ms, 7, 20)
}

fn tried_out() -> Call {
    (0..MAX_ATTEMPTS).fold(settled(), |call, _| delivering(call, 40).ended(&failed(1), None, 30))
}

fn delivered() -> Call {
    delivering(settled(), 40).ended(&report(Outcome::Delivered, 1), None, 30)
}

fn free(call: Call) -> Call {
    Call { payment: None, settled_ms: None, due_ms: None, ..call }
}

fn with_key(call: Call) -> Call {
    Call { idempotency_key: Some("k".into()), ..call }
}

/// A call in each state, by each way that leads to it.
fn every_call() -> Vec<Call> {
    let ways_to_end = [PaymentState::Waiting, PaymentState::Failed, PaymentState::Refunded];
    let mut calls: Vec<Call> = ways_to_end.into_iter().map(|how| quoted().expired(how, 10)).collect();
    calls.extend([quoted(), quoted().deposit_seen(10), quoted().expired(PaymentState::Failed, 10).deposit_seen(20)]);
    calls.extend([settled(), settled().presented_in_vain(20), delivering(settled(), 40), tried_out(), delivered()]);
    calls.extend([delivering(settled(), 40).ended(&failed(1), None, 30), delivering(settled().presented_in_vain(15), 40)]);
    calls.extend([settled().closed(30), settled().reversed(30), quoted().expired(PaymentState::Failed, 10).settled(None, 20)]);
    for call in [settled(), delivering(settled(), 40), tried_out(), delivered(), settled().closed(30)] {
        calls.extend([free(call.clone()), with_key(free(call))]);
    }
    calls.extend([settled().beside_others(), free(settled()).expired(PaymentState::Waiting, 30)]);
    calls
}

/// Times at which something changes, and those around them.
fn times() -> impl Iterator<Item = i64> {
    let from_first_failure = [20, 15, 31].map(|first| first + REDELIVER_MS);
    let from_settlement = [0, 10, 20].map(|settled| settled + UNPRESENTED_MS);
    let of_quote = [50, 40, TTL, CLOSES, TTL + HOUR, TTL + 24 * HOUR, 2 * UNPRESENTED_MS];
    of_quote.into_iter().chain(from_first_failure).chain(from_settlement).flat_map(|at| [at - 1, at, at + 1])
}

/// What was done about a call, and what it is then. Every question is answered with `fact`.
fn attended(mut call: Call, fact: &Fact, now_ms: i64) -> (Vec<Attention>, Call) {
    let (mut done, mut answer) = (Vec::new(), None);
    while done.len() < MAX_STEPS {
        let next = attend(&call, answer, now_ms);
        done.push(next.clone());
        call = match next {
            Attention::Leave | Attention::Mismatch => return (done, call),
            Attention::AskProvider => {
                answer = Some(fact);
                call
            }
            Attention::Write(next) => *next,
            Attention::Settle => call.settled(None, now_ms),
            Attention::LookForDelivery => call.looked_at(false, now_ms),
            Attention::Close => call.closed(now_ms),
            Attention::Reverse => call.reversed(now_ms),
        };
    }
    panic!("no end: {done:#?}");
}

/// Checks something for every call, time and answer.
fn in_every_case(check: impl Fn(&Call, &Fact, i64, &[Attention], &Call)) {
    for call in every_call() {
        for now_ms in times() {
            for fact in facts() {
                let (done, after) = attended(call.clone(), &fact, now_ms);
                check(&call, &fact, now_ms, &done, &after);
            }
        }
    }
}

fn writes(attention: &Attention) -> bool {
    !matches!(attention, Attention::Leave | Attention::AskProvider | Attention::Mismatch)
}

/// What is done about each of these once the provider has given its answer.
fn all_come_to<const N: usize>(calls: [Call; N], fact: &Fact, now_ms: i64, expected: &Attention) {
    for call in calls {
        assert_eq!(attend(&call, None, now_ms), Attention::AskProvider, "{call:#?}");
        assert_eq!(attend(&call, Some(fact), now_ms), *expected, "{call:#?}");
    }
}

fn written(call: Call) -> Attention {
    Attention::Write(Box::new(call))
}

fn pending() -> Call {
    quoted().deposit_seen(10)
}

fn expired() -> Call {
    quoted().expired(PaymentState::Failed, 10)
}

#[test]
fn a_call_that_is_with_the_seller_is_left_alone_until_its_lease_is_over() {
    for call in [delivering(settled(), 40), delivering(tried_out(), 40), free(delivering(settled(), 40))] {
        assert_eq!(attend(&call, None, 39), Attention::Leave);
    }
    let lapsed = delivering(settled(), 40);
    assert_eq!(attend(&lapsed, None, 40), written(lapsed.clone().interrupted(40)));
}

#[test]
fn a_free_call_whose_lease_is_over_closes_unless_its_key_can_ask_for_it_again() {
    let lapsed = free(delivering(settled(), 40));
    assert_eq!(attend(&lapsed, None, 40), Attention::Close);
    let keyed = with_key(lapsed);
    assert_eq!(attend(&keyed, None, 40), written(keyed.clone().interrupted(40)));
}

#[test]
fn a_settled_call_is_left_alone_until_it_is_overdue() {
    assert_eq!(attend(&settled(), None, 10 + UNPRESENTED_MS - 1), Attention::Leave);
    assert_eq!(attend(&settled().presented_in_vain(20), None, 20 + REDELIVER_MS - 1), Attention::Leave);
}

#[test]
fn a_call_that_settled_beside_others_is_owed_after_a_day_if_one_of_them_was_delivered() {
    let beside = settled().beside_others();
    let a_day_later = 10 + REDELIVER_MS;
    assert_eq!(attend(&beside, None, a_day_later - 1), Attention::Leave);
    assert_eq!(attend(&beside, None, a_day_later), Attention::LookForDelivery);
    let unused = beside.clone().looked_at(true, a_day_later);
    assert_eq!(attend(&unused, None, a_day_later), Attention::AskProvider);
    assert_eq!(attend(&unused, Some(&Fact::Filled(Payout::AsQuoted)), a_day_later), Attention::Close);
    let wanted = beside.looked_at(false, a_day_later);
    assert_eq!((wanted.due_ms, wanted.in_vain_ms), (settled().due_ms, None));
    assert_eq!(attend(&wanted, None, a_day_later), Attention::Leave);
}

#[test]
fn a_refunded_settlement_that_shows_as_filled_again_waits_for_an_operator() {
    let reversed = settled().reversed(30);
    let due = Call { due_ms: Some(40), ..reversed };
    assert_eq!(attend(&due, Some(&Fact::Filled(Payout::AsQuoted)), 50), Attention::Mismatch);
    assert_eq!(attend(&due, Some(&Fact::Waiting), 50), Attention::Leave);
}

#[test]
fn an_overdue_call_closes_once_the_provider_was_asked() {
    for fact in facts().into_iter().filter(|fact| !matches!(fact, Fact::Unreachable | Fact::Over { .. })) {
        all_come_to([settled(), delivering(settled(), 40)], &fact, 10 + UNPRESENTED_MS, &Attention::Close);
        all_come_to([settled().presented_in_vain(20)], &fact, 20 + REDELIVER_MS, &Attention::Close);
        all_come_to([tried_out()], &fact, 50, &Attention::Close);
    }
    all_come_to([tried_out()], &over(PaymentState::Failed), 50, &Attention::Close);
}

#[test]
fn an_overdue_call_that_was_refunded_is_reversed_and_not_owed() {
    let calls = [settled(), settled().presented_in_vain(20), tried_out(), delivering(settled(), 40)];
    all_come_to(calls, &over(PaymentState::Refunded), 10 + UNPRESENTED_MS, &Attention::Reverse);
}

#[test]
fn an_overdue_free_call_closes_and_nobody_is_asked() {
    for call in [free(settled()), with_key(free(settled())), free(tried_out())] {
        assert_eq!(attend(&call, None, UNPRESENTED_MS), Attention::Close);
    }
}

#[test]
fn a_call_that_has_ended_is_left_alone() {
    let ended = [delivered(), settled().closed(30), settled().reversed(30), free(delivered())];
    for call in ended.into_iter().chain([free(settled()).expired(PaymentState::Waiting, 30)]) {
        assert_eq!(attend(&call, None, 2 * UNPRESENTED_MS), Attention::Leave, "{call:#?}");
    }
}

#[test]
fn a_filled_payment_settles() {
    all_come_to([quoted(), pending(), expired()], &FILLED, 50, &Attention::Settle);
}

#[test]
fn a_deposit_that_has_not_settled_or_is_not_as_quoted_is_noted_first() {
    for fact in [Fact::Pending, DIFFERS, NOT_RECORDED] {
        for call in [quoted(), expired()] {
            all_come_to([call.clone()], &fact, 50, &written(call.deposit_seen(50)));
        }
    }
    all_come_to([pending()], &DIFFERS, 50, &Attention::Mismatch);
    for fact in [Fact::Pending, NOT_RECORDED] {
        all_come_to([pending()], &fact, CLOSES - 1, &Attention::Leave);
        all_come_to([pending()], &fact, CLOSES, &written(pending().asked_again(CLOSES)));
    }
}

#[test]
fn a_payment_that_is_over_expires_once() {
    for how in [PaymentState::Failed, PaymentState::Refunded] {
        for call in [quoted(), pending(), quoted().expired(PaymentState::Waiting, 10)] {
            all_come_to([call.clone()], &over(how), 50, &written(call.expired(how, 50)));
        }
        all_come_to([quoted().expired(how, 10)], &over(how), 50, &Attention::Leave);
    }
}

#[test]
fn a_quote_that_was_not_paid_expires_when_its_closing_ends() {
    for fact in [Fact::Waiting, Fact::Unknown] {
        all_come_to([quoted(), pending()], &fact, CLOSES - 1, &Attention::Leave);
        for call in [quoted(), pending()] {
            all_come_to([call.clone()], &fact, CLOSES, &written(call.expired(PaymentState::Waiting, CLOSES)));
        }
    }
}

#[test]
fn an_expired_quote_is_asked_about_until_24_h_after_its_ttl() {
    for fact in [Fact::Waiting, Fact::Unknown, over(PaymentState::Failed)] {
        all_come_to([expired()], &fact, TTL + HOUR - 1, &Attention::Leave);
        all_come_to([expired()], &fact, TTL + HOUR, &written(expired().asked_again(TTL + HOUR)));
    }
    let asked = expired().asked_again(TTL + HOUR);
    all_come_to([asked.clone()], &FILLED, TTL + 24 * HOUR, &Attention::Settle);
    let asked = asked.asked_again(TTL + 24 * HOUR);
    assert_eq!(attend(&asked, None, TTL + 24 * HOUR), Attention::Leave);
}

#[test]
fn nothing_but_the_time_of_the_next_question_is_written_once_the_provider_did_not_answer() {
    in_every_case(|call, fact, now_ms, done, after| {
        let asked = done.iter().position(|step| *step == Attention::AskProvider);
        if let (Fact::Unreachable, Some(asked)) = (fact, asked) {
            // It stays due, so that it is asked about again. Before the question, only a lapsed lease may have been ended.
            let is_lapsed = matches!(call.state, CallState::Delivering { .. });
            let is_late = after.due_ms.is_some_and(|due| due >= now_ms + 60_000);
            assert_eq!(done[asked..].iter().any(writes), is_late && after.due_ms != call.due_ms, "at {now_ms}: {done:#?}");
            assert!(*after == Call { due_ms: after.due_ms, ..call.clone() } || is_lapsed, "{call:#?} {done:#?}");
        }
    });
}

#[test]
fn a_provider_that_never_answers_is_asked_every_time_for_an_hour_and_then_less_and_less_often() {
    let overdue_ms = 10 + UNPRESENTED_MS;
    for (call, since_ms) in [(pending(), TTL), (quoted(), TTL), (expired(), TTL), (settled(), overdue_ms)] {
        let due = Call { due_ms: Some(since_ms), ..call };
        all_come_to([due.clone()], &Fact::Unreachable, since_ms + HOUR, &Attention::Leave);
        let a_day_later = since_ms + 24 * HOUR;
        let expected = due.clone().asked_in_vain(since_ms, a_day_later);
        assert_eq!(expected.due_ms, Some(a_day_later + 90 * 60_000));
        all_come_to([due.clone()], &Fact::Unreachable, a_day_later, &written(expected.clone()));
        // Whoever reads the call asks, too, and writes nothing.
        assert_eq!(attend(&expected, Some(&Fact::Unreachable), a_day_later + 1), Attention::Leave);
    }
}

#[test]
fn every_call_has_what_it_needs_within_8_steps_and_one_question() {
    in_every_case(|call, fact, now_ms, done, after| {
        let questions = done.iter().filter(|step| **step == Attention::AskProvider).count();
        assert!(questions <= 1, "{call:#?} at {now_ms}, {fact:?}: {done:#?}");
        // Who attends to it once more finds nothing to do.
        let (again, unchanged) = attended(after.clone(), fact, now_ms);
        assert!(!again.iter().any(writes) && unchanged == *after, "{call:#?} at {now_ms}, {fact:?}: {done:#?}, then {again:#?}");
    });
}

#[test]
fn what_was_attended_to_is_not_due_any_more_unless_the_provider_did_not_answer_or_an_operator_must_look() {
    in_every_case(|call, fact, now_ms, done, after| {
        let is_for_later = *fact == Fact::Unreachable || done.last() == Some(&Attention::Mismatch);
        let is_leased = matches!(after.state, CallState::Delivering { lease_until_ms, .. } if now_ms < lease_until_ms);
        let is_due = after.due_ms.is_some_and(|due| due <= now_ms);
        assert!(is_for_later || is_leased || !is_due, "{call:#?} at {now_ms}, {fact:?}: {done:#?}");
    });
}

#[test]
fn a_paid_call_is_closed_or_reversed_only_if_it_is_overdue_and_only_the_provider_says_which() {
    in_every_case(|call, fact, now_ms, done, after| {
        let is_refunded = *fact == over(PaymentState::Refunded);
        let (closes, reverses) = (done.contains(&Attention::Close), done.contains(&Attention::Reverse));
        if closes && call.payment.is_some() {
            assert!(call.is_overdue(now_ms) && !is_refunded && *fact != Fact::Unreachable, "{call:#?} {fact:?}");
            assert_eq!((&after.state, after.due_ms), (&CallState::Undelivered, None));
        }
        if reverses {
            assert!(call.is_overdue(now_ms) && is_refunded, "{call:#?} {fact:?}");
            let payment = after.payment.as_ref().map(|payment| payment.state);
            assert_eq!((&after.state, payment, after.due_ms), (&CallState::Expired, Some(PaymentState::Refunded), None));
        }
        assert_eq!(done.contains(&Attention::Settle), settles(call, fact, done), "{call:#?} {fact:?}");
    });
}

/// Whether the payment was not settled, was asked about, and is filled as quoted.
fn settles(call: &Call, fact: &Fact, done: &[Attention]) -> bool {
    let is_unsettled = matches!(call.state, CallState::Quoted | CallState::Pending | CallState::Expired);
    is_unsettled
        && call.payment.as_ref().map(Payment::closes_ms).is_some()
        && *fact == FILLED
        && done.contains(&Attention::AskProvider)
}
