//! What sellers are answered.

use crochet::app::App;
use crochet::wire::endpoint::GatewayEndpointView;
use crochet::wire::listing::ListingView;
use crochet_domain::listing::Listing;
use serde::Serialize;
use utoipa::ToSchema;

use super::warnings::{Warning, warnings};

/// `data` of a listing that was created or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedListing {
    /// The listing as it is now.
    listing: ListingView,
    /// The endpoint behind it, without anything secret but a signing secret that is shown this once; null without one.
    #[schema(required)]
    gateway_endpoint: Option<GatewayEndpointView>,
    /// What its seller would want to know.
    warnings: Vec<Warning>,
}

impl SavedListing {
    /// The listing; with the signing secret of an endpoint that is new.
    pub(crate) fn new(listing: &Listing, signing_secret: Option<String>, app: &App) -> Self {
        let endpoint = |endpoint| GatewayEndpointView::new(listing, endpoint, signing_secret, app.clock.now());
        Self {
            listing: ListingView::whole(listing, &app.config),
            gateway_endpoint: listing.endpoint.as_ref().map(endpoint),
            warnings: warnings(listing),
        }
    }
}
