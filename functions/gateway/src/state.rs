//! The state of the gateway function.

use std::sync::Arc;

use crate::passed::Passed;
use crate::recent::Recent;
use crate::remembered::Remembered;
use axum::extract::FromRef;
use crochet::app::App;
use crochet::endpoint_secrets::{EndpointSecrets, ReadSecrets, SecretStoreError};
use crochet::http::cursor::CursorKeys;
use crochet::operator_secret::OperatorSecret;
use crochet::outbound::{Outbound, OutboundRules};
use crochet::payments::{self, PaymentProvider};

/// What the gateway may do: read endpoint secrets, ask the payment provider, call sellers.
#[derive(Clone, FromRef)]
pub struct State {
    pub(crate) app: App,
    #[from_ref(skip)]
    pub(crate) secrets: Arc<dyn ReadSecrets>,
    #[from_ref(skip)]
    pub(crate) provider: Arc<dyn PaymentProvider>,
    #[from_ref(skip)]
    pub(crate) outbound: Outbound,
    #[from_ref(skip)]
    pub(crate) cursors: Arc<OperatorSecret<CursorKeys>>,
    #[from_ref(skip)]
    pub(crate) remembered: Arc<Remembered>,
    #[from_ref(skip)]
    pub(crate) counted: Arc<Recent>,
    #[from_ref(skip)]
    pub(crate) passed: Arc<Passed>,
}

impl State {
    /// Connects to Secrets Manager and the payment provider, with its key.
    ///
    /// # Errors
    /// The key cannot be read.
    pub async fn connect(app: App) -> Result<Self, SecretStoreError> {
        let secrets = EndpointSecrets::connect(&app).await;
        let provider = OperatorSecret::of(&app, &app.config.provider_secret_id);
        provider.current().await?;
        Ok(Self {
            provider: payments::provider(&app.config.provider_url, provider),
            outbound: Outbound::new(OutboundRules::of(&app.config)),
            cursors: Arc::new(OperatorSecret::of(&app, &app.config.keys_secret_id)),
            secrets: Arc::new(secrets),
            remembered: Arc::default(),
            counted: Arc::default(),
            passed: Arc::default(),
            app,
        })
    }

    /// The same state with another way to reach sellers.
    #[must_use]
    pub fn with_outbound(self, outbound: Outbound) -> Self {
        Self { outbound, ..self }
    }
}
