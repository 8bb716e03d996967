//! The catalogue in memory: browsing costs one small read of what changed, never a scan of the table.
//!
//! An instance begins with the last snapshot, or with nothing. Every change of a listing gives it a new place in the order of
//! change (`gsi3`). The model reads that order from a minute before the last change it knows, because the index may lag and
//! clocks differ, and fetches the listings that are new to it.

pub(crate) mod entry;
pub(crate) mod index;
pub mod search;
pub(crate) mod segment;
pub(crate) mod shelf;
pub mod text;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crochet::clock::Clock;
use crochet::store::feed::ListingChange;
use crochet::store::{Store, StoreError};
use crochet_domain::ids::ListingId;
use crochet_domain::timestamp::unix_ms;
use futures::future::try_join_all;
use tokio::sync::Mutex;

use crate::snapshot::load;
use search::{Page, Search};
use segment::Segment;
use shelf::Shelf;

/// How far back the order of change is read again (milliseconds).
pub(crate) const OVERLAP_MS: i64 = 60_000;
/// What is older than this is known, whether anything has changed since or not (milliseconds): more than an index lags.
const QUIET_MS: i64 = 5 * OVERLAP_MS;
/// Changes of one read: small index entries, far below the megabyte that one query gives.
pub(crate) const CHANGES: i32 = 1_000;
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
    /// What the shelf began with.
    origin: Option<Origin>,
    /// The newest wish that the last refresh began after.
    granted: u64,
    /// The time up to which changes are known; never ahead of our own clock, whatever a writer's clock said.
    known_ms: i64,
    /// The changes since a minute before that, which are applied already.
    recent: HashMap<ListingId, i64>,
}

/// What a catalogue has begun with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The whole order of change.
    Feed,
    /// A snapshot.
    Snapshot,
}

impl Catalogue {
    /// An empty catalogue over the store; the first [`Catalogue::refresh`] fills it, from a snapshot if there is one.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self::beginning(store, clock, Follower::default())
    }

    /// An empty catalogue that the first [`Catalogue::refresh`] fills from the order of change alone.
    pub(crate) fn from_feed(store: Store, clock: Clock) -> Self {
        Self::beginning(store, clock, Follower { origin: Some(Origin::Feed), ..Follower::default() })
    }

    fn beginning(store: Store, clock: Clock, follower: Follower) -> Self {
        let (shelf, wishes) = (RwLock::default(), AtomicU64::new(0));
        Self(Arc::new(Inner { store, clock, shelf, wishes, follower: Mutex::new(follower) }))
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
        if follower.origin.is_none() {
            self.begin(&mut follower).await?;
        }
        self.follow(&mut follower).await?;
        follower.granted = granted;
        Ok(())
    }

    /// Fills the empty shelf from the last snapshot; where none can be used, the order of change will.
    async fn begin(&self, follower: &mut Follower) -> Result<(), StoreError> {
        follower.origin = Some(match load::latest(&self.0.store).await? {
            Some(loaded) => {
                *self.0.shelf.write().unwrap_or_else(PoisonError::into_inner) = Shelf::of(loaded.segment);
                follower.known_ms = loaded.position_ms;
                Origin::Snapshot
            }
            None => Origin::Feed,
        });
        Ok(())
    }

    /// Reads the order of change to its end, and applies all of it at once: what is indexed together need not be merged.
    async fn follow(&self, follower: &mut Follower) -> Result<(), StoreError> {
        let store = &self.0.store;
        let now_ms = unix_ms(self.0.clock.now());
        let mut listings = Vec::new();
        let mut seen = Vec::new();
        let mut changes = store.changed_listings(follower.known_ms.min(now_ms) - OVERLAP_MS, CHANGES).await?;
        loop {
            let unknown = self.unknown(follower, &changes);
            let fetched = try_join_all(unknown.chunks(BATCH).map(|batch| store.listings_in_brief(batch.iter().copied()))).await?;
            listings.extend(fetched.into_iter().flatten());
            seen.extend_from_slice(&changes);
            match changes.last() {
                Some(last) if changes.len() >= CHANGES as usize => changes = store.changed_listings_after(*last, CHANGES).await?,
                _ => break,
            }
        }
        self.0.shelf.write().unwrap_or_else(PoisonError::into_inner).apply(listings)?;
        follower.note(&seen, now_ms);
        Ok(())
    }

    fn unknown(&self, follower: &Follower, changes: &[ListingChange]) -> Vec<ListingId> {
        let shelf = self.0.shelf.read().unwrap_or_else(PoisonError::into_inner);
        let is_news = |change: &&ListingChange| follower.is_news(change) && !shelf.knows(change.listing, change.at_ms);
        changes.iter().filter(is_news).map(|change| change.listing).collect()
    }

    /// The active listings that fit, as of the last refresh.
    ///
    /// # Errors
    /// None in practice.
    pub fn search(&self, wanted: &Search) -> Result<Page, StoreError> {
        self.0.shelf.read().unwrap_or_else(PoisonError::into_inner).search(wanted)
    }

    /// Active listings by category, in the order of `CATEGORIES`, as of the last refresh.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        self.0.shelf.read().unwrap_or_else(PoisonError::into_inner).counts()
    }

    /// What it has begun with; none before the first refresh.
    pub async fn origin(&self) -> Option<Origin> {
        self.0.follower.lock().await.origin
    }

    /// All of it in one segment, and the time up to which changes are in it (Unix milliseconds).
    pub(crate) async fn compacted(&self) -> Result<(Segment, i64), StoreError> {
        let follower = self.0.follower.lock().await;
        let shelf = self.0.shelf.read().unwrap_or_else(PoisonError::into_inner);
        Ok((shelf.compacted()?, follower.known_ms))
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
        // Time moves the window on, too: in a quiet market the last burst would otherwise be read again with every browse.
        self.known_ms = self.known_ms.max(now_ms - QUIET_MS);
        let forgotten_ms = self.known_ms - OVERLAP_MS;
        self.recent.retain(|_, at_ms| *at_ms >= forgotten_ms);
    }
}

#[cfg(test)]
pub(crate) mod tests;
