//! What each group of routes may do with endpoint secrets.

use std::sync::Arc;

use crochet_domain::ids::{ListingId, random_bytes};
use futures::future::BoxFuture;

use super::endpoint::EndpointSecret;

/// Secrets Manager did not complete a request. Contains no part of any secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretStoreError {
    /// The secret, or the requested version of it, does not exist.
    #[error("the secret or its version does not exist")]
    NotFound,
    /// A secret with this name already exists.
    #[error("a secret with this name already exists")]
    AlreadyExists,
    /// Secrets Manager returned this error code.
    #[error("Secrets Manager returned {0}")]
    Service(String),
    /// The request timed out. It may still take effect.
    #[error("the request to Secrets Manager timed out")]
    Timeout,
    /// No response arrived. The request may still take effect.
    #[error("no response from Secrets Manager")]
    NoResponse,
    /// The value does not have the expected form.
    #[error("{0}")]
    Malformed(&'static str),
}

/// Access for the gateway.
pub trait ReadSecrets: Send + Sync {
    /// Reads one version of a listing's secret. May answer from a cache, because a version never changes.
    fn read(&self, listing: ListingId, version: String) -> BoxFuture<'_, Result<Arc<EndpointSecret>, SecretStoreError>>;
}

/// Deletion, for whoever leaves a secret without a listing that names it.
pub trait DeleteSecrets: Send + Sync {
    /// Deletes a listing's secret at once, without a recovery window. Succeeds if it does not exist.
    fn delete(&self, listing: ListingId) -> BoxFuture<'_, Result<(), SecretStoreError>>;
}

/// Access for sellers' routes. The caller chooses `version`; repeating a write with the same version has no effect.
pub trait WriteSecrets: ReadSecrets + DeleteSecrets {
    /// As [`ReadSecrets::read`], bypassing the cache. Use before a change, which needs the version to still exist.
    fn read_fresh(&self, listing: ListingId, version: String) -> BoxFuture<'_, Result<Arc<EndpointSecret>, SecretStoreError>>;
    /// Creates a listing's secret. Fails with [`SecretStoreError::AlreadyExists`] if the listing has one.
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
}

/// The secret of a listing, as it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedSecret {
    /// The listing in its name. There may be no such listing.
    pub listing: ListingId,
    /// When the secret was created, or last changed (Unix milliseconds).
    pub changed_ms: i64,
}

/// A page of listed secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretPage {
    /// The secrets.
    pub secrets: Vec<ListedSecret>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// Access for the sweeper of secrets.
pub trait SweepSecrets: DeleteSecrets {
    /// A page of the endpoint secrets that belong to this deployment's table. `from` is the `next` of the page before. A change of
    /// the last five minutes may be missing.
    fn list(&self, from: Option<String>) -> BoxFuture<'_, Result<SecretPage, SecretStoreError>>;
}

/// A new version id. Secrets Manager requires 32 to 64 characters.
#[must_use]
pub fn new_version() -> String {
    hex::encode(random_bytes::<16>())
}
