//! `GET /intents/status/v3`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::facts::status_json;
use super::faults::Route;
use super::refusal::Refusal;
use super::state::Sandbox;

pub(super) async fn status(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if let Some(trouble) = sandbox.trouble(Route::Status).await {
        return trouble;
    }
    let answer = || -> Result<Value, Refusal> {
        sandbox.check_key(&headers, false)?;
        let id = query.get("requestId").ok_or_else(|| Refusal::malformed("querystring must have required property 'requestId'"))?;
        let payment = sandbox.known(id).ok_or_else(Refusal::unknown)?;
        Ok(status_json(&payment, sandbox.now_ms()))
    };
    answer().map(Json).into_response()
}
