//! Where sellers are called, and with what: one Secrets Manager secret per listing endpoint, never in the table.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::store::meter::trip;
use crochet_domain::ids::ListingId;
use crochet_domain::webhook_signature::SigningSecret;

/// A signing secret and until when it signs.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningKey {
    /// The secret.
    pub secret: SigningSecret,
    /// Until when (Unix milliseconds); `None` for the current one.
    pub not_after_ms: Option<i64>,
}

/// A header that Crochet adds for the seller.
#[derive(Clone, Serialize, Deserialize)]
pub struct AuthHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Everything secret about an endpoint.
#[derive(Clone, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// Where the seller is called.
    pub url: String,
    /// The header that is added.
    pub header: Option<AuthHeader>,
    /// What calls are signed with, newest first.
    pub keys: Vec<SigningKey>,
}

impl EndpointSecret {
    /// The secrets that sign at this moment.
    #[must_use]
    pub fn live_secrets(&self, now_ms: i64) -> Vec<&SigningSecret> {
        self.keys.iter().filter(|key| key.not_after_ms.is_none_or(|end| now_ms < end)).map(|key| &key.secret).collect()
    }
}

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointSecret(…)")
    }
}

/// Secrets Manager did not do it. Names no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStoreError(pub String);

impl SecretStoreError {
    /// There is no such secret, or no such version of it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.0 == "ResourceNotFoundException"
    }

    /// A secret of this name is there already.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.0 == "ResourceExistsException"
    }
}

impl fmt::Display for SecretStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secret store did not answer: {}", self.0)
    }
}

impl std::error::Error for SecretStoreError {}

/// What the gateway may do with endpoint secrets.
pub trait ReadSecrets: Send + Sync {
    /// The version of a listing's secret that its item pins.
    fn read(&self, listing: ListingId, version: String) -> BoxFuture<'_, Result<Arc<EndpointSecret>, SecretStoreError>>;
}

/// What sellers' routes may do with endpoint secrets. `version` is ours: asking twice for the same one changes nothing.
pub trait WriteSecrets: ReadSecrets {
    /// As [`ReadSecrets::read`], but past everything that is remembered: what is to be changed must still be there.
    fn read_fresh(&self, listing: ListingId, version: String) -> BoxFuture<'_, Result<Arc<EndpointSecret>, SecretStoreError>>;
    /// Creates a listing's secret.
    fn create<'a>(
        &'a self,
        listing: ListingId,
        version: &'a str,
        secret: &'a EndpointSecret,
    ) -> BoxFuture<'a, Result<(), SecretStoreError>>;
    /// Adds a version to a listing's secret.
    fn add_version<'a>(
        &'a self,
        listing: ListingId,
        version: &'a str,
        secret: &'a EndpointSecret,
    ) -> BoxFuture<'a, Result<(), SecretStoreError>>;
    /// Deletes a listing's secret at once. One that is not there is as good as deleted.
    fn delete(&self, listing: ListingId) -> BoxFuture<'_, Result<(), SecretStoreError>>;
}

/// Secrets by listing and version.
type Versions = HashMap<(ListingId, String), Arc<EndpointSecret>>;

/// Versions that an instance remembers.
const REMEMBERED: usize = 1_000;

/// Endpoint secrets in Secrets Manager. What was read is remembered by version: a version never changes.
#[derive(Clone)]
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
    prefix: String,
    remembered: Arc<Mutex<Versions>>,
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsManager(…)")
    }
}

/// What only the operator knows.
#[derive(Clone, Deserialize)]
pub struct OperatorSecret {
    /// The payment provider's API key.
    #[serde(default)]
    pub relay_api_key: String,
    /// Signs the cursors of histories.
    pub cursor_key: String,
}

impl fmt::Debug for OperatorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorSecret(…)")
    }
}

impl SecretsManager {
    /// Connects to the Secrets Manager that `config` names.
    pub async fn connect(config: &Config) -> Self {
        let shared = crate::store::sdk_config(config.secrets_endpoint.as_deref()).await;
        Self {
            client: aws_sdk_secretsmanager::Client::new(&shared),
            prefix: config.secret_prefix.clone(),
            remembered: Arc::default(),
        }
    }

