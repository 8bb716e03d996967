//! What is counted of calls: slices of ten minutes, and days that are over.
//!
//! An event is counted in the slice of its call's end while slices of that day may change, which is until the day after. A later one
//! is counted in the day itself: see `stats_day`. Slices and days know the events that are in them, so that one that comes again
//! changes nothing.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::conditional::WriteError;
use super::item::{Item, n, record};
use super::keys::{self, Key, SK, Whose};
use super::write::{Condition, Put};
use super::{Store, StoreError};
use crochet_domain::ids::ProfileId;
use crochet_domain::score::event::EventId;
use crochet_domain::score::facts::PayerFacts;
use crochet_domain::score::fade::{DAYS, day_of, day_start_ms};
use crochet_domain::stats::{Book, Counted, Parts, Place, Report, SLICE_EVENTS, place};

/// Time that slices are kept: a week, so that a fold that was missed heals.
const SLICE_KEPT_MS: i64 = 7 * DAY_MS;
/// Time that it is known who has paid whom: 92 days.
const PAID_KEPT_MS: i64 = 92 * DAY_MS;
pub(super) const DAY_MS: i64 = 24 * 3_600_000;

/// A slice, as it was read.
#[derive(Debug)]
pub struct Slice {
    /// What was counted in it.
    pub counted: Parts,
    read: Vec<Item>,
    first: Key,
    at_ms: i64,
}

impl Slice {
    /// Whether nothing was counted in it before.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.read.is_empty()
    }
}

fn bytes(item: &Item, name: &str) -> Vec<u8> {
    match item.get(name) {
        Some(AttributeValue::B(blob)) => blob.as_ref().to_vec(),
        _ => Vec::new(),
    }
}

fn blob(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

fn version(item: &Item) -> u64 {
    item.get("v").and_then(|v| v.as_n().ok()).and_then(|v| v.parse().ok()).unwrap_or(0)
}

pub(super) fn book_of(item: &Item) -> Result<Book, StoreError> {
    let mut book = Book { payers: PayerFacts::from_bytes(&bytes(item, "p")).map_err(StoreError::defect)?, ..Book::default() };
    book.add_listings(&bytes(item, "l")).map_err(StoreError::defect)?;
    Ok(book)
}

pub(super) fn seen_of(item: &Item) -> impl Iterator<Item = EventId> + use<> {
    bytes(item, "s").as_chunks::<8>().0.to_vec().into_iter()
}

pub(super) fn with_book(put: Put, book: &Book) -> Put {
    put.with("p", blob(book.payers.to_bytes())).with("l", blob(book.listings_to_bytes()))
}

pub(super) fn seen_blob<'a>(seen: impl IntoIterator<Item = &'a EventId>) -> AttributeValue {
    blob(seen.into_iter().flatten().copied().collect())
}

/// A put of the next version of what was read.
pub(super) fn next(key: &Key, kind: &str, read: Option<Item>, kept_until_ms: i64) -> Result<Put, StoreError> {
    let (seen, condition) = match &read {
        Some(item) => (version(item), Condition::equals("v", n(version(item)))),
        None => (0, Condition::absent()),
    };
    let put = Put::over(read.unwrap_or_default(), key, kind)?.with("v", n(seen + 1));
    Ok(put.expiring(kept_until_ms / 1_000).when(condition))
}

impl Store {
    /// The slice of `at_ms` (Unix milliseconds), to be counted in and written with [`Store::put_slice`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another run wrote it meanwhile.
    pub async fn slice(&self, whose: Whose, at_ms: i64, row: u8) -> Result<Slice, StoreError> {
        let first = keys::slice(whose, at_ms, row);
        let read = self.table.query_all(&keys::stats_parts(&first)).await?;
        let counted = read.iter().map(|item| Ok(Counted { book: book_of(item)?, seen: seen_of(item).collect() }));
        let counted = counted.collect::<Result<_, StoreError>>()?;
        let counted = Parts::read(counted, SLICE_EVENTS).ok_or(StoreError::Conflict)?;
        Ok(Slice { counted, read, first, at_ms })
    }

    /// Writes what has changed of a slice over the version that was read, one part after the other.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another run was first, or the reply to our own write was lost: what is stored says what is new.
    pub async fn put_slice(&self, slice: &Slice) -> Result<(), StoreError> {
        let kept_until = day_start_ms(day_of(slice.at_ms) + 2) + SLICE_KEPT_MS;
        for (place, part) in slice.counted.changed() {
            let key = keys::stats_part(&slice.first, place);
            let put = with_book(next(&key, "stats_slice", slice.read.get(place).cloned(), kept_until)?, &part.book);
            self.table.put(put.with("s", seen_blob(&part.seen))).await?;
        }
        Ok(())
    }

