//! The seller's controls: its secrets and the calls that it received.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::DemoSeller;

type Reply = Result<Json<Value>, (StatusCode, Json<Value>)>;

fn wrong(message: impl Into<String>) -> (StatusCode, Json<Value>) {
    let message: String = message.into();
    (StatusCode::BAD_REQUEST, Json(json!({ "message": message })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretBody {
    signing_secret: String,
    path: String,
}

/// `POST /secret`: adds a secret for a path.
pub(super) async fn secret(State(seller): State<DemoSeller>, body: Bytes) -> Reply {
    let body: SecretBody = serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
    if !body.path.starts_with('/') {
        return Err(wrong("path: the path of an endpoint here, for example /echo"));
    }
    if !body.signing_secret.starts_with("whsec_") {
        return Err(wrong("signing_secret: whsec_ and base64, as shown when an endpoint is made"));
    }
    seller
        .secrets()
        .add(&body.path, &body.signing_secret)
        .map_err(|_| wrong("signing_secret: what follows whsec_ is not base64"))?;
    Ok(Json(json!({ "path": body.path, "registered": true })))
}

/// `GET /calls?webhook_id=&path=`: oldest first.
pub(super) async fn list(State(seller): State<DemoSeller>, Query(query): Query<HashMap<String, String>>) -> Reply {
    if let Some(other) = query.keys().find(|name| !matches!(name.as_str(), "webhook_id" | "path")) {
        return Err(wrong(format!("unknown field `{other}`")));
    }
    let (id, path) = (query.get("webhook_id"), query.get("path"));
    let list = seller
        .log()
        .list(|call| id.is_none_or(|id| call.webhook_id.as_ref() == Some(id)) && path.is_none_or(|path| call.path == *path));
    Ok(Json(list))
}

/// `DELETE /calls`: deletes the calls, and the failure counts of `/flaky`.
pub(super) async fn forget(State(seller): State<DemoSeller>) -> Json<Value> {
    seller.log().clear();
    Json(json!({ "forgotten": true }))
}

pub(super) async fn not_found() -> (StatusCode, Json<Value>) {
    let message = "the demo seller has /echo, /fail/{status}, /status/{code}, /slow/{ms}, /garbage, /huge/{bytes}, /redirect, \
                   /flaky/{n}, /drip/{ms}, /close, /empty, /text, /calls and /secret";
    (StatusCode::NOT_FOUND, Json(json!({ "message": message })))
}
