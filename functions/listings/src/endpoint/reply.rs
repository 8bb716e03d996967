//! The reply of every endpoint route.

use crochet::app::App;
use crochet::wire::endpoint::GatewayEndpointView;
use crochet_domain::listing::Listing;
use crochet_domain::webhook_signature::SigningSecret;
use serde::Serialize;
use utoipa::ToSchema;

/// `data` of an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneEndpoint {
    /// The endpoint; null after its removal. It contains no secret, except a new signing secret, which is shown once.
    #[schema(required)]
    gateway_endpoint: Option<GatewayEndpointView>,
}

impl OneEndpoint {
    /// The endpoint of a listing. Pass `signing_secret` only if it is new.
    pub(crate) fn of(listing: &Listing, signing_secret: Option<SigningSecret>, app: &App) -> Self {
        let view = |endpoint| GatewayEndpointView::new(listing, endpoint, signing_secret, app.clock.now());
        Self { gateway_endpoint: listing.endpoint.as_ref().map(view) }
    }
}
