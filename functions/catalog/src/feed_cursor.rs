//! How far an instance has read the feed of listing changes.

use std::collections::HashMap;

use crochet::store::listing_changes::ListingChange;
use crochet_domain::ids::ListingId;

/// How far the cursor stays behind the newest change it has read (milliseconds): the index may lag, and writers' clocks differ.
pub(crate) const OVERLAP_MS: i64 = 60_000;
/// Maximum distance of the cursor behind the clock (milliseconds). Longer than an index lags.
const MAX_LAG_MS: i64 = 5 * OVERLAP_MS;

/// A position in the change feed, and the changes just before it that are applied already.
#[derive(Debug, Default)]
pub(crate) struct FeedCursor {
    /// The time up to which changes are known (Unix milliseconds). Never ahead of our own clock, whatever a writer's clock said.
    position_ms: i64,
    /// Changes within [`OVERLAP_MS`] before the position.
    recent: HashMap<ListingId, i64>,
}

impl FeedCursor {
    /// A cursor at this time (Unix milliseconds), with no recent changes.
    pub(crate) fn at(position_ms: i64) -> Self {
        Self { position_ms, recent: HashMap::new() }
    }

    pub(crate) fn position_ms(&self) -> i64 {
        self.position_ms
    }

    /// Where to continue reading: the overlap before the position.
    pub(crate) fn read_from_ms(&self, now_ms: i64) -> i64 {
        self.position_ms.min(now_ms) - OVERLAP_MS
    }

    /// Whether a change has not been recorded.
    pub(crate) fn is_new(&self, change: &ListingChange) -> bool {
        self.recent.get(&change.listing).is_none_or(|known_ms| *known_ms < change.at_ms)
    }

    /// Records changes as applied and moves the position on.
    pub(crate) fn record(&mut self, changes: &[ListingChange], now_ms: i64) {
        for change in changes {
            self.position_ms = self.position_ms.max(change.at_ms).min(now_ms);
            self.recent.insert(change.listing, change.at_ms);
        }
        // Time moves the position too. Otherwise, in a quiet market, every browse would read the last burst of changes again.
        self.position_ms = self.position_ms.max(now_ms - MAX_LAG_MS);
        let oldest_ms = self.position_ms - OVERLAP_MS;
        self.recent.retain(|_, at_ms| *at_ms >= oldest_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::listing;

    #[test]
    fn changes_of_the_last_minute_are_known_and_older_ones_forgotten() {
        const NOW: i64 = 3 * OVERLAP_MS;
        let (one, other) = (listing("One", 1).id, listing("Other", 2).id);
        let mut cursor = FeedCursor::default();
        cursor.record(&[ListingChange { listing: one, at_ms: 1_000 }], NOW);
        assert!(!cursor.is_new(&ListingChange { listing: one, at_ms: 1_000 }));
        assert!(cursor.is_new(&ListingChange { listing: one, at_ms: 1_001 }));
        cursor.record(&[ListingChange { listing: other, at_ms: 1_000 + OVERLAP_MS }], NOW);
        assert_eq!(cursor.recent.len(), 2);
        cursor.record(&[ListingChange { listing: other, at_ms: 1_001 + OVERLAP_MS }], NOW);
        assert_eq!(cursor.recent.len(), 1);
        assert_eq!(cursor.position_ms, 1_001 + OVERLAP_MS);
        // A writer whose clock is ahead hides nothing of the others.
        cursor.record(&[ListingChange { listing: one, at_ms: 2 * NOW }], NOW);
        assert_eq!(cursor.position_ms, NOW);
        assert!(!cursor.is_new(&ListingChange { listing: one, at_ms: 2 * NOW }));
        // After a quiet hour the last burst is out of the overlap.
        let later = NOW + 60 * OVERLAP_MS;
        cursor.record(&[], later);
        assert_eq!((cursor.position_ms, cursor.recent.len()), (later - MAX_LAG_MS, 0));
    }
}
