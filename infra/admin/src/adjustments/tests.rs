//! What is listed as owed, and when the operator's part ends.

use crochet_domain::call::ledger::{settlement, undelivered};
use crochet_domain::call::{CalledListing, Debts, ExpectedPayout, PayFrom, Payment, PaymentState};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::{ListingId, ProfileId, WalletId};
use crochet_domain::money::{FeeRate, PriceSplit};
use crochet_domain::unknown::Unknown;
use crochet_domain::wallet::Chain;

use super::*;
use crate::ledger::is_adjustment;

const NOW: i64 = 1_790_000_000_000;

/// A settled call for a dollar.
fn settled() -> Call {
    let now = from_unix_ms(NOW);
    let payment = Payment {
        provider: "relay".into(),
        id: "0x1".into(),
        origin_currency: OriginCurrency::Sol,
        pay_from: PayFrom { wallet_id: WalletId::generate(now), address: "payer".into(), chain: Chain::Solana },
        expected: ExpectedPayout { recipient: "payee".into(), chain_id: 1, currency: "usdc".into(), output: 951_000 },
        expires_ms: NOW,
        ttl_ms: NOW,
        fee_collected: Micros(49_000),
        state: PaymentState::Waiting,
        unknown: Unknown::default(),
    };
    let call = Call {
        id: CallId::generate(now),
        buyer: ProfileId::generate(now),
        seller: ProfileId::generate(now),
        listing: CalledListing { id: ListingId::generate(now), slug: "s".into(), name: "S".into() },
        body_sha256: "00".repeat(32),
        idempotency_key: None,
        round: 0,
        split: PriceSplit::of(Micros(1_000_000), FeeRate::from_bps(490).expect("a rate")),
        payment: Some(payment),
        state: CallState::Quoted,
        attempts: Vec::new(),
        in_vain_ms: None,
        tried_endpoint: None,
        debts: Debts::default(),
        due_ms: None,
        settled_ms: None,
        created_ms: NOW,
        updated_ms: NOW,
        version: 1,
        write_token: String::new(),
        unknown: Unknown::default(),
    };
    call.settled(None, NOW)
}

#[test]
fn an_undelivered_call_is_listed_until_both_parts_have_ended() {
    let call = settled().closed(NOW);
    let mut records = vec![settlement(&call, NOW)];
    records.extend(undelivered(&call, NOW));
    let listed = |records: &[LedgerRecord], all: bool| {
        let recorded: Vec<Recorded> =
            records.iter().filter(|record| is_adjustment(record)).map(|record| (call.key(), record.clone())).collect();
        list(&recorded, all)
    };
    let open = listed(&records, false);
    assert_eq!(open.len(), 1);
    let parts = [&open[0].seller, &open[0].operator].map(|part| part.as_ref().map(|part| (part.amount.0, part.settlement)));
    assert_eq!(parts, [Some((951_000, Settlement::Open)), Some((49_000, Settlement::Open))]);
    assert!(show(&open, false).expect("text").contains("0.951 open"));

    let (paid, record) = ended(call.clone(), End::Settle, NOW).expect("owed");
    assert_eq!(record.legs.iter().map(|leg| leg.amount).sum::<Micros>(), Micros::ZERO);
    records.push(record);
    assert!(listed(&records, false)[0].is_open(), "the seller's part is open");
    assert!(ended(paid, End::Waive, NOW).is_err_and(|sentence| sentence.contains("settled already")));
    records.push(crochet_domain::call::ledger::paid_back_by_seller(&call, NOW));
    assert!(listed(&records, false).is_empty());
    assert_eq!(listed(&records, true).len(), 1);
}

#[test]
fn only_what_is_owed_or_was_refunded_is_paid_back() {
    assert!(ended(settled(), End::Settle, NOW).is_err());
    let mut delivered = settled();
    delivered.state = CallState::Delivered { response: None };
    assert!(ended(delivered.clone(), End::Settle, NOW).is_err(), "the seller has not refunded it");
    delivered.debts.seller = Settlement::Settled;
    let (after, record) = ended(delivered.clone(), End::Settle, NOW).expect("refunded");
    assert_eq!((after.debts.operator, record.legs[0].amount.0), (Settlement::Settled, 49_000));
    assert!(ended(delivered, End::Waive, NOW).is_err(), "nothing is owed that could be given up");
}
