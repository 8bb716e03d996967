//! What can be asked of the catalogue, and the answer: pure, over any listings.

use std::sync::Arc;

use crochet::domain::ids::ProfileId;
use crochet::domain::listing::{DeliveryType, Listing, PricingModel};
use crochet::domain::money::Micros;

use super::entry::Entry;
use super::place;

/// What is wanted. Everything that is named must fit.
#[derive(Debug, Clone)]
pub struct Search {
    /// Words in lower case, each of which must occur.
    pub words: Vec<String>,
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

/// An order. Equals stand newest first, so that every order is total and pages do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Best match first.
    Relevance,
    /// Newest first.
    Newest,
    /// Cheapest first.
    PriceLow,
    /// Dearest first.
    PriceHigh,
}

impl Sort {
    /// The names of orders. There are no calls and no reviews to count yet, so `popular` and `rating` mean newest first.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("relevance", Self::Relevance),
        ("newest", Self::Newest),
        ("popular", Self::Newest),
        ("rating", Self::Newest),
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
    pub listings: Vec<Arc<Listing>>,
    /// How many were found in all.
    pub total: usize,
}

/// Searches a seller's own listings, of whatever status.
#[must_use]
pub fn own(mut listings: Vec<Listing>, wanted: &Search) -> Page {
    listings.sort_by_key(place);
    let entries: Vec<_> = listings.into_iter().map(Entry::new).collect();
    search(entries.iter(), wanted)
}

/// Searches entries that come newest first.
pub(super) fn search<'a>(newest_first: impl Iterator<Item = &'a Entry>, wanted: &Search) -> Page {
    let mut found: Vec<(&Entry, u32)> = newest_first
        .filter(|entry| wanted.admits(&entry.listing))
        .filter_map(|entry| Some((entry, entry.relevance(&wanted.words)?)))
        .collect();
    // The sorts are stable: equals stay newest first.
    match wanted.sort {
        Sort::Newest => {}
        Sort::Relevance => found.sort_by_key(|(_, relevance)| std::cmp::Reverse(*relevance)),
        Sort::PriceLow => found.sort_by_key(|(entry, _)| entry.listing.price),
        Sort::PriceHigh => found.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.listing.price)),
    }
    let limit = wanted.limit as usize;
    let skipped = (wanted.page.saturating_sub(1) as usize).saturating_mul(limit);
    Page {
        total: found.len(),
        listings: found.into_iter().skip(skipped).take(limit).map(|(entry, _)| Arc::clone(&entry.listing)).collect(),
    }
}

impl Search {
    fn admits(&self, listing: &Listing) -> bool {
        self.category.is_none_or(|slug| listing.category == slug)
            && self.pricing_model.is_none_or(|model| listing.pricing_model == model)
            && self.delivery_type.is_none_or(|delivery| listing.delivery_type == delivery)
            && self.min_price.is_none_or(|min| listing.price >= min)
            && self.max_price.is_none_or(|max| listing.price <= max)
            && self.seller.is_none_or(|seller| listing.seller.id == seller)
    }
}
