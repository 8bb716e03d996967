//! Cross-origin requests: pages of any origin may call what a key, or nobody, may call.
//!
//! Replies are open to every origin, but never with credentials: a page of another site sends no cookie whose reply it could read.
//! Routes that only a session opens send none of these headers, so browsers keep other sites out.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::wire::payment::PAYMENT_ID_HEADER;

/// Beginnings of the routes that are closed: they belong to people with sessions, or to the payment provider.
const CLOSED: &[&str] = &[
    "/api/v1/auth/passkey/",
    "/api/v1/session",
    "/api/v1/agents/{id}/claim",
    "/api/v1/webhooks/",
    "/account",
    "/login",
    "/signup",
];
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// Headers that a page may send, besides the payment's id.
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Accept, Idempotency-Key, If-None-Match, X-Crochet-Origin-Currency";
/// Headers that a page may read. It may always read `Content-Type` and a few more.
const EXPOSED_HEADERS: &str = "Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, X-Request-Id, ETag, Allow, \
                               WWW-Authenticate";
/// How long a browser may remember a preflight, in seconds: two hours, the most that every browser accepts.
const MAX_AGE: &str = "7200";

/// Whether pages of other origins may call this route. A path without a route is open, so that its 404 can be read.
pub(super) fn is_open(route: &str) -> bool {
    !CLOSED.iter().any(|closed| route.starts_with(closed))
}

/// Whether a browser asks, with this request, whether it may send another one.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The reply to a preflight.
pub(super) fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    insert(headers, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    insert(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &format!("{REQUEST_HEADERS}, {PAYMENT_ID_HEADER}"));
    insert(headers, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

/// Opens a reply to every origin.
pub(super) fn open(headers: &mut HeaderMap) {
    insert(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    insert(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
