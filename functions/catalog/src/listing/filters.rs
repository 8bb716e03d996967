//! The parameters of `GET /listings`, read with errors that name them.

use crochet::http::ApiError;
use crochet::http::request::int_param;
use crochet::wire::schema;
use crochet_domain::ids::ProfileId;
use crochet_domain::listing::{CATEGORIES, DeliveryType, ListingStatus, PricingModel};
use crochet_domain::money::Micros;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::model::search::{Search, Sort};

/// Longest search text, in characters.
const MAX_QUERY_CHARS: usize = 200;
/// Most words of a search text.
const MAX_WORDS: usize = 10;
/// Deepest page: what lies beyond is found by searching, not by leafing.
const MAX_PAGE: u32 = 1_000_000;

/// What to list, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filters {
    /// Words that all have to occur in name, tags, category or description (at most 10, 200 characters). English stems, the
    /// beginning of a word (three letters or more, or the last word) and one wrong letter (in four or more) match too; exact words
    /// come first.
    q: Option<String>,
    /// Slug of a category.
    category: Option<String>,
    /// `free` or `per_call`.
    #[param(value_type = Option<schema::PricingModel>)]
    pricing_model: Option<String>,
    /// `api`, `webhook`, `streaming`, `batch` or `file`.
    #[param(value_type = Option<schema::DeliveryType>)]
    delivery_type: Option<String>,
    /// Least price of a call in USD, like `0.25`.
    min_price: Option<String>,
    /// Greatest price of a call in USD.
    max_price: Option<String>,
    /// A seller's profile id; or `me`, with a key.
    seller: Option<String>,
    /// `draft`, `active` or `suspended`; with `seller=me` only.
    #[param(value_type = Option<schema::ListingStatus>)]
    status: Option<String>,
    /// `relevance` (default with `q`; equals by the seller's score), `newest` (default without), `popular`, `rating` (both by the
    /// seller's score while there are no calls and reviews to count), `price_low` or `price_high`. Equals stand newest first.
    sort: Option<String>,
    /// Which page, from 1 (default 1).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    page: Option<String>,
    /// Listings of a page, 1 to 100 (default 20).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

/// Whose listings are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Everyone's, as far as they are active.
    Anyones,
    /// The caller's own, of this status if one is named.
    Own(Option<ListingStatus>),
}

impl Filters {
    /// Reads all parameters.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the first parameter that is wrong.
    pub(crate) fn read(&self) -> Result<(Whose, Search), ApiError> {
        let status = named("status", self.status.as_deref(), ListingStatus::parse, ListingStatus::ALL.iter().map(|v| v.as_str()))?;
        let (whose, seller) = match self.seller.as_deref() {
            Some("me") => (Whose::Own(status), None),
            _ if status.is_some() => {
                return Err(ApiError::field("status", "may be used with seller=me only: everyone else sees active listings"));
            }
            Some(id) => {
                let id: ProfileId = id.parse().map_err(|_| ApiError::field("seller", "must be a profile's UUID, or `me`"))?;
                (Whose::Anyones, Some(id))
            }
            None => (Whose::Anyones, None),
        };
        let (min_price, max_price) =
            (price("min_price", self.min_price.as_deref())?, price("max_price", self.max_price.as_deref())?);
        if min_price.zip(max_price).is_some_and(|(min, max)| min > max) {
            return Err(ApiError::field("min_price", "must not be above max_price"));
        }
        let known = |slug: &str| CATEGORIES.iter().map(|(known, _)| *known).find(|known| *known == slug);
        let sort = named("sort", self.sort.as_deref(), Sort::parse, Sort::ALL.iter().map(|(name, _)| *name))?;
        let mut search = Search {
            category: named("category", self.category.as_deref(), known, CATEGORIES.iter().map(|(slug, _)| *slug))?,
            pricing_model: named(
                "pricing_model",
                self.pricing_model.as_deref(),
                PricingModel::parse,
                PricingModel::ALL.iter().map(|v| v.as_str()),
            )?,
            delivery_type: named(
                "delivery_type",
                self.delivery_type.as_deref(),
                DeliveryType::parse,
                DeliveryType::ALL.iter().map(|v| v.as_str()),
            )?,
            min_price,
            max_price,
            seller,
            page: int_param("page", self.page.as_deref(), 1, MAX_PAGE, 1)?,
            limit: int_param("limit", self.limit.as_deref(), 1, 100, 20)?,
            ..Search::all()
        };
        self.look_for(&mut search)?;
        search.sort = sort.unwrap_or(if search.is_for_text() { Sort::Relevance } else { Sort::Newest });
        Ok((whose, search))
    }

    fn look_for(&self, search: &mut Search) -> Result<(), ApiError> {
        let text = self.q.as_deref().unwrap_or_default();
        if text.chars().count() > MAX_QUERY_CHARS {
            return Err(ApiError::field("q", "must be at most 200 characters long"));
        }
        if search.look_for(text) > MAX_WORDS {
            return Err(ApiError::field("q", "must have at most 10 words"));
        }
        Ok(())
    }
}

fn named<T>(
    field: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    all: impl Iterator<Item = &'static str>,
) -> Result<Option<T>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    match parse(text) {
        Some(value) => Ok(Some(value)),
        None => Err(ApiError::field(field, &format!("must be one of {}", all.collect::<Vec<_>>().join(", ")))),
    }
}

/// Plain decimal USD with at most six decimals. Any amount will do: a bound need not be a price that can be asked.
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
