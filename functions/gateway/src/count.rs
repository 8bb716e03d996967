//! Counts calls that have ended, from their log: once a minute, for the statistics of listings and for scores.
//!
//! Every event is counted once, whatever is read twice, late, out of order or by two runs. The position in the log is written last.
//! What cannot be counted holds nothing else up: the log is read again from there for ten minutes, and then left behind.

use std::time::Instant;

use crochet::http::Result;
use crochet::store::Store;
use crochet::store::keys::{DUE_SHARDS, Whose};
use crochet::store::stats_log::{LogCursor, LogEntry};
use crochet_domain::ids::ListingId;
use crochet_domain::score::fade::day_of;
use crochet_domain::timestamp::unix_ms;

use crate::count_calls::{Left, Run};
use crate::state::State;

/// How far before the position the log is read again: its index may lag a moment behind.
const OVERLAP_MS: i64 = 2 * 60_000;
/// If nothing was counted for longer, there was a pause: two runs or more were missed.
const PAUSE_MS: i64 = 3 * 60_000;
/// Entries of one shard that are read at once.
const PAGE: i32 = 500;
/// How often the figures of the deployment are written: hourly.
const TOTAL_EVERY_MS: i64 = 3_600_000;

/// Counts what the log holds beyond the last position. Returns the number of entries.
///
/// # Errors
/// Those of the store, if the log or its calls cannot be read. What was counted is counted; the next run goes on.
pub(crate) async fn count(state: &State, until: Instant) -> Result<usize> {
    let store = &state.app.store;
    let cursor = store.log_cursor().await?;
    let position = cursor.position_ms.min(unix_ms(state.app.clock.now()));
    let mut from_ms = (position - OVERLAP_MS).max(0);
    let mut counted = 0;
    // The first entry that the next run has to read again.
    let mut left_ms: Option<i64> = None;
    // After a pause, what failed before it says nothing about what fails now.
    let is_recent = unix_ms(state.app.clock.now()) - cursor.written_ms <= PAUSE_MS;
    let failed_since_ms = cursor.failing_since_ms.filter(|_| is_recent);
    let mut failing_since_ms: Option<i64> = None;
    loop {
        let now_ms = unix_ms(state.app.clock.now());
        let (entries, to_ms) = read(store, from_ms, now_ms).await?;
        let fresh = state.counted.without_known(entries);
        let run = Run::of(store, &fresh, failed_since_ms, now_ms, until);
        let Left { entries: left, has_failed } = run.count(state.app.config.unit_fee).await?;
        failing_since_ms = failing_since_ms.or(has_failed.then_some(failed_since_ms.unwrap_or(now_ms)));
        left_ms = left.iter().filter_map(|n| fresh.get(*n)).map(|entry| entry.at_ms).chain(left_ms).min();
        let fresh: Vec<LogEntry> = (0..).zip(fresh).filter(|(n, _)| !left.contains(n)).map(|(_, entry)| entry).collect();
        counted += fresh.len();
        state.counted.remember(fresh, left_ms.unwrap_or(to_ms).min(to_ms) - OVERLAP_MS);
        let position_ms = left_ms.unwrap_or(i64::MAX).min(to_ms.max(position));
        let is_last = to_ms >= now_ms || Instant::now() >= until;
        // Nothing is known about the pages behind this one.
        let failing_since_ms = failing_since_ms.or(failed_since_ms.filter(|_| !is_last));
        store.put_log_cursor(LogCursor { position_ms, written_ms: now_ms, failing_since_ms }).await?;
        if is_last {
            break;
        }
        from_ms = to_ms + 1;
    }
    write_total(store, unix_ms(state.app.clock.now())).await?;
    Ok(counted)
}

/// The entries from `from_ms` on, and the time up to which these are all.
async fn read(store: &Store, from_ms: i64, now_ms: i64) -> Result<(Vec<LogEntry>, i64)> {
    let shards = (0..DUE_SHARDS).map(|shard| store.ended(shard, from_ms, now_ms, PAGE));
    let pages = futures::future::try_join_all(shards).await?;
    let is_full = |page: &&Vec<LogEntry>| page.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    // Of the last millisecond of a full page, more may follow.
    let ends = pages.iter().filter(is_full).filter_map(|page| page.last()).map(|last| last.at_ms - 1);
    let to_ms = ends.min().map_or(now_ms, |end| end.max(from_ms));
    Ok((pages.into_iter().flatten().filter(|entry| entry.at_ms <= to_ms).collect(), to_ms))
}

/// Writes the figures of the whole deployment, once an hour.
async fn write_total(store: &Store, now_ms: i64) -> Result<()> {
    let written = store.total_stats().await?;
    if written.is_some_and(|(_, written_ms)| written_ms / TOTAL_EVERY_MS >= now_ms / TOTAL_EVERY_MS) {
        return Ok(());
    }
    let today = day_of(now_ms);
    let first = today - crochet_domain::stats::WINDOW_DAYS + 1;
    let books = store.books(Whose::All, first, today).await?;
    let all = ListingId::from_bytes([0; 16]);
    store.put_total_stats(crochet::store::figures::report_of(&books, all, today), now_ms).await?;
    Ok(())
}
