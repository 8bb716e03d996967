//! The catalogue's snapshot: a head, and the parts that it names. The catalogue defines what the parts contain.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::item::{record, s};
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};

/// Maximum length of a part (bytes). DynamoDB allows 400 KB per item.
pub const MAX_PART_BYTES: usize = 300 * 1024;

/// Describes a snapshot and its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHead {
    /// Version of the binary format.
    pub format: u32,
    /// Unique name of the snapshot. Part keys contain it, so no two snapshots share parts.
    pub generation: String,
    /// The time up to which it holds all changes (Unix milliseconds).
    pub position_ms: i64,
    /// When the listings were last read from the whole change feed, not copied from the previous snapshot (Unix milliseconds).
    pub whole_ms: i64,
    /// When it was written (Unix milliseconds).
    pub written_ms: i64,
    /// Number of listings.
    pub count: u64,
    /// The listings, in the first parts.
    pub listings: Stream,
    /// Their text index, in the parts after those.
    pub index: Stream,
}

/// A compressed stream of bytes, split into parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Length before compression, in bytes.
    pub bytes: u64,
    /// SHA-256 of each part (lower-case hex).
    pub parts: Vec<String>,
}

impl Store {
    /// Reads the head of the last snapshot in this format.
    pub async fn snapshot_head(&self, format: u32) -> Result<Option<SnapshotHead>, StoreError> {
        self.table.get(&keys::snapshot(format)).await
    }

    /// Replaces the head of this generation; `None` means that there must be no head yet. It expires with its parts (Unix seconds).
    /// Returns false if the head is another.
    pub async fn replace_snapshot_head(
        &self,
        generation: Option<&str>,
        head: &SnapshotHead,
        expires: i64,
    ) -> Result<bool, StoreError> {
        let unchanged = match generation {
            Some(generation) => Condition::equals("generation", s(generation)),
            None => Condition::absent(),
        };
        let put = Put::new(&keys::snapshot(head.format), "snapshot", head)?.expiring(expires).when(unchanged);
        match self.table.put(put).await {
            Ok(()) => Ok(true),
            // The SDK retried after the reply to our write was lost: the head is the one we wrote.
            Err(error) => match error.found()? {
                Some(found) => Ok(record::<SnapshotHead>(found)?.generation == head.generation),
                None => Ok(false),
            },
        }
    }

    /// Writes a part. DynamoDB deletes it some time after `expires` (Unix seconds).
    pub async fn put_snapshot_part(&self, generation: &str, n: usize, bytes: &[u8], expires: i64) -> Result<(), StoreError> {
        let empty = serde_json::Map::new();
        let put = Put::new(&keys::snapshot_part(generation, n), "snapshot_part", &empty)?;
        let put = put.with("bytes", AttributeValue::B(Blob::new(bytes))).expiring(expires);
        Ok(self.table.put(put).await?)
    }

    /// Reads a part; none if it is missing. A part never changes, so what was a moment ago is read, for half the units. Only one that
    /// was not there a moment ago is read again.
    pub async fn snapshot_part(&self, generation: &str, n: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let key = keys::snapshot_part(generation, n);
        let item = match self.table.get_eventually(&key).await? {
            Some(item) => Some(item),
            None => self.table.get_item(&key).await?,
        };
        Ok(match item.and_then(|mut item| item.remove("bytes")) {
            Some(AttributeValue::B(bytes)) => Some(bytes.into_inner()),
            _ => None,
        })
    }
}
