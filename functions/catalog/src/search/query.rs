//! A search request: its filters, its text and its order.

use crochet_domain::ids::ProfileId;
use crochet_domain::listing::{CATEGORIES, DeliveryType, PricingModel};
use crochet_domain::money::Micros;

use super::entry::Attributes;
use super::tokenizer::{QueryTerm, Tokenizer};

/// A search request. A listing has to match every filter that is set.
#[derive(Debug, Clone)]
pub struct Search {
    /// Terms that must all occur; `None` without a search text.
    pub terms: Option<Vec<QueryTerm>>,
    /// Slug of a category.
    pub category: Option<&'static str>,
    /// Pricing model.
    pub pricing_model: Option<PricingModel>,
    /// Delivery type.
    pub delivery_type: Option<DeliveryType>,
    /// Minimum price, inclusive.
    pub min_price: Option<Micros>,
    /// Maximum price, inclusive.
    pub max_price: Option<Micros>,
    /// Seller's profile.
    pub seller: Option<ProfileId>,
    /// Sort order.
    pub sort: Sort,
    /// Page number, from 1.
    pub page: u32,
    /// Listings per page.
    pub limit: u32,
}

/// A sort order. Each is total, so that pages never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Best match first, then highest seller score, then newest.
    Relevance,
    /// Newest first.
    Newest,
    /// Most counted calls first, then newest.
    Popular,
    /// Best rating first, weighted by what the reviewers bought, then newest.
    Rating,
    /// Lowest price first, then newest.
    PriceLow,
    /// Highest price first, then newest.
    PriceHigh,
}

impl Sort {
    /// Every wire name with its order.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("relevance", Self::Relevance),
        ("newest", Self::Newest),
        ("popular", Self::Popular),
        ("rating", Self::Rating),
        ("price_low", Self::PriceLow),
        ("price_high", Self::PriceHigh),
    ];

    /// Parses a wire name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, sort)| *sort)
    }
}

impl Search {
    /// Everything, newest first.
    #[must_use]
    pub fn all() -> Self {
        Self {
            terms: None,
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

    /// Sets the search text and returns its number of words, as a person counts them.
    ///
    /// Blank text means no text filter. Text without a single word, such as `?!`, matches nothing.
    pub fn set_text(&mut self, text: &str) -> usize {
        let (terms, word_count) = Tokenizer::new().query_terms(text);
        self.terms = (!text.trim().is_empty()).then_some(terms);
        word_count
    }

    /// Whether there is a search text.
    #[must_use]
    pub fn has_text(&self) -> bool {
        self.terms.is_some()
    }

    /// Whether a listing with these attributes passes every filter but the text.
    pub(crate) fn matches(&self, attributes: &Attributes) -> bool {
        self.category.is_none_or(|slug| CATEGORIES.get(usize::from(attributes.category)).is_some_and(|(known, _)| *known == slug))
            && self.pricing_model.is_none_or(|model| attributes.pricing_model == model)
            && self.delivery_type.is_none_or(|delivery| attributes.delivery_type == delivery)
            && self.min_price.is_none_or(|min| attributes.price >= min)
            && self.max_price.is_none_or(|max| attributes.price <= max)
            && self.seller.is_none_or(|seller| attributes.seller == seller)
    }
}
