//! Writing a snapshot: the parts first, then the head that replaces the last one.
//!
//! If the process dies before the head is written, the last snapshot stays in use and the new parts expire. Of two concurrent
//! writers only one replaces the head that both have read; the other's parts expire.

use std::io::Write;
use std::time::Instant;

use crochet::clock::Clock;
use crochet::store::snapshot::{MAX_PART_BYTES, SnapshotHead, Stream};
use crochet::store::{Store, StoreError};
use crochet::telemetry::metrics::{self, Metric};
use crochet_domain::ids::{random_bytes, sha256_hex};
use crochet_domain::timestamp::unix_ms;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::catalogue::{Catalogue, FEED_PAGE, Origin};
use crate::feed_cursor::OVERLAP_MS;
use crate::snapshot::format::{self, FORMAT};

/// Minimum number of changes for a snapshot. Fewer are read quickly from the change feed.
const MIN_CHANGES: u64 = 200;
/// Above that minimum, a snapshot is due when one listing in this many has changed since the last. At 100,000 listings, a cold
/// instance then reads at most about 1,000 listings beside the snapshot (40 batch reads, a tenth of a second, 0.03 cents), and a
/// snapshot (30,000 write units, 2 cents) is written for every 1,000 changes.
const CHANGED_SHARE: u64 = 100;
/// Maximum age of the last snapshot that was built from the whole change feed (milliseconds). It bounds how long a missed change,
/// from a lagging index or a wrong clock, can go unnoticed. Must be much shorter than the lifetime of parts.
const MAX_INCREMENTAL_MS: i64 = 24 * 3_600_000;
/// Lifetime of parts (seconds). It is set when a part is written: setting it later would cost as much as writing the part again,
/// and this way the parts of a writer that died are deleted too.
const PART_LIFETIME_SECONDS: i64 = 7 * 86_400;
/// Parallel part writes.
const PARALLEL_WRITES: usize = 8;

/// When to write a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Only if enough has changed since the last one, or it is a day old.
    IfDue,
    /// Always.
    Always,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Too little has changed; nothing was written.
    NotDue {
        /// Number of changes since the last one, including some just before it.
        changes: u64,
    },
    /// The new snapshot is in place.
    Written {
        /// Number of listings.
        listings: u64,
        /// Size of its parts, in bytes.
        bytes: u64,
        /// Time spent indexing (milliseconds), which a cold instance saves.
        indexed_ms: u128,
    },
    /// Another writer replaced the head first.
    Overtaken,
}

/// Writes a snapshot of the catalogue as it is now. If this fails, the last snapshot stays in use.
pub async fn write(store: &Store, clock: &Clock, schedule: Schedule) -> Result<Outcome, StoreError> {
    let last = store.snapshot_head(FORMAT).await?;
    let now_ms = unix_ms(clock.now());
    let whole_ms = match &last {
        Some(head) if now_ms - head.whole_ms < MAX_INCREMENTAL_MS => Some(head.whole_ms),
        _ => None,
    };
    if schedule == Schedule::IfDue
        && let Some(changes) = too_few_changes(store, last.as_ref(), whole_ms.is_some()).await?
    {
        metrics::emit(&[(Metric::SnapshotAge, age_seconds(last.as_ref(), now_ms))]);
        return Ok(Outcome::NotDue { changes });
    }
    let catalogue = match whole_ms {
        Some(_) => Catalogue::new(store.clone(), clock.clone()),
        None => Catalogue::from_feed(store.clone(), clock.clone()),
    };
    catalogue.refresh().await?;
    let whole_ms = match catalogue.origin().await {
        Some(Origin::Snapshot) => whole_ms.unwrap_or(now_ms),
        _ => now_ms,
    };
    let began = Instant::now();
    let (segment, position_ms) = catalogue.merge_all().await?;
    let indexed_ms = began.elapsed().as_millis();
    drop(catalogue);
    let count = segment.entries().len() as u64;
    let (listings, index) = format::encode(&segment)?;
    drop(segment);
    let generation = new_generation();
    let expires = now_ms / 1_000 + PART_LIFETIME_SECONDS;
    let (listings, listings_bytes) = put_stream(store, &generation, 0, listings, expires).await?;
    let (index, index_bytes) = put_stream(store, &generation, listings.parts.len(), index, expires).await?;
    let head = SnapshotHead { format: FORMAT, generation, position_ms, whole_ms, written_ms: now_ms, count, listings, index };
    metrics::emit(&[(Metric::SnapshotAge, (now_ms - whole_ms) / 1_000)]);
    if store.replace_snapshot_head(last.as_ref().map(|last| last.generation.as_str()), &head, expires).await? {
        Ok(Outcome::Written { listings: count, bytes: listings_bytes + index_bytes, indexed_ms })
    } else {
        Ok(Outcome::Overtaken)
    }
}

