//! The Secrets Manager stand-in and the operator's secret.

mod files;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::any;
use http_body_util::BodyExt;
use rustack_secretsmanager_core::config::SecretsManagerConfig;
use rustack_secretsmanager_core::handler::RustackSecretsManagerHandler;
use rustack_secretsmanager_core::provider::RustackSecretsManager;
use rustack_secretsmanager_http::SecretsManagerResponseBody;
use rustack_secretsmanager_http::dispatch::dispatch_operation;
use rustack_secretsmanager_http::response::error_to_response;
use rustack_secretsmanager_http::router::resolve_operation;
use serde_json::{Value, json};

use files::SecretFiles;

/// Where the provider's key and the cursor key are kept.
pub const OPERATOR_SECRET: &str = "crochet/operator";

/// An emulated Secrets Manager. Clones share it.
#[derive(Clone)]
pub struct Secrets {
    handler: Arc<RustackSecretsManagerHandler>,
    files: Option<Arc<SecretFiles>>,
}

impl Secrets {
    /// An empty emulator; or, with a directory, one that holds what the directory holds and keeps it up to date.
    ///
    /// # Errors
    /// A sentence, where the directory cannot be read.
    pub async fn open(directory: Option<PathBuf>) -> Result<Self, String> {
        let provider = RustackSecretsManager::new(SecretsManagerConfig::default());
        let mut secrets = Self { handler: Arc::new(RustackSecretsManagerHandler::new(Arc::new(provider))), files: None };
        if let Some(directory) = directory {
            let files = SecretFiles::open(directory)?;
            files.restore(&secrets).await?;
            // Only now: restoring is no change that needs to be written down.
            secrets.files = Some(Arc::new(files));
        }
        Ok(secrets)
    }

    /// The emulator's one route, as the SDK calls it.
    pub fn router(&self) -> Router {
        Router::new().route("/", any(handle)).with_state(self.clone())
    }

    /// Creates the operator's secret, unless it is there.
    ///
    /// # Errors
    /// A sentence with what the emulator said.
    pub async fn create_operator_secret(&self) -> Result<(), String> {
        if self.call("DescribeSecret", json!({ "SecretId": OPERATOR_SECRET })).await.is_ok() {
            return Ok(());
        }
        let value = json!({
            "relay_api_key": crate::sandbox::API_KEY,
            "cursor_key": hex::encode(crochet_client::random_bytes::<32>()),
        });
        let request = json!({ "Name": OPERATOR_SECRET, "SecretString": value.to_string() });
        self.call("CreateSecret", request).await.map(drop)
    }

    /// One operation, in process.
    async fn call(&self, operation: &str, body: Value) -> Result<Value, String> {
        let mut headers = HeaderMap::new();
        let target = HeaderValue::from_str(&format!("secretsmanager.{operation}")).map_err(|error| error.to_string())?;
        headers.insert("x-amz-target", target);
        let response = self.respond(&headers, Bytes::from(body.to_string())).await;
        let succeeded = response.status().is_success();
        let bytes = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        if !succeeded {
            return Err(format!("Secrets Manager did not do {operation}: {text}"));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    async fn respond(&self, headers: &HeaderMap, body: Bytes) -> axum::http::Response<SecretsManagerResponseBody> {
        let request_id = hex::encode(crochet_client::random_bytes::<16>());
        let operation = match resolve_operation(headers) {
            Ok(operation) => operation,
            Err(error) => return error_to_response(&error, &request_id),
        };
        let name = operation.as_str();
        let response = match dispatch_operation(self.handler.as_ref(), operation, body.clone()).await {
            Ok(response) => response,
            Err(error) => return error_to_response(&error, &request_id),
        };
        if let Some(files) = &self.files
            && files::changes_something(name)
            && let Err(error) = Box::pin(files.note(self, &body)).await
        {
            tracing::error!(%error, "a secret was not written down");
        }
        response
    }
}

async fn handle(State(secrets): State<Secrets>, headers: HeaderMap, body: Bytes) -> Response {
    secrets.respond(&headers, body).await.map(Body::new)
}
