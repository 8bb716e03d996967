//! `crochet-admin mismatch`: whether a payment that differs from its quote counts.

use crochet::app::App;
use crochet::payments::PROVIDER;
use crochet::store::call::{PutCallError, next_version};
use crochet_domain::call::ledger::{LedgerRecord, settlement};
use crochet_domain::call::{Call, CallKey, CallState, PaymentState};
use crochet_domain::timestamp::unix_ms;

/// What the operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The call is settled as quoted.
    Counts,
    /// The call is as if nothing had been paid.
    DoesNotCount,
}

/// The call after the verdict, and the ledger record of it.
///
/// # Errors
/// One sentence, if the payment has been decided on already.
fn decided(call: Call, verdict: Verdict, now_ms: i64) -> Result<(Call, Option<LedgerRecord>), String> {
    let is_undecided =
        call.settled_ms.is_none() && matches!(call.state, CallState::Quoted | CallState::Pending | CallState::Expired);
    if !is_undecided {
        return Err(format!("The call {} of this payment is {}, so there is nothing to decide.", call.id, call.state.as_str()));
    }
    Ok(match verdict {
        Verdict::Counts => {
            let settled = call.settled(None, now_ms);
            let record = settlement(&settled, now_ms);
            (settled, Some(record))
        }
        // Nobody has to ask about it any more.
        Verdict::DoesNotCount => (Call { due_ms: None, ..call.expired(PaymentState::Refunded, now_ms) }, None),
    })
}

/// Records the verdict. Returns what was done, as text.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn decide(app: &App, payment: &str, verdict: Verdict) -> Result<String, String> {
    let key = CallKey::of_payment(PROVIDER, payment);
    let calls = app.store.calls(&[key]).await.map_err(|error| error.to_string())?;
    let call = calls.into_iter().next().ok_or_else(|| format!("No call has the payment {payment}."))?;
    let (call, record) = decided(call, verdict, unix_ms(app.clock.now()))?;
    let call = next_version(call);
    match app.store.put_call_version(&call, record.as_slice()).await {
        Ok(()) => {}
        Err(PutCallError::Superseded(_) | PutCallError::Contended) => {
            return Err("Another request has just changed the call. Try again.".to_owned());
        }
        Err(PutCallError::Store(error)) => return Err(error.to_string()),
    }
    Ok(match verdict {
        Verdict::Counts => {
            format!("The payment counts: the call {} is settled, and delivered with the buyer's next request.\n", call.id)
        }
        Verdict::DoesNotCount => format!("The payment does not count: the buyer of {} gets another quote.\n", call.id),
    })
}
