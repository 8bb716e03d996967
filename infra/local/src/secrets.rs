//! The Secrets Manager stand-in, and the operator's secret.

mod emulator;
mod files;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use rustack_secretsmanager_http::SecretsManagerResponseBody;
use serde_json::{Value, json};

use emulator::Emulator;
use files::SecretFiles;

/// Name of the secret that holds the provider's API key and the key for cursors.
pub const OPERATOR_SECRET: &str = "crochet/operator";
/// Name of the secret that holds the URL of an EVM node.
pub const NODE_SECRET: &str = "crochet/node";

/// An emulated Secrets Manager. Clones share it.
#[derive(Clone)]
pub struct Secrets {
    emulator: Emulator,
    files: Option<Arc<SecretFiles>>,
}

impl Secrets {
    /// Starts an emulator. With a directory, it loads the secrets that the directory holds and writes every change there.
    ///
    /// # Errors
    /// One sentence, if the directory cannot be read.
    pub async fn open(directory: Option<PathBuf>) -> Result<Self, String> {
        let emulator = Emulator::new();
        let files = match directory {
            Some(directory) => {
                let files = SecretFiles::open(directory)?;
                files.restore(&emulator).await?;
                Some(Arc::new(files))
            }
            None => None,
        };
        Ok(Self { emulator, files })
    }

    /// The emulator's one route, as the SDK calls it.
    pub fn router(&self) -> Router {
        Router::new().route("/", any(handle)).with_state(self.clone())
    }

    /// Creates the operator's secrets unless they exist.
    ///
    /// # Errors
    /// One sentence with the emulator's reply.
    pub async fn create_operator_secrets(&self) -> Result<(), String> {
        let operator = json!({
            "relay_api_key": crate::sandbox::API_KEY,
            "cursor_key": hex::encode(crochet_client::random_bytes::<32>()),
        });
        self.create(OPERATOR_SECRET, &operator).await?;
        self.create(NODE_SECRET, &json!({ "evm_rpc_url": "" })).await
    }

    async fn create(&self, name: &str, value: &Value) -> Result<(), String> {
        if self.call("DescribeSecret", json!({ "SecretId": name })).await.is_ok() {
            return Ok(());
        }
        let request = json!({ "Name": name, "SecretString": value.to_string() });
        self.call("CreateSecret", request).await.map(drop)
    }

    /// One operation, in process.
    async fn call(&self, operation: &str, body: Value) -> Result<Value, String> {
        let response = self.respond(&emulator::target(operation)?, Bytes::from(body.to_string())).await;
        emulator::read(operation, response).await
    }

    async fn respond(&self, headers: &HeaderMap, body: Bytes) -> axum::http::Response<SecretsManagerResponseBody> {
        let answered = self.emulator.respond(headers, body.clone()).await;
        if let (Some(files), Some(operation)) = (&self.files, &answered.succeeded)
            && files::changes_something(operation)
            && let Err(error) = files.note(&self.emulator, &body).await
        {
            tracing::error!(%error, "a secret could not be written to its file");
        }
        answered.response
    }
}

async fn handle(State(secrets): State<Secrets>, headers: HeaderMap, body: Bytes) -> Response {
    secrets.respond(&headers, body).await.map(Body::new)
}
