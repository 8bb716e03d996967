//! The gateway: calls, their history and their books.
//!
//! Follow a call in `call/`: `handler` authenticates and loads, `resolve` finds the call that the request means, `advance` decides
//! and acts until there is a reply.

mod call;
mod history;
mod remembered;

use std::sync::Arc;

use axum::extract::FromRef;
use crochet::app::App;
use crochet::endpoint_secrets::{ReadSecrets, SecretStoreError, SecretsManager};
use crochet::http::cursor::CursorKey;
use crochet::outbound::{Outbound, OutboundRules};
use crochet::payments::{self, PaymentProvider};
use remembered::Remembered;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the gateway may do: read endpoint secrets, ask the payment provider, call sellers.
#[derive(Clone, FromRef)]
pub struct State {
    app: App,
    #[from_ref(skip)]
    secrets: Arc<dyn ReadSecrets>,
    #[from_ref(skip)]
    provider: Arc<dyn PaymentProvider>,
    #[from_ref(skip)]
    outbound: Outbound,
    #[from_ref(skip)]
    cursors: CursorKey,
    #[from_ref(skip)]
    remembered: Arc<Remembered>,
}

impl State {
    /// Connects to Secrets Manager and the payment provider, with the operator's secret.
    ///
    /// # Errors
    /// Where the operator's secret cannot be read.
    pub async fn connect(app: App) -> Result<Self, SecretStoreError> {
        let secrets = SecretsManager::connect(&app.config).await;
        let operator = secrets.operator_secret(&app.config).await?;
        Ok(Self {
            provider: payments::provider(&app.config.relay_url, operator.relay_api_key),
            outbound: Outbound::new(OutboundRules::of(&app.config)),
            cursors: CursorKey::new(&operator.cursor_key),
            secrets: Arc::new(secrets),
            remembered: Arc::default(),
            app,
        })
    }

    /// The same with another way to sellers.
    #[must_use]
    pub fn with_outbound(self, outbound: Outbound) -> Self {
        Self { outbound, ..self }
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
        .routes(routes!(call::handler::call_listing))
        .routes(routes!(history::requests::list_gateway_requests))
        .routes(routes!(history::requests::get_gateway_request))
        .routes(routes!(history::ledger::list_ledger))
}
