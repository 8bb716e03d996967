//! What buyers choose by: reviews, scores and statistics.

mod agent;
mod bought;
mod erc8004;
mod receipt;
mod receipt_keys;
mod review;
pub mod score;
mod state;
mod stats;

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
        .routes(routes!(review::list::list_reviews, review::create::create_review, review::replace::replace_review))
        .routes(routes!(review::answer::answer_review))
        .routes(routes!(review::of_agent::list_agent_reviews))
        .routes(routes!(score::read::get_score))
        .routes(routes!(score::history::list_score_history))
        .routes(routes!(score::inputs::list_score_inputs))
        .routes(routes!(stats::listing::get_listing_stats))
        .routes(routes!(stats::total::get_stats))
        .routes(routes!(receipt::read::get_receipt))
        .routes(routes!(receipt::jwks::get_jwks))
        .routes(routes!(erc8004::get_registration))
        .routes(routes!(erc8004::get_feedback))
}
