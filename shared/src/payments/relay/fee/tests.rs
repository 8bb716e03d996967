//! The loop of at most two quotes, against providers with costs of many levels.

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use crochet_domain::call::ExpectedPayout;
use crochet_domain::currency::OriginCurrency;
use crochet_domain::money::{FeeRate, PriceSplit};
use futures::executor::block_on;
use serde_json::value::RawValue;

use super::*;

const RATE: u16 = 490;

fn request(price: i64) -> QuoteRequest {
    let split = PriceSplit::of(Micros(price), FeeRate::from_bps(RATE).expect("a rate"));
    QuoteRequest {
        reference: "gw_req_1".into(),
        payer: "payer".into(),
        origin: OriginCurrency::Sol.token(),
        expected: ExpectedPayout {
            recipient: "seller".into(),
            chain_id: 1,
            currency: "usdc".into(),
            output: u64::try_from(split.seller_receives.0).expect("an amount"),
        },
        fee_wallet: "operator".into(),
        fee: split.fee,
        ttl_seconds: 600,
    }
}

/// A quote of a provider with these costs: a flat part and one that is a rate of the payment.
fn priced(request: &QuoteRequest, bps: u16, flat: i64, rate_bps: i64) -> CheckedQuote {
    let output = i128::from(request.expected.output);
    let rest = 10_000 - i128::from(bps) - i128::from(rate_bps);
    let payment = ((output + i128::from(flat)) * 10_000 + rest - 1) / rest;
    let micros = |amount: i128| Micros(i64::try_from(amount).expect("an amount"));
    CheckedQuote {
        id: format!("0x{}", hex::encode([7; 32])),
        requirements: RawValue::NULL.to_owned(),
        payment: micros(payment),
        fee: micros(payment * i128::from(bps) / 10_000),
    }
}

fn prices() -> Vec<i64> {
    let mut prices: Vec<i64> = (100..400).collect();
    while let Some(last) = prices.last().copied().filter(|last| *last < 10_000_000_000) {
        prices.push((last + last / 97 + 1).min(10_000_000_000));
    }
    prices
}

#[test]
fn the_promise_is_kept_with_at_most_two_quotes_at_every_price_and_cost() {
    let mut seconds = 0;
    for flat in [0, 1, 600, 10_000, 19_999, 20_000, 20_001, 20_750, 35_000, 60_000, 150_000, 400_000, 800_000] {
        for rate_bps in [0, 1, 6, 15] {
            for price in prices() {
                let request = request(price);
                let promise = FeePromise::of(request.fee);
                let asked = AtomicU8::new(0);
                let ask = |bps| {
                    asked.fetch_add(1, Ordering::Relaxed);
                    let quote = priced(&request, bps, flat, rate_bps);
                    async move { Ok(quote) }
                };
                // The first of this route, in a new process.
                let costs = SeenCosts::default();
                let quote_ = block_on(quote(&costs, &request, ask)).expect("a quote");
                let case = format!("{price} at {flat} and {rate_bps} bps: {:?} for {:?}", quote_.fee_micros, request.fee);
                assert!(promise.is_kept_by(quote_.fee_micros), "{case}");
                assert!(quote_.asked == asked.load(Ordering::Relaxed) && quote_.asked <= 2, "{case}");
                seconds += u32::from(quote_.asked == 2);
                // The second one knows the costs.
                let again = block_on(quote(&costs, &request, ask)).expect("a quote");
                assert!(promise.is_kept_by(again.fee_micros) && again.asked == 1, "{case}, then {:?}", again.fee_micros);
            }
        }
    }
    assert!(seconds > 1_000, "second quotes are asked for: {seconds}");
}

