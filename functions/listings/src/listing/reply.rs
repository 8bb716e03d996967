//! The reply to a seller who creates or changes a listing.

use crochet::app::App;
use crochet::wire::endpoint::GatewayEndpointView;
use crochet::wire::listing::ListingView;
use crochet::wire::warning::{Warning, warnings};
use crochet_domain::listing::Listing;
use crochet_domain::webhook_signature::SigningSecret;
use serde::Serialize;
use utoipa::ToSchema;

/// `data` of a listing that was created or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedListing {
    /// The listing after the change.
    listing: ListingView,
    /// Its endpoint; null if it has none. It contains no secret, except a new signing secret, which is shown once.
    #[schema(required)]
    gateway_endpoint: Option<GatewayEndpointView>,
    /// Warnings for the seller.
    warnings: Vec<Warning>,
}

impl SavedListing {
    /// The listing after the change. Pass `signing_secret` only if it is new.
    pub(crate) fn new(listing: &Listing, signing_secret: Option<SigningSecret>, app: &App) -> Self {
        let endpoint = |endpoint| GatewayEndpointView::new(listing, endpoint, signing_secret, app.clock.now());
        Self {
            listing: ListingView::whole(listing, &app.config),
            gateway_endpoint: listing.endpoint.as_ref().map(endpoint),
            warnings: warnings(listing),
        }
    }
}
