//! The run of the scores: every hour for sellers where something has moved, once a day for all.
//!
//! A run may be late, repeated, or in parallel with another: scores are computed from what was counted, and each is written over the
//! version that was read. What a run does not finish, the next one does.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::keys::DUE_SHARDS;
use crochet::store::stats_log::Logged;
use crochet_domain::ids::ProfileId;
use crochet_domain::score::fade::{DAYS, day_of, day_start_ms};
use crochet_domain::timestamp::unix_ms;
use futures::stream::{self, StreamExt};

use super::compare::compare;
use super::count::count;

/// Sellers that are counted at the same time.
const AT_ONCE: usize = 4;
/// Time after which a run begins with no further seller. The function itself is ended after 15 minutes.
const BUDGET: Duration = Duration::from_secs(12 * 60);
/// Longest time for comparing one seller in the daily run: at 10,000 calls a second, a million calls.
const COMPARED_WITHIN: Duration = Duration::from_secs(100);
/// How far before the last position the log is read again: index entries arrive late.
const OVERLAP_MS: i64 = 2 * 60_000;
/// Entries of the log, and sellers of a shard, that are read at once.
const PAGE: i32 = 500;
/// More sellers of a shard than one read returns.
const EVERYBODY: i32 = 100_000;
/// When the daily run may begin, after midnight (UTC): 20 minutes.
const DAILY_FROM_MS: i64 = 20 * 60_000;
/// Days back to which the daily run compares: until then, a call that nobody presents may end.
const COMPARED_DAYS: i32 = 31;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ran {
    /// Sellers where something had moved.
    pub moved: usize,
    /// Sellers whose counts were compared with the calls.
    pub compared: usize,
    /// Days that differed, and were replaced.
    pub differed: usize,
    /// Sellers with so many calls that comparing them took too long. They are compared again tomorrow.
    pub passed_over: usize,
    /// Sellers that could not be counted. The next run tries again.
    pub failed: usize,
}

/// Counts every score that is to be counted now.
///
/// # Errors
/// Those of the store, if it cannot say which.
pub async fn run(app: &App) -> Result<Ran, StoreError> {
    run_within(app, COMPARED_WITHIN).await
}

/// As [`run`], with this time for comparing one seller.
///
/// # Errors
/// As [`run`].
pub async fn run_within(app: &App, compared_within: Duration) -> Result<Ran, StoreError> {
    let began = Instant::now();
    let now_ms = unix_ms(app.clock.now());
    let mut ran = Ran::default();
    let position = app.store.score_position().await?;
    let sellers = moved_since(app, position - OVERLAP_MS, now_ms).await?;
    ran.moved = sellers.len();
    let counted = stream::iter(sellers.into_iter().map(|seller| count_once(app, seller, began)));
    let counted: Vec<bool> = counted.buffer_unordered(AT_ONCE).collect().await;
    ran.failed = counted.iter().filter(|done| !**done).count();
    if ran.failed == 0 {
        app.store.put_score_position(now_ms).await?;
    }
    daily(app, (began, compared_within), now_ms, &mut ran).await?;
    Ok(ran)
}

/// Compares the 91 days of every seller that was ever counted with its calls, and counts its score: after a defect in what is counted.
///
/// # Errors
/// Those of the store, if it cannot say who there is.
pub async fn recompute(app: &App) -> Result<Ran, StoreError> {
    let today = day_of(unix_ms(app.clock.now()));
    let sellers = app.store.scores_to_compare(today + 1, EVERYBODY).await?;
    let compared = sellers.into_iter().map(|seller| compare_once(app, seller, today - DAYS + 1, Duration::MAX));
    let compared: Vec<Compared> = stream::iter(compared).buffer_unordered(AT_ONCE).collect().await;
    let mut ran = Ran::default();
    ran.add(&compared);
    Ok(ran)
}

/// What became of comparing a seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    /// It was compared, and so many days differed.
    Differed(usize),
    /// It took too long.
    PassedOver,
    /// It could not be compared or counted.
    Failed,
    /// The run had no time for it.
    NotBegun,
}

