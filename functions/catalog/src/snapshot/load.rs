//! The last snapshot, read: its head, then its parts side by side, unpacked in their order as they come.

use std::io::Write;

use bytes::Bytes;
use crochet::store::snapshot::{Found, SnapshotHead, Stream};
use crochet::store::{Store, StoreError};
use crochet_domain::ids::sha256_hex;
use flate2::write::GzDecoder;
use futures::stream::{self, StreamExt};

use super::format::{self, FORMAT};
use crate::model::segment::Segment;

/// Parts that are asked for at once: 16 of 300 KiB each fill a function's network for a tenth of a second.
const AT_ONCE: usize = 16;
/// A head that promises more than this is not believed (bytes, unpacked).
const MAX_UNPACKED: u64 = 4 << 30;

/// A snapshot in memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) segment: Segment,
    /// Up to when changes are in it (Unix milliseconds).
    pub(crate) position_ms: i64,
}

/// The last snapshot. None where there is none that this version can use: of another format, incomplete or damaged. The
/// operator learns of the last two; the order of change has everything, if slowly.
///
/// # Errors
/// Where DynamoDB does not answer.
pub(crate) async fn latest(store: &Store) -> Result<Option<Loaded>, StoreError> {
    let head = match store.snapshot_head(FORMAT).await? {
        Found::Usable(head) => head,
        Found::Nothing | Found::OtherFormat { .. } => return Ok(None),
    };
    let listings = async { unpack(store, &head, &head.listings, 0).await };
    let index = async { unpack(store, &head, &head.index, head.listings.parts.len()).await };
    let (listings, index) = tokio::try_join!(listings, index)?;
    let segment = listings.zip(index).and_then(|(listings, index)| format::read(listings, index).ok());
    if segment.is_none() {
        tracing::error!(generation = head.generation, alarm = true, "a catalogue snapshot cannot be read; reading the whole feed");
    }
    Ok(segment.map(|segment| Loaded { segment, position_ms: head.position_ms }))
}

/// A stream of the snapshot; `before` parts of other streams come first. None where a part is missing or is not what was written.
async fn unpack(store: &Store, head: &SnapshotHead, stream: &Stream, before: usize) -> Result<Option<Bytes>, StoreError> {
    if stream.bytes > MAX_UNPACKED {
        return Ok(None);
    }
    let length = usize::try_from(stream.bytes).unwrap_or(usize::MAX);
    let mut decoder = GzDecoder::new(Vec::with_capacity(length));
    let parts: Vec<_> = (before..).zip(&stream.parts).map(|(n, sha256)| checked_part(store, &head.generation, n, sha256)).collect();
    let mut read = stream::iter(parts).buffered(AT_ONCE);
    while let Some(part) = read.next().await {
        let Some(part) = part? else { return Ok(None) };
        if decoder.write_all(&part).is_err() || decoder.get_ref().len() > length {
            return Ok(None);
        }
    }
    Ok(decoder.finish().ok().filter(|unpacked| unpacked.len() == length).map(Bytes::from))
}

/// A part, if it is there and is what was written.
async fn checked_part(store: &Store, generation: &str, n: usize, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(store.snapshot_part(generation, n).await?.filter(|part| sha256_hex(part) == sha256))
}
