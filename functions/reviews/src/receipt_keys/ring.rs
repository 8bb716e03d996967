//! The keys of receipts, as the secret holds them.

use std::sync::Arc;

use crochet::app::App;
use crochet::endpoint_secrets::SecretsManager;
use crochet::http::{ApiError, Result};
use crochet_domain::timestamp::unix_ms;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::key::ReceiptKey;

/// How long what was read of the secret is used: ten minutes. A new key is shown an hour before it signs.
const READ_AGAIN_MS: i64 = 600_000;

/// Reads the secret when it is first needed, and again every ten minutes. Clones share what was read.
#[derive(Clone)]
pub(crate) struct KeyRing {
    secrets: SecretsManager,
    keys: Arc<Mutex<Option<Keys>>>,
}

/// All keys, oldest first, each with the time from which it signs, and when they were read.
struct Keys {
    keys: Arc<Vec<(ReceiptKey, i64)>>,
    read_ms: i64,
}

impl KeyRing {
    /// Keys in this store of secrets.
    #[must_use]
    pub(crate) fn new(secrets: SecretsManager) -> Self {
        Self { secrets, keys: Arc::default() }
    }

    async fn keys(&self, app: &App) -> Result<Arc<Vec<(ReceiptKey, i64)>>> {
        let now_ms = unix_ms(app.clock.now());
        let mut known = self.keys.lock().await;
        if let Some(known) = known.as_ref().filter(|known| (now_ms - known.read_ms).abs() < READ_AGAIN_MS) {
            return Ok(Arc::clone(&known.keys));
        }
        let secret = self.secrets.receipt_secret(&app.config).await.map_err(|error| {
            ApiError::from(crochet::http::Code::ServiceUnavailable).cause(format!("the secret of receipts: {error}"))
        })?;
        let seeds = secret.seeds();
        let keys = seeds.iter().filter_map(|seed| Some((ReceiptKey::of_seed(&seed.seed)?, seed.from_ms)));
        let keys = Arc::new(keys.collect::<Vec<_>>());
        *known = Some(Keys { keys: Arc::clone(&keys), read_ms: now_ms });
        Ok(keys)
    }

    /// The public keys as a JWK set: those of the past, too, because receipts last.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` if the secret cannot be read.
    pub(crate) async fn jwks(&self, app: &App) -> Result<Value> {
        let keys = self.keys(app).await?;
        Ok(json!({ "keys": keys.iter().map(|(key, _)| key.jwk()).collect::<Vec<_>>() }))
    }

    /// A compact JWS of these claims, and the id of its key: the newest one whose time has come.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` if the secret cannot be read.
    pub(crate) async fn sign(&self, app: &App, claims: &Value) -> Result<(String, String)> {
        let now_ms = unix_ms(app.clock.now());
        let keys = self.keys(app).await?;
        let newest = keys.iter().rev().find(|(_, from_ms)| *from_ms <= now_ms);
        let (key, _) = newest.ok_or_else(|| ApiError::internal("the secret of receipts holds no usable key"))?;
        Ok((key.sign(claims), key.kid.clone()))
    }
}