impl Ran {
    fn add(&mut self, compared: &[Compared]) {
        for compared in compared {
            match compared {
                Compared::Differed(days) => {
                    self.compared += 1;
                    self.differed += days;
                }
                Compared::PassedOver => self.passed_over += 1,
                Compared::Failed => self.failed += 1,
                Compared::NotBegun => {}
            }
        }
    }
}

async fn daily(app: &App, (began, within): (Instant, Duration), now_ms: i64, ran: &mut Ran) -> Result<(), StoreError> {
    let today = day_of(now_ms);
    if now_ms < day_start_ms(today) + DAILY_FROM_MS {
        return Ok(());
    }
    let mut tried: BTreeSet<ProfileId> = BTreeSet::new();
    loop {
        let due = app.store.scores_to_compare(today, PAGE).await?;
        // The index lags a moment behind, and a seller that failed stays due.
        let fresh: Vec<ProfileId> = due.into_iter().filter(|seller| tried.insert(*seller)).collect();
        if fresh.is_empty() || began.elapsed() >= BUDGET {
            return Ok(());
        }
        let compared = fresh.into_iter().map(|seller| async move {
            if began.elapsed() >= BUDGET {
                return Compared::NotBegun;
            }
            compare_once(app, seller, today - COMPARED_DAYS, within).await
        });
        let compared: Vec<Compared> = stream::iter(compared).buffer_unordered(AT_ONCE).collect().await;
        ran.add(&compared);
    }
}

/// Whether the seller was counted.
async fn count_once(app: &App, seller: ProfileId, began: Instant) -> bool {
    if began.elapsed() >= BUDGET {
        return false;
    }
    let counted = count(app, seller, false).await;
    counted.inspect_err(|error| tracing::warn!(%seller, %error, "a score was not counted")).is_ok()
}

/// Compares a seller, and counts its score. One that takes longer than `within` is passed over with an alarm, and counts as compared
/// today: if it stayed due, it would come first every hour, and take its time from all others.
async fn compare_once(app: &App, seller: ProfileId, first: i32, within: Duration) -> Compared {
    let compared = async {
        let compared = match tokio::time::timeout(within, compare(app, seller, first)).await {
            Ok(differed) => Compared::Differed(differed?),
            Err(_) => {
                tracing::error!(alarm = true, %seller, "a seller was not compared with its calls: it has too many for one run");
                Compared::PassedOver
            }
        };
        count(app, seller, true).await.map(|()| compared)
    };
    let failed = |error: &StoreError| tracing::warn!(%seller, %error, "a score was not compared");
    compared.await.inspect_err(failed).unwrap_or(Compared::Failed)
}

/// The sellers of calls that have ended or changed since, and of reviews that have.
async fn moved_since(app: &App, since_ms: i64, now_ms: i64) -> Result<BTreeSet<ProfileId>, StoreError> {
    let mut sellers = BTreeSet::new();
    for shard in 0..DUE_SHARDS {
        let mut from_ms = since_ms;
        loop {
            let entries = app.store.ended(shard, from_ms.max(0), now_ms, PAGE).await?;
            let calls: Vec<_> = entries
                .iter()
                .filter_map(|entry| match &entry.logged {
                    Logged::Call(key) => Some(key.clone()),
                    Logged::Review(..) => None,
                })
                .collect();
            sellers.extend(app.store.calls(&calls).await?.into_iter().map(|call| call.seller));
            for entry in &entries {
                if let Logged::Review(listing, author) = &entry.logged {
                    sellers.extend(app.store.review(*listing, *author).await?.map(|review| review.seller));
                }
            }
            let is_full = entries.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
            match entries.last() {
                // A page of one millisecond would come again and again.
                Some(last) if is_full => from_ms = last.at_ms.max(from_ms + 1),
                _ => break,
            }
        }
    }
    Ok(sellers)
}
