//! The moves of a call.

mod attend;
mod ledger;
mod record;

use time::OffsetDateTime;

use super::*;
use crate::currency::OriginCurrency;
use crate::ids::{ListingId, WalletId};
use crate::money::FeeRate;
use crate::unknown::Unknown;
use crate::wallet::Chain;

const HOUR: i64 = 3_600_000;
const TTL: i64 = 200_000;
const CLOSES: i64 = TTL + 60_000;

fn call(price: i64) -> Call {
    let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
    Call {
        id: CallId::generate(now),
        buyer: ProfileId::generate(now),
        seller: ProfileId::generate(now),
        listing: CalledListing { id: ListingId::generate(now), slug: "s".into(), name: "n".into() },
        body_sha256: "00".into(),
        idempotency_key: None,
        split: PriceSplit::of(Micros(price), FeeRate::from_bps(490).expect("a rate")),
        payment: Some(Payment {
            provider: "a-provider".into(),
            id: "0x01".into(),
            origin_currency: OriginCurrency::Sol,
            pay_from: PayFrom { wallet_id: WalletId::generate(now), address: "a".into(), chain: Chain::Solana },
            expected: ExpectedPayout { recipient: "b".into(), chain_id: 1, currency: "c".into(), output: 95 },
            expires_ms: TTL - OFFER_MARGIN_MS,
            ttl_ms: TTL,
            fee_collected: Micros(5),
            state: PaymentState::Waiting,
            unknown: Unknown::default(),
        }),
        round: 0,
        state: CallState::Quoted,
        attempts: Vec::new(),
        in_vain_ms: None,
        tried_endpoint: None,
        debts: Debts::default(),
        due_ms: Some(CLOSES),
        settled_ms: None,
        created_ms: 0,
        updated_ms: 0,
        version: 1,
        write_token: String::new(),
        unknown: Unknown::default(),
    }
}

fn with_payment_id(id: &str) -> Call {
    let mut call = call(100);
    call.payment.as_mut().expect("a payment").id = id.into();
    call
}

fn report(outcome: Outcome, latency_ms: i64) -> AttemptReport {
    AttemptReport { latency_ms, response_bytes: Some(2), seller_status_code: Some(500), outcome, unreadable: None }
}

fn failed(latency_ms: i64) -> AttemptReport {
    report(Outcome::SellerError, latency_ms)
}

fn payment_state(call: &Call) -> Option<PaymentState> {
    call.payment.as_ref().map(|payment| payment.state)
}

#[test]
fn a_call_is_delivered_on_the_second_try() {
    let call = call(100).deposit_seen(1);
    assert_eq!((&call.state, payment_state(&call)), (&CallState::Pending, Some(PaymentState::Pending)));
    let call = call.settled(None, 10).begun("t1".into(), 100, 7, 10).ended(&failed(20), None, 30);
    assert_eq!((call.state.as_str(), call.redeliver_until_ms()), ("settled", Some(30 + REDELIVER_MS)));
    let call = call.begun("t2".into(), 200, 7, 40).ended(&report(Outcome::Delivered, 1), None, 41);
    assert_eq!((call.state.as_str(), call.attempts.len(), call.redeliver_until_ms(), call.due_ms), ("delivered", 2, None, None));
}

#[test]
fn only_a_call_that_waits_for_a_deposit_sees_one() {
    for waiting in [call(100), call(100).expired(PaymentState::Failed, 1)] {
        assert_eq!(waiting.deposit_seen(2).state, CallState::Pending);
    }
    for other in [call(100).settled(None, 1), call(100).settled(None, 1).closed(2)] {
        assert_eq!(other.clone().deposit_seen(3), other);
    }
}

#[test]
fn a_settlement_records_what_the_provider_collected() {
    let fee = |call: Call| call.payment.map(|payment| payment.fee_collected);
    assert_eq!(fee(call(100).settled(Some(Micros(6)), 1)), Some(Micros(6)));
    assert_eq!(fee(call(100).settled(None, 1)), Some(Micros(5)), "else what was quoted");
}

#[test]
fn a_late_success_turns_expired_into_settled() {
    let call = call(100).expired(PaymentState::Failed, 5).settled(None, 9);
    assert_eq!((call.state.as_str(), call.settled_ms), ("settled", Some(9)));
    assert_eq!(call.redeliver_until_ms(), Some(9 + UNPRESENTED_MS));
}

#[test]
fn a_reversed_call_has_expired_and_is_not_asked_about_again() {
    let call = call(100).settled(None, 5).begun("t".into(), 9, 1, 6).reversed(10);
    assert_eq!((call.state.as_str(), payment_state(&call), call.due_ms), ("expired", Some(PaymentState::Refunded), None));
    assert_eq!(call.attempts[0].outcome, Some(Outcome::GatewayInterrupted));
}

