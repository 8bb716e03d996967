//! The books of a call.

use std::collections::BTreeSet;

use super::super::ledger::{
    Account, EntryType, LedgerMove, LedgerRecord, Settlement, paid_back_by_operator, paid_back_by_seller, reversal, settlement,
    undelivered, waived_of_operator, waived_of_seller,
};
use super::super::{Call, CallState, Debts};
use super::call;
use crate::money::Micros;

/// Prices from the least to the most, with every kind of rounding.
const PRICES: [i64; 9] = [0, 100, 101, 999, 1_020, 1_000_000, 1_234_567, 9_999_999_999, 10_000_000_000];

fn closed(price: i64) -> Call {
    call(price).settled(None, 1).closed(2)
}

fn delivered(price: i64) -> Call {
    Call { state: CallState::Delivered { response: None }, ..call(price).settled(None, 1) }
}

/// Every record that a call may have.
fn every_record(call: &Call) -> Vec<LedgerRecord> {
    let [by_seller, by_operator] = undelivered(call, 6);
    vec![
        settlement(call, 5),
        reversal(call, 6),
        by_seller,
        by_operator,
        paid_back_by_seller(call, 7),
        paid_back_by_operator(call, 7),
        waived_of_seller(call, 7),
        waived_of_operator(call, 7),
    ]
}

fn sum(records: &[LedgerRecord], of: impl Fn(Account) -> bool) -> i64 {
    records.iter().flat_map(|record| &record.legs).filter(|leg| of(leg.account)).map(|leg| leg.amount.0).sum()
}

/// What buyer, seller and operator have gained.
fn gains(call: &Call, records: &[LedgerRecord]) -> (i64, i64, i64) {
    (
        sum(records, |account| account == Account::Buyer(call.buyer)),
        sum(records, |account| account == Account::Seller(call.seller)),
        sum(records, |account| account == Account::Marketplace),
    )
}

#[test]
fn every_move_of_every_price_sums_to_zero() {
    for price in PRICES {
        for call in [call(price), closed(price), delivered(price)] {
            for record in every_record(&call) {
                assert_eq!(sum(std::slice::from_ref(&record), |_| true), 0, "{price} {:?}", record.of);
            }
        }
    }
}

#[test]
fn ids_are_unique_per_move_and_leg_and_the_same_whenever_they_are_derived() {
    let call = closed(100);
    assert_eq!(every_record(&call), every_record(&call));
    let at_the_same_time = |record: LedgerRecord| LedgerRecord { created_ms: 5, ..record };
    let records: Vec<LedgerRecord> = every_record(&call).into_iter().map(at_the_same_time).collect();
    let entries: Vec<String> = records.iter().flat_map(LedgerRecord::entries).map(|entry| entry.id).collect();
    let ids: BTreeSet<&String> = entries.iter().collect();
    assert_eq!((entries.len(), ids.len()), (3 + 3 + 6 * 2, 18));
    let own: BTreeSet<String> = records.iter().map(LedgerRecord::id).collect();
    let names: BTreeSet<&str> = records.iter().map(|record| record.of.name()).collect();
    assert_eq!((own.len(), names.len()), (8, 8));
    assert!(own.iter().all(|id| !ids.contains(id)));
}

#[test]
fn a_settlement_is_payment_seller_credit_and_marketplace_fee() {
    let call = call(1_000_000);
    let record = settlement(&call, 5);
    let legs: Vec<(EntryType, Account, Micros)> = record.legs.iter().map(|leg| (leg.entry_type, leg.account, leg.amount)).collect();
    let expected = [
        (EntryType::Payment, Account::Buyer(call.buyer), Micros(-1_000_000)),
        (EntryType::SellerCredit, Account::Seller(call.seller), Micros(951_000)),
        (EntryType::MarketplaceFee, Account::Marketplace, Micros(49_000)),
    ];
    assert_eq!(legs, expected);
    assert_eq!(record.parties(), (Some(call.buyer), Some(call.seller)));
}

#[test]
fn what_the_provider_collected_stands_at_the_fee_alone() {
    let record = settlement(&call(100).settled(Some(Micros(7)), 5), 5);
    let collected: Vec<Option<Micros>> = record.legs.iter().map(|leg| leg.fee_collected).collect();
    assert_eq!(collected, [None, None, Some(Micros(7))]);
}

#[test]
fn a_reversal_takes_the_whole_settlement_back() {
    for price in PRICES {
        let call = call(price);
        assert_eq!(gains(&call, &[settlement(&call, 5), reversal(&call, 6)]), (0, 0, 0), "{price}");
    }
}

#[test]
fn each_debtor_owes_by_its_own_pair_of_entries() {
    for price in PRICES {
        let call = closed(price);
        let [by_seller, by_operator] = undelivered(&call, 6);
        assert_eq!((by_seller.legs.len(), by_operator.legs.len()), (2, 2));
        assert_eq!(by_seller.parties(), (Some(call.buyer), Some(call.seller)));
        assert_eq!(by_operator.parties(), (Some(call.buyer), None));
        assert_eq!(gains(&call, &[settlement(&call, 5), by_seller, by_operator]), (0, 0, 0), "{price}: all of it is owed");
    }
}

#[test]
fn what_is_paid_back_or_given_up_is_owed_no_more() {
    let call = closed(1_000_000);
    let [by_seller, by_operator] = undelivered(&call, 6);
    for (owed, done) in [
        (by_seller.clone(), paid_back_by_seller(&call, 7)),
        (by_seller, waived_of_seller(&call, 7)),
        (by_operator.clone(), paid_back_by_operator(&call, 7)),
        (by_operator, waived_of_operator(&call, 7)),
    ] {
        assert_eq!(gains(&call, &[owed, done]), (0, 0, 0));
    }
}

#[test]
fn a_refund_of_a_delivered_call_by_good_will_moves_its_amount_to_the_buyer() {
    let call = delivered(1_000_000);
    assert_eq!(gains(&call, &[paid_back_by_seller(&call, 7)]), (951_000, -951_000, 0));
    assert_eq!(gains(&call, &[paid_back_by_operator(&call, 7)]), (49_000, 0, -49_000));
}

#[test]
fn the_settlement_of_an_entry_is_derived_from_the_call() {
    let expected = |of: LedgerMove, debts: Debts| match of {
        LedgerMove::Settlement => None,
        LedgerMove::OwedBySeller => Some(debts.seller),
        LedgerMove::OwedByOperator => Some(debts.operator),
        LedgerMove::Reversal | LedgerMove::PaidBackBySeller | LedgerMove::PaidBackByOperator => Some(Settlement::Settled),
        LedgerMove::WaivedOfSeller | LedgerMove::WaivedOfOperator => Some(Settlement::Waived),
    };
    for seller in [Settlement::Open, Settlement::Settled, Settlement::Waived] {
        for operator in [Settlement::Open, Settlement::Settled, Settlement::Waived] {
            let debts = Debts { seller, operator, refund: None, changed_ms: None };
            let call = Call { debts, ..closed(100) };
            for entry in every_record(&call).iter().flat_map(LedgerRecord::entries) {
                assert_eq!(entry.settlement(&call), expected(entry.of, debts), "{:?}", entry.of);
            }
        }
    }
}

#[test]
fn records_survive_their_own_spelling() {
    for record in every_record(&closed(100)) {
        let text = serde_json::to_string(&record).expect("JSON");
        assert_eq!(serde_json::from_str::<LedgerRecord>(&text).expect("a record"), record);
    }
}
