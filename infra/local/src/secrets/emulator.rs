//! Secrets Manager in memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response};
use http_body_util::BodyExt;
use rustack_secretsmanager_core::config::SecretsManagerConfig;
use rustack_secretsmanager_core::handler::RustackSecretsManagerHandler;
use rustack_secretsmanager_core::provider::RustackSecretsManager;
use rustack_secretsmanager_http::dispatch::dispatch_operation;
use rustack_secretsmanager_http::response::error_to_response;
use rustack_secretsmanager_http::router::resolve_operation;
use serde_json::Value;

/// The emulator. Clones share it.
#[derive(Clone)]
pub(super) struct Emulator(Arc<RustackSecretsManagerHandler>);

/// A response, and the name of the operation if it succeeded.
pub(super) struct Answered {
    pub(super) response: Response<Body>,
    pub(super) succeeded: Option<String>,
}

impl Emulator {
    /// An emulator without secrets.
    pub(super) fn new() -> Self {
        let provider = RustackSecretsManager::new(SecretsManagerConfig::default());
        Self(Arc::new(RustackSecretsManagerHandler::new(Arc::new(provider))))
    }

    /// One request, as the SDK sends it.
    pub(super) async fn respond(&self, headers: &HeaderMap, body: Bytes) -> Answered {
        let request_id = hex::encode(crochet_client::random_bytes::<16>());
        let operation = match resolve_operation(headers) {
            Ok(operation) => operation,
            Err(error) => return Answered { response: error_to_response(&error, &request_id).map(Body::new), succeeded: None },
        };
        let name = operation.as_str().to_owned();
        match dispatch_operation(self.0.as_ref(), operation, body).await {
            Ok(response) => Answered { response: response.map(Body::new), succeeded: Some(name) },
            Err(error) => Answered { response: error_to_response(&error, &request_id).map(Body::new), succeeded: None },
        }
    }

    /// One operation, in process.
    pub(super) async fn call(&self, operation: &str, body: Value) -> Result<Value, String> {
        let answered = self.respond(&target(operation)?, Bytes::from(body.to_string())).await;
        read(operation, answered.response).await
    }
}

/// The headers that name an operation.
pub(super) fn target(operation: &str) -> Result<HeaderMap, String> {
    let target = HeaderValue::from_str(&format!("secretsmanager.{operation}")).map_err(|error| error.to_string())?;
    Ok(HeaderMap::from_iter([(axum::http::HeaderName::from_static("x-amz-target"), target)]))
}

/// The JSON of a success; `null` if it has no body.
pub(super) async fn read(operation: &str, response: Response<Body>) -> Result<Value, String> {
    let succeeded = response.status().is_success();
    let bytes = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    if !succeeded {
        return Err(format!("Secrets Manager refused {operation}: {text}"));
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| error.to_string())
}
