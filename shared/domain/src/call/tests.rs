//! The moves of a call, and its books.

use time::OffsetDateTime;

use super::entry::{settlement, undelivered};
use super::*;
use crate::currency::OriginCurrency;
use crate::ids::{ListingId, WalletId};
use crate::money::{FeeRate, Micros};
use crate::wallet::Chain;

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
            id: "0x01".into(),
            origin_currency: OriginCurrency::Sol,
            pay_from: PayFrom { wallet_id: WalletId::generate(now), address: "a".into(), chain: Chain::Solana },
            expected: ExpectedPayout { recipient: "b".into(), chain_id: 1, currency: "c".into(), output: 95 },
            expires_ms: 1_000,
            ttl_ms: 2_000,
            requirements: "{}".into(),
            state: PaymentState::Waiting,
        }),
        state: State::Quoted,
        attempts: Vec::new(),
        replaces: None,
        settled_ms: None,
        created_ms: 0,
        updated_ms: 0,
        version: 1,
        writer: String::new(),
    }
}

fn failed(latency_ms: i64) -> AttemptReport {
    AttemptReport { latency_ms, response_bytes: Some(2), seller_status_code: Some(500), outcome: Outcome::SellerError }
}

#[test]
fn the_books_of_a_call_sum_to_zero_at_every_moment() {
    for price in [100, 101, 999, 1_000_000, 9_999_999_999] {
        let call = call(price);
        let settled: i64 = settlement(&call, 5).iter().map(|entry| entry.amount.0).sum();
        let owed: i64 = undelivered(&call, 6).iter().map(|entry| entry.amount.0).sum();
        assert_eq!((settled, owed), (0, 0), "{price}");
    }
}

#[test]
fn entries_are_the_same_whenever_they_are_derived() {
    let call = call(100);
    assert_eq!(settlement(&call, 5), settlement(&call, 5));
    let mut ids: Vec<String> = settlement(&call, 5).into_iter().chain(undelivered(&call, 5)).map(|entry| entry.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_call_is_delivered_on_the_second_try() {
    let call = call(100).deposit_seen(1);
    assert_eq!(call.state, State::Pending);
    let call = call.settled(10).begun("t1".into(), 100, 7, 10);
    assert_eq!((call.attempts[0].n, call.due_ms()), (1, Some(100)));
    let call = call.ended(&failed(20), None, 30);
    assert_eq!((call.state.as_str(), call.redeliver_until_ms()), ("settled", Some(10 + 20 + REDELIVER_MS)));
    let call = call.begun("t2".into(), 200, 7, 40);
    let delivered =
        AttemptReport { latency_ms: 1, response_bytes: Some(2), seller_status_code: Some(200), outcome: Outcome::Delivered };
    let call = call.ended(&delivered, None, 41);
    assert_eq!((call.state.as_str(), call.attempts.len(), call.redeliver_until_ms(), call.due_ms()), ("delivered", 2, None, None));
}

#[test]
fn an_abandoned_attempt_is_closed_when_the_next_begins() {
    let call = call(100).settled(0).begun("t1".into(), 100, 7, 0).begun("t2".into(), 300, 7, 150);
    assert_eq!((call.attempts[0].outcome, call.attempts[0].latency_ms), (Some(Outcome::SellerTimeout), Some(150)));
    assert_eq!(call.attempts[1].outcome, None);
}

#[test]
fn a_late_success_turns_expired_into_settled() {
    let call = call(100).expired(PaymentState::Failed, 5).settled(9);
    assert_eq!((call.state.as_str(), call.settled_ms), ("settled", Some(9)));
    assert_eq!(call.redeliver_until_ms(), Some(9 + UNPRESENTED_MS));
}

#[test]
fn a_call_is_overdue_by_time_or_by_tries() {
    let fresh = call(100).settled(0);
    assert!(!fresh.is_overdue(UNPRESENTED_MS - 1) && fresh.is_overdue(UNPRESENTED_MS));
    let mut tried = call(100).settled(0);
    for n in 0..MAX_ATTEMPTS {
        assert!(!tried.is_overdue(0), "{n}");
        tried = tried.begun(n.to_string(), 1, 1, 0).ended(&failed(0), None, 0);
    }
    assert!(tried.is_overdue(0));
}

#[test]
fn an_abandoned_attempt_counts_once_its_lease_has_ended() {
    let mut call = call(100).settled(0);
    for n in 0..MAX_ATTEMPTS {
        call = call.begun(n.to_string(), 100, 1, 0);
    }
    assert!(!call.is_overdue(99), "the last one still runs");
    assert!(call.is_overdue(100));
    let call = call.closed(100);
    assert_eq!(call.attempts.last().and_then(|attempt| attempt.outcome), Some(Outcome::SellerTimeout));
}

#[test]
fn states_survive_their_own_spelling() {
    for state in [
        State::Quoted,
        State::Delivering { lease_until_ms: 5, token: "t".into() },
        State::Delivered { answer: Some(StoredAnswer { attempt: 1, parts: 2, sha256: "x".into(), kept_until_ms: 9 }) },
        State::Delivered { answer: None },
    ] {
        let text = serde_json::to_string(&state).expect("JSON");
        assert_eq!(serde_json::from_str::<State>(&text).expect("a state"), state);
    }
}
