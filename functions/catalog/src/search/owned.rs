//! Search over one seller's own listings, whatever their status.

use crochet_domain::listing::Listing;

use super::entry::{Attributes, search_texts};
use super::error::SearchError;
use super::hits::{Hit, Page, page_of};
use super::index::TextIndex;
use super::query::Search;

/// Searches a seller's own listings. They are few, so their index is built for this one search.
pub(crate) fn search_owned(listings: Vec<Listing>, search: &Search) -> Result<Page, SearchError> {
    let relevance = match &search.terms {
        Some(terms) => TextIndex::build(listings.iter().map(search_texts))?.relevance(terms)?,
        None => vec![1; listings.len()],
    };
    let mut hits = Vec::new();
    for (position, listing) in listings.iter().enumerate() {
        let attributes = Attributes::of(listing);
        if relevance[position] > 0 && search.matches(&attributes) {
            hits.push(Hit::new(search.sort, relevance[position], &attributes, (0, position)));
        }
    }
    let total = hits.len();
    let page = page_of(hits, search);
    Ok(Page { listings: page.into_iter().map(|hit| listings[hit.location.1].clone()).collect(), total })
}
