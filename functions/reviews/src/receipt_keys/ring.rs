//! The keys of receipts, as the secret holds them.

use std::sync::Arc;

use crochet::app::App;
use crochet::config::Seeds;
use crochet::http::{ApiError, Code, Result};
use crochet::operator_secret::OperatorSecret;
use crochet_domain::timestamp::unix_ms;
use serde::Deserialize;
use serde_json::{Value, json};

use super::key::ReceiptKey;

/// The keys, read when they are first needed. Clones share what was read.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<OperatorSecret<Keys>>);

/// All keys, oldest first, each with the time from which it signs.
#[derive(Deserialize)]
#[serde(from = "Seeds")]
struct Keys(Vec<(ReceiptKey, i64)>);

impl From<Seeds> for Keys {
    fn from(secret: Seeds) -> Self {
        let seeds = secret.seeds();
        Self(seeds.iter().filter_map(|seed| Some((ReceiptKey::of_seed(&seed.seed)?, seed.from_ms))).collect())
    }
}

impl KeyRing {
    /// The keys of this deployment.
    #[must_use]
    pub(crate) fn of(app: &App) -> Self {
        Self(Arc::new(OperatorSecret::of(app, &app.config.receipt_secret_id)))
    }

    async fn keys(&self) -> Result<Arc<Keys>> {
        let unread = |error| ApiError::from(Code::ServiceUnavailable).cause(format!("the secret of receipts: {error}"));
        self.0.current().await.map_err(unread)
    }

    /// The public keys as a JWK set: those of the past, too, because receipts last.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` if the secret cannot be read.
    pub(crate) async fn jwks(&self) -> Result<Value> {
        let keys = self.keys().await?;
        Ok(json!({ "keys": keys.0.iter().map(|(key, _)| key.jwk()).collect::<Vec<_>>() }))
    }

    /// A compact JWS of these claims, and the id of its key: the newest one whose time has come.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` if the secret cannot be read.
    pub(crate) async fn sign(&self, app: &App, claims: &Value) -> Result<(String, String)> {
        let now_ms = unix_ms(app.clock.now());
        let keys = self.keys().await?;
        let newest = keys.0.iter().rev().find(|(_, from_ms)| *from_ms <= now_ms);
        let (key, _) = newest.ok_or_else(|| ApiError::internal("the secret of receipts holds no usable key").alarm())?;
        Ok((key.sign(claims), key.kid.clone()))
    }
}