    /// Reads the operator's secret.
    ///
    /// # Errors
    /// Where it cannot be read, or is not the JSON that the template makes.
    pub async fn operator_secret(&self, config: &Config) -> Result<OperatorSecret, SecretStoreError> {
        let reply = self.client.get_secret_value().secret_id(&config.operator_secret_id).send().await.map_err(failure)?;
        let text = reply.secret_string.ok_or_else(|| SecretStoreError("the operator secret has no text".into()))?;
        serde_json::from_str(&text).map_err(|_| SecretStoreError("the operator secret is not the expected JSON".into()))
    }

    fn name(&self, listing: ListingId) -> String {
        format!("{}{listing}", self.prefix)
    }

    fn recall(&self, listing: ListingId, version: &str) -> Option<Arc<EndpointSecret>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(&(listing, version.to_owned())).cloned()
    }

    fn remember(&self, listing: ListingId, version: String, secret: &Arc<EndpointSecret>) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert((listing, version), Arc::clone(secret));
    }
}

impl ReadSecrets for SecretsManager {
    fn read(&self, listing: ListingId, version: String) -> BoxFuture<'_, Result<Arc<EndpointSecret>, SecretStoreError>> {
        Box::pin(async move {
            match self.recall(listing, &version) {
                Some(secret) => Ok(secret),
                None => self.read_fresh(listing, version).await,
            }
        })
    }
}

impl WriteSecrets for SecretsManager {
    fn read_fresh(&self, listing: ListingId, version: String) -> BoxFuture<'_, Result<Arc<EndpointSecret>, SecretStoreError>> {
        Box::pin(async move {
            let request = self.client.get_secret_value().secret_id(self.name(listing)).version_id(&version).send();
            let reply = trip("secrets", request).await.map_err(failure)?;
            let text = reply.secret_string.ok_or_else(|| SecretStoreError("an endpoint secret has no text".into()))?;
            let secret: EndpointSecret =
                serde_json::from_str(&text).map_err(|_| SecretStoreError("an endpoint secret is not the expected JSON".into()))?;
            let secret = Arc::new(secret);
            self.remember(listing, version, &secret);
            Ok(secret)
        })
    }

    fn create<'a>(
        &'a self,
        listing: ListingId,
        version: &'a str,
        secret: &'a EndpointSecret,
    ) -> BoxFuture<'a, Result<(), SecretStoreError>> {
        Box::pin(async move {
            let request = self
                .client
                .create_secret()
                .name(self.name(listing))
                .client_request_token(version)
                .secret_string(spell(secret)?)
                .send();
            trip("secrets", request).await.map(drop).map_err(failure)
        })
    }

    fn add_version<'a>(
        &'a self,
        listing: ListingId,
        version: &'a str,
        secret: &'a EndpointSecret,
    ) -> BoxFuture<'a, Result<(), SecretStoreError>> {
        Box::pin(async move {
            let request = self
                .client
                .put_secret_value()
                .secret_id(self.name(listing))
                .client_request_token(version)
                .secret_string(spell(secret)?)
                .send();
            trip("secrets", request).await.map(drop).map_err(failure)
        })
    }

    fn delete(&self, listing: ListingId) -> BoxFuture<'_, Result<(), SecretStoreError>> {
        Box::pin(async move {
            let request = self.client.delete_secret().secret_id(self.name(listing)).force_delete_without_recovery(true).send();
            match trip("secrets", request).await.map_err(failure) {
                Err(error) if !error.is_missing() => Err(error),
                _ => Ok(()),
            }
        })
    }
}

/// A fresh version name: Secrets Manager takes 32 to 64 characters.
#[must_use]
pub fn fresh_version() -> String {
    hex::encode(crochet_domain::ids::random_bytes::<16>())
}

fn spell(secret: &EndpointSecret) -> Result<String, SecretStoreError> {
    serde_json::to_string(secret).map_err(|_| SecretStoreError("a secret cannot be spelled".into()))
}

fn failure<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> SecretStoreError {
    SecretStoreError(match &error {
        SdkError::ServiceError(e) => e.err().code().unwrap_or("unknown").to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        _ => "no connection".to_owned(),
    })
}
