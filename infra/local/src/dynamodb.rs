//! The embedded DynamoDB, over HTTP like the real one, and the table.

use std::path::Path;
use std::time::Duration;

use dynoxide::Database;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crochet_client::plain_http;

/// `Properties` of the template's AWS::DynamoDB::Table, the only definition of the table.
const TABLE: &str = include_str!("../../table.json");
const TIMEOUT: Duration = Duration::from_secs(30);

/// Opens the database: in memory, or in a file of `data`.
///
/// # Errors
/// If the file cannot be opened.
pub fn open(data: Option<&Path>) -> Result<Database, String> {
    let Some(data) = data else {
        return Database::memory().map_err(|error| format!("the embedded DynamoDB did not start: {error}"));
    };
    let file = data.join("dynamodb.sqlite");
    let path = file.to_str().ok_or("the data directory's name is not UTF-8")?;
    Database::new(path).map_err(|error| format!("{path} could not be opened as a database: {error}"))
}

/// Serves `database` until `stop` turns true.
pub async fn serve(listener: TcpListener, database: Database, mut stop: watch::Receiver<bool>) {
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stopped).await {
        tracing::error!(%error, "the embedded DynamoDB stopped");
    }
}

/// Creates the table from `infra/table.json` unless it exists, and enables its TTL.
///
/// Works with any DynamoDB-compatible `endpoint` that does not check signatures (embedded, DynamoDB Local). The template's
/// properties have the same names as DynamoDB's JSON, so this sends JSON instead of using an SDK.
///
/// # Errors
/// One sentence with the endpoint's reply.
pub async fn create_table(endpoint: &str, table_name: &str) -> Result<(), String> {
    let api = Api::at(endpoint);
    let mut properties: Value = serde_json::from_str(TABLE).map_err(|error| format!("infra/table.json: {error}"))?;
    let fields = properties.as_object_mut().ok_or("infra/table.json is not an object")?;
    let expiry = fields.remove("TimeToLiveSpecification");
    // Local engines have no backups.
    fields.remove("PointInTimeRecoverySpecification");
    fields.insert("TableName".into(), table_name.into());
    match api.call("CreateTable", &properties).await {
        Ok(_) => {}
        Err(error) if error.contains("ResourceInUseException") => {}
        Err(error) => return Err(error),
    }
    let table = api.call("DescribeTable", &json!({ "TableName": table_name })).await?;
    if table["Table"]["TableStatus"] != "ACTIVE" {
        return Err(format!("the table {table_name} at {endpoint} is not active: {}", table["Table"]["TableStatus"]));
    }
    let Some(expiry) = expiry else { return Ok(()) };
    let known = api.call("DescribeTimeToLive", &json!({ "TableName": table_name })).await?;
    if known["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED" {
        return Ok(());
    }
    let request = json!({ "TableName": table_name, "TimeToLiveSpecification": expiry });
    api.call("UpdateTimeToLive", &request).await.map(drop)
}

/// DynamoDB's JSON protocol.
pub(crate) struct Api<'a> {
    endpoint: &'a str,
    http: reqwest::Client,
}

impl<'a> Api<'a> {
    /// The DynamoDB at `endpoint`.
    pub(crate) fn at(endpoint: &'a str) -> Self {
        Self { endpoint, http: plain_http(TIMEOUT) }
    }

    /// Sends an operation and returns its reply.
    ///
    /// # Errors
    /// One sentence with the endpoint's reply.
    pub(crate) async fn call(&self, operation: &str, body: &Value) -> Result<Value, String> {
        let failed = |error: String| format!("DynamoDB at {} did not do {operation}: {error}", self.endpoint);
        let reply = self
            .http
            .post(self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("x-amz-date", "20260101T000000Z")
            // Local engines check no signature. DynamoDB Local keeps tables apart by key id and region, so these are the ones
            // that `crochet::store` uses with a local endpoint.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
            )
            .body(body.to_string())
            .send()
            .await
            .map_err(|error| failed(error.to_string()))?;
        let succeeded = reply.status().is_success();
        let text = reply.text().await.map_err(|error| failed(error.to_string()))?;
        if !succeeded {
            return Err(failed(text));
        }
        serde_json::from_str(&text).map_err(|_| failed("the reply is no JSON".into()))
    }
}
