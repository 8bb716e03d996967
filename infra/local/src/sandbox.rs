//! The sandbox Relay: speaks the payment provider's HTTP API, so that no code path exists only for tests, and has controls.
//!
//! Shapes follow the types of `@relayprotocol/relay-sdk` 7 and the provider's API pages. It shares no code with the service
//! except the clock of the local stack.

mod book;
mod controls;
mod facts;
mod faults;
mod list;
mod pay;
mod payment;
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
pub use webhook::{API_KEY, sign};

impl Sandbox {
    /// The provider's routes and the controls.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/quote/v2", post(quote::quote))
            .route("/intents/status/v3", get(status::status))
            .route("/requests/v3", get(list::requests))
            .route("/sandbox/requests", get(controls::list))
            .route("/sandbox/requests/{id}", get(controls::show).post(controls::change))
            .route("/sandbox/pay", post(pay::pay))
            .route("/sandbox/faults", post(controls::fault))
            .route("/sandbox/costs", post(controls::costs))
            .route("/sandbox/keys", post(controls::keys))
            .route("/sandbox/clock", get(controls::clock).post(controls::advance))
            .fallback(controls::not_found)
            .method_not_allowed_fallback(controls::not_found)
            .with_state(self.clone())
    }
}
