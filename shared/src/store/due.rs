//! What needs attention, in order of the time at which it does.

use super::debt::DueDebt;
use super::item::Item;
use super::keys::{self, Key, PK, SK, Whose};
use super::read::Range;
use super::{Store, StoreError};
use crochet_domain::call::CallKey;

/// A page of what is due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DuePage {
    /// The calls.
    pub calls: Vec<CallKey>,
    /// Debts and refunds, each once.
    pub debts: Vec<DueDebt>,
    /// Since when the first of the page has been due (Unix milliseconds).
    pub oldest_ms: Option<i64>,
    /// Whose counts have to be folded.
    pub stats: Vec<Whose>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl Store {
    /// What of this shard is due at `now_ms` (Unix milliseconds), the first ones first. `from` is the `next` of the page
    /// before.
    pub async fn due(&self, shard: u8, from: Option<&str>, now_ms: i64, limit: i32) -> Result<DuePage, StoreError> {
        let partition = keys::due_partition(shard);
        let to = keys::changed_since(now_ms);
        let range = Range { index: Some(keys::GSI3), partition: &partition, from, to: Some(&to), newest_first: false, limit };
        let (_, position) = keys::index_attributes(keys::GSI3);
        let items = self.table.query(&range).await?;
        let text = |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let is_full = items.len() == usize::try_from(limit).unwrap_or(usize::MAX);
        let last = items.last().and_then(|item| text(item, &position)).filter(|_| is_full);
        let oldest_ms = items.first().and_then(|item| text(item, &position)?.split('#').next()?.parse().ok());
        let mut debts: Vec<DueDebt> = Vec::new();
        let mut stats = Vec::new();
        for item in &items {
            let key = text(item, PK).zip(text(item, SK)).map(|(pk, sk)| Key { pk, sk });
            stats.extend(key.as_ref().and_then(keys::parse_stats_due));
            debts.extend(key.as_ref().and_then(DueDebt::of).filter(|debt| !debts.contains(debt)));
        }
        Ok(DuePage {
            calls: items.iter().filter_map(|item| keys::call_of_partition(&text(item, PK)?)).collect(),
            debts,
            oldest_ms,
            stats,
            next: last.map(|position| keys::just_after(&position)),
        })
    }
}
