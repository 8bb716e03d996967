//! The secret store on AWS Secrets Manager.

use std::fmt;
use std::sync::Arc;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry};
use crochet_domain::ids::ListingId;
use futures::future::BoxFuture;
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};

use super::endpoint::EndpointSecret;
use super::store::{DeleteSecrets, ListedSecret, SecretPage, SweepSecrets};
use crate::config::Config;
use crate::secret_store_error::SecretStoreError;
use crate::telemetry::meter::trip;

/// Secrets per page of a list: the most that Secrets Manager gives.
const PAGE: i32 = 100;
/// Maximum number of secret versions kept in memory.
const CACHE_CAPACITY: usize = 1_000;

/// Endpoint secrets in Secrets Manager, with an in-memory cache by listing and version.
#[derive(Clone)]
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
    prefix: String,
    /// Description of every secret that is created. It says which deployment a secret belongs to: names of tables are unique.
    description: String,
    cache: Arc<Cache<(ListingId, String), Arc<EndpointSecret>>>,
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsManager(…)")
    }
}

impl SecretsManager {
    /// Connects to the Secrets Manager named by `config`.
    pub async fn connect(config: &Config) -> Self {
        Self {
            client: crate::aws::secrets_client(config.secrets_endpoint.as_deref()).await,
            prefix: config.secret_prefix.clone(),
            description: format!("Endpoint of a listing in the table {}", config.table),
            cache: Arc::new(Cache::new(CACHE_CAPACITY)),
        }
    }

    /// Replaces a secret of the operator.
    pub async fn put_operator_secret(&self, id: &str, text: &SecretString) -> Result<(), SecretStoreError> {
        let request = self.client.put_secret_value().secret_id(id).secret_string(text.expose_secret());
        request.send().await.map(drop).map_err(SecretStoreError::of)
    }

    fn name(&self, listing: ListingId) -> String {
        format!("{}{listing}", self.prefix)
    }

    /// What is listed, if it is the secret of an endpoint in this table. Another deployment's prefix may begin with, or even equal,
    /// this one's.
    fn listed(&self, listed: &SecretListEntry) -> Option<ListedSecret> {
        let listing = listed.name()?.strip_prefix(&self.prefix)?.parse().ok()?;
        if listed.description() != Some(&self.description) {
            return None;
        }
        let created_ms = listed.created_date()?.to_millis().ok()?;
        let changed_ms = listed.last_changed_date().and_then(|at| at.to_millis().ok());
        let changed_ms = changed_ms.map_or(created_ms, |changed_ms| changed_ms.max(created_ms));
        Some(ListedSecret { listing, created_ms, changed_ms })
    }
}

impl SecretsManager {
    /// A version of a listing's secret. May answer from the cache.
    pub(super) async fn read(&self, listing: ListingId, version: &str) -> Result<Arc<EndpointSecret>, SecretStoreError> {
        match self.cache.get(&(listing, version.to_owned())) {
            Some(secret) => Ok(secret),
            None => self.read_fresh(listing, version).await,
        }
    }

    /// As [`SecretsManager::read`], bypassing the cache.
    pub(super) async fn read_fresh(&self, listing: ListingId, version: &str) -> Result<Arc<EndpointSecret>, SecretStoreError> {
        let request = self.client.get_secret_value().secret_id(self.name(listing)).version_id(version).send();
        let reply = trip("secrets", request).await.map_err(SecretStoreError::of)?;
        let text = reply.secret_string.ok_or(SecretStoreError::Malformed("an endpoint secret is not text"))?;
        let secret: EndpointSecret =
            serde_json::from_str(&text).map_err(|_| SecretStoreError::Malformed("an endpoint secret is not the expected JSON"))?;
        let secret = Arc::new(secret);
        self.cache.insert((listing, version.to_owned()), Arc::clone(&secret));
        Ok(secret)
    }

    /// Creates a listing's secret. One that an interrupted request left behind gets a version instead.
    pub(super) async fn create(&self, listing: ListingId, version: &str, secret: &EndpointSecret) -> Result<(), SecretStoreError> {
        let request = self
            .client
            .create_secret()
            .name(self.name(listing))
            .description(&self.description)
            .client_request_token(version)
            .secret_string(encode(secret)?)
            .send();
        match trip("secrets", request).await.map(drop).map_err(SecretStoreError::of) {
            Err(SecretStoreError::AlreadyExists) => self.add_version(listing, version, secret).await,
            created => created,
        }
    }

    /// Adds a version to a listing's secret.
    pub(super) async fn add_version(
        &self,
        listing: ListingId,
        version: &str,
        secret: &EndpointSecret,
    ) -> Result<(), SecretStoreError> {
        let request = self
            .client
            .put_secret_value()
            .secret_id(self.name(listing))
            .client_request_token(version)
            .secret_string(encode(secret)?)
            .send();
        trip("secrets", request).await.map(drop).map_err(SecretStoreError::of)
    }
}

impl DeleteSecrets for SecretsManager {
    fn delete(&self, listing: ListingId) -> BoxFuture<'_, Result<(), SecretStoreError>> {
        Box::pin(async move {
            let request = self.client.delete_secret().secret_id(self.name(listing)).force_delete_without_recovery(true).send();
            match trip("secrets", request).await.map(drop).map_err(SecretStoreError::of) {
                Err(SecretStoreError::NotFound) => Ok(()),
                deleted => deleted,
            }
        })
    }
}

impl SweepSecrets for SecretsManager {
    fn list(&self, from: Option<String>) -> BoxFuture<'_, Result<SecretPage, SecretStoreError>> {
        Box::pin(async move {
            let names = Filter::builder().key(FilterNameStringType::Name).values(&self.prefix).build();
            let request = self.client.list_secrets().filters(names).max_results(PAGE).set_next_token(from).send();
            let reply = trip("secrets", request).await.map_err(SecretStoreError::of)?;
            let secrets = reply.secret_list().iter().filter_map(|listed| self.listed(listed)).collect();
            Ok(SecretPage { secrets, next: reply.next_token })
        })
    }
}

fn encode(secret: &EndpointSecret) -> Result<String, SecretStoreError> {
    serde_json::to_string(secret).map_err(|_| SecretStoreError::Malformed("an endpoint secret cannot be encoded"))
}