    /// What was counted on each day from `from` to `today`, the slices of days that are not folded included.
    pub async fn books(&self, whose: Whose, from: i32, today: i32) -> Result<BTreeMap<i32, Book>, StoreError> {
        let (days, slices) = (keys::stats_days_from(whose, from), keys::slices(whose));
        let (folded, slices) = tokio::try_join!(self.table.query_all(&days), self.table.query_all(&slices))?;
        let dates: BTreeMap<String, i32> = (from..=today).map(|day| (keys::date_of_day(day), day)).collect();
        let day = |item: &Item| {
            let sk = item.get(SK)?.as_s().ok()?;
            dates.get(keys::date_of_stats(sk)?).copied()
        };
        let mut books: BTreeMap<i32, Book> = BTreeMap::new();
        for item in &folded {
            if let Some(day) = day(item) {
                books.insert(day, book_of(item)?);
            }
        }
        let is_folded: Vec<i32> = books.keys().copied().collect();
        for item in &slices {
            if let Some(day) = day(item).filter(|day| !is_folded.contains(day)) {
                books.entry(day).or_default().merge(&book_of(item)?);
            }
        }
        Ok(books)
    }

    /// The days of slices that may be folded now, each once.
    pub async fn unfolded_days(&self, whose: Whose, now_ms: i64) -> Result<Vec<i32>, StoreError> {
        let today = day_of(now_ms);
        let slices = self.table.query_all(&keys::slices(whose)).await?;
        let dates: Vec<&str> = slices.iter().filter_map(|item| keys::date_of_stats(item.get(SK)?.as_s().ok()?)).collect();
        let is_unfolded =
            |day: &i32| place(day_start_ms(*day), now_ms) == Place::Day && dates.contains(&keys::date_of_day(*day).as_str());
        Ok((today - 30..=today).filter(is_unfolded).collect())
    }

    /// Notes that there are counts to fold on the next day, unless that is noted.
    pub async fn schedule_stats(&self, whose: Whose, at_ms: i64) -> Result<(), StoreError> {
        let put = stats_due_put(whose, at_ms)?.when(Condition::absent());
        match self.table.put(put).await {
            Ok(()) | Err(WriteError::ConditionFailed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes when counts are due next, or that there are none left.
    pub async fn reschedule_stats(&self, whose: Whose, at_ms: Option<i64>) -> Result<(), StoreError> {
        match at_ms {
            Some(at_ms) => Ok(self.table.put(stats_due_put(whose, at_ms)?).await?),
            None => Ok(self.table.remove(&keys::stats_due(whose), Condition::default()).await?),
        }
    }

    /// Notes that a buyer has paid a seller, for 92 days.
    pub async fn note_paid(&self, buyer: ProfileId, seller: ProfileId, at_ms: i64) -> Result<(), StoreError> {
        let put = Put::new(&keys::paid(buyer, seller), "paid", &Paid { day: day_of(at_ms) })?;
        Ok(self.table.put(put.expiring((at_ms + PAID_KEPT_MS) / 1_000)).await?)
    }

    /// The day on which a buyer last paid a seller, of the last 92.
    pub async fn last_paid(&self, buyer: ProfileId, seller: ProfileId) -> Result<Option<i32>, StoreError> {
        let paid: Option<Paid> = self.table.get(&keys::paid(buyer, seller)).await?;
        Ok(paid.map(|paid| paid.day))
    }

    /// The sellers that this buyer has paid in the 91 days before `today`.
    pub async fn sellers_paid_by(&self, buyer: ProfileId, today: i32) -> Result<Vec<ProfileId>, StoreError> {
        let items = self.table.query_all(&keys::paid_by(buyer)).await?;
        let mut sellers = Vec::new();
        for item in items {
            let seller: Option<ProfileId> = item.get(SK).and_then(|sk| sk.as_s().ok()).and_then(|sk| sk.parse().ok());
            if record::<Paid>(item)?.day > today - DAYS {
                sellers.extend(seller);
            }
        }
        Ok(sellers)
    }

    /// The figures of the whole deployment, and when they were written (Unix milliseconds).
    pub async fn total_stats(&self) -> Result<Option<(Report, i64)>, StoreError> {
        let stored: Option<StoredTotal> = self.table.get(&keys::stats_total()).await?;
        Ok(stored.map(|stored| (stored.report, stored.written_ms)))
    }

    /// Writes the figures of the whole deployment.
    pub async fn put_total_stats(&self, report: Report, written_ms: i64) -> Result<(), StoreError> {
        Ok(self.table.put(Put::new(&keys::stats_total(), "stats_total", &StoredTotal { report, written_ms })?).await?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Paid {
    day: i32,
}

#[derive(Serialize, Deserialize)]
struct StoredTotal {
    report: Report,
    written_ms: i64,
}

fn stats_due_put(whose: Whose, at_ms: i64) -> Result<Put, StoreError> {
    Ok(Put::new(&keys::stats_due(whose), "stats_due", &json!({}))?.indexed(Some(keys::stats_due_at(whose, at_ms))))
}
