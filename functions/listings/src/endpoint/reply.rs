//! What the owner of an endpoint is answered.

use crochet::app::App;
use crochet::wire::endpoint::GatewayEndpointView;
use crochet_domain::listing::Listing;
use serde::Serialize;
use utoipa::ToSchema;

/// `data` of an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneEndpoint {
    /// The endpoint as it is now, without anything secret but a signing secret that is shown this once; null where it was
    /// removed.
    #[schema(required)]
    gateway_endpoint: Option<GatewayEndpointView>,
}

impl OneEndpoint {
    /// The endpoint behind a listing; with a signing secret that is new.
    pub(crate) fn of(listing: &Listing, signing_secret: Option<String>, app: &App) -> Self {
        let view = |endpoint| GatewayEndpointView::new(listing, endpoint, signing_secret, app.clock.now());
        Self { gateway_endpoint: listing.endpoint.as_ref().map(view) }
    }
}
