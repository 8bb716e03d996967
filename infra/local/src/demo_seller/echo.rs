//! Recording calls and echoing them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crochet_domain::timestamp::rfc3339;
use serde_json::{Value, json};

use super::calls::Call;
use super::secrets::Verdict;
use super::state::DemoSeller;

/// A recorded call, passed to the endpoint.
#[derive(Clone)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) webhook_id: Option<String>,
    /// Number of calls with this id to this path, including this one.
    pub(super) nth: u64,
    pub(super) body: Bytes,
    pub(super) verdict: Verdict,
}

/// Records every call before its endpoint handles it.
pub(super) async fn record(State(seller): State<DemoSeller>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = match Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    let path = parts.uri.path().to_owned();
    let webhook_id = header(&parts.headers, "webhook-id");
    let verdict = seller.secrets().verify(&path, &body, &parts.headers, seller.clock());
    let nth = seller.log().add(Call {
        received_at: rfc3339(seller.clock().now()),
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

/// `POST /echo` and below: 401 unless the signature is valid.
pub(super) async fn echo(axum::Extension(received): axum::Extension<Received>) -> Response {
    match &received.verdict {
        Verdict::Good => echoed(&received),
        Verdict::Unknown => refused("no secret is known for this path; POST /secret first"),
        Verdict::Bad(reason) => refused(reason),
    }
}

pub(super) fn echoed(received: &Received) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&received.body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "the body is not JSON" }))).into_response();
    };
    Json(json!({ "echo": body, "verified": received.verdict.verified(), "webhook_id": received.webhook_id })).into_response()
}

pub(super) fn refused(reason: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": reason, "verified": false }))).into_response()
}
