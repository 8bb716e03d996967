//! DynamoDB: one table.
//!
//! Each aggregate has a file. `keys` builds every key, `write` builds what is written, and `read`, `conditional` and `transaction`
//! send it. Every operation may fail with [`StoreError`].

pub mod answer;
pub mod api_key;
pub mod api_keys;
pub mod audit;
pub mod breaker;
pub mod call;
mod call_item;
pub mod challenge;
pub mod claim;
pub mod conditional;
pub mod counter;
pub mod debt;
pub mod due;
pub mod erase;
pub mod error;
pub mod figures;
pub mod gate;
pub mod gateway_reads;
pub mod history;
pub mod item;
pub mod keys;
pub mod listing;
pub mod listing_changes;
pub mod open_quotes;
pub mod passkey;
pub mod person;
pub mod profile;
pub mod read;
pub mod record;
mod recorder;
pub mod refund;
pub mod retry;
pub mod review;
pub mod review_write;
pub mod score;
pub mod session;
pub mod snapshot;
pub mod stats;
mod stats_day;
pub mod stats_log;
pub mod summary;
pub mod table;
pub mod traffic;
pub mod transaction;
mod units;
pub mod wallet;
pub mod write;

use crate::aws;
use crate::config::Config;
use crate::telemetry::actions;
use table::Table;

pub use error::StoreError;

/// The store. Cloning is cheap; all clones share one connection pool.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) table: Table,
}

impl Store {
    /// The store for the table that `config` names.
    pub async fn of(config: &Config) -> Self {
        let shared = aws::sdk_config(config.dynamodb_endpoint.as_deref()).await;
        let mut settings = aws_sdk_dynamodb::config::Builder::from(&shared).interceptor(units::DynamoDbMeter::new());
        if actions::is_recording() {
            settings = settings.interceptor(recorder::ActionRecorder);
        }
        Self { table: Table::new(aws_sdk_dynamodb::Client::from_conf(settings.build()), config.table.clone()) }
    }

    /// Opens the connection. A failure here is ignored: the first request will report it.
    pub async fn warm(&self) {
        let _ = self.table.warm().await;
    }
}
