//! Active listings that were indexed together. What they are never changes; which of them still count does.

use crochet::store::StoreError;
use crochet_domain::listing::Listing;

use super::entry::{Entry, Facts, texts};
use super::index::TextIndex;
use super::search::{Hit, Search};

/// Some of the catalogue's listings, by their place among them.
#[derive(Debug)]
pub(crate) struct Segment {
    entries: Vec<Entry>,
    /// By place: whether the listing stands here still, and not in a later segment or nowhere.
    counts: Vec<bool>,
    live: usize,
    index: TextIndex,
}

impl Segment {
    /// Indexes these listings, which are all active.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn build(listings: &[Listing]) -> Result<Self, StoreError> {
        let entries = listings.iter().map(Entry::new).collect::<Result<_, _>>().map_err(defect)?;
        Ok(Self::of(entries, TextIndex::build(listings.iter().map(texts)).map_err(defect)?))
    }

    /// These entries with their index.
    pub(crate) fn of(entries: Vec<Entry>, index: TextIndex) -> Self {
        Self { counts: vec![true; entries.len()], live: entries.len(), entries, index }
    }

    /// Everything that was indexed here, whether it counts or not.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn index(&self) -> &TextIndex {
        &self.index
    }

    /// How many listings count.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// The listing at this place does not count any more.
    pub(crate) fn remove(&mut self, place: usize) {
        if self.counts.get(place) == Some(&true) {
            self.counts[place] = false;
            self.live -= 1;
        }
    }

    /// The facts of the listing at this place.
    pub(crate) fn facts(&self, place: usize) -> Option<&Facts> {
        self.entries.get(place).map(|entry| &entry.facts)
    }

    /// The facts of all listings that count.
    pub(crate) fn live_facts(&self) -> impl Iterator<Item = &Facts> {
        self.entries.iter().zip(&self.counts).filter(|(_, counts)| **counts).map(|(entry, _)| &entry.facts)
    }

    /// The listings that count.
    ///
    /// # Errors
    /// None in practice: a card was written by us.
    pub(crate) fn live_listings(&self) -> Result<Vec<Listing>, StoreError> {
        let live = self.entries.iter().zip(&self.counts).filter(|(_, counts)| **counts);
        live.map(|(entry, _)| entry.listing()).collect::<Result<_, _>>().map_err(defect)
    }

    /// The listing at this place.
    ///
    /// # Errors
    /// As [`Segment::live_listings`].
    pub(crate) fn listing(&self, place: usize) -> Result<Listing, StoreError> {
        self.entries.get(place).ok_or_else(|| defect("no listing at this place"))?.listing().map_err(defect)
    }

    /// Adds the listings that fit to `hits`; `segment` says where this one stands.
    ///
    /// # Errors
    /// As [`TextIndex::relevance`].
    pub(crate) fn find(&self, segment: usize, wanted: &Search, hits: &mut Vec<Hit>) -> Result<(), StoreError> {
        let relevance = match &wanted.words {
            Some(words) => Some(self.index.relevance(words).map_err(defect)?),
            None => None,
        };
        for (place, (entry, counts)) in self.entries.iter().zip(&self.counts).enumerate() {
            let fits = relevance.as_ref().map_or(1, |relevance| relevance[place]);
            if *counts && fits > 0 && wanted.admits(&entry.facts) {
                hits.push(Hit::new(wanted.sort, fits, &entry.facts, (segment, place)));
            }
        }
        Ok(())
    }
}

/// What cannot happen: something of our own is not understood.
pub(crate) fn defect(error: impl std::fmt::Display) -> StoreError {
    StoreError::Defect(format!("search: {error}"))
}
