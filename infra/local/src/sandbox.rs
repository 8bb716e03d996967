//! The sandbox Relay: speaks the payment provider's own HTTP, so that no code path exists for tests alone, and can be steered.
//!
//! Shapes follow the types of `@relayprotocol/relay-sdk` 7 and the provider's API pages. Nothing here shares code with the
//! service that calls it, except for the clock, which the whole local stack follows.

mod controls;
mod faults;
mod payments;
mod price;
mod quote;
mod record;
mod refusal;
mod request;
mod status;
mod steps;
#[cfg(test)]
mod tests;
mod tokens;
mod webhook;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use crochet::clock::{Clock, unix_ms};
use serde_json::{Value, json};

use faults::{Faults, Mode, Route};
use payments::{Change, Payment, Payments};
use refusal::Refusal;
use webhook::Webhook;

/// The key that the sandbox takes, and signs its webhooks with.
pub const API_KEY: &str = "sandbox-relay-key";

/// The provider's state. Clones share it.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    clock: Clock,
    url: String,
    webhook: Option<Webhook>,
    payments: Mutex<Payments>,
    faults: Mutex<Faults>,
}

impl Sandbox {
    /// A sandbox that is reached at `url` (no slash at the end) and sends its webhooks to `webhook_url`, if any.
    #[must_use]
    pub fn new(clock: Clock, url: &str, webhook_url: Option<String>) -> Self {
        Self(Arc::new(Inner {
            clock,
            url: url.to_owned(),
            webhook: webhook_url.map(Webhook::new),
            payments: Mutex::default(),
            faults: Mutex::default(),
        }))
    }

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

    fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The stack's time in Unix milliseconds.
    fn now_ms(&self) -> i64 {
        unix_ms(self.0.clock.now())
    }

    fn controls_url(&self) -> String {
        self.0.url.clone()
    }

    /// A panic while the lock was held leaves the payments consistent: each change is one insertion.
    fn payments(&self) -> MutexGuard<'_, Payments> {
        self.0.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self) -> String {
        format!("0x{}", hex::encode(crochet_client::random_bytes::<32>()))
    }

    fn newest_id(&self) -> Option<String> {
        self.payments().newest().next().map(|payment| payment.id.clone())
    }

    fn newest(&self, limit: usize, user: Option<&str>) -> (usize, Vec<Payment>) {
        let payments = self.payments();
        let wanted = |payment: &&Payment| user.is_none_or(|user| payment.terms.user == user);
        (payments.len(), payments.newest().filter(wanted).take(limit).cloned().collect())
    }

    fn remember(&self, payment: Payment) {
        self.payments().add(payment);
    }

    fn payment(&self, id: &str) -> Option<Payment> {
        self.payments().get(id).cloned()
    }

    /// Writes a change down; false where nobody knows the payment.
    fn change(&self, id: &str, change: Change) -> bool {
        let mut payments = self.payments();
        let Some(payment) = payments.get_mut(id) else {
            return false;
        };
        payment.change(change);
        true
    }

    fn start_fault(&self, route: Route, mode: Mode, lasts: Duration) {
        self.faults().start(route, mode, lasts);
    }

    fn clear_faults(&self) {
        self.faults().clear();
    }

    fn fault(&self, route: Route) -> Option<Mode> {
        self.faults().on(route)
    }

    /// What comes before every answer of the provider: webhooks that have become due, and the fault in force.
    async fn trouble(&self, route: Route) -> Option<Response> {
        if self.0.webhook.is_some() {
            let sandbox = self.clone();
            // The provider does not keep a caller waiting for somebody else's webhook.
            tokio::spawn(async move { sandbox.announce().await });
        }
        let mode = self.fault(route)?;
        mode.play().await
    }

    /// Sends the webhooks of all changes that have taken effect, in order, and tells what came of each.
    async fn announce(&self) -> Vec<Value> {
        let Some(webhook) = &self.0.webhook else {
            return Vec::new();
        };
        let due = self.payments().take_unannounced(self.now_ms());
        let mut sent = Vec::new();
        for (payment, at_ms) in due {
            let body = status::webhook_json(&payment, at_ms);
            let outcome = webhook.send(body.to_string(), self.now_ms()).await;
            sent.push(match outcome {
                Ok(answered) => json!({ "request_id": payment.id, "answered": answered }),
                Err(error) => json!({ "request_id": payment.id, "error": error }),
            });
        }
        sent
    }

    /// The key is optional on most routes, but a wrong one is never taken.
    fn check_key(&self, headers: &HeaderMap, required: bool) -> Result<(), Refusal> {
        match headers.get("x-api-key") {
            None if !required => Ok(()),
            Some(key) if key.as_bytes() == API_KEY.as_bytes() => Ok(()),
            _ => Err(Refusal::unauthorized()),
        }
    }
}
