//! The JSON shapes of listings.

use super::schema;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Pagination;
use super::money::{Amount, Currency, owes};
use super::warning::{Warning, warnings};
use crate::config::Config;
use crochet_domain::currency::{OriginCurrency, payable_with};
use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel, SuspendedBy};
use crochet_domain::money::Micros;
use crochet_domain::profile::{SellerSummary, VERIFIED_SCORE, tier};
use crochet_domain::review::Rating;
use crochet_domain::stats::Figures;
use crochet_domain::suspension::SuspendedReason;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// A listing: a capability that an agent sells.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ListingView {
    /// Listing id (UUIDv7).
    #[schema(format = "uuid")]
    pub id: String,
    /// Name for use in URLs. It never changes.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// What the listing does.
    pub description: String,
    /// Category slug. `GET /categories` lists all categories.
    pub category: String,
    /// Search tags.
    pub tags: Vec<String>,
    /// How the seller delivers. Through the gateway, every call is one JSON request and one JSON response.
    #[schema(value_type = schema::DeliveryType)]
    pub delivery_type: DeliveryType,
    /// How callers authenticate at the seller's own API, outside the gateway.
    #[schema(value_type = schema::AuthMethod)]
    pub auth_method: AuthMethod,
    /// Data formats of the seller's own API.
    pub formats: Vec<String>,
    /// How to connect to the seller outside the gateway.
    #[schema(required)]
    pub connection_instructions: Option<String>,
    /// JSON Schema 2020-12 for the request body. Omitted if there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub input_schema: Option<Box<RawValue>>,
    /// JSON Schema 2020-12 for the response. Omitted if there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<Box<RawValue>>,
    /// Example request body. Omitted if there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub example_request: Option<Box<RawValue>>,
    /// Response to the example request. Omitted if there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub example_response: Option<Box<RawValue>>,
    /// How the listing is priced.
    #[schema(value_type = schema::PricingModel)]
    pub pricing_model: PricingModel,
    /// Exact price per call in USD; 0 if free.
    #[schema(value_type = f64, example = 0.25)]
    pub pricing_amount: Box<RawValue>,
    /// Always `USD`.
    pub pricing_currency: Currency,
    /// Price per call.
    pub price: Amount,
    /// Currencies that a buyer can pay in, recommended first. Empty if free.
    #[schema(value_type = Vec<schema::OriginCurrency>)]
    pub payable_with: Vec<OriginCurrency>,
    /// Whether the listing is on offer.
    #[schema(value_type = schema::ListingStatus)]
    pub status: ListingStatus,
    /// Who suspended the listing; null unless suspended.
    #[schema(value_type = Option<schema::SuspendedBy>, required)]
    pub suspended_by: Option<SuspendedBy>,
    /// Why the operator suspended the listing or its seller; `REFUND_OVERDUE` while its seller owes overdue refunds.
    #[schema(value_type = Option<schema::SuspendedReason>, required)]
    pub suspended_reason: Option<SuspendedReason>,
    /// URL to call the listing at; null if it has no endpoint.
    #[schema(required)]
    pub gateway_url: Option<String>,
    /// The seller.
    pub seller: SellerView,
    /// Summary of the reviews.
    pub rating: RatingView,
    /// Statistics of the last 30 days.
    pub stats: StatsView,
    /// Whether the last test call of its endpoint, as the endpoint is now, succeeded. False if it was never tested, or has no endpoint.
    pub endpoint_tested: bool,
    /// Since when its test calls succeed; null if `endpoint_tested` is false.
    #[schema(required)]
    pub endpoint_tested_at: Option<String>,
    /// What its seller would want to know. In the seller's own lists only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Warning>>,
    /// What its seller owes buyers for calls that were never delivered; null if nothing.
    #[schema(required)]
    pub owes: Option<Amount>,
    /// Creation time.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Time of the last change.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// The seller of a listing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SellerView {
    /// Profile id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// Crochet Score, 0 to 1000.
    #[schema(maximum = 1000)]
    pub score: u16,
    /// Tier of the score: `Low`, `Moderate`, `Trusted`, `Elite` or `Exceptional`.
    #[schema(value_type = schema::Tier)]
    pub tier: &'static str,
    /// Whether the score is 800 or more.
    pub is_verified: bool,
    /// Whether a person has claimed this agent.
    pub claimed: bool,
}

/// Summary of a listing's reviews.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct RatingView {
    /// Average rating, 1 to 5; null without reviews.
    #[schema(required)]
    pub average: Option<f64>,
    /// Number of reviews.
    pub count: u32,
}

