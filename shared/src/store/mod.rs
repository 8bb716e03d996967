//! DynamoDB: one table, one file per aggregate, keys in one place.

pub mod answer;
pub mod api_key;
pub mod breaker;
pub mod call;
pub mod challenge;
pub mod claim;
pub mod counter;
pub mod feed;
pub mod history;
pub mod key_ring;
pub mod keys;
pub mod listing;
pub mod meter;
pub mod open_quotes;
pub mod passage;
pub mod passkey;
pub mod person;
pub mod profile;
pub mod session;
pub mod snapshot;
pub mod summary;
pub mod table;
pub mod wallet;
pub mod write;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::config::Config;
use table::Table;

/// The store. Cloning is cheap; all clones share one connection pool.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) table: Table,
}

/// Why the store could not do it. What was asked for is never part of it.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// DynamoDB did not do it; nothing is known to be lost.
    Unavailable(String),
    /// Somebody else is writing the same item right now.
    Conflict,
    /// Nothing is written: the session in whose name it was to be is over.
    SessionOver,
    /// An item is not what this version writes.
    Defect(String),
}

impl StoreError {
    pub(crate) fn defect(error: impl fmt::Display) -> Self {
        Self::Defect(error.to_string())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the table did not answer: {why}"),
            Self::Conflict => f.write_str("the item is being written by another transaction"),
            Self::SessionOver => f.write_str("the session is over"),
            Self::Defect(why) => write!(f, "an item of the table is not understood: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl Store {
    /// The table that `config` names.
    pub async fn of(config: &Config) -> Self {
        let shared = sdk_config(config.dynamodb_endpoint.as_deref()).await;
        let settings = aws_sdk_dynamodb::config::Builder::from(&shared).interceptor(meter::DynamoDbMeter).build();
        Self { table: Table::new(aws_sdk_dynamodb::Client::from_conf(settings), config.table.clone()) }
    }

    /// Opens the connection. A warm-up that fails is no error: the first request will say what is wrong.
    pub async fn warm(&self) {
        let _ = self.table.warm().await;
    }
}

/// What both AWS clients share: rustls with ring, one second and two tries a request, and fixed credentials where the
/// endpoint is not AWS's own.
pub(crate) async fn sdk_config(endpoint: Option<&str>) -> aws_config::SdkConfig {
    // One connection pool, and one reading of the machine's certificates, for both.
    static HTTPS: OnceLock<SharedHttpClient> = OnceLock::new();
    let ring = tls::Provider::rustls(tls::rustls_provider::CryptoMode::Ring);
    let https = HTTPS.get_or_init(|| aws_smithy_http_client::Builder::new().tls_provider(ring).build_https()).clone();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(900))
        .operation_attempt_timeout(Duration::from_secs(1))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50)));
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint).region(Region::new("us-east-1")).credentials_provider(Credentials::new(
            "local",
            "local",
            None,
            None,
            "fixed for a local endpoint",
        ));
    }
    loader.load().await
}
