//! What the routes of sellers may do.

use std::sync::Arc;

use axum::extract::FromRef;
use crochet::app::App;
use crochet::endpoint_secrets::{EndpointSecrets, WriteSecrets};
use crochet::outbound::{Outbound, OutboundRules};

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
        let secrets = Arc::new(EndpointSecrets::connect(&app).await);
        let outbound = Outbound::new(OutboundRules::of(&app.config));
        Self { app, secrets, outbound }
    }
}
