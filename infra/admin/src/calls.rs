//! `crochet-admin calls`: calls that do not move, and another look at one of them.

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::call::{PutCallError, next_version};
use crochet_domain::call::{Call, CallState};
use crochet_domain::ids::CallId;
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};
use serde_json::json;

use crate::table::{self, table};

/// A call that is due for longer than this does not move: the sweeper looks every minute.
const LATE_MS: i64 = 5 * 60_000;

/// Why a call does not move; `None` if it does.
fn why(call: &Call, paid_for_ms: i64, now_ms: i64) -> Option<&'static str> {
    let is_late = call.due_ms.is_some_and(|due_ms| due_ms + LATE_MS <= now_ms);
    match &call.state {
        CallState::Delivering { lease_until_ms, .. } if lease_until_ms + LATE_MS <= now_ms => Some("its attempt never ended"),
        _ if is_late => Some("the sweeper does not attend to it"),
        CallState::Settled if call.payment.is_some() && call.settled_ms.is_some_and(|at| at + paid_for_ms <= now_ms) => {
            Some(if call.failures() > 0 { "paid; the seller fails" } else { "paid; its buyer does not present it" })
        }
        _ => None,
    }
}

async fn find(app: &App, keep: impl Fn(&Call) -> bool) -> Result<Vec<Call>, StoreError> {
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let (page, next) = app.store.all_calls(from).await?;
        found.extend(page.into_iter().filter(|call| keep(call)));
        if next.is_none() {
            found.sort_by_key(|call| call.created_ms);
            return Ok(found);
        }
        from = next;
    }
}

/// Calls that do not move, oldest first: those that are due, and those that were paid `paid_for_ms` ago and are not delivered.
///
/// # Errors
/// One sentence, if the table cannot be read.
pub(crate) async fn stuck(app: &App, paid_for_ms: i64, as_json: bool) -> Result<String, String> {
    let now_ms = unix_ms(app.clock.now());
    let calls = find(app, |call| why(call, paid_for_ms, now_ms).is_some()).await.map_err(|error| error.to_string())?;
    let at = |ms: i64| rfc3339(from_unix_ms(ms));
    if as_json {
        let shown: Vec<_> = calls
            .iter()
            .map(|call| {
                json!({
                    "call": call.id.to_string(), "state": call.state.as_str(), "why": why(call, paid_for_ms, now_ms),
                    "buyer": call.buyer, "seller": call.seller, "listing": call.listing.id, "price": call.split.price,
                    "failures": call.failures(), "settled_at": call.settled_ms.map(at), "due_at": call.due_ms.map(at),
                })
            })
            .collect();
        return table::json(&shown);
    }
    if calls.is_empty() {
        return Ok("No call is stuck.\n".to_owned());
    }
    let mut rows = vec![["call", "state", "why", "listing", "price", "failures", "due"].map(str::to_owned).to_vec()];
    rows.extend(calls.iter().map(|call| {
        vec![
            call.id.to_string(),
            call.state.as_str().to_owned(),
            why(call, paid_for_ms, now_ms).unwrap_or_default().to_owned(),
            call.listing.id.to_string(),
            call.split.price.decimal(),
            call.failures().to_string(),
            call.due_ms.map_or_else(|| "-".to_owned(), at),
        ]
    }));
    Ok(table(&rows))
}

/// Why a call that no sweep looks at does not move.
fn not_for_a_sweep(state: &CallState) -> &'static str {
    match state {
        CallState::Expired => {
            "Its payment was given back, was declared void, or never existed. Only `mismatch accept` undoes a void."
        }
        CallState::Delivered { .. } | CallState::Undelivered => "It has ended.",
        _ => "Only its buyer can present a paid call again, because only the buyer has its body.",
    }
}

/// Makes a call due at once, so that the next sweep asks the provider about it, or ends its attempt.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn redrive(app: &App, id: CallId) -> Result<String, String> {
    let found = find(app, |call| call.id == id).await.map_err(|error| error.to_string())?;
    let call = found.into_iter().next().ok_or_else(|| format!("There is no call {id}."))?;
    let (state, why) = (call.state.as_str(), not_for_a_sweep(&call.state));
    let redriven = call.redriven(unix_ms(app.clock.now()));
    let redriven = redriven.ok_or_else(|| format!("A sweep would do nothing about {id}: it is {state}. {why}"))?;
    match app.store.put_call_version(&next_version(redriven), &[]).await {
        Ok(()) => Ok(format!("The next sweep looks at {id}, which is {state}.\n")),
        Err(PutCallError::Superseded(_) | PutCallError::Contended) => {
            Err("Another request has just changed the call. Try again.".to_owned())
        }
        Err(PutCallError::Store(error)) => Err(error.to_string()),
    }
}
