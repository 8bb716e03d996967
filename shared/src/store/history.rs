//! A profile's calls and ledger entries, newest first, merged from what it bought and what it sold.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use time::{Duration, OffsetDateTime};

use super::item::Item;
use super::keys::{self, Key, PK, SK};
use super::read::Range;
use super::{Store, StoreError};
use crochet_domain::call::ledger::LedgerRecord;
use crochet_domain::call::{Call, CallKey};
use crochet_domain::ids::{CallId, ProfileId};

/// Which side of a profile's history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What it bought.
    Buyer,
    /// What it sold.
    Seller,
    /// Both of these.
    All,
}

impl Side {
    /// Parses the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "buyer" => Some(Self::Buyer),
            "seller" => Some(Self::Seller),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// Which page of a history to read.
#[derive(Debug, Clone, Copy)]
pub struct HistoryPage<'a> {
    /// The profile.
    pub profile: ProfileId,
    /// Which side of its history.
    pub side: Side,
    /// Only items older than this id.
    pub before: Option<&'a str>,
    /// The current time.
    pub now: OffsetDateTime,
    /// Maximum number of items.
    pub limit: usize,
}

/// An item of an index: its time, and the key of the whole item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct IndexHit {
    id: String,
    pk: String,
    sk: String,
}

#[derive(Clone, Copy)]
enum History {
    Calls,
    Entries,
}

/// Waits before each look for an index entry: an index lags a moment behind its table.
const LAGS: [std::time::Duration; 3] =
    [std::time::Duration::ZERO, std::time::Duration::from_millis(50), std::time::Duration::from_millis(200)];
/// Days of a seller's history that are queried at the same time: few at first, more if they hold little.
const DAYS_AT_ONCE: [i64; 4] = [2, 8, 32, 64];

impl Store {
    /// Calls of a profile, newest first.
    pub async fn call_history(&self, page: HistoryPage<'_>) -> Result<Vec<Call>, StoreError> {
        let hits = self.hits(History::Calls, page).await?;
        let calls: Vec<CallKey> = hits.iter().filter_map(|hit| keys::call_of_partition(&hit.pk)).collect();
        self.calls(&calls).await
    }

    /// The key of a party's call with this id, if its index entry has arrived.
    pub(super) async fn call_keys(&self, id: CallId, party: ProfileId) -> Result<Option<CallKey>, StoreError> {
        let text = id.to_string();
        let at = crochet_domain::timestamp::from_unix_ms(id.created_ms());
        let partitions =
            [(keys::GSI1, keys::buyer_history_partition(party)), (keys::GSI2, keys::seller_history_partition(party, at))];
        for wait in LAGS {
            tokio::time::sleep(wait).await;
            let queries = partitions.iter().map(|(index, partition)| {
                let range =
                    Range { index: Some(index), partition, from: Some(&text), to: Some(&text), newest_first: true, limit: 1 };
                async move { self.table.query(&range).await }
            });
            let found = try_join_all(queries).await?.into_iter().flatten().next();
            let pk = found.and_then(|item| item.get(PK).and_then(|pk| pk.as_s().ok()).cloned());
            if let Some(key) = pk.and_then(|pk| keys::call_of_partition(&pk)) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Ledger records in which a profile's own accounts have a leg, newest first.
    pub async fn ledger_history(&self, page: HistoryPage<'_>) -> Result<Vec<LedgerRecord>, StoreError> {
        let hits = self.hits(History::Entries, page).await?;
        let wanted: Vec<Key> = hits.into_iter().map(|hit| Key { pk: hit.pk, sk: hit.sk }).collect();
        let mut entries = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                entries.extend(found.take::<LedgerRecord>(key)?);
            }
        }
        Ok(entries)
    }

    async fn hits(&self, history: History, page: HistoryPage<'_>) -> Result<Vec<IndexHit>, StoreError> {
        let bought = async { if page.side == Side::Seller { Ok(Vec::new()) } else { self.bought(history, page).await } };
        let sold = async { if page.side == Side::Buyer { Ok(Vec::new()) } else { self.sold(history, page).await } };
        let (mut hits, sold) = tokio::try_join!(bought, sold)?;
        hits.extend(sold);
        hits.sort_by(|a, b| b.cmp(a));
        // A profile that buys from itself finds the call on both sides.
        hits.dedup_by(|a, b| a.id == b.id);
        hits.truncate(page.limit);
        Ok(hits)
    }

    async fn bought(&self, history: History, page: HistoryPage<'_>) -> Result<Vec<IndexHit>, StoreError> {
        let partition = match history {
            History::Calls => keys::buyer_history_partition(page.profile),
            History::Entries => keys::account_partition(page.profile),
        };
        self.page(keys::GSI1, &partition, page).await
    }

    /// Reads a seller's days backwards until there are enough items, or until before the profile existed.
    async fn sold(&self, history: History, page: HistoryPage<'_>) -> Result<Vec<IndexHit>, StoreError> {
        let newest = page.before.and_then(created_at).unwrap_or(page.now).max(page.profile.created_at());
        let mut days = (newest.date() - page.profile.created_at().date()).whole_days() + 1;
        let mut hits = Vec::new();
        let mut day = newest;
        for width in DAYS_AT_ONCE.into_iter().chain(std::iter::repeat(DAYS_AT_ONCE[3])) {
            if days <= 0 || hits.len() >= page.limit {
                break;
            }
            let partitions: Vec<String> = (0..width.min(days))
                .map(|back| day - Duration::days(back))
                .map(|at| match history {
                    History::Calls => keys::seller_history_partition(page.profile, at),
                    History::Entries => keys::earnings_partition(page.profile, at),
                })
                .collect();
            let pages = try_join_all(partitions.iter().map(|partition| self.page(keys::GSI2, partition, page))).await?;
            hits.extend(pages.into_iter().flatten());
            days -= width;
            day -= Duration::days(width);
        }
        Ok(hits)
    }

    async fn page(&self, index: &'static str, partition: &str, page: HistoryPage<'_>) -> Result<Vec<IndexHit>, StoreError> {
        // One more than needed, because the range includes `before` itself.
        let limit = i32::try_from(page.limit + 1).unwrap_or(i32::MAX);
        let items = self
            .table
            .query(&Range { index: Some(index), partition, from: None, to: page.before, newest_first: true, limit })
            .await?;
        let (_, id) = keys::index_attributes(index);
        let hits = items.iter().filter_map(|item| hit(item, &id));
        Ok(hits.filter(|hit| page.before != Some(hit.id.as_str())).collect())
    }
}

fn hit(item: &Item, id: &str) -> Option<IndexHit> {
    let text = |name: &str| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
    Some(IndexHit { id: text(id)?, pk: text(PK)?, sk: text(SK)? })
}

/// When the item with this id was created: ids of calls and entries end in a ULID.
fn created_at(id: &str) -> Option<OffsetDateTime> {
    let ulid = ulid::Ulid::from_string(id.rsplit('_').next()?).ok()?;
    Some(crochet_domain::timestamp::from_unix_ms(i64::try_from(ulid.timestamp_ms()).ok()?))
}
