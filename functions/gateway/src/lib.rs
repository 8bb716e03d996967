//! The gateway: calls, their history and the ledger.
//!
//! Follow a call in `call/`: `handler` authenticates and loads, `resolve` finds the call that the request means, and `advance`
//! decides and acts until there is a reply.

mod attend;
mod call;
mod close;
mod count;
mod count_calls;
mod count_due;
mod fact;
mod history;
mod out_of_budget;
mod party;
mod passed;
mod recent;
mod refund;
mod remembered;
mod state;
pub mod sweep;
mod turn;
mod webhook;

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
        .routes(routes!(call::handler::call_listing))
        .routes(routes!(history::requests::list_gateway_requests))
        .routes(routes!(history::requests::get_gateway_request))
        .routes(routes!(refund::route::refund_call))
        .routes(routes!(close::close_call))
        .routes(routes!(history::ledger::list_ledger))
        .routes(routes!(webhook::receive_webhook))
}
