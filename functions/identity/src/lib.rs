//! Identity: challenges, registration, recovery, sessions, and the caller's own profile.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod api_key;
mod attempt;
mod caller;
mod challenge;
mod claim;
mod field;
mod health;
mod passkey;
mod profile;
mod proof;
mod relying_party;
mod selling;
mod session;
mod state;
mod wallet;

pub use state::State;

/// The routes of this group.
pub fn router(state: State) -> OpenApiRouter {
    routes().with_state(state)
}

/// The OpenAPI document of this group.
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
        .routes(routes!(wallet::read::get_wallet, wallet::update::update_wallet))
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
        .routes(routes!(passkey::reauthenticate::start))
        .routes(routes!(passkey::reauthenticate::finish))
        .routes(routes!(passkey::recover::recover))
        .routes(routes!(passkey::recovery_codes::replace))
        .routes(routes!(passkey::credentials::list))
        .routes(routes!(passkey::credentials::remove))
        .routes(routes!(session::read::read, session::end::end))
        .routes(routes!(session::list::list))
        .routes(routes!(session::end::end_one))
}
