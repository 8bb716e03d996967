//! An endpoint that Crochet calls: it verifies, then answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

struct Endpoint {
    webhook: Webhook,
    /// First answers by webhook-id. Keep them in your database, for two days.
    answers: Mutex<HashMap<String, Value>>,
}

/// Your work goes here.
fn answer_to(call: Value) -> Value {
    json!({ "you_sent": call })
}

/// `Bytes` is the body as it came; `Json<…>` as an argument would be another one.
async fn call(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    if endpoint.webhook.verify(&body, &headers).is_err() {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "not signed by Crochet" })));
    }
    let Ok(call) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "not JSON" })));
    };
    let mut answers = endpoint.answers.lock().unwrap_or_else(PoisonError::into_inner);
    (StatusCode::OK, Json(answers.entry(id).or_insert_with(|| answer_to(call)).clone()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let webhook = Webhook::new(&std::env::var("CROCHET_SIGNING_SECRET")?)?;
    let endpoint = Arc::new(Endpoint { webhook, answers: Mutex::default() });
    let port: u16 = std::env::var("PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind(("0.0.0.0", port)).await?;
    axum::serve(listener, Router::new().route("/", post(call)).with_state(endpoint)).await?;
    Ok(())
}
