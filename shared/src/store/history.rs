//! Histories, newest first: a profile's calls and ledger entries, merged from what it bought and what it sold.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use time::{Duration, OffsetDateTime};

use super::keys::{self, Key, PK, SK};
use super::table::{Item, Range};
use super::{Store, StoreError};
use crochet_domain::call::Call;
use crochet_domain::call::entry::Entry;
use crochet_domain::ids::ProfileId;

/// Which of a profile's two sides is read.
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
    /// Reads the name on the wire.
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

/// A stretch of a history.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// Whose history.
    pub profile: ProfileId,
    /// Which side of it.
    pub side: Side,
    /// Only what is older than this id.
    pub before: Option<&'a str>,
    /// The present moment.
    pub now: OffsetDateTime,
    /// At most so many.
    pub limit: usize,
}

/// An item of an index: its place in time, and where the whole item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    id: String,
    pk: String,
    sk: String,
}

#[derive(Clone, Copy)]
enum History {
    Calls,
    Entries,
}

/// Days of a seller's history that are asked for at once: few at first, more where it turns out to be quiet.
const DAYS_AT_ONCE: [i64; 4] = [2, 8, 32, 64];

impl Store {
    /// Calls of a profile, newest first.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn call_history(&self, stretch: Stretch<'_>) -> Result<Vec<Call>, StoreError> {
        let places = self.places(History::Calls, stretch).await?;
        let homes: Vec<String> = places.iter().filter_map(|place| place.pk.strip_prefix("CALL#")).map(str::to_owned).collect();
        self.calls(&homes).await
    }

    /// Ledger entries of a profile's own accounts, newest first.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn entry_history(&self, stretch: Stretch<'_>) -> Result<Vec<Entry>, StoreError> {
        let places = self.places(History::Entries, stretch).await?;
        let wanted: Vec<Key> = places.into_iter().map(|place| Key { pk: place.pk, sk: place.sk }).collect();
        let mut entries = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                entries.extend(found.take::<Entry>(key)?);
            }
        }
        Ok(entries)
    }

    async fn places(&self, history: History, stretch: Stretch<'_>) -> Result<Vec<Place>, StoreError> {
        let bought = async { if stretch.side == Side::Seller { Ok(Vec::new()) } else { self.bought(history, stretch).await } };
        let sold = async { if stretch.side == Side::Buyer { Ok(Vec::new()) } else { self.sold(history, stretch).await } };
        let (mut places, sold) = tokio::try_join!(bought, sold)?;
        places.extend(sold);
        places.sort_by(|a, b| b.cmp(a));
        // Somebody who buys of themselves finds the call on both sides.
        places.dedup_by(|a, b| a.id == b.id);
        places.truncate(stretch.limit);
        Ok(places)
    }

    async fn bought(&self, history: History, stretch: Stretch<'_>) -> Result<Vec<Place>, StoreError> {
        let partition = match history {
            History::Calls => keys::buyer_history_partition(stretch.profile),
            History::Entries => keys::account_partition(stretch.profile),
        };
        self.page(keys::GSI1, &partition, stretch).await
    }

    /// Walks a seller's days backwards until there is enough, or the profile did not exist yet.
    async fn sold(&self, history: History, stretch: Stretch<'_>) -> Result<Vec<Place>, StoreError> {
        let newest = stretch.before.and_then(created_at).unwrap_or(stretch.now).max(stretch.profile.created_at());
        let mut days = (newest.date() - stretch.profile.created_at().date()).whole_days() + 1;
        let mut places = Vec::new();
        let mut day = newest;
        for width in DAYS_AT_ONCE.into_iter().chain(std::iter::repeat(DAYS_AT_ONCE[3])) {
            if days <= 0 || places.len() >= stretch.limit {
                break;
            }
            let partitions: Vec<String> = (0..width.min(days))
                .map(|back| day - Duration::days(back))
                .map(|at| match history {
                    History::Calls => keys::seller_history_partition(stretch.profile, at),
                    History::Entries => keys::earnings_partition(stretch.profile, at),
                })
                .collect();
            let pages = try_join_all(partitions.iter().map(|partition| self.page(keys::GSI2, partition, stretch))).await?;
            places.extend(pages.into_iter().flatten());
            days -= width;
            day -= Duration::days(width);
        }
        Ok(places)
    }

    async fn page(&self, index: &'static str, partition: &str, stretch: Stretch<'_>) -> Result<Vec<Place>, StoreError> {
        // One more than asked for: the range includes `before` itself.
        let limit = i32::try_from(stretch.limit + 1).unwrap_or(i32::MAX);
        let items = self
            .table
            .query(&Range { index: Some(index), partition, from: None, to: stretch.before, newest_first: true, limit })
            .await?;
        let (_, id) = keys::index_attributes(index);
        let places = items.iter().filter_map(|item| place(item, &id));
        Ok(places.filter(|place| stretch.before != Some(place.id.as_str())).collect())
    }
}

fn place(item: &Item, id: &str) -> Option<Place> {
    let text = |name: &str| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
    Some(Place { id: text(id)?, pk: text(PK)?, sk: text(SK)? })
}

/// When the thing with this id came about: the ids of calls and entries end in a ULID.
fn created_at(id: &str) -> Option<OffsetDateTime> {
    let ulid = ulid::Ulid::from_string(id.rsplit('_').next()?).ok()?;
    Some(crochet_domain::timestamp::from_unix_ms(i64::try_from(ulid.timestamp_ms()).ok()?))
}
