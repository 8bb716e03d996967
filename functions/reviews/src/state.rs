//! The state of the reviews function.

use axum::extract::FromRef;
use crochet::app::App;
use crochet::endpoint_secrets::SecretsManager;

use crate::receipt_keys::KeyRing;

/// What the handlers of this group have at hand.
#[derive(Clone, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    /// The keys of receipts.
    #[from_ref(skip)]
    pub(crate) receipts: KeyRing,
}

impl State {
    /// Connects to Secrets Manager. The keys are read when they are first needed.
    pub async fn connect(app: App) -> Self {
        let receipts = KeyRing::new(SecretsManager::connect(&app.config).await);
        Self { app, receipts }
    }
}
