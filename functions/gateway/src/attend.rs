//! Finishes what nobody presents: for the sweeper, the provider's webhook, and whoever reads a call that is still open.

use crochet::budget::{Asker, Grant};
use crochet::http::{ApiError, Result};
use crochet::payments::RecordWanted;
use crochet::store::StoreError;
use crochet::store::call::{PutCallError, next_version};
use crochet::store::record::StoredName;
use crochet::store::retry::Attempts;
use crochet_domain::call::attend::{Attention, attend};
use crochet_domain::call::ledger::{LedgerRecord, reversal, settlement};
use crochet_domain::call::record::IdempotencyRecord;
use crochet_domain::call::view::{Fact, Payout};
use crochet_domain::call::{Call, CallState};
use crochet_domain::money::Micros;
use crochet_domain::timestamp::unix_ms;

use crate::fact::{self, Asked};
use crate::state::State;

/// Time after which a success without a record needs an operator: 10 minutes.
const RECORDED_WITHIN_MS: i64 = 600_000;
/// Maximum steps for one call: ask, see the deposit, settle, close.
const MAX_STEPS: usize = 8;

/// Asks the provider where that is due, and writes what has become of the call. Returns it as it is then. If the provider gives no
/// answer, or another writer is first, the call stays as it is found.
///
/// `asker` is for whom the provider is asked. Without room in its budget, the call stays as it is, too.
pub(crate) async fn attend_to(state: &State, mut call: Call, record: RecordWanted, asker: Asker) -> Result<Call> {
    let mut answer: Option<Asked> = None;
    for _ in 0..MAX_STEPS {
        let now_ms = unix_ms(state.app.clock.now());
        let fact = answer.as_ref().map(|asked| &asked.fact);
        let next = match attend(&call, fact, now_ms) {
            Attention::Leave => break,
            Attention::AskProvider => {
                let Some(payment) = &call.payment else { break };
                let questions = if record == RecordWanted::Beside { 2 } else { 1 };
                let granted = state.app.provider_budget.questions(asker, questions, state.app.clock.now()).await?;
                if matches!(granted, Grant::Refused { .. }) {
                    break;
                }
                let asked = fact::ask(state, &call.key(), payment, record).await?;
                let waits_ms = now_ms - call.updated_ms;
                if asked.fact == Fact::Filled(Payout::NotRecorded)
                    && call.state == CallState::Pending
                    && waits_ms >= RECORDED_WITHIN_MS
                {
                    alarm("the provider reports a success, and after ten minutes its record still shows no payout");
                }
                answer = Some(asked);
                continue;
            }
            Attention::Write(next) => put(state, *next, Vec::new()).await?,
            Attention::Settle => {
                let collected = answer.as_ref().and_then(|asked| asked.fee_collected);
                settle(state, call.clone(), collected, now_ms).await?
            }
            Attention::LookForDelivery => {
                let is_unused = put_back(state, &call, now_ms).await?.iter().any(|other| serves(other, &call));
                put(state, call.clone().looked_at(is_unused, now_ms), Vec::new()).await?
            }
            Attention::Close => {
                let closed = next_version(call.clone().closed(now_ms));
                written(state.app.store.close_call(&closed).await, closed)?
            }
            Attention::Reverse => {
                let reversed = call.clone().reversed(now_ms);
                let entries = reversal(&reversed, now_ms);
                put(state, reversed, vec![entries]).await?
            }
            Attention::Mismatch => {
                alarm("recipient, chain, currency or output of a settled payment differ from its quote");
                break;
            }
        };
        let Some(next) = next else { break };
        call = next;
    }
    Ok(call)
}

fn alarm(what: &str) {
    tracing::error!(alarm = true, cause = what, "a call needs an operator");
}

/// Settles a call that nobody has presented. If what it was wanted for was delivered with another payment, the money is unused, and
/// the buyer has a day to use it. That may also happen later.
async fn settle(state: &State, call: Call, fee_collected: Option<Micros>, now_ms: i64) -> Result<Option<Call>> {
    let mut settled = call.settled(fee_collected, now_ms);
    let siblings = put_back(state, &settled, now_ms).await?;
    if siblings.iter().any(|other| serves(other, &settled)) {
        settled = settled.presented_in_vain(now_ms);
    } else if siblings.iter().any(|other| other.round == settled.round) {
        settled = settled.beside_others();
    }
    let entries = settlement(&settled, now_ms);
    put(state, settled, vec![entries]).await
}

/// Whether what this call was wanted for was delivered with the other one.
fn serves(other: &Call, call: &Call) -> bool {
    other.buyer == call.buyer && other.round == call.round && matches!(other.state, CallState::Delivered { .. })
}

/// Lets the record list a call that it had left, because a fill came late. Returns the other calls of the record.
pub(crate) async fn put_back(state: &State, call: &Call, now_ms: i64) -> Result<Vec<Call>> {
    let (store, name) = (&state.app.store, call.name());
    let mut attempts = Attempts::default();
    loop {
        let record = match store.stored_name(call.buyer, &name).await? {
            Some(StoredName::Record(record)) => record,
            Some(StoredName::Pointer { .. }) | None => IdempotencyRecord::empty(call),
        };
        let keys: Vec<_> = record.calls.iter().map(|listed| listed.key.clone()).filter(|key| *key != call.key()).collect();
        let siblings = if keys.is_empty() { Vec::new() } else { store.calls(&keys).await? };
        let known: Vec<&Call> = siblings.iter().collect();
        if record.lists(&call.key()) || store.put_record(call.buyer, &name, &record.with(call, &known, now_ms), now_ms).await? {
            return Ok(siblings);
        }
        attempts.next_or(ApiError::from(StoreError::Conflict)).await?;
    }
}

/// Writes a call's next version. `None` if another writer was first: it knows better.
async fn put(state: &State, call: Call, entries: Vec<LedgerRecord>) -> Result<Option<Call>> {
    let next = next_version(call);
    written(state.app.store.put_call_version(&next, &entries).await, next)
}

fn written(result: Result<(), PutCallError>, next: Call) -> Result<Option<Call>> {
    match result {
        Ok(()) => Ok(Some(next)),
        Err(PutCallError::Superseded(_) | PutCallError::Contended) => Ok(None),
        Err(PutCallError::Store(e)) => Err(ApiError::from(e)),
    }
}
