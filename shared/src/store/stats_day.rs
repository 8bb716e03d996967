//! Days of counts: how slices become one, and how a late event is counted in it.
//!
//! A day is one item with what was counted, and a row of parts with the events that are in it: see [`Parts`]. Up to 16,000 events are
//! one part, as they were before there were rows.

use std::collections::BTreeSet;

use super::conditional::WriteError;
use super::item::Item;
use super::keys::{self, Key, SK, Whose};
use super::retry::{Attempts, MayConflict};
use super::stats::{DAY_MS, book_of, next, seen_blob, seen_of, with_book};
use super::write::Condition;
use super::{Store, StoreError};
use crochet_domain::score::event::EventId;
use crochet_domain::score::facts::PayerFacts;
use crochet_domain::score::fade::day_start_ms;
use crochet_domain::stats::{Book, Counted, DAY_EVENTS, Day, Parts};

/// Time that days are kept: 120 days.
const DAY_KEPT_MS: i64 = 120 * DAY_MS;
/// Time that the events of a day are known: 60 days after it, longer than any call is open.
const SEEN_KEPT_MS: i64 = 60 * DAY_MS;

/// A day, as it was read.
struct ReadDay {
    day: Day,
    book: Option<Item>,
    seen: Vec<Item>,
}

impl Store {
    /// Counts in a day that is over. `count` says whether it has changed anything, and may be called again after a conflict. It may add
    /// 16,000 events at once: more do not fit into one transaction.
    pub async fn count_in_day(&self, whose: Whose, day: i32, mut count: impl FnMut(&mut Day) -> bool) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            match self.try_count_in_day(whose, day, &mut count).await {
                Err(error) if error.is_conflict() => attempts.next_or(error).await?,
                done => return done,
            }
        }
    }

    async fn try_count_in_day(&self, whose: Whose, day: i32, count: &mut impl FnMut(&mut Day) -> bool) -> Result<(), StoreError> {
        self.fold(whose, day).await?;
        let mut read = self.day(whose, day).await?;
        if !count(&mut read.day) {
            return Ok(());
        }
        self.put_day(whose, day, read).await
    }

    /// Replaces what was counted of the payers of a day that is over, and notes that these events are in it.
    pub async fn replace_payers(
        &self,
        whose: Whose,
        day: i32,
        payers: &PayerFacts,
        seen: &BTreeSet<EventId>,
    ) -> Result<(), StoreError> {
        let seen: Vec<EventId> = seen.iter().copied().collect();
        let note = |counted: &mut Day, ids: &[EventId]| ids.iter().fold(false, |is_new, id| counted.seen.note(*id) | is_new);
        let (all_but_last, last) = seen.split_at(seen.len() - seen.len().min(DAY_EVENTS));
        for some in all_but_last.chunks(DAY_EVENTS) {
            // If the process dies before the last of them, the payers still differ, and are replaced by the next comparison.
            self.count_in_day(whose, day, |counted| note(counted, some)).await?;
        }
        let replace = |counted: &mut Day| {
            counted.book.payers = payers.clone();
            note(counted, last);
            true
        };
        self.count_in_day(whose, day, replace).await
    }

    /// Those of these events that are not in a day that is over.
    pub async fn unknown_in_day(&self, whose: Whose, day: i32, ids: &[EventId]) -> Result<BTreeSet<EventId>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let read = async {
                self.fold(whose, day).await?;
                self.day(whose, day).await
            };
            match read.await {
                Ok(read) => return Ok(ids.iter().copied().filter(|id| !read.day.seen.knows(id)).collect()),
                Err(error) if error.is_conflict() => attempts.next_or(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    async fn day(&self, whose: Whose, day: i32) -> Result<ReadDay, StoreError> {
        let (book_key, first) = (keys::stats_day(whose, day), keys::stats_seen(whose, day));
        let mut found = self.table.get_all(&[book_key.clone(), first.clone()]).await?;
        let book = found.take_item(&book_key);
        let mut seen: Vec<Item> = found.take_item(&first).into_iter().collect();
        if seen.first().is_some_and(|item| seen_of(item).count() >= DAY_EVENTS) {
            seen = self.table.query_all(&keys::stats_parts(&first)).await?;
        }
        let parts = seen.iter().map(|item| Counted { seen: seen_of(item).collect(), ..Counted::default() });
        let day = Day {
            book: book.as_ref().map(book_of).transpose()?.unwrap_or_default(),
            seen: Parts::read(parts.collect(), DAY_EVENTS).ok_or(StoreError::Conflict)?,
        };
        Ok(ReadDay { day, book, seen })
    }

    async fn put_day(&self, whose: Whose, day: i32, read: ReadDay) -> Result<(), StoreError> {
        let over = day_start_ms(day + 1);
        let put = next(&keys::stats_day(whose, day), "stats_day", read.book, over + DAY_KEPT_MS)?;
        let mut operations = vec![with_book(put, &read.day.book).into_transact_item(&self.table)?];
        let first = keys::stats_seen(whose, day);
        for (place, part) in read.day.seen.changed() {
            let before = read.seen.get(place).cloned();
            let put = next(&keys::stats_part(&first, place), "stats_seen", before, over + SEEN_KEPT_MS)?;
            operations.push(put.with("s", seen_blob(&part.seen)).into_transact_item(&self.table)?);
        }
        self.table.transact(operations).await.map_err(StoreError::from)
    }

    /// Folds the slices of a day that is over into one item with a row of events, and deletes them. It does nothing if that was done, or
    /// if there are none.
    pub async fn fold(&self, whose: Whose, day: i32) -> Result<(), StoreError> {
        let slices = self.table.query_all(&keys::slices_of(whose, day)).await?;
        if slices.is_empty() {
            return Ok(());
        }
        let (mut book, mut seen, mut sort_keys) = (Book::default(), Vec::new(), Vec::with_capacity(slices.len()));
        for slice in slices {
            book.merge(&book_of(&slice)?);
            seen.extend(seen_of(&slice));
            sort_keys.extend(slice.get(SK).and_then(|sk| sk.as_s().ok()).cloned());
        }
        match self.put_folded(whose, day, &book, seen).await {
            // It was folded before, and the slices are what a process that died has left.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        if self.table.get_item(&keys::stats_day(whose, day)).await?.is_none() {
            return Err(StoreError::Conflict);
        }
        for sk in sort_keys {
            let key = Key { sk, ..keys::stats_day(whose, day) };
            match self.table.remove(&key, Condition::default()).await {
                Ok(()) | Err(WriteError::ConditionFailed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes a day that was folded. Its first part is written with the day, and those behind it before: until there is a day, its
    /// slices are all there, and whoever folds them writes the same parts.
    async fn put_folded(&self, whose: Whose, day: i32, book: &Book, mut seen: Vec<EventId>) -> Result<(), StoreError> {
        seen.sort_unstable();
        seen.dedup();
        let over = day_start_ms(day + 1);
        let first = keys::stats_seen(whose, day);
        let rest = seen.get(DAY_EVENTS..).unwrap_or_default();
        for (place, part) in (1..).zip(rest.chunks(DAY_EVENTS)) {
            let put = next(&keys::stats_part(&first, place), "stats_seen", None, over + SEEN_KEPT_MS)?;
            match self.table.put(put.with("s", seen_blob(part))).await {
                Ok(()) | Err(WriteError::ConditionFailed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        seen.truncate(DAY_EVENTS);
        let put = next(&keys::stats_day(whose, day), "stats_day", None, over + DAY_KEPT_MS)?;
        let put_seen = next(&first, "stats_seen", None, over + SEEN_KEPT_MS)?.with("s", seen_blob(&seen));
        let operations = vec![with_book(put, book).into_transact_item(&self.table)?, put_seen.into_transact_item(&self.table)?];
        self.table.transact(operations).await.map_err(StoreError::from)
    }
}
