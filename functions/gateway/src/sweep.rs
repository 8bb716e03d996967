//! The sweeper: every minute, it attends to the calls, debts and refunds that are due. Running it twice, late or in parallel does no harm: every write
//! is conditional on the version that was read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crochet::budget::{Asker, Grant};
use crochet::http::Result;
use crochet::payments::RecordWanted;
use crochet::store::debt::DueDebt;
use crochet::store::due::DuePage;
use crochet::store::keys::{DUE_SHARDS, Whose};
use crochet::telemetry::metrics::{self, Metric};
use crochet_domain::call::attend::{Attention, attend};
use crochet_domain::call::{Call, CallKey, CallState};
use crochet_domain::timestamp::unix_ms;
use futures::stream::{self, StreamExt};

use crate::attend::attend_to;
use crate::count::count;
use crate::count_due::fold_due;
use crate::refund::due::look_at;
use crate::state::State;
use crate::turn::in_turn;

/// Calls that are attended to at the same time. A sweep must not take the provider's whole budget from the buyers.
const AT_ONCE: usize = 4;
/// How far back the provider's list of filled payments is read: a few sweeps, in case one fails.
const LISTED_MS: i64 = 4 * 60_000;
/// Maximum number of pages of that list that one sweep reads.
const MAX_PAGES: usize = 5;
/// Number of calls of a shard that are read at once.
const PAGE: i32 = 50;
/// Pages of a shard that are still read when the sweeper may ask the provider no more, for what needs no question. The next sweep goes
/// on behind them.
const PAGES_WITHOUT_QUESTIONS: usize = 10;

/// The times of a sweep, from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// After this, nothing more is begun; the next sweep goes on.
    pub begins_within: Duration,
    /// After this, what still runs is dropped. It is as if the process had died there: what was not done stays due.
    pub attends_within: Duration,
    /// After this, no further page of ended calls is counted.
    pub counts_within: Duration,
    /// After this, counting is dropped.
    pub ends_within: Duration,
}

/// The times of the deployed function, which itself is ended after 55 seconds. Counting needs no provider, and has eight seconds of its
/// own, however slow the provider is.
pub const TIMES: Times = Times {
    begins_within: Duration::from_secs(38),
    attends_within: Duration::from_secs(42),
    counts_within: Duration::from_secs(48),
    ends_within: Duration::from_secs(50),
};

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Calls that were due.
    pub due: usize,
    /// Calls that are in another state now.
    pub moved: usize,
    /// Calls that were due and were left: the provider would have to be asked, and the sweeper may ask no more in this minute.
    pub left: usize,
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
    fn add(&mut self, attended: &[Attended]) {
        let number_of = |what| attended.iter().filter(|attended| **attended == what).count();
        self.due += attended.len();
        self.moved += number_of(Attended::Moved);
        self.left += number_of(Attended::Left);
        self.failed += number_of(Attended::Failed);
    }
}

/// What became of a call that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attended {
    Moved,
    Stayed,
    Left,
    Failed,
}

/// Attends to everything that is due.
///
/// # Errors
/// Those of the store, if it cannot say what is due.
pub async fn sweep(state: &State) -> Result<Swept> {
    sweep_within(state, TIMES).await
}

/// As [`sweep`], within these times.
///
/// # Errors
/// As [`sweep`].
pub async fn sweep_within(state: &State, times: Times) -> Result<Swept> {
    let began = Instant::now();
    let mut swept = Swept::default();
    let running = Sweep { state, until: began + times.begins_within, is_out_of_questions: AtomicBool::new(false) };
    let attended = tokio::time::timeout(times.attends_within, running.attend_to_all(&mut swept)).await;
    if attended.is_err() {
        tracing::warn!(?swept, "a sweep took so long that what still ran was dropped");
    }
    // Last, so that what this sweep has closed is counted.
    let left = times.ends_within.saturating_sub(began.elapsed());
    match tokio::time::timeout(left, count(state, began + times.counts_within)).await {
        Ok(Ok(counted)) => swept.counted = counted,
        Ok(Err(e)) => {
            tracing::warn!(cause = e.operator_message(), "ended calls were not counted; the next sweep goes on");
            swept.failed += 1;
        }
        Err(_) => {
            tracing::warn!("counting ended calls took so long that it was dropped; the next sweep goes on");
            swept.failed += 1;
        }
    }
    attended.unwrap_or(Ok(()))?;
    metrics::emit(&[(Metric::Sweeps, 1), (Metric::OldestDue, swept.oldest_due_seconds)]);
    Ok(swept)
}

/// A sweep that runs.
struct Sweep<'a> {
    state: &'a State,
    /// When it begins nothing more.
    until: Instant,
    /// Whether it may ask the provider nothing more in this minute. That holds for the rest of the sweep.
    is_out_of_questions: AtomicBool,
}

