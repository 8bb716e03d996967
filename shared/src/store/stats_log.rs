//! The log of calls that have ended, and of reviews that have changed, from which statistics are counted.

use serde::{Deserialize, Serialize};

use super::item::Item;
use super::keys::{self, Key, PK, SK};
use super::read::Range;
use super::write::Put;
use super::{Store, StoreError};
use crochet_domain::call::CallKey;
use crochet_domain::ids::{ListingId, ProfileId};

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Logged {
    /// A call has ended, or something has become of one that had.
    Call(CallKey),
    /// A review of a listing has changed.
    Review(ListingId, ProfileId),
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogEntry {
    /// What has happened.
    pub logged: Logged,
    /// When (Unix milliseconds).
    pub at_ms: i64,
}

/// How far the log was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogCursor {
    /// Up to where (Unix milliseconds); 0 if it never was.
    pub position_ms: i64,
    /// When this was written (Unix milliseconds).
    #[serde(default)]
    pub written_ms: i64,
    /// Since when something fails to be counted (Unix milliseconds). None if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since_ms: Option<i64>,
}

impl Store {
    /// The entries of this shard from `from_ms` to `to_ms` (Unix milliseconds), the first ones first, at most `limit`.
    pub async fn ended(&self, shard: u8, from_ms: i64, to_ms: i64, limit: i32) -> Result<Vec<LogEntry>, StoreError> {
        let partition = keys::ended_partition(shard);
        let (from, to) = (keys::changed_since(from_ms), keys::changed_since(to_ms + 1));
        let range =
            Range { index: Some(keys::GSI3), partition: &partition, from: Some(&from), to: Some(&to), newest_first: false, limit };
        Ok(self.table.query(&range).await?.iter().filter_map(entry).collect())
    }

    /// How far the log was counted.
    pub async fn log_cursor(&self) -> Result<LogCursor, StoreError> {
        Ok(self.table.get(&keys::stats_cursor()).await?.unwrap_or_default())
    }

    /// Records how far the log was counted. A run in parallel may record an earlier time; then more is read again.
    pub async fn put_log_cursor(&self, cursor: LogCursor) -> Result<(), StoreError> {
        Ok(self.table.put(Put::new(&keys::stats_cursor(), "stats_cursor", &cursor)?).await?)
    }
}

fn entry(item: &Item) -> Option<LogEntry> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let (_, position) = keys::index_attributes(keys::GSI3);
    let at_ms = text(&position)?.split_once('#')?.0.parse().ok()?;
    let key = Key { pk: text(PK)?, sk: text(SK)? };
    let review = || keys::parse_review(&key).map(|(listing, author)| Logged::Review(listing, author));
    Some(LogEntry { logged: keys::call_of_partition(&key.pk).map(Logged::Call).or_else(review)?, at_ms })
}
