//! The sandbox Relay: speaks the payment provider's own HTTP, so that no code path exists for tests alone, and can be steered.
//!
//! Shapes follow the types of `@relayprotocol/relay-sdk` 7 and the provider's API pages. Nothing here shares code with the
//! service that calls it, except for the clock, which the whole local stack follows.

mod controls;
mod facts;
mod faults;
mod payments;
mod price;
mod quote;
mod record;
mod refusal;
mod request;
mod state;
mod status;
mod steps;
#[cfg(test)]
mod tests;
mod tokens;
mod webhook;

use axum::Router;
use axum::routing::{get, post};

pub use state::Sandbox;
pub use webhook::API_KEY;

impl Sandbox {
    /// The provider's routes and the controls.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/quote/v2", post(quote::quote))
            .route("/intents/status/v3", get(status::status))
            .route("/requests/v3", get(record::requests))
            .route("/sandbox/requests", get(controls::list))
            .route("/sandbox/requests/{id}", get(controls::show).post(controls::change))
            .route("/sandbox/faults", post(controls::fault))
            .route("/sandbox/clock", get(controls::clock).post(controls::advance))
            .fallback(controls::not_found)
            .method_not_allowed_fallback(controls::not_found)
            .with_state(self.clone())
    }
}