impl Sweep<'_> {
    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }

    fn may_ask(&self) -> bool {
        !self.is_out_of_questions.load(Ordering::Relaxed)
    }

    async fn attend_to_all(&self, swept: &mut Swept) -> Result<()> {
        let store = &self.state.app.store;
        self.settle_filled(swept).await;
        // The debts of a seller are in several shards, and are looked at together.
        let mut looked_at: Vec<DueDebt> = Vec::new();
        for shard in in_turn((0..DUE_SHARDS).collect(), unix_ms(self.state.app.clock.now())) {
            let mut from: Option<String> = None;
            let mut pages_without_questions = 0;
            while self.has_time() {
                let now_ms = unix_ms(self.state.app.clock.now());
                let page = store.due(shard, from.as_deref(), now_ms, PAGE).await?;
                if let (None, Some(oldest_ms)) = (&from, page.oldest_ms) {
                    swept.oldest_due_seconds = swept.oldest_due_seconds.max((now_ms - oldest_ms) / 1_000);
                }
                from = page.next.clone();
                self.attend_to_page(page, &mut looked_at, swept).await;
                if from.is_none() || (!self.may_ask() && pages_without_questions == PAGES_WITHOUT_QUESTIONS) {
                    break;
                }
                if !self.may_ask() {
                    if pages_without_questions == 0 {
                        from = from.max(self.state.passed.place(shard));
                    }
                    pages_without_questions += 1;
                }
            }
            self.state.passed.go_on_at(shard, from.filter(|_| !self.may_ask()));
        }
        Ok(())
    }

    async fn attend_to_page(&self, page: DuePage, looked_at: &mut Vec<DueDebt>, swept: &mut Swept) {
        let calls = if self.may_ask() { page.calls } else { self.without_question(page.calls, swept).await };
        swept.add(&self.attend_to_calls(calls).await);
        for debt in page.debts {
            if self.has_time() && !looked_at.contains(&debt) {
                looked_at.push(debt);
                swept.debts += 1;
                swept.failed += usize::from(!look_at_once(self.state, debt).await);
            }
        }
        for whose in page.stats {
            if self.has_time() {
                swept.failed += usize::from(!fold_once(self.state, whose).await);
            }
        }
    }

    /// Those of these calls that need no question, found with one read. If one of them cannot be read, all are looked at one by one.
    async fn without_question(&self, keys: Vec<CallKey>, swept: &mut Swept) -> Vec<CallKey> {
        let Ok(calls) = self.state.app.store.calls(&keys).await else { return keys };
        let now_ms = unix_ms(self.state.app.clock.now());
        let (left, others): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(|call| needs_question(call, now_ms));
        swept.add(&vec![Attended::Left; left.len()]);
        others.iter().map(Call::key).collect()
    }

    /// What became of these calls. Those for which there was no time are not among them.
    async fn attend_to_calls(&self, calls: Vec<CallKey>) -> Vec<Attended> {
        let attended = stream::iter(calls).map(|call| self.attend_in_time(call)).buffer_unordered(AT_ONCE);
        attended.collect::<Vec<Option<Attended>>>().await.into_iter().flatten().collect()
    }

    async fn attend_in_time(&self, key: CallKey) -> Option<Attended> {
        if self.has_time() { Some(self.attend_once(key).await) } else { None }
    }

    async fn attend_once(&self, key: CallKey) -> Attended {
        let Self { state, .. } = self;
        let Ok(read) = state.app.store.calls(std::slice::from_ref(&key)).await else { return Attended::Failed };
        let Some(call) = read.into_iter().next() else { return Attended::Stayed };
        if !self.may_ask() && needs_question(&call, unix_ms(state.app.clock.now())) {
            return Attended::Left;
        }
        let before = call.version;
        let attended = attend_to(state, call, RecordWanted::OnSuccess, Asker::Sweeper).await;
        let is_refused = state.app.provider_budget.is_out_of_questions(Asker::Sweeper, state.app.clock.now());
        self.is_out_of_questions.fetch_or(is_refused, Ordering::Relaxed);
        match attended {
            Ok(after) if after.version != before => Attended::Moved,
            Ok(after) if is_refused && needs_question(&after, unix_ms(state.app.clock.now())) => Attended::Left,
            Ok(_) => Attended::Stayed,
            Err(e) => {
                tracing::warn!(cause = e.operator_message(), "a call that is due was not attended to");
                Attended::Failed
            }
        }
    }

    /// Settles what the provider lists as filled lately, so that a payment which nobody presents is in the books within a minute or
    /// two. What the list misses is found when the quote is over.
    async fn settle_filled(&self, swept: &mut Swept) {
        let Self { state, .. } = self;
        let since_ms = unix_ms(state.app.clock.now()) - LISTED_MS;
        let mut page: Option<String> = None;
        for _ in 0..MAX_PAGES {
            if !self.has_time() {
                break;
            }
            let granted = state.app.provider_budget.questions(Asker::Sweeper, 1, state.app.clock.now()).await;
            if !matches!(granted, Ok(Grant::Granted)) {
                self.is_out_of_questions.fetch_or(granted.is_ok(), Ordering::Relaxed);
                break;
            }
            let Ok(listed) = state.provider.filled_since(since_ms, None, page.as_deref()).await else { break };
            let keys: Vec<CallKey> = listed.payments.iter().map(|(id, _)| CallKey::of_payment(state.provider.name(), id)).collect();
            let Ok(calls) = state.app.store.calls(&keys).await else { break };
            let unsettled = |call: &Call| matches!(call.state, CallState::Quoted | CallState::Pending | CallState::Expired);
            let unsettled: Vec<CallKey> = calls.iter().filter(|call| unsettled(call)).map(Call::key).collect();
            swept.add(&self.attend_to_calls(unsettled).await);
            page = listed.next;
            if page.is_none() {
                break;
            }
        }
    }
}

/// Whether nothing can be done about a call before the provider was asked.
fn needs_question(call: &Call, now_ms: i64) -> bool {
    attend(call, None, now_ms) == Attention::AskProvider
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
