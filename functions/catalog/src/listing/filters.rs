//! The query parameters of `GET /listings`, and errors that name them.

use crochet::http::ApiError;
use crochet::http::fields::{FieldProblems, Place};
use crochet::http::request::int_param;
use crochet::wire::schema;
use crochet_domain::ids::ProfileId;
use crochet_domain::listing::{CATEGORIES, DeliveryType, ListingStatus, PricingModel};
use crochet_domain::money::Micros;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::search::{Search, Sort};

/// Maximum length of the search text, in characters.
const MAX_QUERY_CHARS: usize = 200;
/// Maximum number of words in the search text.
const MAX_QUERY_WORDS: usize = 10;
/// Maximum page number.
const MAX_PAGE: u32 = 1_000_000;
/// Maximum number of listings per page.
const MAX_LIMIT: u32 = 100;
/// Default number of listings per page.
const DEFAULT_LIMIT: u32 = 20;

/// Which listings to return, and in what order.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filters {
    /// Search text: at most 10 words, as spaces separate them, and 200 characters. Every word must occur in the name, tags, category
    /// or description. Case, accents, vowel marks of Arabic and Hebrew, and forms of letters (NFKC) do not matter. `c++`, `c#` and
    /// `.net` are words, and `nodejs` finds "Node.js".
    /// English stems also match, as do prefixes (for words of three letters or more, and for the last word) and single typos (in
    /// words of four letters or more). Exact matches rank first.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// Category slug.
    #[param(value_type = Option<schema::CategorySlug>)]
    pub category: Option<String>,
    /// `free` or `per_call`.
    #[param(value_type = Option<schema::PricingModel>)]
    pub pricing_model: Option<String>,
    /// `api`, `webhook`, `streaming`, `batch` or `file`.
    #[param(value_type = Option<schema::DeliveryType>)]
    pub delivery_type: Option<String>,
    /// Minimum price per call in USD, such as `0.25`.
    #[param(pattern = r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
    pub min_price: Option<String>,
    /// Maximum price per call in USD.
    #[param(pattern = r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
    pub max_price: Option<String>,
    /// The seller's profile id, or `me` with an API key.
    #[param(pattern = "^(me|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$")]
    pub seller: Option<String>,
    /// `draft`, `active` or `suspended`. Requires `seller=me`.
    #[param(value_type = Option<schema::ListingStatus>)]
    pub status: Option<String>,
    /// Sort order: `relevance` (default with `q`; ties go to the higher seller score), `newest` (default without `q`), `popular`
    /// (paid calls of 30 days), `rating` (reviews, by what their authors bought), `price_low` or `price_high`. In `popular`, recent calls
    /// count more, and those of one buyer less. `rating` adds 50 imaginary calls that gave three stars. Remaining ties are sorted newest first.
    #[param(inline, value_type = Option<SortOrder>)]
    pub sort: Option<String>,
    /// Page number, starting at 1 (the default).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    pub page: Option<String>,
    /// Listings per page, 1 to 100 (default 20).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub limit: Option<String>,
}

schema::string_enum! {
    pub(crate) enum SortOrder = Sort::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "Sort order.";
}

/// Whose listings are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListingScope {
    /// All active listings.
    Public,
    /// The caller's own listings, with this status if one is given.
    Owned(Option<ListingStatus>),
}

