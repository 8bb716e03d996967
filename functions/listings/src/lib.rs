//! What sellers do: create, change and withdraw listings, and set the endpoint behind them.

mod challenge;
mod endpoint;
mod listing;
pub mod secret_move;
pub mod secret_sweep;
mod seller;
mod state;

pub use state::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
        .routes(routes!(challenge::create::create_listing_challenge))
        .routes(routes!(listing::create::create_listing))
        .routes(routes!(listing::update::update_listing, listing::delete::delete_listing))
        .routes(routes!(endpoint::get::get_endpoint, endpoint::update::update_endpoint))
        .routes(routes!(endpoint::test_call::test_endpoint))
        .routes(routes!(endpoint::rotate::rotate_secret))
}
