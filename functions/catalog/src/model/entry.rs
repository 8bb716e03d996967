//! A listing as the catalogue holds it: the facts that filter and order it, and a card with the rest.

use bytes::Bytes;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{
    AuthMethod, CATEGORIES, DeliveryType, Endpoint, EndpointStatus, Listing, ListingStatus, PricingModel,
};
use crochet_domain::money::Micros;
use crochet_domain::profile::SellerSummary;
use crochet_domain::wallet::Chain;
use serde::{Deserialize, Serialize};

use super::index::Texts;

/// What a listing is filtered and ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) id: ListingId,
    pub(crate) seller: ProfileId,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) version: u64,
    pub(crate) price: Micros,
    pub(crate) score: u16,
    /// Place in [`CATEGORIES`]; [`NO_CATEGORY`] for one that is not curated any more.
    pub(crate) category: u8,
    pub(crate) pricing_model: PricingModel,
    pub(crate) delivery_type: DeliveryType,
}

/// Stands for a category that [`CATEGORIES`] does not have.
pub(crate) const NO_CATEGORY: u8 = u8::MAX;

impl Facts {
    pub(crate) fn of(listing: &Listing) -> Self {
        let category = CATEGORIES.iter().position(|(slug, _)| *slug == listing.category);
        Self {
            id: listing.id,
            seller: listing.seller.id,
            created_ms: listing.created_ms,
            updated_ms: listing.updated_ms,
            version: listing.version,
            price: listing.price,
            score: listing.seller.score,
            category: category.and_then(|place| u8::try_from(place).ok()).unwrap_or(NO_CATEGORY),
            pricing_model: listing.pricing_model,
            delivery_type: listing.delivery_type,
        }
    }
}

/// What else lists show, as JSON with short names: a hundred thousand of these lie in memory, and few are looked at.
#[derive(Debug, Serialize, Deserialize)]
struct Card {
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
    /// Lists tell of an endpoint that there is one, and no more; so no more is kept.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<EndpointStatus>,
}

/// An active listing.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) facts: Facts,
    card: Bytes,
}

impl Entry {
    /// The entry of an active listing.
    pub(crate) fn new(listing: &Listing) -> Result<Self, serde_json::Error> {
        let card = Card {
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
            endpoint: listing.endpoint.as_ref().map(|endpoint| endpoint.status),
        };
        Ok(Self { facts: Facts::of(listing), card: serde_json::to_vec(&card)?.into() })
    }

    /// An entry out of a snapshot.
    pub(crate) fn restored(facts: Facts, card: Bytes) -> Self {
        Self { facts, card }
    }

    /// The card, for a snapshot.
    pub(crate) fn card(&self) -> &[u8] {
        &self.card
    }

    /// The listing as lists show it: without schemas and examples, and of its endpoint the status alone.
    pub(crate) fn listing(&self) -> Result<Listing, serde_json::Error> {
        let facts = self.facts;
        let card: Card = serde_json::from_slice(&self.card)?;
        Ok(Listing {
            id: facts.id,
            slug: card.slug,
            name: card.name,
            description: card.description,
            category: card.category,
            tags: card.tags,
            delivery_type: facts.delivery_type,
            auth_method: card.auth_method,
            formats: card.formats,
            connection_instructions: card.connection_instructions,
            input_schema: None,
            output_schema: None,
            example_request: None,
            example_response: None,
            pricing_model: facts.pricing_model,
            price: facts.price,
            was_per_call: card.was_per_call,
            status: ListingStatus::Active,
            suspended_by: None,
            seller: SellerSummary {
                id: facts.seller,
                display_name: card.seller_name,
                score: facts.score,
                claimed: card.seller_claimed,
                payout_chains: card.payout_chains,
                as_of: 0,
            },
            endpoint: card.endpoint.map(known_endpoint),
            removing_secret_until_ms: None,
            version: facts.version,
            created_ms: facts.created_ms,
            updated_ms: facts.updated_ms,
        })
    }
}

fn known_endpoint(status: EndpointStatus) -> Endpoint {
    Endpoint {
        status,
        timeout_ms: 0,
        max_response_bytes: 0,
        rate_limit_per_minute: None,
        auth_header_names: Vec::new(),
        secret_version: String::new(),
        secret_created_ms: 0,
        previous_secret_expires_ms: None,
        claim: None,
        last_test: None,
    }
}

/// What is searched of a listing.
pub(crate) fn texts(listing: &Listing) -> Texts {
    let category = CATEGORIES.iter().find(|(slug, _)| *slug == listing.category).map_or("", |(_, name)| name);
    [listing.name.clone(), listing.tags.join("\n"), format!("{}\n{category}", listing.category), listing.description.clone()]
}
