//! The catalogue's snapshot: a head, and the parts that it names. What is in them is the catalogue's own affair.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::item::{record, s};
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};

/// Greatest length of a part (bytes): below DynamoDB's 400 KB an item.
pub const MAX_PART_BYTES: usize = 300 * 1024;

/// What a snapshot is, and what its parts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHead {
    /// How it is spelled.
    pub format: u32,
    /// Its name: no two snapshots share one, and so no two share parts.
    pub generation: String,
    /// Up to when changes of listings are in it (Unix milliseconds).
    pub position_ms: i64,
    /// When the listings in it were last read one by one, not taken over from the snapshot before (Unix milliseconds).
    pub whole_ms: i64,
    /// When it was written (Unix milliseconds).
    pub written_ms: i64,
    /// Listings in it.
    pub count: u64,
    /// The listings: the first parts.
    pub listings: Stream,
    /// Their text index: the parts after those.
    pub index: Stream,
}

/// Bytes that are compressed and cut into parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// How many, before compression.
    pub bytes: u64,
    /// SHA-256 of each part (lower-case hex).
    pub parts: Vec<String>,
}

/// What stands where the head is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No snapshot yet.
    Nothing,
    /// One of the wanted format.
    Usable(SnapshotHead),
    /// One that another version has written.
    OtherFormat {
        /// Its name.
        generation: String,
    },
}

/// What heads of every format have.
#[derive(Debug, Deserialize)]
struct AnyHead {
    format: u32,
    generation: String,
}

impl Store {
    /// The head of the last snapshot.
    pub async fn snapshot_head(&self, format: u32) -> Result<Found, StoreError> {
        let key = keys::snapshot();
        let Some(item) = self.table.get_all(std::slice::from_ref(&key)).await?.take_item(&key) else { return Ok(Found::Nothing) };
        let any: AnyHead = record(item.clone())?;
        if any.format != format {
            return Ok(Found::OtherFormat { generation: any.generation });
        }
        record(item).map(Found::Usable)
    }

    /// Puts a head in place of the one that is named; in place of none, where none is. `false` where another one stands there.
    pub async fn put_snapshot_head(&self, head: &SnapshotHead, replaces: Option<&str>) -> Result<bool, StoreError> {
        let unchanged = match replaces {
            Some(generation) => Condition::equals("generation", s(generation)),
            None => Condition::absent(),
        };
        match self.table.put(Put::new(&keys::snapshot(), "snapshot", head)?.when(unchanged)).await {
            Ok(()) => Ok(true),
            // The reply to our own write was lost and the SDK tried again: what stands there is what we wrote.
            Err(error) => match error.found()? {
                Some(found) => Ok(record::<AnyHead>(found)?.generation == head.generation),
                None => Ok(false),
            },
        }
    }

    /// Writes a part, which DynamoDB may delete after this moment (Unix seconds).
    pub async fn put_snapshot_part(&self, generation: &str, n: usize, bytes: &[u8], expires: i64) -> Result<(), StoreError> {
        let empty = serde_json::Map::new();
        let put = Put::new(&keys::snapshot_part(generation, n), "snapshot_part", &empty)?;
        let put = put.with("bytes", AttributeValue::B(Blob::new(bytes))).expiring(expires);
        Ok(self.table.put(put).await?)
    }

    /// Reads a part; none where it is gone.
    pub async fn snapshot_part(&self, generation: &str, n: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let key = keys::snapshot_part(generation, n);
        let item = self.table.get_all(std::slice::from_ref(&key)).await?.take_item(&key);
        Ok(match item.and_then(|mut item| item.remove("bytes")) {
            Some(AttributeValue::B(bytes)) => Some(bytes.into_inner()),
            _ => None,
        })
    }
}
