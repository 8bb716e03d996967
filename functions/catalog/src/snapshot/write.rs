//! A new snapshot, written beside the last one and then put in its place.
//!
//! What if the process dies? Before the head is put: the last snapshot stands, and the parts of the new one expire. Of two
//! writers one puts its head over the one that both have read; the other's parts expire.

use std::io::Write;
use std::time::Instant;

use crochet::clock::Clock;
use crochet::store::snapshot::{Found, MAX_PART_BYTES, SnapshotHead, Stream};
use crochet::store::{Store, StoreError};
use crochet_domain::ids::{random_bytes, sha256_hex};
use crochet_domain::timestamp::unix_ms;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::format::{self, FORMAT};
use crate::model::segment::defect;
use crate::model::{CHANGES, Catalogue, OVERLAP_MS};

/// Fewer changes than this are read quickly from the order of change: no snapshot is needed for them.
const FEW_CHANGES: u64 = 200;
/// Above that, a snapshot is due when one listing in so many has changed since the last. At 100,000 listings a cold instance
/// then reads at most some 1,000 listings beside the snapshot (40 batch reads, a tenth of a second, 0.03 cents), and a snapshot
/// (30,000 write units, 2 cents) is written for every 1,000 changes.
const CHANGED_SHARE: u64 = 100;
/// A snapshot is made from the whole order of change when the last such is older (milliseconds): whatever an instance may
/// have missed, a lagging index or a wrong clock, lasts no longer. Parts live much longer than this.
const RENEWAL_MS: i64 = 24 * 3_600_000;
/// How long parts are kept (seconds). They are given their end when they are written: to give it later would cost as much as to
/// write them again, and this way the parts of a writer that died go by themselves.
const KEPT_SECONDS: i64 = 7 * 86_400;
/// Parts that are written at once.
const AT_ONCE: usize = 8;

/// When to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueOr {
    /// Only where enough has changed since the last one, or it is a day old.
    Not,
    /// In any case.
    Now,
}

/// What has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Little has changed, so none was written.
    NotDue {
        /// Changes since the last one, and some just before it.
        changes: u64,
    },
    /// It stands.
    Written {
        /// Listings in it.
        listings: u64,
        /// Bytes of its parts.
        bytes: u64,
        /// How long the listings took to be indexed (milliseconds): what a cold instance is spared.
        indexed_ms: u128,
    },
    /// Another writer was faster.
    Overtaken,
}

/// Writes a snapshot of the catalogue as it is now.
///
/// # Errors
/// Where DynamoDB does not answer; the last snapshot stands then.
pub async fn write(store: &Store, clock: &Clock, due: DueOr) -> Result<Outcome, StoreError> {
    let last = store.snapshot_head(FORMAT).await?;
    let now_ms = unix_ms(clock.now());
    let whole_ms = match &last {
        Found::Usable(head) if now_ms - head.whole_ms < RENEWAL_MS => Some(head.whole_ms),
        _ => None,
    };
    if due == DueOr::Not
        && let Some(changes) = too_few_changes(store, &last, whole_ms.is_some()).await?
    {
        return Ok(Outcome::NotDue { changes });
    }
    let catalogue = match whole_ms {
        Some(_) => Catalogue::new(store.clone(), clock.clone()),
        None => Catalogue::from_feed(store.clone(), clock.clone()),
    };
    catalogue.refresh().await?;
    let whole_ms = match catalogue.origin().await {
        Some(crate::model::Origin::Snapshot) => whole_ms.unwrap_or(now_ms),
        _ => now_ms,
    };
    let began = Instant::now();
    let (segment, position_ms) = catalogue.compacted().await?;
    let indexed_ms = began.elapsed().as_millis();
    drop(catalogue);
    let count = segment.entries().len() as u64;
    let (listings, index) = format::spell(&segment).map_err(|_| defect("a snapshot cannot be spelled"))?;
    drop(segment);
    let generation = hex_of(random_bytes::<8>());
    let expires = now_ms / 1_000 + KEPT_SECONDS;
    let mut head = SnapshotHead {
        format: FORMAT,
        generation,
        position_ms,
        whole_ms,
        written_ms: now_ms,
        count,
        listings: Stream::default(),
        index: Stream::default(),
    };
    let mut bytes = 0;
    for (n, raw) in [listings, index].into_iter().enumerate() {
        let before = head.listings.parts.len();
        let (stream, packed) = put_stream(store, &head.generation, before, raw, expires).await?;
        bytes += packed;
        if n == 0 { head.listings = stream } else { head.index = stream }
    }
    let replaces = match &last {
        Found::Nothing => None,
        Found::Usable(head) => Some(head.generation.as_str()),
        Found::OtherFormat { generation } => Some(generation.as_str()),
    };
    match store.put_snapshot_head(&head, replaces).await? {
        true => Ok(Outcome::Written { listings: count, bytes, indexed_ms }),
        false => Ok(Outcome::Overtaken),
    }
}

/// How many changes there are since the last snapshot, where they are too few to write a new one.
async fn too_few_changes(store: &Store, last: &Found, is_fresh: bool) -> Result<Option<u64>, StoreError> {
    let (since_ms, enough) = match last {
        Found::Usable(head) if is_fresh => (head.position_ms - OVERLAP_MS, FEW_CHANGES.max(head.count / CHANGED_SHARE)),
        // However few there are now, a day-old snapshot has to be renewed before its parts expire.
        Found::Usable(_) => return Ok(None),
        Found::Nothing | Found::OtherFormat { .. } => (0, FEW_CHANGES),
    };
    let mut changes = store.changed_listings(since_ms, CHANGES).await?;
    let mut count = changes.len() as u64;
    while count < enough && changes.len() >= CHANGES as usize {
        let Some(end) = changes.last() else { break };
        changes = store.changed_listings_after(*end, CHANGES).await?;
        count += changes.len() as u64;
    }
    Ok((count < enough).then_some(count))
}

/// Packs a stream and writes its parts; tells how many bytes they have.
async fn put_stream(
    store: &Store,
    generation: &str,
    before: usize,
    raw: Vec<u8>,
    expires: i64,
) -> Result<(Stream, u64), StoreError> {
    let length = raw.len() as u64;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&raw).map_err(defect)?;
    drop(raw);
    let packed = encoder.finish().map_err(defect)?;
    let parts: Vec<&[u8]> = packed.chunks(MAX_PART_BYTES).collect();
    let puts = (before..).zip(&parts).map(|(n, part)| store.put_snapshot_part(generation, n, part, expires));
    stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    Ok((Stream { bytes: length, parts: parts.iter().map(sha256_hex).collect() }, packed.len() as u64))
}

fn hex_of(bytes: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes))
}
