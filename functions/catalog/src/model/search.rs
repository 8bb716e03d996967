//! What can be asked of the catalogue, and in which order the answer comes. Pure.

use std::cmp::Reverse;

use crochet::store::StoreError;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{CATEGORIES, DeliveryType, Listing, PricingModel};
use crochet_domain::money::Micros;

use super::entry::{Facts, texts};
use super::index::TextIndex;
use super::segment::defect;
use super::text::{Cutter, Word};

/// What is wanted. Everything that is named must fit.
#[derive(Debug, Clone)]
pub struct Search {
    /// Words, each of which must occur; none at all where no text is searched for.
    pub words: Option<Vec<Word>>,
    /// Slug of a category.
    pub category: Option<&'static str>,
    /// How it is paid for.
    pub pricing_model: Option<PricingModel>,
    /// What is sold.
    pub delivery_type: Option<DeliveryType>,
    /// Least price, included.
    pub min_price: Option<Micros>,
    /// Greatest price, included.
    pub max_price: Option<Micros>,
    /// Whose.
    pub seller: Option<ProfileId>,
    /// In which order.
    pub sort: Sort,
    /// Which page, from 1.
    pub page: u32,
    /// Listings of a page.
    pub limit: u32,
}

/// An order. Each is total, so that pages do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Best match first, then the seller's score, then newest.
    Relevance,
    /// Newest first.
    Newest,
    /// The seller's score, then newest: there are no calls and no reviews to count yet.
    Esteem,
    /// Cheapest first, then newest.
    PriceLow,
    /// Dearest first, then newest.
    PriceHigh,
}

impl Sort {
    /// The names of orders.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("relevance", Self::Relevance),
        ("newest", Self::Newest),
        ("popular", Self::Esteem),
        ("rating", Self::Esteem),
        ("price_low", Self::PriceLow),
        ("price_high", Self::PriceHigh),
    ];

    /// Reads the name of an order.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, sort)| *sort)
    }
}

/// A page of what was found.
#[derive(Debug, Default)]
pub struct Page {
    /// The listings of this page, in order.
    pub listings: Vec<Listing>,
    /// How many were found in all.
    pub total: usize,
}

/// Something that fits: its place in the order, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// What comes first has the least.
    order: (i64, Reverse<u16>, Reverse<i64>, Reverse<ListingId>),
    /// Segment, and place in it.
    pub(crate) at: (usize, usize),
}

impl Hit {
    pub(crate) fn new(sort: Sort, relevance: u16, facts: &Facts, at: (usize, usize)) -> Self {
        let (first, score) = match sort {
            Sort::Relevance => (-i64::from(relevance), facts.score),
            Sort::Newest => (0, 0),
            Sort::Esteem => (0, facts.score),
            Sort::PriceLow => (facts.price.0, 0),
            Sort::PriceHigh => (-facts.price.0, 0),
        };
        Self { order: (first, Reverse(score), Reverse(facts.created_ms), Reverse(facts.id)), at }
    }
}

impl Search {
    /// Everything, newest first.
    #[must_use]
    pub fn all() -> Self {
        Self {
            words: None,
            category: None,
            pricing_model: None,
            delivery_type: None,
            min_price: None,
            max_price: None,
            seller: None,
            sort: Sort::Newest,
            page: 1,
            limit: 20,
        }
    }

    /// Searches for the words of this text, if it has any but spaces; tells how many words its author wrote.
    ///
    /// A text of signs alone has no words and finds nothing.
    pub fn look_for(&mut self, text: &str) -> usize {
        let (words, written) = Cutter::new().wanted(text);
        self.words = (!text.trim().is_empty()).then_some(words);
        written
    }

    /// Whether a text is searched for.
    #[must_use]
    pub fn is_for_text(&self) -> bool {
        self.words.is_some()
    }

    pub(crate) fn admits(&self, facts: &Facts) -> bool {
        self.category.is_none_or(|slug| CATEGORIES.get(usize::from(facts.category)).is_some_and(|(known, _)| *known == slug))
            && self.pricing_model.is_none_or(|model| facts.pricing_model == model)
            && self.delivery_type.is_none_or(|delivery| facts.delivery_type == delivery)
            && self.min_price.is_none_or(|min| facts.price >= min)
            && self.max_price.is_none_or(|max| facts.price <= max)
            && self.seller.is_none_or(|seller| facts.seller == seller)
    }

    /// The hits of the wanted page, in order.
    pub(crate) fn page_of(&self, mut hits: Vec<Hit>) -> Vec<Hit> {
        let limit = self.limit as usize;
        let skipped = (self.page.saturating_sub(1) as usize).saturating_mul(limit);
        if skipped >= hits.len() {
            return Vec::new();
        }
        let end = skipped.saturating_add(limit).min(hits.len());
        // Only what stands up to the end of the page is put in order.
        if end < hits.len() {
            hits.select_nth_unstable_by_key(end, |hit| hit.order);
            hits.truncate(end);
        }
        hits.sort_unstable_by_key(|hit| hit.order);
        hits.split_off(skipped)
    }
}

/// Searches a seller's own listings, of whatever status.
///
/// # Errors
/// None in practice.
pub fn own(listings: Vec<Listing>, wanted: &Search) -> Result<Page, StoreError> {
    let relevance = match &wanted.words {
        Some(words) => TextIndex::build(listings.iter().map(texts)).and_then(|index| index.relevance(words)).map_err(defect)?,
        None => vec![1; listings.len()],
    };
    let mut hits = Vec::new();
    for (place, listing) in listings.iter().enumerate() {
        let facts = Facts::of(listing);
        if relevance[place] > 0 && wanted.admits(&facts) {
            hits.push(Hit::new(wanted.sort, relevance[place], &facts, (0, place)));
        }
    }
    let total = hits.len();
    let page = wanted.page_of(hits);
    Ok(Page { listings: page.into_iter().map(|hit| listings[hit.at.1].clone()).collect(), total })
}
