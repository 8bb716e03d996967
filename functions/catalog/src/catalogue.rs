//! The catalogue in memory. A browse costs one small read of recent changes, never a scan of the table.
//!
//! An instance starts from the last snapshot, or empty. Every change of a listing moves it to the end of the change feed (`gsi3`).
//! A refresh reads the feed from a minute before its cursor and fetches the listings that are new to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crochet::clock::Clock;
use crochet::store::listing_changes::ListingChange;
use crochet::store::{Store, StoreError};
use crochet_domain::ids::ListingId;
use crochet_domain::timestamp::unix_ms;
use futures::future::try_join_all;
use tokio::sync::Mutex;

use crate::feed_cursor::FeedCursor;
use crate::search::segment::Segment;
use crate::search::segment_set::SegmentSet;
use crate::search::{Page, Search, SearchError};
use crate::snapshot::load;

/// Changes per read of the feed. They are small index entries, far below the megabyte that one query returns.
pub(crate) const FEED_PAGE: i32 = 1_000;
/// Time for loading before the first request. Lambda gives up an initialisation after 10 seconds.
const LOADED_WITHIN: Duration = Duration::from_secs(8);
/// Listings per batch read.
const LISTING_BATCH: usize = 100;

/// All active listings. Clones share the same data.
#[derive(Clone, Debug)]
pub struct Catalogue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    segments: RwLock<SegmentSet>,
    /// Number of refreshes that have been requested.
    requested: AtomicU64,
    refresh: Mutex<RefreshState>,
}

/// What the running refresh owns: one at a time.
#[derive(Debug, Default)]
struct RefreshState {
    /// What the catalogue was first filled from; none before the first refresh.
    origin: Option<Origin>,
    /// Number of the last request that a completed refresh has answered.
    completed: u64,
    cursor: FeedCursor,
}

/// What a catalogue was first filled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The whole change feed.
    Feed,
    /// A snapshot.
    Snapshot,
}

impl Catalogue {
    /// An empty catalogue. The first [`Catalogue::refresh`] fills it, from a snapshot if there is one.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self::with_origin(store, clock, None)
    }

    /// A catalogue that is filled before the first request, so that an instance that is kept ready has it. If that fails or takes too
    /// long, the first request that needs it fills it.
    pub async fn loaded(store: Store, clock: Clock) -> Self {
        let catalogue = Self::new(store, clock);
        match tokio::time::timeout(LOADED_WITHIN, catalogue.refresh()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the catalogue was not loaded at the start"),
            Err(_) => tracing::warn!("the catalogue was not loaded in time at the start"),
        }
        catalogue
    }

    /// An empty catalogue that ignores snapshots: the first [`Catalogue::refresh`] reads the whole change feed.
    pub(crate) fn from_feed(store: Store, clock: Clock) -> Self {
        Self::with_origin(store, clock, Some(Origin::Feed))
    }

    fn with_origin(store: Store, clock: Clock, origin: Option<Origin>) -> Self {
        let refresh = Mutex::new(RefreshState { origin, ..RefreshState::default() });
        Self(Arc::new(Inner { store, clock, segments: RwLock::default(), requested: AtomicU64::new(0), refresh }))
    }

    /// Applies every change that was visible when this was called. Concurrent callers share one refresh.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let request = self.0.requested.fetch_add(1, Ordering::SeqCst) + 1;
        let mut state = self.0.refresh.lock().await;
        if state.completed >= request {
            return Ok(());
        }
        let newest_request = self.0.requested.load(Ordering::SeqCst);
        if state.origin.is_none() {
            state.origin = Some(self.load_snapshot(&mut state.cursor).await?);
        }
        self.read_feed(&mut state.cursor).await?;
        state.completed = newest_request;
        Ok(())
    }

    /// Fills the empty catalogue from the last snapshot, if that can be used.
    async fn load_snapshot(&self, cursor: &mut FeedCursor) -> Result<Origin, StoreError> {
        let Some(loaded) = load::latest(&self.0.store).await? else { return Ok(Origin::Feed) };
        *self.write() = SegmentSet::of(loaded.segment);
        *cursor = FeedCursor::at(loaded.position_ms);
        Ok(Origin::Snapshot)
    }

    /// Reads the feed to its end, then applies everything at once: listings that are indexed together need no merge.
    async fn read_feed(&self, cursor: &mut FeedCursor) -> Result<(), StoreError> {
        let store = &self.0.store;
        let now_ms = unix_ms(self.0.clock.now());
        let mut listings = Vec::new();
        let mut seen = Vec::new();
        let mut changes = store.changed_listings(cursor.read_from_ms(now_ms), FEED_PAGE).await?;
        loop {
            let changed = self.new_to_us(cursor, &changes);
            let reads = changed.chunks(LISTING_BATCH).map(|batch| store.listings_in_brief(batch.iter().copied()));
            listings.extend(try_join_all(reads).await?.into_iter().flatten());
            seen.extend_from_slice(&changes);
            match changes.last() {
                Some(last) if changes.len() >= FEED_PAGE as usize => {
                    changes = store.changed_listings_after(*last, FEED_PAGE).await?
                }
                _ => break,
            }
        }
        self.write().apply(listings)?;
        cursor.record(&seen, now_ms);
        Ok(())
    }

    fn new_to_us(&self, cursor: &FeedCursor, changes: &[ListingChange]) -> Vec<ListingId> {
        let segments = self.read();
        let is_new = |change: &&ListingChange| cursor.is_new(change) && !segments.is_current(change.listing, change.at_ms);
        changes.iter().filter(is_new).map(|change| change.listing).collect()
    }

    /// The active listings that match, as of the last refresh.
    pub fn search(&self, search: &Search) -> Result<Page, SearchError> {
        self.read().search(search)
    }

    /// Number of active listings per category, in the order of `CATEGORIES`, as of the last refresh.
    #[must_use]
    pub fn category_counts(&self) -> Vec<usize> {
        self.read().category_counts()
    }

    /// What the first refresh filled it from; none before that.
    pub async fn origin(&self) -> Option<Origin> {
        self.0.refresh.lock().await.origin
    }

    /// Everything in one segment, and the time up to which it holds all changes (Unix milliseconds).
    pub(crate) async fn merge_all(&self) -> Result<(Segment, i64), SearchError> {
        let state = self.0.refresh.lock().await;
        Ok((self.read().merge_all()?, state.cursor.position_ms()))
    }

    fn read(&self) -> RwLockReadGuard<'_, SegmentSet> {
        self.0.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, SegmentSet> {
        self.0.segments.write().unwrap_or_else(PoisonError::into_inner)
    }
}
