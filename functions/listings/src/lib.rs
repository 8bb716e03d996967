//! What sellers do: create, change and withdraw listings, and set the endpoint behind them.

mod challenge;
mod endpoint;
mod listing;
mod seller;

use std::sync::Arc;

use axum::extract::FromRef;
use crochet::app::App;
use crochet::endpoint_secrets::{SecretsManager, WriteSecrets};
use crochet::outbound::{Outbound, OutboundRules};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What sellers' routes may do: read and write endpoint secrets, and look up and call sellers.
#[derive(Clone, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    /// The secrets of endpoints.
    pub secrets: Arc<dyn WriteSecrets>,
    /// The way to sellers.
    pub outbound: Outbound,
}

impl State {
    /// Connects to Secrets Manager.
    pub async fn connect(app: App) -> Self {
        let secrets = Arc::new(SecretsManager::connect(&app.config).await);
        let outbound = Outbound::new(OutboundRules::of(&app.config));
        Self { app, secrets, outbound }
    }
}

/// The routes of this group.
pub fn router(state: State) -> OpenApiRouter {
    routes().with_state(state)
}

/// What this group answers, as an OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(challenge::create::create_listing_challenge))
        .routes(routes!(listing::create::create_listing))
        .routes(routes!(listing::update::update_listing, listing::delete::delete_listing))
        .routes(routes!(endpoint::get::get_endpoint, endpoint::update::update_endpoint))
        .routes(routes!(endpoint::test_call::test_endpoint))
        .routes(routes!(endpoint::rotate::rotate_secret))
}
