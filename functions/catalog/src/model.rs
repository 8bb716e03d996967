//! The catalogue in memory: browsing costs one small read of what changed, never a scan of the table.
//!
//! Every change of a listing gives it a new place in the order of change (`gsi3`). The model reads that order from a minute
//! before the last change it knows, because the index may lag and clocks differ, and fetches the listings that are new to it.

mod entry;
pub mod search;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crochet::clock::{Clock, unix_ms};
use crochet::domain::ids::ListingId;
use crochet::domain::listing::{Listing, ListingStatus};
use crochet::store::listing::ListingChange;
use crochet::store::{Store, StoreError};
use futures::future::try_join_all;
use tokio::sync::Mutex;

use entry::Entry;
use search::{Page, Search};

/// How far back the order of change is read again (milliseconds).
const OVERLAP_MS: i64 = 60_000;
/// Changes of one read: small index entries, far below the megabyte that one query gives.
const CHANGES: i32 = 1_000;
/// Listings of one batch read.
const BATCH: usize = 100;

/// The listings on offer. Clones share one model.
#[derive(Clone, Debug)]
pub struct Catalogue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    shelf: RwLock<Shelf>,
    /// Numbers the wishes to be up to date.
    wishes: AtomicU64,
    follower: Mutex<Follower>,
}

/// What is known of the order of change. One reader at a time moves it.
#[derive(Debug, Default)]
struct Follower {
    /// The newest wish that the last refresh began after.
    granted: u64,
    /// The time up to which changes are known; never ahead of our own clock, whatever a writer's clock said.
    known_ms: i64,
    /// The changes since a minute before that, which are applied already.
    recent: HashMap<ListingId, i64>,
}

impl Catalogue {
    /// An empty catalogue over the store; the first [`Catalogue::refresh`] fills it.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self(Arc::new(Inner { store, clock, shelf: RwLock::default(), wishes: AtomicU64::new(0), follower: Mutex::default() }))
    }

    /// Takes over every change that was visible when this was called. Callers that wait for each other share one refresh.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let wish = self.0.wishes.fetch_add(1, Ordering::SeqCst) + 1;
        let mut follower = self.0.follower.lock().await;
        if follower.granted >= wish {
            return Ok(());
        }
        let granted = self.0.wishes.load(Ordering::SeqCst);
        self.follow(&mut follower).await?;
        follower.granted = granted;
        Ok(())
    }

    async fn follow(&self, follower: &mut Follower) -> Result<(), StoreError> {
        let store = &self.0.store;
        let now_ms = unix_ms(self.0.clock.now());
        let mut changes = store.changed_listings(follower.known_ms.min(now_ms) - OVERLAP_MS, CHANGES).await?;
        loop {
            let unknown: Vec<_> = changes.iter().filter(|change| follower.is_news(change)).map(|change| change.listing).collect();
            let fetched = try_join_all(unknown.chunks(BATCH).map(|batch| store.listings_in_brief(batch.iter().copied()))).await?;
            self.0.shelf.write().unwrap_or_else(PoisonError::into_inner).apply(fetched.into_iter().flatten());
            follower.note(&changes, now_ms);
            match changes.last() {
                Some(last) if changes.len() >= CHANGES as usize => changes = store.changed_listings_after(*last, CHANGES).await?,
                _ => return Ok(()),
            }
        }
    }

    /// The active listings that fit, as of the last refresh.
    #[must_use]
    pub fn search(&self, wanted: &Search) -> Page {
        let shelf = self.0.shelf.read().unwrap_or_else(PoisonError::into_inner);
        search::search(shelf.newest_first.values(), wanted)
    }

    /// Active listings by category, as of the last refresh.
    #[must_use]
    pub fn counts(&self) -> HashMap<String, usize> {
        let shelf = self.0.shelf.read().unwrap_or_else(PoisonError::into_inner);
        let mut counts = HashMap::new();
        for entry in shelf.newest_first.values() {
            *counts.entry(entry.listing.category.clone()).or_default() += 1;
        }
        counts
    }
}

impl Follower {
    fn is_news(&self, change: &ListingChange) -> bool {
        self.recent.get(&change.listing).is_none_or(|known_ms| *known_ms < change.at_ms)
    }

    fn note(&mut self, changes: &[ListingChange], now_ms: i64) {
        for change in changes {
            self.known_ms = self.known_ms.max(change.at_ms).min(now_ms);
            self.recent.insert(change.listing, change.at_ms);
        }
        let forgotten_ms = self.known_ms - OVERLAP_MS;
        self.recent.retain(|_, at_ms| *at_ms >= forgotten_ms);
    }
}

/// Where a listing stands in the order of creation, newest first.
type Place = (Reverse<i64>, Reverse<ListingId>);

fn place(listing: &Listing) -> Place {
    (Reverse(listing.created_ms), Reverse(listing.id))
}

/// The active listings.
#[derive(Debug, Default)]
struct Shelf {
    newest_first: BTreeMap<Place, Entry>,
}

impl Shelf {
    /// Takes over listings as they are now. An older version than the one that stands here changes nothing.
    fn apply(&mut self, listings: impl Iterator<Item = Listing>) {
        for listing in listings {
            let place = place(&listing);
            if self.newest_first.get(&place).is_some_and(|known| known.listing.version >= listing.version) {
                continue;
            }
            if listing.status == ListingStatus::Active {
                self.newest_first.insert(place, Entry::new(listing));
            } else {
                self.newest_first.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests;