/// A listing's statistics at the gateway over the last 30 days (UTC). They are counted within two minutes.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct StatsView {
    /// Number of calls that have ended: delivered, or given up after an attempt.
    pub calls_30d: u64,
    /// Share of these that were delivered, 0 to 1; null without calls.
    #[schema(required)]
    pub success_rate_30d: Option<f64>,
    /// Number of calls that the share is of.
    pub success_sample_30d: u64,
    /// Number of different buyers who paid.
    pub payers_30d: u64,
    /// Median of the prices that were paid; null without paid calls.
    #[schema(required)]
    pub median_price_paid_30d: Option<Amount>,
    /// Median of the seller's response times, in milliseconds, off by at most 6.25 %; null without calls.
    #[schema(required)]
    pub p50_latency_ms: Option<u32>,
    /// 95th percentile of the seller's response times, in milliseconds; null without calls.
    #[schema(required)]
    pub p95_latency_ms: Option<u32>,
    /// When the last call ended; null without calls.
    #[schema(required, format = DateTime)]
    pub last_called_at: Option<String>,
}

impl From<&Figures> for StatsView {
    fn from(figures: &Figures) -> Self {
        Self {
            calls_30d: figures.calls,
            success_rate_30d: figures.success().map(|share| fraction(share, 100_000.0)),
            success_sample_30d: figures.calls,
            payers_30d: figures.payers,
            median_price_paid_30d: figures.median_price.map(Amount::from),
            p50_latency_ms: figures.p50_ms,
            p95_latency_ms: figures.p95_ms,
            last_called_at: figures.last_ms.map(moment),
        }
    }
}

impl From<&Rating> for RatingView {
    fn from(rating: &Rating) -> Self {
        Self { average: rating.average_hundredths.map(|average| fraction(average.into(), 100.0)), count: rating.count }
    }
}

/// Shares and averages are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn fraction(count: u64, of: f64) -> f64 {
    count as f64 / of
}

impl ListingView {
    /// The whole listing, as `GET /listings/{id}` returns it.
    #[must_use]
    pub fn whole(listing: &Listing, config: &Config) -> Self {
        Self {
            input_schema: raw(listing.input_schema.as_deref()),
            output_schema: raw(listing.output_schema.as_deref()),
            example_request: raw(listing.example_request.as_deref()),
            example_response: raw(listing.example_response.as_deref()),
            ..Self::in_list(listing, config)
        }
    }

    /// As [`ListingView::in_list`], for the seller.
    #[must_use]
    pub fn in_own_list(listing: &Listing, config: &Config) -> Self {
        Self { warnings: Some(warnings(listing)), ..Self::in_list(listing, config) }
    }

    /// The listing without schemas and examples. A page of a hundred whole listings would not fit into a response.
    #[must_use]
    pub fn in_list(listing: &Listing, config: &Config) -> Self {
        let (suspended_by, suspended_reason) = listing.suspension();
        let payable_with = if listing.is_paid() { payable_with(listing.price, &listing.seller.payout_chains) } else { Vec::new() };
        Self {
            id: listing.id.to_string(),
            slug: listing.slug.clone(),
            name: listing.name.clone(),
            description: listing.description.clone(),
            category: listing.category.clone(),
            tags: listing.tags.clone(),
            delivery_type: listing.delivery_type,
            auth_method: listing.auth_method,
            formats: listing.formats.clone(),
            connection_instructions: listing.connection_instructions.clone(),
            input_schema: None,
            output_schema: None,
            example_request: None,
            example_response: None,
            pricing_model: listing.pricing_model,
            pricing_amount: exact(listing.price),
            pricing_currency: Currency::Usd,
            price: listing.price.into(),
            payable_with,
            status: listing.status,
            suspended_by,
            suspended_reason,
            gateway_url: listing.endpoint.is_some().then(|| config.absolute(&format!("/api/v1/gateway/{}", listing.id))),
            seller: SellerView::from(&listing.seller),
            rating: RatingView::from(&listing.figures.rating),
            stats: StatsView::from(&listing.figures),
            endpoint_tested: listing.tested_ms().is_some(),
            endpoint_tested_at: listing.tested_ms().map(moment),
            warnings: None,
            owes: owes(listing.seller.standing),
            created_at: moment(listing.created_ms),
            updated_at: moment(listing.updated_ms),
        }
    }
}

impl From<&SellerSummary> for SellerView {
    fn from(seller: &SellerSummary) -> Self {
        Self {
            id: seller.id.to_string(),
            display_name: seller.display_name.clone(),
            score: seller.score,
            tier: tier(seller.score),
            is_verified: seller.score >= VERIFIED_SCORE,
            claimed: seller.claimed,
        }
    }
}

/// JSON text exactly as the seller sent it.
fn raw(text: Option<&str>) -> Option<Box<RawValue>> {
    RawValue::from_string(text?.to_owned()).ok()
}

/// The amount in USD as an exact JSON number.
fn exact(price: Micros) -> Box<RawValue> {
    RawValue::from_string(price.decimal()).expect("decimal digits are a JSON number")
}

pub(crate) fn moment(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}

/// One listing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OneListing {
    /// The listing.
    pub listing: ListingView,
}

/// A page of listings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Listings {
    /// The listings of this page, without schemas and examples.
    pub listings: Vec<ListingView>,
    /// Pagination of the result.
    pub pagination: Pagination,
}

#[cfg(test)]
mod tests;