#[test]
fn a_sweep_looks_again_at_what_may_still_be_paid_and_at_nothing_else() {
    let again = [call(100), call(100).deposit_seen(1), call(100).expired(PaymentState::Failed, 1)];
    for call in again {
        assert_eq!(call.redriven(7).and_then(|call| call.due_ms), Some(7));
    }
    let void = call(100).deposit_seen(1).expired(PaymentState::Refunded, 2);
    let free = Call { payment: None, ..call(0).expired(PaymentState::Waiting, 1) };
    for call in [void, free, call(100).settled(None, 1).reversed(2), call(100).settled(None, 1).closed(2)] {
        assert_eq!(call.clone().redriven(7), None, "{call:?}");
    }
}

#[test]
fn a_call_is_open_while_something_may_become_of_it() {
    let asked_until = TTL + 24 * HOUR;
    let quoted = call(100);
    assert_eq!((quoted.is_open(), quoted.open_until_ms()), (true, Some(asked_until)));
    let expired = quoted.expired(PaymentState::Waiting, CLOSES);
    assert_eq!((expired.is_open(), expired.open_until_ms()), (true, Some(asked_until)), "a late fill settles");
    let over = expired.asked_again(asked_until);
    assert_eq!((over.is_open(), over.open_until_ms()), (false, None));
    let pending = call(100).deposit_seen(1);
    assert_eq!((pending.is_open(), pending.open_until_ms()), (true, None));
    let paid = call(100).settled(None, 5);
    assert_eq!((paid.is_open(), paid.open_until_ms()), (true, Some(5 + UNPRESENTED_MS)));
    assert!(!paid.clone().closed(6).is_open() && !paid.reversed(6).is_open());
}

#[test]
fn the_24_h_run_from_when_the_call_was_first_presented_in_vain() {
    let first = call(100).settled(None, 0).presented_in_vain(5);
    assert_eq!((first.redeliver_until_ms(), first.due_ms), (Some(5 + REDELIVER_MS), Some(5 + REDELIVER_MS)));
    assert_eq!(first.presented_in_vain(9).in_vain_ms, Some(5), "the first time counts");
    let tried = call(100).settled(None, 0).begun("t".into(), 100, 1, 7).ended(&failed(1), None, 8);
    assert_eq!(tried.presented_in_vain(9).redeliver_until_ms(), Some(8 + REDELIVER_MS));
}

#[test]
fn an_interrupted_attempt_does_not_start_the_24_h() {
    let call = call(100).settled(None, 0).begun("t".into(), 100, 1, 7).interrupted(100);
    assert_eq!((call.state.as_str(), call.in_vain_ms), ("settled", None));
    assert_eq!((call.redeliver_until_ms(), call.due_ms), (Some(UNPRESENTED_MS), Some(UNPRESENTED_MS)));
}

#[test]
fn a_call_is_overdue_by_time_or_by_tries() {
    let fresh = call(100).settled(None, 0);
    assert!(!fresh.is_overdue(UNPRESENTED_MS - 1) && fresh.is_overdue(UNPRESENTED_MS));
    let vain = call(100).settled(None, 0).presented_in_vain(9);
    assert!(!vain.is_overdue(9 + REDELIVER_MS - 1) && vain.is_overdue(9 + REDELIVER_MS));
    let mut tried = call(100).settled(None, 0);
    for n in 0..MAX_ATTEMPTS {
        assert!(!tried.is_overdue(0), "{n}");
        tried = tried.begun(n.to_string(), 1, 1, 0).ended(&failed(0), None, 0);
    }
    assert!(tried.is_overdue(0));
    assert!(!call(100).is_overdue(i64::MAX), "nothing is owed for a quote");
}

#[test]
fn a_running_attempt_is_not_overdue_before_its_lease_ends() {
    let call = call(100).settled(None, 0).presented_in_vain(0).begun("t".into(), REDELIVER_MS + 100, 1, 5);
    assert!(!call.is_overdue(REDELIVER_MS + 99) && call.is_overdue(REDELIVER_MS + 100));
    let closed = call.closed(REDELIVER_MS + 100);
    assert_eq!(closed.attempts[0].outcome, Some(Outcome::GatewayInterrupted));
    assert_eq!((closed.state, closed.due_ms), (CallState::Undelivered, None));
}

#[test]
fn interrupted_attempts_do_not_count_to_20_and_do_not_grow_the_call() {
    let mut call = call(100).settled(None, 0);
    for n in 0..100 {
        call = call.begun(n.to_string(), 100, 1, n);
        assert!(call.attempts.len() <= 2, "{n}");
    }
    assert_eq!((call.failures(), call.is_overdue(100)), (0, false));
    let numbers: Vec<u32> = call.attempts.iter().map(|attempt| attempt.n).collect();
    assert_eq!(numbers, [99, 100], "every attempt keeps its number");
}

#[test]
fn at_most_20_failures_and_as_many_interruptions_between_them_are_kept() {
    let mut call = call(100).settled(None, 0);
    for n in 0..MAX_ATTEMPTS {
        for _ in 0..5 {
            call = call.begun(n.to_string(), 1, 1, 0);
        }
        call = call.ended(&failed(0), None, 0);
    }
    assert_eq!((call.failures(), call.attempts.len()), (MAX_ATTEMPTS, 2 * MAX_ATTEMPTS));
}

