//! The controls of the sandbox Relay and the demo seller.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::error::UnexpectedReply;
use crate::http::plain_http;
use crate::request::Request;

/// Request timeout. A slow sandbox takes ten seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Controls the sandbox Relay.
#[derive(Debug, Clone)]
pub struct SandboxControls {
    base: String,
    http: reqwest::Client,
}

impl SandboxControls {
    /// Controls for the sandbox at `base`, for example `http://127.0.0.1:9001`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), http: plain_http(TIMEOUT) }
    }

    /// The base URL of the sandbox.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to any route of the sandbox, including the provider's own.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(self.http.clone(), None, method, format!("{}{path}", self.base))
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, UnexpectedReply> {
        success(self.request(Method::POST, path).json(body)).await
    }

    /// Pays a quote. The payment succeeds immediately, as quoted.
    ///
    /// # Errors
    /// If the sandbox does not know the quote.
    pub async fn pay(&self, relay_request_id: &str) -> Result<Value, UnexpectedReply> {
        self.set(relay_request_id, &json!({ "status": "success" })).await
    }

    /// Pays a quote with the signed transactions of its steps: base64 or base58 (Solana), `0x` and hex (EVM).
    ///
    /// # Errors
    /// If a transaction differs from its step, or a signature is wrong.
    pub async fn pay_with(&self, transactions: &[String]) -> Result<Value, UnexpectedReply> {
        self.post("/sandbox/pay", &json!({ "transactions": transactions })).await
    }

    /// Pays a quote. The status says so immediately, the record only `record_after_ms` later.
    ///
    /// # Errors
    /// If the sandbox does not know the quote.
    pub async fn pay_with_late_record(&self, relay_request_id: &str, record_after_ms: u32) -> Result<Value, UnexpectedReply> {
        self.set(relay_request_id, &json!({ "status": "success", "record_after_ms": record_after_ms })).await
    }

    /// Makes the provider forget an id: from now on, it replies 404 and lists no record.
    ///
    /// # Errors
    /// If the sandbox never knew the quote.
    pub async fn forget(&self, relay_request_id: &str) -> Result<Value, UnexpectedReply> {
        self.set(relay_request_id, &json!({ "forget": true })).await
    }

    /// Makes the provider know a forgotten id again.
    ///
    /// # Errors
    /// If the sandbox never knew the quote.
    pub async fn recall(&self, relay_request_id: &str) -> Result<Value, UnexpectedReply> {
        self.set(relay_request_id, &json!({ "forget": false })).await
    }

    /// Lets another id supersede this one, which keeps its state. An unknown id becomes a payment with the same terms.
    ///
    /// # Errors
    /// If the sandbox does not know the quote, or `by` is not an id of the provider.
    pub async fn supersede(&self, relay_request_id: &str, by: &str) -> Result<Value, UnexpectedReply> {
        self.set(relay_request_id, &json!({ "superseded_by": by })).await
    }

    /// Sets the state of a payment, now or after `after_ms`: `{status, after_ms?, record_after_ms?, output?, recipient?,
    /// fail_reason?, fill?, superseded_by?}` or `{forget, after_ms?}`. Any state may follow any other.
    ///
    /// # Errors
    /// If the sandbox does not know the quote or rejects the change.
    pub async fn set(&self, relay_request_id: &str, change: &Value) -> Result<Value, UnexpectedReply> {
        self.post(&format!("/sandbox/requests/{relay_request_id}"), change).await
    }

    /// Injects a fault into a route (`quote`, `status`, `requests`) for `for_ms` of real time.
    pub async fn fault(&self, route: &str, mode: &str, for_ms: u32) -> Result<Value, UnexpectedReply> {
        self.post("/sandbox/faults", &json!({ "route": route, "mode": mode, "for_ms": for_ms })).await
    }

    /// As [`SandboxControls::fault`], for the quotes alone that this address pays. `mode` is one that changes what a quote says.
    pub async fn fault_for(&self, user: &str, mode: &str, for_ms: u32) -> Result<Value, UnexpectedReply> {
        self.post("/sandbox/faults", &json!({ "route": "quote", "mode": mode, "for_ms": for_ms, "user": user })).await
    }

    /// Ends all faults.
    pub async fn clear_faults(&self) -> Result<(), UnexpectedReply> {
        self.post("/sandbox/faults", &json!({ "clear": true })).await.map(drop)
    }

    /// Sets the flat fee that the provider adds to each quote from now on, in micro-dollars. `None`: 0.02 USD, as at the start.
    pub async fn set_costs(&self, execution_micros: Option<u32>) -> Result<(), UnexpectedReply> {
        self.post("/sandbox/costs", &json!({ "execution_micros": execution_micros })).await.map(drop)
    }

    /// Makes the provider accept these API keys and no others. Webhooks are signed with the first.
    pub async fn accept_keys(&self, keys: &[&str]) -> Result<(), UnexpectedReply> {
        self.post("/sandbox/keys", &json!({ "accepted": keys })).await.map(drop)
    }

    /// Moves the clock of the whole stack. Returns its new offset, in milliseconds.
    pub async fn advance_clock(&self, ms: i64) -> Result<i64, UnexpectedReply> {
        let reply = self.post("/sandbox/clock", &json!({ "advance_ms": ms })).await?;
        reply["offset_ms"].as_i64().ok_or_else(|| UnexpectedReply("the sandbox did not return its clock offset".into()))
    }

    /// How far the stack's clock is ahead of the system's, in milliseconds.
    pub async fn clock_offset_ms(&self) -> Result<i64, UnexpectedReply> {
        let reply = success(self.request(Method::GET, "/sandbox/clock")).await?;
        reply["offset_ms"].as_i64().ok_or_else(|| UnexpectedReply("the sandbox did not return its clock offset".into()))
    }

    /// All quotes and their states, newest first. With `user`, only those of that payer.
    pub async fn requests(&self, user: Option<&str>) -> Result<Vec<Value>, UnexpectedReply> {
        let mut request = self.request(Method::GET, "/sandbox/requests");
        if let Some(user) = user {
            request = request.query("user", user);
        }
        Ok(list(success(request).await?, "requests"))
    }

    /// One payment.
    ///
    /// # Errors
    /// If the sandbox does not know it.
    pub async fn payment(&self, relay_request_id: &str) -> Result<Value, UnexpectedReply> {
        let reply = success(self.request(Method::GET, &format!("/sandbox/requests/{relay_request_id}"))).await?;
        Ok(reply["request"].clone())
    }
}