impl Filters {
    /// Parses all parameters.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the invalid parameters.
    pub(crate) fn parse(&self) -> Result<(ListingScope, Search), ApiError> {
        let mut problems = FieldProblems::new(Place::Query);
        let scope = problems.take(self.scope())?;
        let min_price = problems.take(price("min_price", self.min_price.as_deref()))?.flatten();
        let max_price = problems.take(price("max_price", self.max_price.as_deref()))?.flatten();
        if min_price.zip(max_price).is_some_and(|(min, max)| min > max) {
            problems.wrong("min_price", "must not be above max_price");
        }
        let sort = one_of("sort", self.sort.as_deref(), Sort::parse, Sort::ALL.iter().map(|(name, _)| *name));
        let sort = problems.take(sort)?.flatten();
        let category = |slug: &str| CATEGORIES.iter().map(|(known, _)| *known).find(|known| *known == slug);
        let category = one_of("category", self.category.as_deref(), category, CATEGORIES.iter().map(|(slug, _)| *slug));
        let models = PricingModel::ALL.iter().map(|v| v.as_str());
        let pricing_model = one_of("pricing_model", self.pricing_model.as_deref(), PricingModel::parse, models);
        let types = DeliveryType::ALL.iter().map(|v| v.as_str());
        let delivery_type = one_of("delivery_type", self.delivery_type.as_deref(), DeliveryType::parse, types);
        let mut search = Search {
            category: problems.take(category)?.flatten(),
            pricing_model: problems.take(pricing_model)?.flatten(),
            delivery_type: problems.take(delivery_type)?.flatten(),
            min_price,
            max_price,
            page: problems.take(int_param("page", self.page.as_deref(), 1, MAX_PAGE, 1))?.unwrap_or(1),
            limit: problems.take(int_param("limit", self.limit.as_deref(), 1, MAX_LIMIT, DEFAULT_LIMIT))?.unwrap_or(DEFAULT_LIMIT),
            ..Search::all()
        };
        problems.take(self.set_text(&mut search))?;
        match scope {
            Some((scope, seller)) if problems.is_empty() => {
                search.seller = seller;
                search.sort = sort.unwrap_or(if search.has_text() { Sort::Relevance } else { Sort::Newest });
                Ok((scope, search))
            }
            _ => Err(problems.into_error()),
        }
    }

    /// The search for listings on offer; `seller=me` and `status` are not understood.
    ///
    /// # Errors
    /// As [`Filters::parse`].
    pub fn parse_public(&self) -> Result<Search, ApiError> {
        match self.parse()? {
            (ListingScope::Public, search) => Ok(search),
            (ListingScope::Owned(_), _) => Err(ApiError::field("seller", "must be a profile's UUID")),
        }
    }

    fn scope(&self) -> Result<(ListingScope, Option<ProfileId>), ApiError> {
        let status = one_of("status", self.status.as_deref(), ListingStatus::parse, ListingStatus::ALL.iter().map(|v| v.as_str()))?;
        match self.seller.as_deref() {
            Some("me") => Ok((ListingScope::Owned(status), None)),
            _ if status.is_some() => Err(ApiError::field("status", "requires seller=me: other callers see active listings only")),
            Some(id) => {
                let id = id.parse().map_err(|_| ApiError::field("seller", "must be a profile's UUID, or `me`"))?;
                Ok((ListingScope::Public, Some(id)))
            }
            None => Ok((ListingScope::Public, None)),
        }
    }

    fn set_text(&self, search: &mut Search) -> Result<(), ApiError> {
        let text = self.q.as_deref().unwrap_or_default();
        if text.chars().count() > MAX_QUERY_CHARS {
            return Err(ApiError::field("q", "must be at most 200 characters long"));
        }
        if search.set_text(text) > MAX_QUERY_WORDS {
            return Err(ApiError::field("q", "must have at most 10 words"));
        }
        Ok(())
    }
}

/// Parses a parameter that takes one of a list of names.
fn one_of<T>(
    field: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    names: impl Iterator<Item = &'static str>,
) -> Result<Option<T>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    match parse(text) {
        Some(value) => Ok(Some(value)),
        None => Err(ApiError::field(field, &format!("must be one of {}", names.collect::<Vec<_>>().join(", ")))),
    }
}

/// Parses plain decimal USD with at most six decimals. A bound need not be a valid listing price.
fn price(field: &str, text: Option<&str>) -> Result<Option<Micros>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = (1..=9).contains(&whole.len())
        && (1..=6).contains(&fraction.len())
        && (whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit());
    let micros = plain.then(|| format!("{whole}{fraction:0<6}").parse().ok()).flatten();
    micros
        .map(|micros| Some(Micros(micros)))
        .ok_or_else(|| ApiError::field(field, "must be an amount in USD with at most six decimals, like 0.25"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        for (text, micros) in
            [("0", 0), ("0.0001", 100), ("12.5", 12_500_000), ("100000", 100_000_000_000), ("1.000000", 1_000_000)]
        {
            assert_eq!(price("min_price", Some(text)).expect("a price"), Some(Micros(micros)), "{text}");
        }
        for bad in ["", "-1", "1e3", ".5", "1.", "0.0000001", "x", "1,5", "9999999999", "+1", " 1"] {
            assert!(price("min_price", Some(bad)).is_err(), "{bad}");
        }
    }
}