#[test]
fn an_abandoned_attempt_was_interrupted_by_us() {
    let call = call(100).settled(None, 0).begun("t1".into(), 100, 7, 0).begun("t2".into(), 300, 7, 150);
    assert_eq!((call.attempts[0].outcome, call.attempts[0].latency_ms), (Some(Outcome::GatewayInterrupted), Some(150)));
    assert_eq!((call.attempts[1].outcome, call.attempts[1].is_failure()), (None, false));
}

#[test]
fn after_a_failure_the_seller_is_called_again_after_2_s_doubling_to_3_h() {
    let mut call = call(100).settled(None, 0);
    assert_eq!(call.retry_from_ms(1), None);
    let mut waits = Vec::new();
    for _ in 0..MAX_ATTEMPTS {
        call = call.begun("t".into(), 100, 1, 50).ended(&failed(20), None, 70);
        waits.push(call.retry_from_ms(1).expect("a wait") - 70);
    }
    assert_eq!(waits[..4], [2_000, 4_000, 8_000, 16_000]);
    assert_eq!(waits[12..15], [8_192_000, 3 * HOUR, 3 * HOUR]);
    assert_eq!(waits[..MAX_ATTEMPTS - 1].iter().sum::<i64>() / HOUR, 22);
    assert_eq!(call.retry_from_ms(100), Some(70 + 108_000), "a hundredth of it where limits are relaxed");
    assert_eq!(call.begun("t".into(), 100, 1, 80).interrupted(90).retry_from_ms(1), None);
}

#[test]
fn an_unpaid_quote_is_due_when_its_closing_ends_and_again_after_1_h_and_24_h() {
    let expired = call(100).expired(PaymentState::Waiting, CLOSES);
    assert_eq!(expired.due_ms, Some(TTL + HOUR));
    let asked = expired.asked_again(TTL + HOUR);
    assert_eq!(asked.due_ms, Some(TTL + 24 * HOUR));
    assert_eq!(asked.asked_again(TTL + 24 * HOUR).due_ms, None);
    let failed_early = call(100).expired(PaymentState::Failed, 1);
    assert_eq!(failed_early.due_ms, Some(TTL + HOUR));
}

#[test]
fn a_pending_payment_is_due_again_and_again() {
    assert_eq!(call(100).deposit_seen(1).due_ms, Some(CLOSES));
    assert_eq!(call(100).deposit_seen(CLOSES).due_ms, Some(CLOSES + 60_000));
    assert_eq!(call(100).deposit_seen(1).asked_again(2 * CLOSES).due_ms, Some(2 * CLOSES + 60_000));
}

#[test]
fn a_payment_that_never_settles_is_asked_about_less_and_less_often() {
    let mut pending = call(100).deposit_seen(1);
    let mut questions = [0; 30];
    while let Some(due) = pending.due_ms.filter(|due| *due < TTL + 30 * 24 * HOUR) {
        questions[usize::try_from((due - TTL) / (24 * HOUR)).unwrap_or(0)] += 1;
        pending = pending.asked_again(due);
    }
    assert_eq!((questions[0], questions[1], questions.iter().sum::<i32>()), (90, 11, 146), "{questions:?}");
    assert!(questions.iter().take(14).all(|of_day| *of_day > 0), "it is never forgotten: {questions:?}");
}

#[test]
fn a_lapsed_lease_is_due_when_it_ends_or_for_a_first_attempt_when_the_quote_would_have_been_over() {
    let paid_now = Call { state: CallState::Settled, settled_ms: Some(5), ..call(100) };
    assert_eq!(paid_now.begun("t".into(), 100, 1, 5).due_ms, Some(CLOSES));
    let again = call(100).settled(None, 0).begun("t".into(), 100, 1, 5).ended(&failed(1), None, 6);
    assert_eq!(again.begun("t".into(), 300, 1, 200).due_ms, Some(300));
}

#[test]
fn a_call_that_has_ended_is_never_due() {
    let delivered = call(100).settled(None, 0).begun("t".into(), 9, 1, 0).ended(&report(Outcome::Delivered, 1), None, 1);
    let free = Call { payment: None, state: CallState::Settled, ..call(100) }.expired(PaymentState::Waiting, 1);
    for ended in [delivered, call(100).settled(None, 0).closed(1), free] {
        assert_eq!(ended.due_ms, None, "{}", ended.state.as_str());
    }
}

#[test]
fn states_survive_their_own_spelling() {
    for state in [
        CallState::Quoted,
        CallState::Delivering { lease_until_ms: 5, token: "t".into() },
        CallState::Delivered { response: Some(StoredResponse { attempt: 1, parts: 2, sha256: "x".into(), kept_until_ms: 9 }) },
        CallState::Delivered { response: None },
    ] {
        let text = serde_json::to_string(&state).expect("JSON");
        assert_eq!(serde_json::from_str::<CallState>(&text).expect("a state"), state);
    }
}
