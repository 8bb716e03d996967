//! `crochet-admin reconcile`: the provider's records of a day against the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crochet::app::App;
use crochet::operator_secret::OperatorSecret;
use crochet::payments::{PROVIDER, PaymentProvider, ProviderPayment, ProviderStatus, RecordWanted, provider};
use crochet_domain::call::ledger::{EntryType, LedgerMove, LedgerRecord};
use crochet_domain::call::{Call, CallKey};
use serde::Serialize;

use crate::ledger;
use crate::table::{json, table};

/// Length of a day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// Most pages of the provider's list that are read: 50 payments each.
const MAX_PAGES: usize = 2_000;

/// What the comparison found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Reconciled {
    /// Payments that the provider lists as filled in the day.
    at_provider: usize,
    /// Settlements that the ledger records in the day.
    in_ledger: usize,
    /// Where the two differ.
    differences: Vec<Difference>,
}

#[derive(Debug, Serialize)]
struct Difference {
    payment_id: String,
    call: Option<String>,
    what: &'static str,
}

/// Compares a day, which begins at `from_ms` (Unix milliseconds).
///
/// # Errors
/// One sentence, if the table or the provider cannot be read.
pub(crate) async fn day(app: &App, from_ms: i64, as_json: bool) -> Result<String, String> {
    let secret = OperatorSecret::of(app, &app.config.provider_secret_id);
    let provider = provider(&app.config.provider_url, secret);
    let filled = filled(&provider, from_ms).await?;
    let settled = |record: &LedgerRecord| record.of == LedgerMove::Settlement;
    let records: BTreeMap<String, LedgerRecord> =
        ledger::read(&app.store, settled).await?.into_iter().map(|(_, record)| (record.payment_id.clone(), record)).collect();
    let mut reconciled = Reconciled { at_provider: filled.len(), ..Reconciled::default() };
    let keys: Vec<CallKey> = filled.keys().map(|id| CallKey::of_payment(PROVIDER, id)).collect();
    let calls = app.store.calls(&keys).await.map_err(|error| error.to_string())?;
    let calls: BTreeMap<&str, &Call> = calls.iter().filter_map(|call| Some((call.payment.as_ref()?.id.as_str(), call))).collect();
    let refunds = app.store.refunds_among(&keys).await.map_err(|error| error.to_string())?;
    for (id, payment) in &filled {
        let is_refund = refunds.contains(&CallKey::of_payment(PROVIDER, id));
        let what = match (calls.get(id.as_str()), records.get(id)) {
            (None, _) if is_refund => None,
            (None, _) => Some("the provider has it, and no call names it"),
            (Some(_), None) => Some("filled, and the ledger has no settlement"),
            (Some(call), Some(record)) => differs(payment, call, record),
        };
        reconciled.note(id, calls.get(id.as_str()).map(|call| call.id.to_string()), what);
    }
    let of_the_day = |record: &&LedgerRecord| (from_ms..from_ms + DAY_MS).contains(&record.created_ms);
    let in_ledger: Vec<&LedgerRecord> = records.values().filter(of_the_day).collect();
    reconciled.in_ledger = in_ledger.len();
    let unlisted: BTreeSet<&str> =
        in_ledger.iter().map(|record| record.payment_id.as_str()).filter(|id| !filled.contains_key(*id)).collect();
    for id in unlisted {
        // It may have been filled on another day, or be kept by a failure, which the list leaves out.
        let payment = provider.payment(id, RecordWanted::Beside).await.map_err(|error| error.to_string())?;
        let what = (payment.status != ProviderStatus::Success).then_some("settled, and the provider does not say that it was paid");
        reconciled.note(id, records.get(id).map(|record| record.call.to_string()), what);
    }
    reconciled.show(as_json)
}

/// What the provider lists as filled in a day, by its ids.
async fn filled(provider: &Arc<dyn PaymentProvider>, from_ms: i64) -> Result<BTreeMap<String, ProviderPayment>, String> {
    let (mut filled, mut page) = (BTreeMap::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let listed = provider.filled_since(from_ms, Some(from_ms + DAY_MS - 1), page.as_deref()).await;
        let listed = listed.map_err(|error| error.to_string())?;
        filled.extend(listed.payments);
        page = listed.next;
        if page.is_none() {
            return Ok(filled);
        }
    }
    Err("The provider lists more payments of that day than this command reads.".to_owned())
}

/// How the provider's record of a payment differs from what the ledger says.
fn differs(payment: &ProviderPayment, call: &Call, record: &LedgerRecord) -> Option<&'static str> {
    let expected = call.payment.as_ref().map(|payment| &payment.expected);
    if let (Some(paid_out), Some(expected)) = (&payment.paid_out, expected)
        && !expected.matches(paid_out)
    {
        return Some("the seller was not paid as quoted");
    }
    let recorded = record.legs.iter().find(|leg| leg.entry_type == EntryType::MarketplaceFee).and_then(|leg| leg.fee_collected);
    match (payment.fee_collected, recorded) {
        (Some(collected), Some(recorded)) if collected != recorded => Some("the fee collected is not the one recorded"),
        _ => None,
    }
}

impl Reconciled {
    fn note(&mut self, payment_id: &str, call: Option<String>, what: Option<&'static str>) {
        self.differences.extend(what.map(|what| Difference { payment_id: payment_id.to_owned(), call, what }));
    }

    fn show(&self, as_json: bool) -> Result<String, String> {
        if as_json {
            return json(self);
        }
        let counts = format!(
            "{} payments at the provider, {} settlements in the ledger, {} differences.\n",
            self.at_provider,
            self.in_ledger,
            self.differences.len()
        );
        if self.differences.is_empty() {
            return Ok(counts);
        }
        let mut rows = vec![["payment", "call", "difference"].map(str::to_owned).to_vec()];
        rows.extend(
            self.differences
                .iter()
                .map(|one| vec![one.payment_id.clone(), one.call.clone().unwrap_or_else(|| "-".to_owned()), one.what.to_owned()]),
        );
        Ok(format!("{counts}{}", table(&rows)))
    }
}
