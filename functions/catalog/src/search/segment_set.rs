//! All active listings, in segments: one large one, and a few small ones for recent changes.

use std::cmp::Reverse;
use std::collections::HashMap;

use crochet_domain::ids::ListingId;
use crochet_domain::listing::{CATEGORIES, Listing, ListingStatus};

use super::error::SearchError;
use super::hits::{Page, page_of};
use super::query::Search;
use super::segment::Segment;

/// A new segment absorbs the segments before it that are at most this many times its size. This keeps segments few, and a
/// listing is indexed again only about as often as the total doubles.
const MERGE_FACTOR: usize = 2;

/// Every active listing.
#[derive(Debug, Default)]
pub(crate) struct SegmentSet {
    /// Largest first.
    segments: Vec<Segment>,
    /// Segment and position of each live listing.
    locations: HashMap<ListingId, (usize, usize)>,
}

impl SegmentSet {
    /// A set of one segment.
    pub(crate) fn of(segment: Segment) -> Self {
        let mut set = Self::default();
        set.push(segment);
        set
    }

    fn push(&mut self, segment: Segment) {
        let number = self.segments.len();
        let entries = segment.entries().iter().enumerate();
        self.locations.reserve(segment.entries().len());
        self.locations.extend(entries.map(|(position, entry)| (entry.attributes.id, (number, position))));
        self.segments.push(segment);
    }

    /// Number of active listings.
    pub(crate) fn len(&self) -> usize {
        self.locations.len()
    }

    #[cfg(test)]
    pub(crate) fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Whether this set holds the listing as changed at this time (Unix milliseconds) or later.
    pub(crate) fn is_current(&self, listing: ListingId, at_ms: i64) -> bool {
        let known = self.locations.get(&listing).and_then(|(segment, position)| self.segments[*segment].attributes(*position));
        known.is_some_and(|attributes| attributes.position_ms >= at_ms)
    }

    /// Adds, replaces or, if they are no longer active, removes listings. Versions older than the one in the set are ignored.
    pub(crate) fn apply(&mut self, listings: impl IntoIterator<Item = Listing>) -> Result<(), SearchError> {
        let mut fresh: HashMap<ListingId, Listing> = HashMap::new();
        for listing in listings {
            if let Some((segment, position)) = self.locations.get(&listing.id).copied() {
                if self.segments[segment].attributes(position).is_some_and(|known| known.version >= listing.version) {
                    continue;
                }
                self.segments[segment].remove(position);
                self.locations.remove(&listing.id);
            }
            match fresh.get(&listing.id) {
                Some(known) if known.version >= listing.version => {}
                _ => drop(fresh.insert(listing.id, listing)),
            }
        }
        let mut fresh: Vec<Listing> = fresh.into_values().filter(|listing| listing.status == ListingStatus::Active).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        while let Some(last) = self.segments.pop_if(|last| last.live_count() <= MERGE_FACTOR * fresh.len()) {
            fresh.extend(last.live_listings()?);
        }
        sort_newest_first(&mut fresh);
        self.push(Segment::build(&fresh)?);
        Ok(())
    }

    /// The listings that match.
    pub(crate) fn search(&self, search: &Search) -> Result<Page, SearchError> {
        let mut hits = Vec::new();
        for (number, segment) in self.segments.iter().enumerate() {
            segment.find(number, search, &mut hits)?;
        }
        let total = hits.len();
        let page = page_of(hits, search).into_iter();
        let listings = page.map(|hit| self.segments[hit.location.0].listing(hit.location.1)).collect::<Result<_, _>>()?;
        Ok(Page { listings, total })
    }

    /// Number of active listings per category, in the order of [`CATEGORIES`].
    pub(crate) fn category_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; CATEGORIES.len()];
        for attributes in self.segments.iter().flat_map(Segment::live_attributes) {
            if let Some(count) = counts.get_mut(usize::from(attributes.category)) {
                *count += 1;
            }
        }
        counts
    }

    /// All active listings in one new segment, newest first: the contents of a snapshot.
    pub(crate) fn merge_all(&self) -> Result<Segment, SearchError> {
        let mut listings = Vec::with_capacity(self.len());
        for segment in &self.segments {
            listings.extend(segment.live_listings()?);
        }
        if listings.len() != self.len() {
            return Err(SearchError::Inconsistent("the segments hold another number of live listings than the set"));
        }
        sort_newest_first(&mut listings);
        Segment::build(&listings)
    }
}

fn sort_newest_first(listings: &mut [Listing]) {
    listings.sort_by_key(|listing| Reverse((listing.created_ms, listing.id)));
}
