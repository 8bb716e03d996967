//! The demo seller: verifies the gateway's signature with a stock Standard Webhooks library, echoes the body, and fails on
//! request.
//!
//! It shares no code with the service except the clock of the local stack.

mod calls;
mod controls;
mod echo;
mod misbehave;
mod secrets;
mod state;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};

pub use state::DemoSeller;

/// Largest body that the seller reads.
const MAXIMUM_BODY: usize = 16 * 1024 * 1024;

impl DemoSeller {
    /// The endpoints for the gateway, and the seller's controls.
    pub fn router(&self) -> Router {
        let endpoints = Router::new()
            .route("/echo", post(echo::echo))
            .route("/echo/{*rest}", post(echo::echo))
            .route("/fail/{status}", any(misbehave::fail))
            .route("/status/{code}", any(misbehave::status))
            .route("/slow/{ms}", any(misbehave::slow))
            .route("/garbage", any(misbehave::garbage))
            .route("/huge/{bytes}", any(misbehave::huge))
            .route("/redirect", any(misbehave::redirect))
            .route("/flaky/{n}", any(misbehave::flaky))
            .route("/drip/{ms}", any(misbehave::drip))
            .route("/close", any(misbehave::close))
            .route("/empty", any(misbehave::empty))
            .route("/text", any(misbehave::text))
            .layer(from_fn_with_state(self.clone(), echo::record));
        Router::new()
            .route("/calls", get(controls::list).delete(controls::forget))
            .route("/secret", post(controls::secret))
            .merge(endpoints)
            .fallback(controls::not_found)
            .layer(DefaultBodyLimit::max(MAXIMUM_BODY))
            .with_state(self.clone())
    }
}
