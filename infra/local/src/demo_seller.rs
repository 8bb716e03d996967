//! The demo seller: verifies the gateway's signature with a stock Standard Webhooks library, echoes the body, and misbehaves on
//! request.
//!
//! It is an outsider: of the service it shares nothing but the clock, which the whole local stack follows.

mod calls;
mod controls;
mod misbehave;
mod secrets;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use crochet::clock::Clock;
use crochet_domain::timestamp::rfc3339;
use serde_json::{Value, json};

use calls::{Call, Log};
use secrets::{Secrets, Verdict};

/// Largest body that the seller reads.
const MAXIMUM_BODY: usize = 16 * 1024 * 1024;

/// The seller's state. Clones share it.
#[derive(Clone)]
pub struct DemoSeller(Arc<Inner>);

struct Inner {
    clock: Clock,
    secrets: Mutex<Secrets>,
    log: Mutex<Log>,
}

impl DemoSeller {
    /// A seller that knows no secret yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, secrets: Mutex::default(), log: Mutex::default() }))
    }

    /// The endpoints that a gateway may call, and the seller's own controls.
    pub fn router(&self) -> Router {
        let endpoints = Router::new()
            .route("/echo", post(echo))
            .route("/echo/{*rest}", post(echo))
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
            .layer(middleware::from_fn_with_state(self.clone(), record));
        Router::new()
            .route("/calls", get(controls::list).delete(controls::forget))
            .route("/secret", post(controls::secret))
            .merge(endpoints)
            .fallback(controls::not_found)
            .layer(DefaultBodyLimit::max(MAXIMUM_BODY))
            .with_state(self.clone())
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.0.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call looked like, handed to the endpoint.
#[derive(Clone)]
struct Received {
    path: String,
    webhook_id: Option<String>,
    /// How many calls with this id came to this path, this one included.
    nth: u64,
    body: Bytes,
    verdict: Verdict,
}

/// Writes every call down before anything else is done with it.
async fn record(State(seller): State<DemoSeller>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = match Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    let path = parts.uri.path().to_owned();
    let webhook_id = header(&parts.headers, "webhook-id");
    let verdict = seller.secrets().verify(&path, &body, &parts.headers, &seller.0.clock);
    let nth = seller.log().add(Call {
        received_at: rfc3339(seller.0.clock.now()),
        method: parts.method.to_string(),
        path: path.clone(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers.clone(),
        body: body.clone(),
        webhook_id: webhook_id.clone(),
        verified: verdict.verified(),
        nth: 0,
    });
    let mut request = Request::from_parts(parts, body.clone().into());
    request.extensions_mut().insert(Received { path, webhook_id, nth, body, verdict });
    next.run(request).await
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// `POST /echo` and everything below it: 401 unless the signature is good.
async fn echo(axum::Extension(received): axum::Extension<Received>) -> Response {
    match &received.verdict {
        Verdict::Good => echoed(&received),
        Verdict::Unknown => refused("no secret is known for this path; POST /secret first"),
        Verdict::Bad(reason) => refused(reason),
    }
}

fn echoed(received: &Received) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&received.body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "the body is not JSON" }))).into_response();
    };
    Json(json!({ "echo": body, "verified": received.verdict.verified(), "webhook_id": received.webhook_id })).into_response()
}

fn refused(reason: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": reason, "verified": false }))).into_response()
}
