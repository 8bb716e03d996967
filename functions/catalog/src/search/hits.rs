//! Matching listings, their order, and the page that is asked for.

use std::cmp::Reverse;

use crochet_domain::ids::ListingId;
use crochet_domain::listing::Listing;

use super::entry::Attributes;
use super::query::{Search, Sort};

/// One page of search results.
#[derive(Debug, Default)]
pub struct Page {
    /// The listings of this page, in order.
    pub listings: Vec<Listing>,
    /// Number of matches on all pages.
    pub total: usize,
}

/// A matching listing: its sort key and its location.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// Sorts ascending.
    sort_key: (i64, Reverse<u16>, Reverse<i64>, Reverse<ListingId>),
    /// Segment, and position within it.
    pub(crate) location: (usize, usize),
}

impl Hit {
    pub(crate) fn new(sort: Sort, relevance: u16, attributes: &Attributes, location: (usize, usize)) -> Self {
        let (first, score) = match sort {
            Sort::Relevance => (-i64::from(relevance), attributes.score),
            Sort::Newest => (0, 0),
            Sort::Popular => (-attributes.volume, attributes.score),
            Sort::Rating => (-i64::from(attributes.rank), attributes.score),
            Sort::PriceLow => (attributes.price.0, 0),
            Sort::PriceHigh => (-attributes.price.0, 0),
        };
        Self { sort_key: (first, Reverse(score), Reverse(attributes.created_ms), Reverse(attributes.id)), location }
    }
}

/// The hits of the page that `search` asks for, in order.
pub(crate) fn page_of(mut hits: Vec<Hit>, search: &Search) -> Vec<Hit> {
    let limit = search.limit as usize;
    let skipped = (search.page.saturating_sub(1) as usize).saturating_mul(limit);
    if skipped >= hits.len() {
        return Vec::new();
    }
    let end = skipped.saturating_add(limit).min(hits.len());
    // Sort no further than the end of the page.
    if end < hits.len() {
        hits.select_nth_unstable_by_key(end, |hit| hit.sort_key);
        hits.truncate(end);
    }
    hits.sort_unstable_by_key(|hit| hit.sort_key);
    hits.split_off(skipped)
}
