//! Who somebody is: challenges, registration, recovery, and the caller's own profile.

use axum::extract::FromRef;
use crochet::app::App;
use crochet::wallet_proofs::WalletProofs;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod challenge;
mod claim;
mod field;
mod health;
mod key;
mod profile;
mod wallet;

/// What the handlers of this group have at hand.
#[derive(Clone, Debug)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    /// Checks wallets' signatures.
    pub proofs: WalletProofs,
}

impl State {
    /// What the configuration says.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { proofs: WalletProofs::of(&app.config), app }
    }
}

impl FromRef<State> for App {
    fn from_ref(state: &State) -> Self {
        state.app.clone()
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
        .routes(routes!(health::health))
        .routes(routes!(challenge::create::create))
        .routes(routes!(profile::register::register))
        .routes(routes!(profile::recover::recover))
        .routes(routes!(profile::me::me))
        .routes(routes!(claim::create::claim, claim::release::release))
}
