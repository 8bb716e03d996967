//! Active listings that were indexed together. The segment is immutable, except that listings in it can be marked dead.

use crochet_domain::listing::Listing;

use super::entry::{Attributes, Entry, search_texts};
use super::error::SearchError;
use super::hits::Hit;
use super::index::TextIndex;
use super::query::Search;

/// Part of the catalogue's listings, addressed by position.
#[derive(Debug)]
pub(crate) struct Segment {
    entries: Vec<Entry>,
    /// By position: false once the listing has moved to a later segment or is no longer active.
    is_live: Vec<bool>,
    live_count: usize,
    index: TextIndex,
}

impl Segment {
    /// Indexes these listings, which are all active.
    pub(crate) fn build(listings: &[Listing]) -> Result<Self, SearchError> {
        let entries = listings.iter().map(Entry::new).collect::<Result<_, _>>()?;
        Ok(Self::from_parts(entries, TextIndex::build(listings.iter().map(search_texts))?))
    }

    /// A segment of these entries, all live, and their index.
    pub(crate) fn from_parts(entries: Vec<Entry>, index: TextIndex) -> Self {
        Self { is_live: vec![true; entries.len()], live_count: entries.len(), entries, index }
    }

    /// Every entry, live or dead.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn index(&self) -> &TextIndex {
        &self.index
    }

    /// Number of live listings.
    pub(crate) fn live_count(&self) -> usize {
        self.live_count
    }

    /// Marks the listing at this position dead.
    pub(crate) fn remove(&mut self, position: usize) {
        if self.is_live.get(position) == Some(&true) {
            self.is_live[position] = false;
            self.live_count -= 1;
        }
    }

    pub(crate) fn attributes(&self, position: usize) -> Option<&Attributes> {
        self.entries.get(position).map(|entry| &entry.attributes)
    }

    pub(crate) fn live_attributes(&self) -> impl Iterator<Item = &Attributes> {
        self.live_entries().map(|(_, entry)| &entry.attributes)
    }

    pub(crate) fn live_listings(&self) -> Result<Vec<Listing>, SearchError> {
        self.live_entries().map(|(_, entry)| entry.listing().map_err(SearchError::from)).collect()
    }

    /// The listing at this position, live or dead.
    pub(crate) fn listing(&self, position: usize) -> Result<Listing, SearchError> {
        let entry = self.entries.get(position).ok_or(SearchError::Inconsistent("no listing at this position"))?;
        Ok(entry.listing()?)
    }

    /// Appends every live match to `hits`; `segment` is this segment's number.
    pub(crate) fn find(&self, segment: usize, search: &Search, hits: &mut Vec<Hit>) -> Result<(), SearchError> {
        let relevance = match &search.terms {
            Some(terms) => Some(self.index.relevance(terms)?),
            None => None,
        };
        for (position, entry) in self.live_entries() {
            let relevance = relevance.as_ref().map_or(1, |relevance| relevance[position]);
            if relevance > 0 && search.matches(&entry.attributes) {
                hits.push(Hit::new(search.sort, relevance, &entry.attributes, (segment, position)));
            }
        }
        Ok(())
    }

    fn live_entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().zip(&self.is_live).filter(|(_, is_live)| **is_live).map(|(entry, _)| entry)
    }
}
