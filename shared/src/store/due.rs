//! The calls that need attention, in order of the time at which they do.

use super::item::Item;
use super::keys::{self, PK};
use super::read::Range;
use super::{Store, StoreError};
use crochet_domain::call::CallKey;

/// A page of what is due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DuePage {
    /// The calls.
    pub calls: Vec<CallKey>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl Store {
    /// Calls of this shard that are due at `now_ms` (Unix milliseconds), the first ones first. `from` is the `next` of the page
    /// before.
    pub async fn due_calls(&self, shard: u8, from: Option<&str>, now_ms: i64, limit: i32) -> Result<DuePage, StoreError> {
        let partition = keys::due_partition(shard);
        let to = keys::changed_since(now_ms);
        let range = Range { index: Some(keys::GSI3), partition: &partition, from, to: Some(&to), newest_first: false, limit };
        let (_, position) = keys::index_attributes(keys::GSI3);
        let items = self.table.query(&range).await?;
        let text = |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let is_full = items.len() == usize::try_from(limit).unwrap_or(usize::MAX);
        let last = items.last().and_then(|item| text(item, &position)).filter(|_| is_full);
        Ok(DuePage {
            calls: items.iter().filter_map(|item| keys::call_of_partition(&text(item, PK)?)).collect(),
            next: last.map(|position| keys::just_after(&position)),
        })
    }
}
