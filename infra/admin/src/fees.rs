//! `crochet-admin fees`: what the marketplace earned.

use crochet_domain::call::ledger::{Account, EntryType, LedgerMove};
use crochet_domain::money::Micros;
use serde::Serialize;

use crate::ledger::Recorded;
use crate::table::{json, table};

/// Most that the provider may collect beyond a fee: 1 %, or this many micro-dollars if that is more.
const TOLERATED_MICROS: i64 = 100;

/// The fees of a time.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct FeeReport {
    /// Calls that were settled.
    calls: usize,
    /// The fees that are due for them.
    fee: Micros,
    /// What the provider collected for them.
    fee_collected: Micros,
    /// What it collected beyond the fees; negative if it collected less.
    difference: Micros,
    /// Fees that were given back with reversed payments.
    reversed: Micros,
    /// Fees that were paid back to buyers of undelivered or refunded calls.
    paid_back: Micros,
    /// Calls whose fee was not collected as it should be.
    differing: Vec<Differing>,
}

/// A call whose fee was not collected as it should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Differing {
    call: String,
    payment_id: String,
    fee: Micros,
    fee_collected: Micros,
}

/// The fees between two times (Unix milliseconds); the second is not included.
pub(crate) fn report(records: &[Recorded], (from_ms, to_ms): (Option<i64>, Option<i64>)) -> FeeReport {
    let mut report = FeeReport::default();
    let is_in_time = |at: i64| from_ms.is_none_or(|from| at >= from) && to_ms.is_none_or(|to| at < to);
    for (_, record) in records.iter().filter(|(_, record)| is_in_time(record.created_ms)) {
        for leg in record.legs.iter().filter(|leg| leg.account == Account::Marketplace) {
            match record.of {
                LedgerMove::Settlement if leg.entry_type == EntryType::MarketplaceFee => {
                    let collected = leg.fee_collected.unwrap_or(Micros::ZERO);
                    report.calls += 1;
                    report.fee.0 += leg.amount.0;
                    report.fee_collected.0 += collected.0;
                    if is_differing(leg.amount, collected) {
                        report.differing.push(Differing {
                            call: record.call.to_string(),
                            payment_id: record.payment_id.clone(),
                            fee: leg.amount,
                            fee_collected: collected,
                        });
                    }
                }
                LedgerMove::Reversal => report.reversed.0 -= leg.amount.0,
                LedgerMove::PaidBackByOperator => report.paid_back.0 += leg.amount.0.abs(),
                _ => {}
            }
        }
    }
    report.difference = Micros(report.fee_collected.0 - report.fee.0);
    report
}

fn is_differing(fee: Micros, collected: Micros) -> bool {
    collected < fee || collected.0 > fee.0 + (fee.0 / 100).max(TOLERATED_MICROS)
}

impl FeeReport {
    /// The report as text.
    pub(crate) fn show(&self, as_json: bool) -> Result<String, String> {
        if as_json {
            return json(self);
        }
        let row = |name: &str, amount: Micros| vec![name.to_owned(), format!("{} USD", amount.decimal())];
        let mut text = table(&[
            vec!["settled calls".to_owned(), self.calls.to_string()],
            row("fee", self.fee),
            row("fee_collected", self.fee_collected),
            row("difference", self.difference),
            row("reversed", self.reversed),
            row("paid back", self.paid_back),
        ]);
        if !self.differing.is_empty() {
            text.push_str("\nCalls whose collected fee is below the fee, or more than 1 % and 0.0001 USD above it:\n\n");
            let mut rows = vec![["call", "payment", "fee", "fee_collected"].map(str::to_owned).to_vec()];
            rows.extend(
                self.differing
                    .iter()
                    .map(|one| vec![one.call.clone(), one.payment_id.clone(), one.fee.decimal(), one.fee_collected.decimal()]),
            );
            text.push_str(&table(&rows));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use crochet_domain::call::CallKey;
    use crochet_domain::call::ledger::{LedgerRecord, Leg};
    use crochet_domain::ids::{CallId, ListingId};
    use time::OffsetDateTime;

    use super::*;

    fn record(of: LedgerMove, amount: i64, collected: Option<i64>, at: i64) -> Recorded {
        let now = OffsetDateTime::UNIX_EPOCH;
        let entry_type = if of == LedgerMove::Settlement { EntryType::MarketplaceFee } else { EntryType::Adjustment };
        let leg = Leg { entry_type, account: Account::Marketplace, amount: Micros(amount), fee_collected: collected.map(Micros) };
        let record = LedgerRecord {
            of,
            call: CallId::generate(now),
            listing: ListingId::generate(now),
            payment_id: "0x1".into(),
            created_ms: at,
            legs: vec![leg],
        };
        (CallKey::of_payment("relay", "0x1"), record)
    }

    #[test]
    fn fees_are_summed_and_differences_are_named() {
        let records = [
            record(LedgerMove::Settlement, 49_000, Some(49_400), 1),
            record(LedgerMove::Settlement, 49_000, Some(48_999), 2),
            record(LedgerMove::Settlement, 100, Some(301), 3),
            record(LedgerMove::Reversal, -49_000, None, 4),
            record(LedgerMove::PaidBackByOperator, 49_000, None, 5),
            record(LedgerMove::Settlement, 7, Some(7), 9),
        ];
        let found = report(&records, (Some(1), Some(9)));
        assert_eq!((found.calls, found.fee.0, found.fee_collected.0, found.difference.0), (3, 98_100, 98_700, 600));
        assert_eq!((found.reversed.0, found.paid_back.0), (49_000, 49_000));
        let differing: Vec<i64> = found.differing.iter().map(|one| one.fee_collected.0).collect();
        assert_eq!(differing, [48_999, 301]);
        assert!(found.show(false).expect("text").contains("difference     0.0006 USD"));
    }
}
