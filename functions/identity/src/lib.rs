//! Who somebody is: challenges, registration, recovery, and the caller's own profile.

use axum::extract::FromRef;
use crochet::app::App;
use crochet::wallet_proofs::WalletProofs;
use passkey::relying_party::RelyingParty;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod api_key;
mod challenge;
mod claim;
mod field;
mod health;
mod passkey;
mod profile;
mod session;
mod wallet;

/// What the handlers of this group have at hand.
#[derive(Clone, Debug, FromRef)]
pub struct State {
    /// Configuration, time and store.
    pub app: App,
    /// Checks wallets' signatures.
    pub proofs: WalletProofs,
    /// Checks people's passkeys.
    pub party: RelyingParty,
}

impl State {
    /// What the configuration says.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { proofs: WalletProofs::of(&app.config), party: RelyingParty::of(&app.config), app }
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
        .routes(routes!(wallet::list::list_wallets, wallet::link::link_wallet))
        .routes(routes!(wallet::read::get_wallet, wallet::patch::update_wallet))
        .routes(routes!(profile::me::me, profile::update::update_me))
        .routes(routes!(profile::public::get_agent))
        .routes(routes!(api_key::list::list_api_keys, api_key::create::create_api_key))
        .routes(routes!(api_key::report_leak::report_leaked_api_key))
        .routes(routes!(api_key::revoke::revoke_api_key))
        .routes(routes!(claim::create::claim, claim::release::release))
        .routes(routes!(passkey::register::start))
        .routes(routes!(passkey::register::finish))
        .routes(routes!(passkey::login::start))
        .routes(routes!(passkey::login::finish))
        .routes(routes!(passkey::recover::recover))
        .routes(routes!(passkey::codes::replace))
        .routes(routes!(passkey::credentials::list))
        .routes(routes!(passkey::credentials::remove))
        .routes(routes!(session::read::read, session::end::end))
}