#[test]
fn at_the_documented_flat_costs_the_first_quote_is_right() {
    for price in prices() {
        let request = request(price);
        let quote = block_on(quote(&SeenCosts::default(), &request, |bps| {
            let quote = priced(&request, bps, EXPECTED_COSTS, 0);
            async move { Ok(quote) }
        }));
        assert_eq!(quote.expect("a quote").asked, 1, "{price}");
    }
    // The least price: 5 micro-dollars of 20,100 are 3 basis points, not 500.
    let request = request(100);
    let least = block_on(quote(&SeenCosts::default(), &request, |bps| {
        assert_eq!(bps, 3);
        let quote = priced(&request, bps, EXPECTED_COSTS, 0);
        async move { Ok(quote) }
    }));
    assert_eq!(least.expect("a quote").fee_micros, Micros(6));
}

#[test]
fn costs_that_vary_are_learnt_and_the_fee_is_reached() {
    for price in [10_000, 100_000, 1_000_000, 100_000_000] {
        let request = request(price);
        let promise = FeePromise::of(request.fee);
        let costs = SeenCosts::default();
        let (turn, mut asked) = (AtomicI64::new(0), 0);
        for _ in 0..200 {
            let quoted = block_on(quote(&costs, &request, |bps| {
                // Costs of 0.03 USD that change by up to 2 % in a fixed order.
                let step = turn.fetch_add(1, Ordering::Relaxed) * 37 % 7;
                let quote = priced(&request, bps, 30_000 + (step - 3) * 200, 0);
                async move { Ok(quote) }
            }));
            let quoted = quoted.expect("a quote");
            assert!(promise.is_kept_by(quoted.fee_micros), "{price}: {:?} for {:?}", quoted.fee_micros, request.fee);
            asked += u32::from(quoted.asked);
        }
        assert!(asked <= 205, "{price}: {asked} quotes for 200 calls");
    }
}

#[test]
fn a_quote_below_the_fee_is_never_shown() {
    let request = request(1_000_000);
    let with_fees = |fees: [i64; 2]| {
        let turn = AtomicU8::new(0);
        let request = &request;
        block_on(quote(&SeenCosts::default(), request, |bps| {
            let fee = fees[usize::from(turn.fetch_add(1, Ordering::Relaxed))];
            let quote = CheckedQuote { fee: Micros(fee), ..priced(request, bps, 20_000, 0) };
            async move { Ok(quote) }
        }))
    };
    // In the first, what the fee lacks looks like costs, so that the second is another.
    assert_eq!(with_fees([48_000, 49_100]).map(|quote| (quote.fee_micros, quote.asked)).ok(), Some((Micros(49_100), 2)));
    assert_eq!(with_fees([60_000, 55_000]).map(|quote| quote.fee_micros).ok(), Some(Micros(55_000)), "too much, but the least");
    assert_eq!(with_fees([60_000, 48_000]).map(|quote| quote.fee_micros).ok(), Some(Micros(60_000)), "at least the fee");
    assert!(matches!(with_fees([48_000, 48_999]), Err(QuoteFailure::Unavailable(_))));
    assert!(matches!(with_fees([0, 0]), Err(QuoteFailure::NotAsAsked(_))));
    // Without a fee, nothing is checked.
    let free = QuoteRequest { fee: Micros::ZERO, ..request };
    let quoted = block_on(quote(&SeenCosts::default(), &free, |bps| async move {
        assert_eq!(bps, 0);
        Ok(CheckedQuote { payment: Micros::ZERO, ..priced(&request_of_a_cent(), 0, 0, 0) })
    }));
    assert_eq!(quoted.map(|quote| (quote.fee_micros, quote.asked)).ok(), Some((Micros::ZERO, 1)));
}

fn request_of_a_cent() -> QuoteRequest {
    request(10_000)
}

#[test]
fn a_failure_of_the_second_quote_is_the_answer() {
    let request = request(1_000_000);
    let turn = AtomicU8::new(0);
    let failed = block_on(quote(&SeenCosts::default(), &request, |bps| {
        let first = turn.fetch_add(1, Ordering::Relaxed) == 0;
        let quote = priced(&request, bps, 500_000, 0);
        async move { if first { Ok(quote) } else { Err(QuoteFailure::MinimumNotMet) } }
    }));
    assert_eq!(failed.err(), Some(QuoteFailure::MinimumNotMet));
}
