//! Creating and deleting a listing's secret, including secrets that an interrupted request left behind.

use crochet::app::App;
use crochet::config::EndpointStore;
use crochet::endpoint_secrets::{DeleteSecrets, EndpointSecret, Place, SigningKey, new_version};
use crochet::http::{Code, Result, gate};
use crochet::limits;
use crochet::store::StoreError;
use crochet::store::gate::Gate;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{Endpoint, Listing, ListingStatus, SealedSecret};
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

use super::lease::{LEASE_MS, check_lease, with_lease};
use super::new_endpoint::NewEndpoint;

/// Where the next version of a secret goes, of an endpoint of a listing with this status.
pub(crate) fn place(store: EndpointStore, endpoint: Option<&Endpoint>, status: ListingStatus) -> Place {
    match (store, endpoint) {
        (EndpointStore::Sealed, _) => Place::Sealed,
        (EndpointStore::PerListing, Some(Endpoint { sealed: None, .. })) => Place::SameSecret,
        // A secret is billed for as long as it exists: a draft gets none before it goes on offer.
        (EndpointStore::PerListing, _) if status == ListingStatus::Draft => Place::Sealed,
        (EndpointStore::PerListing, _) => Place::NewSecret,
    }
}

/// A new endpoint with its secret written, for a listing that will have this status.
///
/// # Errors
/// As [`write_secret`].
pub(crate) async fn create_secret(
    state: &crate::state::State,
    listing: &Listing,
    status: ListingStatus,
    make: impl FnOnce(SigningKey) -> NewEndpoint,
) -> Result<NewEndpoint> {
    let mut new = make(state.secrets.new_signing_key(listing.id).await?);
    let place = place(state.app.config.endpoint_secrets, None, status);
    let (version, counted) = (&new.endpoint.secret_version, Some(listing.seller.id));
    new.endpoint.sealed = write_secret(state, listing.id, version, &new.secret, place, counted).await?;
    Ok(new)
}

/// Writes a version of a listing's secret. A new secret in Secrets Manager is counted first: of this seller, then of all, so that no
/// seller uses up what all may create in a day. What the deployment does not let through is not the seller's.
///
/// # Errors
/// `RATE_LIMITED` if the seller has created as many as one may in a day; those of [`gate::pass`]; if the secret cannot be written.
pub(super) async fn write_secret(
    state: &crate::state::State,
    listing: ListingId,
    version: &str,
    secret: &EndpointSecret,
    place: Place,
    counted: Option<ProfileId>,
) -> Result<Option<SealedSecret>> {
    if place != Place::NewSecret {
        return Ok(state.secrets.write(listing, version, secret, place).await?);
    }
    let (app, now) = (&state.app, state.app.clock.now());
    if let Some(seller) = counted {
        count_new_secret(app, seller, now).await?;
    }
    let passed = gate::pass(app, Gate::EndpointSecrets, now).await;
    if let (Err(_), Some(seller)) = (&passed, counted)
        && let Err(error) = app.limiter.give_back(limits::NEW_SECRETS, &seller.to_string(), now).await
    {
        tracing::warn!(%seller, %error, "an endpoint secret that was not created stays counted");
    }
    passed?;
    Ok(state.secrets.write(listing, version, secret, place).await?)
}

async fn count_new_secret(app: &App, seller: ProfileId, now: OffsetDateTime) -> Result<()> {
    let status = app.limiter.count(limits::NEW_SECRETS, &seller.to_string(), now).await?;
    status.check(Code::RateLimited).map_err(|error| {
        error
            .message("You have created as many endpoints today as a seller may; wait until tomorrow (UTC).")
            .detail("limited", Gate::EndpointSecrets.as_str())
    })
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

/// Deletes a secret that the sweep has found: of a listing without an endpoint, of one that does not exist, or one that a sealed
/// endpoint has superseded.
pub(crate) async fn delete_found_secret(
    app: &App,
    secrets: &dyn DeleteSecrets,
    id: ListingId,
) -> std::result::Result<(), StoreError> {
    match app.store.listing(id).await? {
        Some(listing) if listing.endpoint.as_ref().is_some_and(|endpoint| endpoint.sealed.is_some()) => {
            delete_superseded_secret(app, secrets, listing).await
        }
        listing => delete_unnamed_secret(app, secrets, id, listing).await,
    }
}

/// Deletes the secret of a listing without an endpoint, which a failed change may have left behind, or of a listing that does not
/// exist. That of a sealed endpoint stays: a restored table may need it.
///
/// The listing is marked first. The mark increments the listing's version, so that a first secret version that another request
/// has already written can no longer be pinned; and it stops others from writing one. If the mark cannot be written, the secret
/// stays, and the next endpoint adopts it.
pub(crate) async fn delete_orphaned_secret(
    app: &App,
    secrets: &dyn DeleteSecrets,
    id: ListingId,
) -> std::result::Result<(), StoreError> {
    let listing = app.store.listing(id).await?;
    delete_unnamed_secret(app, secrets, id, listing).await
}

async fn delete_unnamed_secret(
    app: &App,
    secrets: &dyn DeleteSecrets,
    id: ListingId,
    listing: Option<Listing>,
) -> std::result::Result<(), StoreError> {
    let now_ms = unix_ms(app.clock.now());
    let Some(listing) = listing else {
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

/// Deletes what Secrets Manager still holds of a listing whose endpoint is sealed. The lease keeps others from writing there.
async fn delete_superseded_secret(app: &App, secrets: &dyn DeleteSecrets, listing: Listing) -> std::result::Result<(), StoreError> {
    let now_ms = unix_ms(app.clock.now());
    let Some(endpoint) = listing.endpoint.as_ref().filter(|endpoint| check_lease(endpoint, now_ms).is_ok()) else { return Ok(()) };
    let mut leased = listing.clone();
    leased.endpoint = Some(with_lease(endpoint, &new_version(), now_ms));
    leased.version += 1;
    if app.store.update_listing(&leased).await? && delete_secret(secrets, listing.id).await {
        // The lease that has lapsed goes, too: its holder may have written a version here that is deleted now, and must not pin it.
        // If ours is not given up, it ends by itself.
        let freed = Endpoint { claim: None, ..endpoint.clone() };
        let _ = app.store.update_listing(&Listing { endpoint: Some(freed), version: leased.version + 1, ..listing }).await;
    }
    Ok(())
}
