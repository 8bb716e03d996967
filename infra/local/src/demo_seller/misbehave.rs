//! Endpoints that fail, each in one way. Only `/flaky` verifies the signature, once it works.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::echo::{Received, echoed, refused};
use super::secrets::Verdict;
use crate::serve::DropConnection;

/// Maximum response size of `/huge`, in bytes.
const MAXIMUM_HUGE: usize = 64 * 1024 * 1024;
const OPENING: &str = r#"{"filler":""#;
const CLOSING: &str = r#""}"#;

/// `/fail/{status}`: that status, with a JSON body.
pub(super) async fn fail(Path(status): Path<u16>) -> Response {
    answered(status, "failed on request")
}

/// `/status/{code}`: that status, with a JSON body.
pub(super) async fn status(Path(code): Path<u16>) -> Response {
    answered(code, "answered on request")
}

fn answered(status: u16, message: &str) -> Response {
    // hyper refuses to send an informational status as a response.
    match StatusCode::from_u16(status) {
        Ok(code) if !code.is_informational() => {
            let body = json!({ "status": status, "message": message });
            if matches!(status, 204 | 304) { code.into_response() } else { (code, Json(body)).into_response() }
        }
        _ => (StatusCode::BAD_REQUEST, Json(json!({ "message": "a status between 200 and 999" }))).into_response(),
    }
}

/// `/slow/{ms}`: the echo after a delay.
pub(super) async fn slow(Path(ms): Path<u32>, Extension(received): Extension<Received>) -> Response {
    tokio::time::sleep(Duration::from_millis(ms.into())).await;
    echoed(&received)
}

/// `/garbage`: declares JSON and sends something else.
pub(super) async fn garbage() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], "{\"answer\": <html>not json").into_response()
}

/// `/huge/{bytes}`: JSON of exactly that length.
pub(super) async fn huge(Path(bytes): Path<usize>) -> Response {
    let filler = bytes.saturating_sub(OPENING.len() + CLOSING.len());
    if bytes > MAXIMUM_HUGE {
        return (StatusCode::BAD_REQUEST, Json(json!({ "message": "at most 64 MiB" }))).into_response();
    }
    let body = format!("{OPENING}{}{CLOSING}", "x".repeat(filler));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// `/redirect?to=&status=`: a redirect, by default to `/echo` with 307.
pub(super) async fn redirect(Query(query): Query<std::collections::HashMap<String, String>>) -> Response {
    let to = query.get("to").map_or("/echo", String::as_str);
    let status = query.get("status").and_then(|text| text.parse().ok()).and_then(|code: u16| StatusCode::from_u16(code).ok());
    let status = status.filter(StatusCode::is_redirection).unwrap_or(StatusCode::TEMPORARY_REDIRECT);
    match HeaderValue::from_str(to) {
        Ok(to) => (status, [(header::LOCATION, to)]).into_response(),
        Err(_) => (StatusCode::BAD_REQUEST, Json(json!({ "message": "to: a URL" }))).into_response(),
    }
}

/// `/flaky/{n}`: fails `n` times for each call id, then works.
pub(super) async fn flaky(Path(n): Path<u64>, Extension(received): Extension<Received>) -> Response {
    if received.nth <= n {
        let body = json!({ "message": format!("attempt {} of {} fails", received.nth, n) });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    match &received.verdict {
        Verdict::Bad(reason) => refused(reason),
        Verdict::Good | Verdict::Unknown => echoed(&received),
    }
}

/// `/drip/{ms}`: an endless response, one byte at a time.
pub(super) async fn drip(Path(ms): Path<u32>) -> Response {
    let interval = Duration::from_millis(ms.into());
    let bytes = futures::stream::unfold(0_usize, move |sent| async move {
        tokio::time::sleep(interval).await;
        let byte = OPENING.as_bytes().get(sent).copied().unwrap_or(b'x');
        Some((Ok::<_, Infallible>(Bytes::copy_from_slice(&[byte])), sent + 1))
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(bytes)).into_response()
}

/// `/close`: closes the connection without a response.
pub(super) async fn close() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(DropConnection);
    response
}

/// `/empty`: 204.
pub(super) async fn empty() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `/text`: 200 with plain text.
pub(super) async fn text(Extension(received): Extension<Received>) -> String {
    format!("{} received {} bytes", received.path, received.body.len())
}
