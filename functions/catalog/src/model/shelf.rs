//! The active listings, in segments: a large one, and a few small ones of what changed since.

use std::collections::HashMap;

use crochet::store::StoreError;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{CATEGORIES, Listing, ListingStatus};

use super::search::{Page, Search};
use super::segment::{Segment, defect};

/// A new segment takes in those before it that are not more than so many times its size, so that there are few, and a listing is
/// indexed again only as often as their number doubles.
const GROWTH: usize = 2;

/// Everything on offer.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// Earlier ones are larger.
    segments: Vec<Segment>,
    /// Segment and place of each listing.
    places: HashMap<ListingId, (usize, usize)>,
}

impl Shelf {
    /// A shelf of one segment.
    pub(crate) fn of(segment: Segment) -> Self {
        let mut shelf = Self::default();
        shelf.push(segment);
        shelf
    }

    fn push(&mut self, segment: Segment) {
        let at = self.segments.len();
        self.places.reserve(segment.entries().len());
        self.places.extend(segment.entries().iter().enumerate().map(|(place, entry)| (entry.facts.id, (at, place))));
        self.segments.push(segment);
    }

    /// How many listings are on offer.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many segments there are.
    #[cfg(test)]
    pub(crate) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Whether a change of this moment (Unix milliseconds) is known already.
    pub(crate) fn knows(&self, listing: ListingId, at_ms: i64) -> bool {
        let known = self.places.get(&listing).and_then(|(segment, place)| self.segments[*segment].facts(*place));
        known.is_some_and(|facts| facts.updated_ms >= at_ms)
    }

    /// Takes over listings as they are now. An older version than the one that stands here changes nothing.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn apply(&mut self, listings: impl IntoIterator<Item = Listing>) -> Result<(), StoreError> {
        let mut fresh: HashMap<ListingId, Listing> = HashMap::new();
        for listing in listings {
            if let Some((segment, place)) = self.places.get(&listing.id).copied() {
                if self.segments[segment].facts(place).is_some_and(|known| known.version >= listing.version) {
                    continue;
                }
                self.segments[segment].remove(place);
                self.places.remove(&listing.id);
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
        while let Some(last) = self.segments.pop_if(|last| last.live() <= GROWTH * fresh.len()) {
            fresh.extend(last.live_listings()?);
        }
        fresh.sort_by_key(|listing| std::cmp::Reverse((listing.created_ms, listing.id)));
        self.push(Segment::build(&fresh)?);
        Ok(())
    }

    /// The listings that fit.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn search(&self, wanted: &Search) -> Result<Page, StoreError> {
        let mut hits = Vec::new();
        for (at, segment) in self.segments.iter().enumerate() {
            segment.find(at, wanted, &mut hits)?;
        }
        let total = hits.len();
        let page = wanted.page_of(hits);
        let listings = page.into_iter().map(|hit| self.segments[hit.at.0].listing(hit.at.1)).collect::<Result<_, _>>()?;
        Ok(Page { listings, total })
    }

    /// How many listings are on offer in each category, in the order of [`CATEGORIES`].
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; CATEGORIES.len()];
        for facts in self.segments.iter().flat_map(Segment::live_facts) {
            if let Some(count) = counts.get_mut(usize::from(facts.category)) {
                *count += 1;
            }
        }
        counts
    }

    /// Everything on offer in one segment, newest first: what a snapshot holds.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn compacted(&self) -> Result<Segment, StoreError> {
        let mut listings = Vec::with_capacity(self.len());
        for segment in &self.segments {
            listings.extend(segment.live_listings()?);
        }
        if listings.len() != self.len() {
            return Err(defect("the shelf has lost count"));
        }
        listings.sort_by_key(|listing| std::cmp::Reverse((listing.created_ms, listing.id)));
        Segment::build(&listings)
    }
}
