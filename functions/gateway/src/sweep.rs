//! The sweeper: every minute, it attends to the calls, debts and refunds that are due. Running it twice, late or in parallel does no harm: every write
//! is conditional on the version that was read.

use std::time::{Duration, Instant};

use crochet::budget::{Asker, Grant};
use crochet::http::Result;
use crochet::payments::RecordWanted;
use crochet::store::debt::DueDebt;
use crochet::store::keys::{DUE_SHARDS, Whose};
use crochet::telemetry::metrics::{self, Metric};
use crochet_domain::call::{Call, CallKey, CallState};
use crochet_domain::timestamp::unix_ms;
use futures::stream::{self, StreamExt};

use crate::attend::attend_to;
use crate::count::count;
use crate::count_due::fold_due;
use crate::refund::due::look_at;
use crate::state::State;

/// Calls that are attended to at the same time. A sweep must not take the provider's whole budget from the buyers.
const AT_ONCE: usize = 4;
/// Time after which a sweep begins nothing more; the next one goes on.
const BEGINS_WITHIN: Duration = Duration::from_secs(40);
/// Time after which a sweep drops what is still running. The function itself is ended after 55 seconds. It is as if the process had
/// died there: what was not done stays due.
const ENDS_WITHIN: Duration = Duration::from_secs(50);
/// Time from the beginning of a sweep after which it counts no further page of ended calls.
const COUNT_BUDGET: Duration = Duration::from_secs(48);
/// How far back the provider's list of filled payments is read: a few sweeps, in case one fails.
const LISTED_MS: i64 = 4 * 60_000;
/// Maximum number of pages of that list that one sweep reads.
const MAX_PAGES: usize = 5;
/// Number of calls of a shard that are read at once.
const PAGE: i32 = 50;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Calls that were due.
    pub due: usize,
    /// Calls that are in another state now.
    pub moved: usize,
    /// Debtors and refunds that were due.
    pub debts: usize,
    /// Entries of the log of ended calls that were counted.
    pub counted: usize,
    /// Calls, debtors and refunds that could not be attended to. The next sweep tries again.
    pub failed: usize,
    /// How long the oldest of them had been due when the sweep began, in seconds.
    pub oldest_due_seconds: i64,
}

impl Swept {
    fn add(&mut self, attended: Vec<Option<bool>>) {
        self.due += attended.len();
        self.moved += attended.iter().filter(|moved| **moved == Some(true)).count();
        self.failed += attended.iter().filter(|moved| moved.is_none()).count();
    }
}

/// Attends to everything that is due.
///
/// # Errors
/// Those of the store, if it cannot say what is due.
pub async fn sweep(state: &State) -> Result<Swept> {
    let mut swept = Swept::default();
    match tokio::time::timeout(ENDS_WITHIN, sweep_all(state, &mut swept)).await {
        Ok(Err(e)) => Err(e),
        Ok(Ok(())) => Ok(swept),
        Err(_) => {
            tracing::warn!(?swept, "a sweep took so long that it was ended");
            Ok(swept)
        }
    }
}

