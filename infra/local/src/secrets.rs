//! The Secrets Manager stand-in, and the operator's secrets.

mod dates;
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
use crochet::clock::Clock;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::audit_log::AuditLog;
use dates::Dates;
use emulator::Emulator;
use files::SecretFiles;

/// Name of the secret that holds the provider's API key.
pub const PROVIDER_SECRET: &str = "crochet/provider";
/// Name of the secret that holds the deployment's own keys.
pub const KEYS_SECRET: &str = "crochet/keys";
/// Name of the secret that holds the URL of an EVM node.
pub const NODE_SECRET: &str = "crochet/node";
/// Name of the secret with the keys that seal endpoints.
pub const KEYRING_SECRET: &str = "crochet/keyring";
/// Name of the secret from which receipts are signed.
pub const RECEIPT_SECRET: &str = "crochet/receipts";

/// An emulated Secrets Manager. Clones share it.
#[derive(Clone)]
pub struct Secrets {
    emulator: Emulator,
    dates: Dates,
    files: Option<Arc<SecretFiles>>,
    audit: AuditLog,
}

impl Secrets {
    /// Starts an emulator that shows dates by this clock. With a directory, it loads the secrets that the directory holds and writes
    /// every change there.
    ///
    /// # Errors
    /// One sentence, if the directory cannot be read.
    pub async fn open(directory: Option<PathBuf>, clock: Clock) -> Result<Self, String> {
        let (emulator, dates) = (Emulator::new(), Dates::new(clock));
        let files = match directory {
            Some(directory) => {
                let files = SecretFiles::open(directory)?;
                files.restore(&emulator, &dates).await?;
                Some(Arc::new(files))
            }
            None => None,
        };
        Ok(Self { emulator, dates, files, audit: AuditLog::default() })
    }

    /// The operator's audit trail, which is served beside the secrets.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.audit
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
        let random = || hex::encode(crochet_client::random_bytes::<32>());
        self.create(PROVIDER_SECRET, &json!({ "relay_api_key": crate::sandbox::API_KEY })).await?;
        self.create(KEYS_SECRET, &json!({ "cursor_key": random() })).await?;
        self.create(RECEIPT_SECRET, &json!({ "seed": random(), "rotated": [] })).await?;
        self.create(KEYRING_SECRET, &json!({ "seed": random(), "rotated": [] })).await?;
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

    async fn respond(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let answered = self.emulator.respond(headers, body.clone()).await;
        let Some(operation) = &answered.succeeded else { return answered.response };
        let changes = files::changes_something(operation);
        if !changes && !matches!(operation.as_str(), "ListSecrets" | "DescribeSecret") {
            return answered.response;
        }
        let (mut parts, reply) = answered.response.into_parts();
        let Ok(reply) = reply.collect().await.map(http_body_util::Collected::to_bytes) else {
            return Response::from_parts(parts, Body::empty());
        };
        let Ok(mut json) = serde_json::from_slice::<Value>(&reply) else { return Response::from_parts(parts, Body::from(reply)) };
        if !changes {
            self.dates.show(&mut json);
            json.get_mut("SecretList")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
                .for_each(|listed| self.dates.show(listed));
            // The length and the checksum were those of the reply before.
            parts.headers.remove("content-length");
            parts.headers.remove("x-amz-crc32");
            return Response::from_parts(parts, Body::from(json.to_string()));
        }
        if let Some(name) = json["Name"].as_str() {
            self.dates.note(operation, name);
        }
        if let Some(files) = &self.files
            && let Err(error) = files.note(&self.emulator, &self.dates, &body).await
        {
            tracing::error!(%error, "a secret could not be written to its file");
        }
        Response::from_parts(parts, Body::from(reply))
    }
}

async fn handle(State(secrets): State<Secrets>, headers: HeaderMap, body: Bytes) -> Response {
    match secrets.audit.respond(&headers, &body) {
        Some(answered) => answered,
        None => secrets.respond(&headers, body).await,
    }
}
