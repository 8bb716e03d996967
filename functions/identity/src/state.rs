//! What the handlers of this group share.

use axum::extract::FromRef;
use crochet::app::App;
use crochet::wallet_proofs::WalletProofs;

use crate::relying_party::RelyingParty;

/// What the handlers of this group share.
#[derive(Clone, Debug, FromRef)]
pub struct State {
    /// Configuration, clock and store.
    pub app: App,
    /// Verifies wallet signatures.
    pub proofs: WalletProofs,
    /// Runs WebAuthn ceremonies.
    pub party: RelyingParty,
}

impl State {
    /// The state for the configuration of `app`.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { proofs: WalletProofs::of(&app), party: RelyingParty::of(&app.config), app }
    }
}