/// Controls the demo seller.
#[derive(Debug, Clone)]
pub struct SellerControls {
    base: String,
    http: reqwest::Client,
}

impl SellerControls {
    /// Controls for the seller at `base`, for example `http://127.0.0.1:9002`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), http: plain_http(TIMEOUT) }
    }

    /// A request to any route of the seller.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(self.http.clone(), None, method, format!("{}{path}", self.base))
    }

    /// The URL of one of its endpoints, for a listing.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Adds a secret that the seller verifies calls to `path` with.
    pub async fn add_secret(&self, signing_secret: &str, path: &str) -> Result<(), UnexpectedReply> {
        let body = json!({ "signing_secret": signing_secret, "path": path });
        success(self.request(Method::POST, "/secret").json(&body)).await.map(drop)
    }

    /// The calls that it received, oldest first. Filters are `("webhook_id", …)` and `("path", …)`.
    pub async fn calls(&self, filters: &[(&str, &str)]) -> Result<Vec<Value>, UnexpectedReply> {
        let mut request = self.request(Method::GET, "/calls");
        for (name, value) in filters {
            request = request.query(name, value);
        }
        Ok(list(success(request).await?, "calls"))
    }

    /// Deletes its record of received calls.
    pub async fn forget_calls(&self) -> Result<(), UnexpectedReply> {
        success(self.request(Method::DELETE, "/calls")).await.map(drop)
    }
}

/// Returns the JSON of a 200. Controls use no envelope.
async fn success(request: Request) -> Result<Value, UnexpectedReply> {
    let reply = request.send().await?;
    reply.expect(200)?;
    Ok(reply.json)
}

fn list(reply: Value, name: &str) -> Vec<Value> {
    reply[name].as_array().cloned().unwrap_or_default()
}
