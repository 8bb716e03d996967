//! Loading the last snapshot: the head first, then the parts, decompressed in order as they arrive.
//!
//! Many instances may start at once, and they read from the table that payments need. So the parts of a large snapshot are read at a
//! bounded rate: docs/internals/catalogue.md says what that leaves to others.

use std::io::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crochet::store::snapshot::{SnapshotHead, Stream};
use crochet::store::{Store, StoreError};
use crochet_domain::ids::{random_bytes, sha256_hex};
use flate2::write::GzDecoder;
use futures::stream::{self, StreamExt};

use super::format::{self, FORMAT};
use crate::search::segment::Segment;

/// Parallel part reads per stream: 16 parts of 300 KiB take a function's network about a tenth of a second.
const PARALLEL_READS: usize = 16;
/// Parts that are read without waiting: 4.8 MB, the snapshot of some 13,000 listings.
const AT_ONCE: usize = 16;
/// Time between the reads of two later parts, on average. A part takes 38 read units, so an instance takes 3,000 in a second.
const INTERVAL: Duration = Duration::from_micros(12_500);
/// Maximum decompressed size that a head may claim (bytes).
const MAX_UNPACKED: u64 = 4 << 30;

/// A snapshot in memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) segment: Segment,
    /// The time up to which it holds all changes (Unix milliseconds).
    pub(crate) position_ms: i64,
}

/// The last snapshot. None if there is none of this format, or if it is incomplete or damaged. The last two raise an alarm: the
/// change feed still has everything, but reading it is slow.
pub(crate) async fn latest(store: &Store) -> Result<Option<Loaded>, StoreError> {
    let Some(head) = store.snapshot_head(FORMAT).await? else { return Ok(None) };
    let began = Instant::now();
    let listings = async { unpack(store, &head, &head.listings, 0, began).await };
    let index = async { unpack(store, &head, &head.index, head.listings.parts.len(), began).await };
    let (listings, index) = tokio::try_join!(listings, index)?;
    let segment = listings.zip(index).and_then(|(listings, index)| format::decode(listings, index).ok());
    if segment.is_none() {
        tracing::error!(generation = head.generation, alarm = true, "a catalogue snapshot cannot be read; reading the whole feed");
    }
    Ok(segment.map(|segment| Loaded { segment, position_ms: head.position_ms }))
}

/// One stream of the snapshot, whose parts are numbered from `first_part`. None if a part is missing or damaged.
async fn unpack(
    store: &Store,
    head: &SnapshotHead,
    stream: &Stream,
    first_part: usize,
    began: Instant,
) -> Result<Option<Bytes>, StoreError> {
    if stream.bytes > MAX_UNPACKED {
        return Ok(None);
    }
    let length = usize::try_from(stream.bytes).unwrap_or(usize::MAX);
    let mut decoder = GzDecoder::new(Vec::with_capacity(length));
    let parts: Vec<_> = (first_part..)
        .zip(&stream.parts)
        .map(async |(n, sha256)| {
            tokio::time::sleep_until((began + wait(n)).into()).await;
            verified_part(store, &head.generation, n, sha256).await
        })
        .collect();
    let mut read = stream::iter(parts).buffered(PARALLEL_READS);
    while let Some(part) = read.next().await {
        let Some(part) = part? else { return Ok(None) };
        if decoder.write_all(&part).is_err() || decoder.get_ref().len() > length {
            return Ok(None);
        }
    }
    Ok(decoder.finish().ok().filter(|unpacked| unpacked.len() == length).map(Bytes::from))
}

/// A part, if it exists and matches its hash.
async fn verified_part(store: &Store, generation: &str, n: usize, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(store.snapshot_part(generation, n).await?.filter(|part| sha256_hex(part) == sha256))
}

/// How long after the first part this one is read. A random part of the interval keeps instances apart that start at once.
fn wait(part: usize) -> Duration {
    let Some(later) = part.checked_sub(AT_ONCE).and_then(|later| u32::try_from(later).ok()) else { return Duration::ZERO };
    INTERVAL * later + INTERVAL * u32::from(random_bytes::<1>()[0]) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_snapshot_is_read_at_once_and_a_large_one_at_a_bounded_rate() {
        assert_eq!(wait(AT_ONCE - 1), Duration::ZERO);
        // 100,000 listings: 116 parts.
        let last = wait(115);
        assert!(last >= INTERVAL * 99 && last <= INTERVAL * 100, "{last:?}");
    }
}
