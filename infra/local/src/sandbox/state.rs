//! The sandbox's state.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use crochet::clock::Clock;
use crochet_domain::timestamp::unix_ms;
use serde_json::{Value, json};

use super::facts::webhook_json;
use super::faults::{Faults, Mode, Route};
use super::payment::{Change, Payment};
use super::payments::Payments;
use super::price::EXECUTION_FEE_MICROS;
use super::refusal::Refusal;
use super::webhook::{API_KEY, Webhook};

/// The provider's state. Clones share it.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    clock: Clock,
    url: String,
    webhook: Option<Webhook>,
    payments: Mutex<Payments>,
    faults: Mutex<Faults>,
    execution_micros: AtomicU32,
    keys: Mutex<Keys>,
}

/// API keys: those that are accepted, and with which one a payment was quoted.
struct Keys {
    accepted: Vec<String>,
    quoted: HashMap<String, String>,
}

impl Sandbox {
    /// Opens a sandbox with the base URL `url` (no trailing slash) that sends its webhooks to `webhook_url`. With a directory, it
    /// keeps its payments there.
    ///
    /// # Errors
    /// One sentence, if the directory cannot be read or written.
    pub fn open(clock: Clock, url: &str, webhook_url: Option<String>, data: Option<&Path>) -> Result<Self, String> {
        let payments = match data {
            Some(directory) => Payments::open(directory, unix_ms(clock.now()))?,
            None => Payments::default(),
        };
        Ok(Self(Arc::new(Inner {
            clock,
            url: url.to_owned(),
            webhook: webhook_url.map(Webhook::new),
            payments: Mutex::new(payments),
            faults: Mutex::default(),
            execution_micros: AtomicU32::new(EXECUTION_FEE_MICROS),
            keys: Mutex::new(Keys { accepted: vec![API_KEY.to_owned()], quoted: HashMap::new() }),
        })))
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The stack's time in Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        unix_ms(self.0.clock.now())
    }

    /// The provider's flat fee, in micro-dollars.
    pub(super) fn execution_micros(&self) -> u32 {
        self.0.execution_micros.load(Ordering::Relaxed)
    }

    pub(super) fn set_execution_micros(&self, micros: u32) {
        self.0.execution_micros.store(micros, Ordering::Relaxed);
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts these keys and no others. Webhooks are signed with the first.
    pub(super) fn accept_keys(&self, accepted: Vec<String>) {
        self.keys().accepted = accepted;
    }

    /// Notes the key with which a payment was quoted.
    pub(super) fn note_key(&self, id: &str, headers: &HeaderMap) {
        if let Some(key) = headers.get("x-api-key").and_then(|key| key.to_str().ok()) {
            self.keys().quoted.insert(id.to_owned(), key.to_owned());
        }
    }

    /// Whether a payment is listed under this key. One of which no key is known is, under each.
    pub(super) fn is_listed_under(&self, id: &str, key: &str) -> bool {
        self.keys().quoted.get(id).is_none_or(|quoted| quoted == key)
    }

    pub(super) fn accepts(&self, key: &str) -> bool {
        self.keys().accepted.iter().any(|accepted| accepted == key)
    }

    fn signing_key(&self) -> String {
        self.keys().accepted.first().cloned().unwrap_or_default()
    }

    pub(super) fn controls_url(&self) -> String {
        self.0.url.clone()
    }

    /// A poisoned lock is safe to use: each change is one insertion.
    pub(super) fn payments(&self) -> MutexGuard<'_, Payments> {
        self.0.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn new_id(&self) -> String {
        format!("0x{}", hex::encode(crochet_client::random_bytes::<32>()))
    }

    pub(super) fn newest_id(&self) -> Option<String> {
        self.payments().newest().next().map(|payment| payment.id.clone())
    }

    pub(super) fn newest(&self, limit: usize, user: Option<&str>) -> (usize, Vec<Payment>) {
        let payments = self.payments();
        let wanted = |payment: &&Payment| user.is_none_or(|user| payment.terms.user == user);
        (payments.len(), payments.newest().filter(wanted).take(limit).cloned().collect())
    }

    pub(super) fn remember(&self, payment: Payment) {
        self.payments().add(payment);
    }

    pub(super) fn payment(&self, id: &str) -> Option<Payment> {
        self.payments().get(id).cloned()
    }

    /// A payment, unless the provider has forgotten it.
    pub(super) fn known(&self, id: &str) -> Option<Payment> {
        let now_ms = self.now_ms();
        self.payment(id).filter(|payment| !payment.is_forgotten(now_ms))
    }

    /// Adds a change. Returns false if the payment is unknown.
    pub(super) fn change(&self, id: &str, change: Change) -> bool {
        let at_ms = change.at_ms;
        let is_known = self.payments().update(id, |payment| payment.change(change));
        if is_known {
            self.announce_at(at_ms);
        }
        is_known
    }

    /// Makes the provider forget an id from `at_ms` on, or know it again. Returns false if the payment is unknown.
    pub(super) fn forget(&self, id: &str, at_ms: Option<i64>) -> bool {
        self.payments().update(id, |payment| payment.forget(at_ms))
    }

    pub(super) fn start_fault(&self, route: Route, mode: Mode, user: Option<String>, lasts: Duration) {
        self.faults().start(route, mode, user, lasts);
    }

    pub(super) fn clear_faults(&self) {
        self.faults().clear();
    }

    pub(super) fn fault(&self, route: Route) -> Option<Mode> {
        self.faults().on(route, None)
    }

    /// The active fault of a quote that `user` pays.
    pub(super) fn fault_of_quote(&self, user: &str) -> Option<Mode> {
        self.faults().on(Route::Quote, Some(user))
    }

    /// Runs before every reply: sends due webhooks, and returns the response of an active fault.
    pub(super) async fn trouble(&self, route: Route) -> Option<Response> {
        if self.0.webhook.is_some() {
            let sandbox = self.clone();
            // The caller does not wait for webhooks.
            tokio::spawn(async move { sandbox.announce().await });
        }
        let mode = self.fault(route)?;
        mode.play().await
    }

    /// Sends the webhook of a future change when it takes effect.
    fn announce_at(&self, at_ms: i64) {
        let Ok(wait_ms @ 1..) = u64::try_from(at_ms - self.now_ms()) else { return };
        if self.0.webhook.is_some() {
            let sandbox = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                sandbox.announce().await;
            });
        }
    }

    /// Sends the webhooks of all changes in effect, in order. Returns the outcome of each.
    pub(super) async fn announce(&self) -> Vec<Value> {
        let Some(webhook) = &self.0.webhook else {
            return Vec::new();
        };
        let due = self.payments().take_unannounced(self.now_ms());
        let mut sent = Vec::new();
        for (payment, at_ms) in due {
            let body = webhook_json(&payment, at_ms);
            let outcome = webhook.send(&self.signing_key(), body.to_string(), self.now_ms()).await;
            sent.push(match outcome {
                Ok(answered) => json!({ "request_id": payment.id, "answered": answered }),
                Err(error) => json!({ "request_id": payment.id, "error": error }),
            });
        }
        sent
    }

    /// The key is optional on most routes, but a wrong key is always rejected.
    pub(super) fn check_key(&self, headers: &HeaderMap, required: bool) -> Result<(), Refusal> {
        match headers.get("x-api-key") {
            None if !required => Ok(()),
            Some(key) if key.to_str().is_ok_and(|key| self.accepts(key)) => Ok(()),
            _ => Err(Refusal::unauthorized()),
        }
    }
}