/// How old the last snapshot is that was built from the whole feed. A catalogue that is too small for a snapshot lacks none: without a
/// value, an alarm would take the writer for stopped.
fn age_seconds(last: Option<&SnapshotHead>, now_ms: i64) -> i64 {
    last.map_or(0, |head| (now_ms - head.whole_ms) / 1_000)
}

/// The number of changes since the last snapshot, if they are too few for a new one.
async fn too_few_changes(store: &Store, last: Option<&SnapshotHead>, is_renewed: bool) -> Result<Option<u64>, StoreError> {
    let (since_ms, enough) = match last {
        Some(head) if is_renewed => (head.position_ms - OVERLAP_MS, MIN_CHANGES.max(head.count / CHANGED_SHARE)),
        // A day-old snapshot is always renewed, before its parts expire.
        Some(_) => return Ok(None),
        None => (0, MIN_CHANGES),
    };
    let mut changes = store.changed_listings(since_ms, FEED_PAGE).await?;
    let mut count = changes.len() as u64;
    while count < enough && changes.len() >= FEED_PAGE as usize {
        let Some(end) = changes.last() else { break };
        changes = store.changed_listings_after(*end, FEED_PAGE).await?;
        count += changes.len() as u64;
    }
    Ok((count < enough).then_some(count))
}

/// Compresses a stream and writes its parts, numbered from `first_part`. Returns their total size in bytes too.
async fn put_stream(
    store: &Store,
    generation: &str,
    first_part: usize,
    raw: Vec<u8>,
    expires: i64,
) -> Result<(Stream, u64), StoreError> {
    let length = raw.len() as u64;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&raw).map_err(gzip_error)?;
    drop(raw);
    let packed = encoder.finish().map_err(gzip_error)?;
    let parts: Vec<&[u8]> = packed.chunks(MAX_PART_BYTES).collect();
    // Collected, so that the future can move between threads.
    let puts: Vec<_> = (first_part..).zip(&parts).map(|(n, part)| store.put_snapshot_part(generation, n, part, expires)).collect();
    stream::iter(puts).buffer_unordered(PARALLEL_WRITES).try_collect::<Vec<()>>().await?;
    Ok((Stream { bytes: length, parts: parts.iter().map(sha256_hex).collect() }, packed.len() as u64))
}

fn new_generation() -> String {
    format!("{:016x}", u64::from_be_bytes(random_bytes::<8>()))
}

fn gzip_error(error: std::io::Error) -> StoreError {
    StoreError::Defect(format!("gzip: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_that_needs_no_snapshot_has_none_that_is_old() {
        let stream = Stream { bytes: 0, parts: Vec::new() };
        let head = SnapshotHead {
            format: FORMAT,
            generation: new_generation(),
            position_ms: 9_000,
            whole_ms: 2_000,
            written_ms: 9_000,
            count: 0,
            listings: stream.clone(),
            index: stream,
        };
        assert_eq!(age_seconds(Some(&head), 95_000_000), 94_998);
        assert_eq!(age_seconds(None, 95_000_000), 0);
    }
}
