//! What an idempotency record lists, and for how long.

use super::super::record::{IdempotencyRecord, LATE_FILL_MS, may_be_filled};
use super::super::{Call, CallKey, CallState, PaymentState, RESPONSE_KEPT_MS};
use super::{HOUR, TTL, with_payment_id};
use crate::currency::OriginCurrency;

fn key(payment: &str) -> CallKey {
    CallKey::of_payment("a-provider", payment)
}

fn by_key(call: Call) -> Call {
    Call { idempotency_key: Some("k".into()), ..call }
}

fn keys(record: &IdempotencyRecord) -> Vec<CallKey> {
    record.calls.iter().map(|listed| listed.key.clone()).collect()
}

/// Whether a record still lists this call when another is added now.
fn is_remembered(call: &Call, now_ms: i64) -> bool {
    let new = Call { idempotency_key: call.idempotency_key.clone(), ..with_payment_id("new") };
    IdempotencyRecord::empty(call).with(call, &[], 0).with(&new, &[call], now_ms).lists(&call.key())
}

#[test]
fn a_record_lists_the_newest_call_first_and_each_once() {
    let first = with_payment_id("p1");
    let record = IdempotencyRecord::empty(&first);
    assert_eq!((record.version, record.currency, record.calls.len()), (0, None, 0));
    let record = record.with(&first, &[], 1).with(&with_payment_id("p2"), &[&first], 2).with(&first, &[&first], 3);
    assert_eq!((keys(&record), record.version), (vec![key("p1"), key("p2")], 3));
    assert!(record.lists(&key("p2")) && !record.lists(&key("p3")));
}

#[test]
fn a_record_keeps_the_currency_of_the_first_quote() {
    let free = Call { payment: None, ..with_payment_id("none") };
    let mut eth = with_payment_id("p2");
    eth.payment.as_mut().expect("a payment").origin_currency = OriginCurrency::Eth;
    let record = IdempotencyRecord::empty(&free).with(&free, &[], 1);
    assert_eq!(record.currency, None);
    let record = record.with(&with_payment_id("p1"), &[], 2).with(&eth, &[], 3);
    assert_eq!(record.currency, Some(OriginCurrency::Sol));
}

#[test]
fn a_record_is_in_the_round_of_its_newest_call_and_never_goes_back() {
    let call = |id: &str, round| Call { round, ..with_payment_id(id) };
    let record = IdempotencyRecord::empty(&call("p1", 0)).with(&call("p1", 0), &[], 1).with(&call("p2", 1), &[], 2);
    assert_eq!(record.round, 1);
    assert_eq!(record.with(&call("p3", 0), &[], 3).round, 1);
}

#[test]
fn what_is_not_over_stays_in_its_record() {
    let quoted = with_payment_id("p1");
    let settled = quoted.clone().settled(None, 1);
    let delivering = settled.clone().begun("t".into(), 9, 1, 1);
    for call in [quoted.clone(), quoted.deposit_seen(1), settled, delivering] {
        assert!(is_remembered(&call, 1000 * HOUR), "{}", call.state.as_str());
    }
}

#[test]
fn a_payment_may_still_be_filled_until_it_was_refunded_or_until_one_hour_after_its_ttl() {
    let quoted = || with_payment_id("p1");
    assert!(may_be_filled(&quoted(), i64::MAX) && may_be_filled(&quoted().deposit_seen(1), i64::MAX), "until it is known");
    for how in [PaymentState::Waiting, PaymentState::Failed] {
        let expired = quoted().expired(how, 1);
        assert!(may_be_filled(&expired, TTL + LATE_FILL_MS - 1) && !may_be_filled(&expired, TTL + LATE_FILL_MS));
        assert!(is_remembered(&expired, TTL + HOUR - 1) && !is_remembered(&expired, TTL + HOUR));
    }
    let refunded = quoted().expired(PaymentState::Refunded, 1);
    assert!(!may_be_filled(&refunded, 1) && !is_remembered(&refunded, 1));
    let settled = quoted().settled(None, 1);
    let free = Call { payment: None, ..quoted() };
    for call in [settled.clone(), settled.closed(2), free] {
        assert!(!may_be_filled(&call, 2), "{}", call.state.as_str());
    }
}

#[test]
fn a_body_leads_to_a_call_that_has_ended_for_48_h_and_a_key_for_ever() {
    let settled = || with_payment_id("p1").settled(None, 1);
    let delivered = Call { state: CallState::Delivered { response: None }, ..settled() };
    for ended in [delivered, settled().closed(1)] {
        assert!(is_remembered(&ended, RESPONSE_KEPT_MS) && !is_remembered(&ended, 1 + RESPONSE_KEPT_MS));
        assert!(is_remembered(&by_key(ended), 1000 * HOUR));
    }
}

#[test]
fn a_call_that_is_listed_and_not_there_is_waited_for_as_long_as_its_quote_may_still_be_shown() {
    let (lost, new) = (with_payment_id("lost"), with_payment_id("new"));
    let record = IdempotencyRecord::empty(&lost).with(&lost, &[], 0);
    assert!(record.calls[0].may_arrive(5_999) && !record.calls[0].may_arrive(6_000));
    assert!(record.clone().with(&new, &[], 5_999).lists(&lost.key()));
    assert!(!record.with(&new, &[], 6_000).lists(&lost.key()));
}

#[test]
fn records_survive_their_own_spelling() {
    let call = with_payment_id("p1");
    let record = IdempotencyRecord::empty(&call).with(&call, &[], 5);
    let text = serde_json::to_string(&record).expect("JSON");
    assert_eq!(serde_json::from_str::<IdempotencyRecord>(&text).expect("a record"), record);
}
