//! Creating and deleting a listing's secret, including secrets that an interrupted request left behind.

use crochet::app::App;
use crochet::endpoint_secrets::{DeleteSecrets, EndpointSecret, SecretStoreError, WriteSecrets};
use crochet::store::StoreError;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::Listing;
use crochet_domain::timestamp::unix_ms;

use super::lease::LEASE_MS;

/// Creates a listing's secret. If an earlier request left one behind, adds a version to it instead.
///
/// # Errors
/// If Secrets Manager does neither.
pub(super) async fn create_or_adopt(
    secrets: &dyn WriteSecrets,
    listing: ListingId,
    version: &str,
    secret: &EndpointSecret,
) -> Result<(), SecretStoreError> {
    match secrets.create(listing, version, secret).await {
        Err(SecretStoreError::AlreadyExists) => secrets.add_version(listing, version, secret).await,
        created => created,
    }
}

/// Deletes a listing's secret on a best-effort basis: a secret left behind is harmless, but costs money. Returns `false` if the
/// deletion failed; it may still take effect.
pub(crate) async fn delete_secret(secrets: &dyn DeleteSecrets, listing: ListingId) -> bool {
    let deleted = secrets.delete(listing).await;
    if let Err(error) = &deleted {
        tracing::warn!(%listing, %error, "an endpoint secret was left behind");
    }
    deleted.is_ok()
}

/// The listing without its endpoint, marked so that nobody writes a secret while the old one is being deleted.
pub(crate) fn marked_for_deletion(listing: &Listing, now_ms: i64) -> Listing {
    Listing { endpoint: None, removing_secret_until_ms: Some(now_ms + LEASE_MS), ..listing.clone() }
}

/// Deletes the secret of a marked listing, then clears the mark so that a new endpoint can be created at once.
///
/// If the deletion failed, or the mark cannot be cleared, the mark stays until it expires: a late deletion would otherwise delete
/// the secret of a new endpoint.
pub(crate) async fn delete_marked_secret(app: &App, secrets: &dyn DeleteSecrets, marked: Listing) -> Listing {
    if !delete_secret(secrets, marked.id).await {
        return marked;
    }
    let cleared = Listing { removing_secret_until_ms: None, version: marked.version + 1, ..marked.clone() };
    match app.store.update_listing(&cleared).await {
        Ok(true) => cleared,
        _ => marked,
    }
}

/// Deletes the secret of a listing without an endpoint, which a failed change may have left behind, or of a listing that does not
/// exist.
///
/// The listing is marked first. The mark increments the listing's version, so that a first secret version that another request
/// has already written can no longer be pinned; and it stops others from writing one. If the mark cannot be written, the secret
/// stays, and the next endpoint adopts it.
pub(crate) async fn delete_orphaned_secret(app: &App, secrets: &dyn DeleteSecrets, id: ListingId) -> Result<(), StoreError> {
    let now_ms = unix_ms(app.clock.now());
    let Some(listing) = app.store.listing(id).await? else {
        delete_secret(secrets, id).await;
        return Ok(());
    };
    if listing.endpoint.is_some() || listing.removing_secret_until_ms.is_some_and(|until_ms| now_ms < until_ms) {
        return Ok(());
    }
    let mut marked = marked_for_deletion(&listing, now_ms);
    // Nothing public changes, so the time of the last change stays.
    marked.version += 1;
    if app.store.update_listing(&marked).await? {
        delete_marked_secret(app, secrets, marked).await;
    }
    Ok(())
}
