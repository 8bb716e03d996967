//! What each group of routes may do with endpoint secrets.

use std::sync::Arc;

use crochet_domain::ids::{ListingId, random_bytes};
use crochet_domain::listing::{Endpoint, SealedSecret};
use futures::future::BoxFuture;

use super::endpoint::{EndpointSecret, SigningKey};
use crate::secret_store_error::SecretStoreError;

/// Where a version of a secret goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Into the listing's item, sealed.
    Sealed,
    /// Into a new secret in Secrets Manager, or into one that an interrupted request left behind.
    NewSecret,
    /// Into the listing's secret in Secrets Manager.
    SameSecret,
}

/// Access for the gateway.
pub trait ReadSecrets: Send + Sync {
    /// Reads the secret of a listing's endpoint. May answer from a cache, because a version never changes.
    fn read<'a>(
        &'a self,
        listing: ListingId,
        endpoint: &'a Endpoint,
    ) -> BoxFuture<'a, Result<Arc<EndpointSecret>, SecretStoreError>>;
}

/// Deletion, for whoever leaves a secret without a listing that names it.
pub trait DeleteSecrets: Send + Sync {
    /// Deletes what Secrets Manager holds of a listing, at once and without a recovery window. Succeeds if there is nothing.
    fn delete(&self, listing: ListingId) -> BoxFuture<'_, Result<(), SecretStoreError>>;
}

/// Access for sellers' routes.
pub trait WriteSecrets: ReadSecrets + DeleteSecrets {
    /// As [`ReadSecrets::read`], bypassing the cache. Use before a change, which needs the version to still exist.
    fn read_fresh<'a>(
        &'a self,
        listing: ListingId,
        endpoint: &'a Endpoint,
    ) -> BoxFuture<'a, Result<Arc<EndpointSecret>, SecretStoreError>>;
    /// Whether it is sealed with the key that seals now.
    fn is_current<'a>(&'a self, sealed: &'a SealedSecret) -> BoxFuture<'a, Result<bool, SecretStoreError>>;
    /// A new signing secret for a listing.
    fn new_signing_key(&self, listing: ListingId) -> BoxFuture<'_, Result<SigningKey, SecretStoreError>>;
    /// Writes a version of a listing's secret to this place. The caller chooses `version`, and repeating a write has no effect.
    ///
    /// Returns what the endpoint has to hold with that version: what is sealed is kept there, and nowhere else.
    fn write<'a>(
        &'a self,
        listing: ListingId,
        version: &'a str,
        secret: &'a EndpointSecret,
        place: Place,
    ) -> BoxFuture<'a, Result<Option<SealedSecret>, SecretStoreError>>;
}

/// The secret of a listing, as it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedSecret {
    /// The listing in its name. There may be no such listing.
    pub listing: ListingId,
    /// When the secret was created (Unix milliseconds).
    pub created_ms: i64,
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
