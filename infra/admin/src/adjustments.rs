//! `crochet-admin adjustments`: what seller and operator owe the buyers of undelivered calls, and the end of the operator's part.

use std::collections::BTreeMap;

use crochet::app::App;
use crochet::store::call::{PutCallError, next_version};
use crochet_domain::call::ledger::{Account, LedgerMove, LedgerRecord, Settlement, paid_back_by_operator, waived_of_operator};
use crochet_domain::call::{Call, CallKey, CallState};
use crochet_domain::ids::CallId;
use crochet_domain::money::Micros;
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};
use serde::Serialize;

use crate::ledger::{self, Recorded};
use crate::table::{json, table};

/// What is owed for a call.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Adjustment {
    call: String,
    payment_id: String,
    buyer: String,
    /// `None` if the seller's part is not known: only the operator has paid something back.
    seller: Option<Part>,
    operator: Option<Part>,
    /// When it was first owed or given back.
    since: String,
}

/// The part of one debtor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Part {
    profile: Option<String>,
    amount: Micros,
    settlement: Settlement,
}

/// What is owed, oldest first. Without `all`, only calls of which a part is open.
pub(crate) fn list(records: &[Recorded], all: bool) -> Vec<Adjustment> {
    let mut calls: BTreeMap<(i64, &CallKey), Vec<&LedgerRecord>> = BTreeMap::new();
    let mut since: BTreeMap<&CallKey, i64> = BTreeMap::new();
    for (key, record) in records {
        let first = *since.entry(key).or_insert(record.created_ms);
        calls.entry((first, key)).or_default().push(record);
    }
    let adjustments = calls.into_iter().map(|((since_ms, _), records)| adjustment(&records, since_ms));
    adjustments.filter(|one| all || one.is_open()).collect()
}

fn adjustment(records: &[&LedgerRecord], since_ms: i64) -> Adjustment {
    let buyer = records.iter().find_map(|record| record.parties().0).map(|buyer| buyer.to_string());
    Adjustment {
        call: records.first().map(|record| record.call.to_string()).unwrap_or_default(),
        payment_id: records.first().map(|record| record.payment_id.clone()).unwrap_or_default(),
        buyer: buyer.unwrap_or_default(),
        seller: part(records, [LedgerMove::OwedBySeller, LedgerMove::PaidBackBySeller, LedgerMove::WaivedOfSeller]),
        operator: part(records, [LedgerMove::OwedByOperator, LedgerMove::PaidBackByOperator, LedgerMove::WaivedOfOperator]),
        since: rfc3339(from_unix_ms(since_ms)),
    }
}

fn part(records: &[&LedgerRecord], [owed, paid_back, waived]: [LedgerMove; 3]) -> Option<Part> {
    let of = |wanted: LedgerMove| records.iter().find(|record| record.of == wanted);
    let first = of(owed).or_else(|| of(paid_back)).or_else(|| of(waived))?;
    let debtor = first.legs.iter().find(|leg| !matches!(leg.account, Account::Buyer(_)))?;
    let settlement = match (of(paid_back), of(waived)) {
        (Some(_), _) => Settlement::Settled,
        (None, Some(_)) => Settlement::Waived,
        (None, None) => Settlement::Open,
    };
    let profile = match debtor.account {
        Account::Seller(profile) | Account::Buyer(profile) => Some(profile.to_string()),
        Account::Marketplace => None,
    };
    Some(Part { profile, amount: Micros(debtor.amount.0.abs()), settlement })
}

impl Adjustment {
    fn is_open(&self) -> bool {
        [&self.seller, &self.operator].into_iter().flatten().any(|part| part.settlement == Settlement::Open)
    }
}

/// The adjustments as text.
pub(crate) fn show(adjustments: &[Adjustment], as_json: bool) -> Result<String, String> {
    if as_json {
        return json(&adjustments);
    }
    if adjustments.is_empty() {
        return Ok("Nothing is owed.\n".to_owned());
    }
    let text = |part: &Option<Part>| match part {
        Some(part) => format!("{} {}", part.amount.decimal(), part.settlement.as_str()),
        None => "-".to_owned(),
    };
    let seller = |one: &Adjustment| one.seller.as_ref().and_then(|part| part.profile.clone()).unwrap_or_else(|| "-".to_owned());
    let mut rows = vec![["call", "since", "buyer", "seller", "seller's part", "operator's part"].map(str::to_owned).to_vec()];
    rows.extend(adjustments.iter().map(|one| {
        vec![one.call.clone(), one.since.clone(), one.buyer.clone(), seller(one), text(&one.seller), text(&one.operator)]
    }));
    Ok(table(&rows))
}

/// How the operator's part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The operator has paid.
    Settle,
    /// The buyer has given it up.
    Waive,
}

/// The call after its operator's part has ended, and the ledger record of that.
///
/// # Errors
/// One sentence, if the operator owes nothing for the call.
fn ended(mut call: Call, how: End, now_ms: i64) -> Result<(Call, LedgerRecord), String> {
    let is_paid = call.payment.is_some() && call.split.fee > Micros::ZERO;
    let may_end = match (&call.state, how) {
        (CallState::Undelivered, _) => is_paid,
        // The fee of a refunded call is given back by good will.
        (CallState::Delivered { .. }, End::Settle) => is_paid && call.debts.seller == Settlement::Settled,
        _ => false,
    };
    if !may_end {
        return Err(format!("You owe nothing for {}: it is neither an undelivered call with a fee nor a refunded one.", call.id));
    }
    if call.debts.operator != Settlement::Open {
        return Err(format!("Your part of {} is {} already.", call.id, call.debts.operator.as_str()));
    }
    let record = match how {
        End::Settle => paid_back_by_operator(&call, now_ms),
        End::Waive => waived_of_operator(&call, now_ms),
    };
    call.debts.operator = if how == End::Settle { Settlement::Settled } else { Settlement::Waived };
    Ok((call, record))
}

/// Records the end of the operator's part of a call. Returns what was done, as text.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn end(app: &App, id: CallId, how: End) -> Result<String, String> {
    let records = ledger::read(&app.store, |record| record.call == id).await?;
    let (key, _) = records.first().ok_or_else(|| format!("No paid call has the id {id}."))?;
    let calls = app.store.calls(std::slice::from_ref(key)).await.map_err(|error| error.to_string())?;
    let call = calls.into_iter().next().ok_or_else(|| format!("The call {id} does not exist."))?;
    let (call, record) = ended(call, how, unix_ms(app.clock.now()))?;
    let (amount, call) = (call.split.fee, next_version(call));
    match app.store.put_call_version(&call, &[record]).await {
        Ok(()) => {}
        Err(PutCallError::Superseded(_) | PutCallError::Contended) => {
            return Err("Another request has just changed the call. Try again.".to_owned());
        }
        Err(PutCallError::Store(error)) => return Err(error.to_string()),
    }
    let done = if how == End::Settle { "settled: recorded as paid back" } else { "waived" };
    Ok(format!("{} USD of {id} {done}.\n", amount.decimal()))
}

#[cfg(test)]
mod tests;