async fn sweep_all(state: &State, swept: &mut Swept) -> Result<()> {
    let began = Instant::now();
    settle_filled(state, swept).await;
    // The debts of a seller are in several shards, and are looked at together.
    let mut looked_at: Vec<DueDebt> = Vec::new();
    for shard in shards(unix_ms(state.app.clock.now())) {
        let mut from = None;
        while began.elapsed() < BEGINS_WITHIN {
            let now_ms = unix_ms(state.app.clock.now());
            let page = state.app.store.due(shard, from.as_deref(), now_ms, PAGE).await?;
            if let (None, Some(oldest_ms)) = (&from, page.oldest_ms) {
                swept.oldest_due_seconds = swept.oldest_due_seconds.max((now_ms - oldest_ms) / 1_000);
            }
            let attended = stream::iter(page.calls).map(|call| attend_once(state, call)).buffer_unordered(AT_ONCE);
            swept.add(attended.collect().await);
            for debt in page.debts {
                if began.elapsed() < BEGINS_WITHIN && !looked_at.contains(&debt) {
                    looked_at.push(debt);
                    swept.debts += 1;
                    swept.failed += usize::from(!look_at_once(state, debt).await);
                }
            }
            for whose in page.stats {
                swept.failed += usize::from(!fold_once(state, whose).await);
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    // Last, so that what this sweep has closed is counted.
    match count(state, began + COUNT_BUDGET).await {
        Ok(counted) => swept.counted = counted,
        Err(e) => {
            tracing::warn!(cause = e.operator_message(), "ended calls were not counted; the next sweep goes on");
            swept.failed += 1;
        }
    }
    metrics::emit(&[(Metric::Sweeps, 1), (Metric::OldestDue, swept.oldest_due_seconds)]);
    Ok(())
}

/// All shards. Each minute another one is the first, so that none has to wait for ever when a sweep has no time for all.
fn shards(now_ms: i64) -> impl Iterator<Item = u8> {
    let first = u8::try_from(now_ms.div_euclid(60_000).rem_euclid(DUE_SHARDS.into())).unwrap_or(0);
    (0..DUE_SHARDS).map(move |n| (first + n) % DUE_SHARDS)
}

/// Whether it was done.
async fn fold_once(state: &State, whose: Whose) -> bool {
    match fold_due(state, whose).await {
        Ok(()) => true,
        Err(e) => {
            tracing::warn!(cause = e.operator_message(), "days that are over were not folded");
            false
        }
    }
}

/// Settles what the provider lists as filled lately, so that a payment which nobody presents is in the books within a minute or
/// two. What the list misses is found when the quote is over.
async fn settle_filled(state: &State, swept: &mut Swept) {
    let since_ms = unix_ms(state.app.clock.now()) - LISTED_MS;
    let mut page: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let granted = state.app.provider_budget.questions(Asker::Sweeper, 1, state.app.clock.now()).await;
        if !matches!(granted, Ok(Grant::Granted)) {
            break;
        }
        let Ok(listed) = state.provider.filled_since(since_ms, None, page.as_deref()).await else { break };
        let keys: Vec<CallKey> = listed.payments.iter().map(|(id, _)| CallKey::of_payment(state.provider.name(), id)).collect();
        let Ok(calls) = state.app.store.calls(&keys).await else { break };
        let unsettled = |call: &Call| matches!(call.state, CallState::Quoted | CallState::Pending | CallState::Expired);
        let unsettled: Vec<CallKey> = calls.iter().filter(|call| unsettled(call)).map(Call::key).collect();
        swept.add(stream::iter(unsettled).map(|key| attend_once(state, key)).buffer_unordered(AT_ONCE).collect().await);
        page = listed.next;
        if page.is_none() {
            break;
        }
    }
}

/// Whether it was looked at.
async fn look_at_once(state: &State, debt: DueDebt) -> bool {
    match look_at(state, debt).await {
        Ok(()) => true,
        Err(e) => {
            tracing::warn!(cause = e.operator_message(), "a debt or refund that is due was not looked at");
            false
        }
    }
}

/// Whether the call moved; `None` if that failed.
async fn attend_once(state: &State, key: CallKey) -> Option<bool> {
    let read = state.app.store.calls(std::slice::from_ref(&key)).await.ok()?;
    let Some(call) = read.into_iter().next() else { return Some(false) };
    let before = call.version;
    match attend_to(state, call, RecordWanted::OnSuccess, Asker::Sweeper).await {
        Ok(after) => Some(after.version != before),
        Err(e) => {
            tracing::warn!(cause = e.operator_message(), "a call that is due was not attended to");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_is_the_first_one_in_its_turn() {
        let mut first = Vec::new();
        for minute in 0..i64::from(DUE_SHARDS) {
            let mut order: Vec<u8> = shards(minute * 60_000 + 59_999).collect();
            first.push(order[0]);
            order.sort_unstable();
            assert_eq!(order, (0..DUE_SHARDS).collect::<Vec<_>>());
        }
        first.sort_unstable();
        assert_eq!(first, (0..DUE_SHARDS).collect::<Vec<_>>());
    }
}
