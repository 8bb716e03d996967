//! The shapes of listings.

use super::schema;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Pagination;
use super::money::{Amount, Currency};
use crate::config::Config;
use crochet_domain::currency::{OriginCurrency, payable_with};
use crochet_domain::listing::{AuthMethod, DeliveryType, Listing, ListingStatus, PricingModel, SuspendedBy};
use crochet_domain::money::Micros;
use crochet_domain::profile::{SellerSummary, VERIFIED_SCORE, tier};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// A capability on offer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ListingView {
    /// UUIDv7.
    pub id: String,
    /// Its name in URLs; it never changes.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Slug of a category; `GET /categories` lists them.
    pub category: String,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// What is sold. Through the gateway every call is one JSON request and one JSON answer.
    #[schema(value_type = schema::DeliveryType)]
    pub delivery_type: DeliveryType,
    /// How the seller's own interface authenticates, outside the gateway.
    #[schema(value_type = schema::AuthMethod)]
    pub auth_method: AuthMethod,
    /// Formats it speaks.
    pub formats: Vec<String>,
    /// How to reach it outside the gateway.
    #[schema(required)]
    pub connection_instructions: Option<String>,
    /// JSON Schema 2020-12 of a call's body. Left out where there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub input_schema: Option<Box<RawValue>>,
    /// JSON Schema 2020-12 of an answer. Left out where there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<Box<RawValue>>,
    /// A body that works. Left out where there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub example_request: Option<Box<RawValue>>,
    /// An answer to it. Left out where there is none, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub example_response: Option<Box<RawValue>>,
    /// How a call is paid for.
    #[schema(value_type = schema::PricingModel)]
    pub pricing_model: PricingModel,
    /// The price of a call in USD, exact; 0 when free.
    #[schema(value_type = f64, example = 0.25)]
    pub pricing_amount: Box<RawValue>,
    /// Always `USD`.
    pub pricing_currency: Currency,
    /// The price of a call.
    pub price: Amount,
    /// What a buyer can pay in, recommended first; empty when free.
    #[schema(value_type = Vec<schema::OriginCurrency>)]
    pub payable_with: Vec<OriginCurrency>,
    /// Where it stands.
    #[schema(value_type = schema::ListingStatus)]
    pub status: ListingStatus,
    /// Who suspended it.
    #[schema(value_type = Option<schema::SuspendedBy>, required)]
    pub suspended_by: Option<SuspendedBy>,
    /// Where it is called, if there is an endpoint behind it.
    #[schema(required)]
    pub gateway_url: Option<String>,
    /// Whose it is.
    pub seller: SellerView,
    /// What buyers say.
    pub rating: RatingView,
    /// What the gateway saw.
    pub stats: StatsView,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// Whose a listing is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SellerView {
    /// The profile's id.
    pub id: String,
    /// The name it shows.
    pub display_name: String,
    /// 0 to 1000.
    pub score: u16,
    /// `Low`, `Moderate`, `Trusted`, `Elite` or `Exceptional`.
    pub tier: &'static str,
    /// Whether its score carries the verified mark.
    pub is_verified: bool,
    /// Whether a person has claimed it.
    pub claimed: bool,
}

/// The reviews of a listing, in two numbers.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct RatingView {
    /// 1 to 5; null without reviews.
    #[schema(required)]
    pub average: Option<f64>,
    /// How many.
    pub count: u32,
}

/// A listing's last thirty days at the gateway.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct StatsView {
    /// Calls.
    pub calls_30d: u64,
    /// Share of them that were delivered, 0 to 1; null without calls.
    #[schema(required)]
    pub success_rate_30d: Option<f64>,
    /// Half of the answers took no longer (milliseconds).
    #[schema(required)]
    pub p50_latency_ms: Option<u32>,
    /// 95 of 100 answers took no longer (milliseconds).
    #[schema(required)]
    pub p95_latency_ms: Option<u32>,
    /// When it was last called.
    #[schema(required)]
    pub last_called_at: Option<String>,
}

impl ListingView {
    /// The whole listing, as it answers by id.
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

    /// The listing without schemas and examples: a page of a hundred whole ones would not fit into an answer.
    #[must_use]
    pub fn in_list(listing: &Listing, config: &Config) -> Self {
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
            suspended_by: listing.suspended_by,
            gateway_url: listing.endpoint.is_some().then(|| config.absolute(&format!("/api/v1/gateway/{}", listing.id))),
            seller: SellerView::from(&listing.seller),
            rating: RatingView::default(),
            stats: StatsView::default(),
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

/// JSON text as it was sent: what a seller wrote is shown as it was written.
fn raw(text: Option<&str>) -> Option<Box<RawValue>> {
    RawValue::from_string(text?.to_owned()).ok()
}

/// The amount in USD as a JSON number; no float comes between.
fn exact(price: Micros) -> Box<RawValue> {
    RawValue::from_string(price.decimal()).expect("decimal digits are a JSON number")
}

pub(super) fn moment(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}

/// `data` of one listing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OneListing {
    /// The listing.
    pub listing: ListingView,
}

/// `data` of a page of listings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Listings {
    /// This page of them, without schemas and examples.
    pub listings: Vec<ListingView>,
    /// Where the page stands.
    pub pagination: Pagination,
}

#[cfg(test)]
mod tests;
