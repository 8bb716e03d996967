//! A listing as the catalogue holds it in memory: attributes to filter and sort by, and packed details for display.

use bytes::Bytes;
use crochet_domain::debt::Standing;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{
    AuthMethod, CATEGORIES, DeliveryType, Endpoint, EndpointStatus, Listing, ListingStatus, PricingModel,
};
use crochet_domain::money::Micros;
use crochet_domain::profile::SellerSummary;
use crochet_domain::stats::Figures;
use crochet_domain::unknown::Unknown;
use crochet_domain::wallet::Chain;
use serde::{Deserialize, Serialize};

use super::index::SearchTexts;

/// What listings are filtered and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) id: ListingId,
    pub(crate) seller: ProfileId,
    pub(crate) created_ms: i64,
    /// Position in the change feed (Unix milliseconds).
    pub(crate) position_ms: i64,
    /// What `popular` sorts by.
    pub(crate) volume: i64,
    /// What `rating` sorts by.
    pub(crate) rank: u32,
    pub(crate) version: u64,
    pub(crate) price: Micros,
    pub(crate) score: u16,
    /// Position in [`CATEGORIES`], or [`NO_CATEGORY`].
    pub(crate) category: u8,
    pub(crate) pricing_model: PricingModel,
    pub(crate) delivery_type: DeliveryType,
}

/// The category of a listing whose category is no longer in [`CATEGORIES`].
pub(crate) const NO_CATEGORY: u8 = u8::MAX;

impl Attributes {
    pub(crate) fn of(listing: &Listing) -> Self {
        let category = CATEGORIES.iter().position(|(slug, _)| *slug == listing.category);
        Self {
            id: listing.id,
            seller: listing.seller.id,
            created_ms: listing.created_ms,
            position_ms: listing.position_ms(),
            volume: listing.figures.volume,
            rank: listing.figures.rating.rank,
            version: listing.version,
            price: listing.price,
            score: listing.seller.score,
            category: category.and_then(|position| u8::try_from(position).ok()).unwrap_or(NO_CATEGORY),
            pricing_model: listing.pricing_model,
            delivery_type: listing.delivery_type,
        }
    }
}

/// Everything else that lists show. Kept as JSON with short names, because a hundred thousand of them are held in memory and few are
/// ever displayed.
#[derive(Debug, Serialize, Deserialize)]
struct Details {
    #[serde(rename = "s")]
    slug: String,
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "d")]
    description: String,
    #[serde(rename = "c")]
    category: String,
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(rename = "a")]
    auth_method: AuthMethod,
    #[serde(rename = "f")]
    formats: Vec<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    connection_instructions: Option<String>,
    #[serde(rename = "w")]
    was_per_call: bool,
    #[serde(rename = "v")]
    seller_name: String,
    #[serde(rename = "l")]
    seller_claimed: bool,
    #[serde(rename = "p")]
    payout_chains: Vec<Chain>,
    /// Micro-dollars.
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    seller_owes: i64,
    /// Present if the listing has an endpoint. Lists show no more of it, so no more is kept.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<EndpointStatus>,
    #[serde(rename = "u")]
    updated_ms: i64,
    #[serde(rename = "g")]
    figures: Figures,
    /// Since when its test calls succeed.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    tested_ms: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(micros: &i64) -> bool {
    *micros == 0
}

/// An active listing.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) attributes: Attributes,
    details: Bytes,
}

impl Entry {
    /// Packs an active listing.
    pub(crate) fn new(listing: &Listing) -> Result<Self, serde_json::Error> {
        let details = Details {
            slug: listing.slug.clone(),
            name: listing.name.clone(),
            description: listing.description.clone(),
            category: listing.category.clone(),
            tags: listing.tags.clone(),
            auth_method: listing.auth_method,
            formats: listing.formats.clone(),
            connection_instructions: listing.connection_instructions.clone(),
            was_per_call: listing.was_per_call,
            seller_name: listing.seller.display_name.clone(),
            seller_claimed: listing.seller.claimed,
            payout_chains: listing.seller.payout_chains.clone(),
            seller_owes: listing.seller.standing.owes.0,
            endpoint: listing.endpoint.as_ref().map(|endpoint| endpoint.status),
            updated_ms: listing.updated_ms,
            figures: listing.figures,
            tested_ms: listing.endpoint.as_ref().and_then(|endpoint| endpoint.tested_ms),
        };
        Ok(Self { attributes: Attributes::of(listing), details: serde_json::to_vec(&details)?.into() })
    }

    /// An entry read from a snapshot.
    pub(crate) fn from_parts(attributes: Attributes, details: Bytes) -> Self {
        Self { attributes, details }
    }

    /// The packed details, as a snapshot stores them.
    pub(crate) fn details(&self) -> &[u8] {
        &self.details
    }

    /// Unpacks the listing as lists show it: without schemas and examples, and with nothing of its endpoint but the status.
    pub(crate) fn listing(&self) -> Result<Listing, serde_json::Error> {
        let attributes = self.attributes;
        let details: Details = serde_json::from_slice(&self.details)?;
        Ok(Listing {
            id: attributes.id,
            slug: details.slug,
            name: details.name,
            description: details.description,
            category: details.category,
            tags: details.tags,
            delivery_type: attributes.delivery_type,
            auth_method: details.auth_method,
            formats: details.formats,
            connection_instructions: details.connection_instructions,
            input_schema: None,
            output_schema: None,
            example_request: None,
            example_response: None,
            pricing_model: attributes.pricing_model,
            price: attributes.price,
            was_per_call: details.was_per_call,
            status: ListingStatus::Active,
            suspended_by: None,
            suspended_reason: None,
            held: None,
            seller: SellerSummary {
                id: attributes.seller,
                display_name: details.seller_name,
                score: attributes.score,
                claimed: details.seller_claimed,
                payout_chains: details.payout_chains,
                // Overdue debts suspend a listing, so one that is on offer has none.
                standing: Standing { owes: Micros(details.seller_owes), overdue: false },
                suspended: None,
                as_of: 0,
            },
            endpoint: details.endpoint.map(|status| shown_endpoint(status, details.tested_ms)),
            removing_secret_until_ms: None,
            figures: details.figures,
            figures_ms: attributes.position_ms,
            version: attributes.version,
            created_ms: attributes.created_ms,
            updated_ms: details.updated_ms,
            unknown: Unknown::default(),
        })
    }
}

fn shown_endpoint(status: EndpointStatus, tested_ms: Option<i64>) -> Endpoint {
    Endpoint {
        status,
        timeout_ms: 0,
        max_response_bytes: 0,
        rate_limit_per_minute: None,
        auth_header_names: Vec::new(),
        secret_version: String::new(),
        sealed: None,
        secret_created_ms: 0,
        previous_secret_expires_ms: None,
        claim: None,
        last_test: None,
        tested_ms,
        unknown: Unknown::default(),
    }
}

/// The searchable text of a listing.
pub(crate) fn search_texts(listing: &Listing) -> SearchTexts {
    let category = CATEGORIES.iter().find(|(slug, _)| *slug == listing.category).map_or("", |(_, name)| name);
    [listing.name.clone(), listing.tags.join("\n"), format!("{}\n{category}", listing.category), listing.description.clone()]
}
