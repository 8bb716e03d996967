//! Preparing the next version of an endpoint's secret: take the lease, write the version, then commit or abort.
//!
//! The lease is a conditional write of the listing, and so is the commit. A version is therefore always derived from the one
//! before it, and of two concurrent changes one gets a conflict. Until the commit the gateway keeps using the pinned version.

use crochet::app::App;
use crochet::endpoint_secrets::{SecretStoreError, new_version};
use crochet::http::{ApiError, Code};
use crochet::limits;
use crochet::store::retry::Attempts;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{Endpoint, Listing, ListingStatus, SealedSecret};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::webhook_signature::SigningSecret;

use super::lease::{check_lease, check_until, with_lease};
use super::new_endpoint::NewEndpoint;
use super::secret::{create_secret, delete_orphaned_secret, place, write_secret};
use super::secret_change::{NewSecret, SecretChange};
use crate::seller::ListingWriter;

/// A version of a listing's secret that is written, but not pinned yet.
pub(super) struct PreparedSecret {
    version: Version,
    /// The signing secret, if it is new, to show once.
    pub(super) signing_secret: Option<SigningSecret>,
}

enum Version {
    /// The first version, for a new endpoint.
    First {
        endpoint: Box<Endpoint>,
        /// The listing's version before the write. At any other version, another request may have written or deleted the secret.
        listing_version: u64,
    },
    /// A version after the pinned one.
    Next {
        /// The listing with our lease.
        leased: Box<Listing>,
        pin: SecretPin,
    },
}

/// The part of an endpoint that describes one version of its secret.
struct SecretPin {
    version: String,
    sealed: Option<SealedSecret>,
    /// Whether the last test was made with the same URL, header and secrets.
    keeps_test: bool,
    auth_header_names: Vec<String>,
    /// Set if the signing secret is new.
    secret_created_ms: Option<i64>,
    previous_secret_expires_ms: Option<i64>,
}

/// The secret to write next.
struct NextSecret {
    secret: NewSecret,
    /// The pinned version no longer exists, and perhaps the whole secret neither.
    replaces_lost: bool,
    /// It is the same as before, kept elsewhere.
    is_moved: bool,
    /// Who is counted if it takes a new secret in Secrets Manager: the seller. `None` if the operator moves it.
    counted: Option<ProfileId>,
}

/// Writes the next version of the secret of a listing that will have this status. Returns `None` if the change makes no difference.
///
/// # Errors
/// `ENDPOINT_NOT_FOUND` if the listing has no endpoint and the change has no URL for one; `EDIT_LIMIT`; `EDIT_CONFLICT` while
/// another request holds the lease; the errors of [`SecretChange::apply`].
pub(super) async fn prepare(
    state: &crate::state::State,
    writer: ListingWriter,
    mut listing: Listing,
    change: &SecretChange,
    status: ListingStatus,
) -> Result<Option<PreparedSecret>, ApiError> {
    let now_ms = unix_ms(state.app.clock.now());
    let mut is_counted = false;
    let mut attempts = Attempts::default();
    loop {
        let Some(endpoint) = &listing.endpoint else {
            return prepare_first(state, &listing, change, status, now_ms).await.map(Some);
        };
        let Some(next) = next_secret(state, &listing, endpoint, change, now_ms).await? else { return Ok(None) };
        check_lease(endpoint, now_ms)?;
        // A move writes what is there already.
        if !is_counted && !next.is_moved {
            count_edit(&state.app, &listing).await?;
            is_counted = true;
        }
        let version = new_version();
        if let Some(leased) = acquire_lease(&state.app, &listing, endpoint, &version, now_ms).await? {
            return write_version(state, leased, version, next, status, now_ms).await.map(Some);
        }
        attempts.next_or(ApiError::from(Code::EditConflict)).await?;
        listing = writer.reload(&state.app, listing.id).await?;
    }
}

/// Writes the first version, for a listing without an endpoint.
async fn prepare_first(
    state: &crate::state::State,
    listing: &Listing,
    change: &SecretChange,
    status: ListingStatus,
    now_ms: i64,
) -> Result<PreparedSecret, ApiError> {
    let SecretChange::Set { url: Some(url), header } = change else { return Err(Code::EndpointNotFound.into()) };
    check_until(listing.removing_secret_until_ms, now_ms)?;
    count_edit(&state.app, listing).await?;
    let make = |signing_key| NewEndpoint::new(url, header.clone().flatten(), signing_key, now_ms);
    let new = create_secret(state, listing, status, make).await?;
    let version = Version::First { endpoint: Box::new(new.endpoint), listing_version: listing.version };
    Ok(PreparedSecret { version, signing_secret: Some(new.signing_secret) })
}

/// Applies the change to the pinned version. If that version is lost, a change with a URL replaces the whole secret.
async fn next_secret(
    state: &crate::state::State,
    listing: &Listing,
    endpoint: &Endpoint,
    change: &SecretChange,
    now_ms: i64,
) -> Result<Option<NextSecret>, ApiError> {
    let is_moved = matches!(change, SecretChange::Move { .. });
    let by_operator = matches!(change, SecretChange::Move { by_operator: true });
    let counted = Some(listing.seller.id).filter(|_| !by_operator);
    match state.secrets.read_fresh(listing.id, endpoint).await {
        Ok(pinned) => {
            let signing_key = state.secrets.new_signing_key(listing.id).await?;
            let secret = change.apply(&pinned, signing_key, now_ms)?;
            Ok(secret.map(|secret| NextSecret { secret, replaces_lost: false, is_moved, counted }))
        }
        Err(error) if error.is_lost() => {
            let signing_key = state.secrets.new_signing_key(listing.id).await?;
            let new = change.for_new_endpoint(signing_key, now_ms).ok_or_else(|| secret_lost(error))?;
            let secret = NewSecret { secret: new.secret, signing_secret: Some(new.signing_secret) };
            Ok(Some(NextSecret { secret, replaces_lost: true, is_moved, counted }))
        }
        Err(error) => Err(error.into()),
    }
}

fn secret_lost(error: SecretStoreError) -> ApiError {
    ApiError::from(error).recovery(
        "summary",
        "Wait retry_after_seconds, then send the same request again. If the error persists, the endpoint's secret is lost: send \
         PUT /listings/{id}/endpoint with private_endpoint_url to create a new one.",
    )
}

/// Writes the version that we hold the lease for. If that fails, gives the lease up.
async fn write_version(
    state: &crate::state::State,
    leased: Listing,
    version: String,
    NextSecret { secret: new, replaces_lost, is_moved, counted }: NextSecret,
    status: ListingStatus,
    now_ms: i64,
) -> Result<PreparedSecret, ApiError> {
    let id = leased.id;
    let before = leased.endpoint.as_ref().filter(|_| !replaces_lost);
    let place = place(state.app.config.endpoint_secrets, before, status);
    let written = write_secret(state, id, &version, &new.secret, place, counted).await;
    let (sealed, failure) = match written {
        Ok(sealed) => (sealed, None),
        Err(error) => (None, Some(error)),
    };
    let pin = SecretPin { sealed, keeps_test: is_moved, ..SecretPin::new(version, &new, now_ms) };
    let prepared = PreparedSecret { version: Version::Next { leased: Box::new(leased), pin }, signing_secret: new.signing_secret };
    match failure {
        None => Ok(prepared),
        Some(error) => {
            prepared.abort(state, id).await;
            Err(error)
        }
    }
}

impl SecretPin {
    fn new(version: String, new: &NewSecret, now_ms: i64) -> Self {
        Self {
            version,
            sealed: None,
            keeps_test: false,
            auth_header_names: new.header_names(),
            secret_created_ms: new.signing_secret.as_ref().map(|_| now_ms),
            previous_secret_expires_ms: new.previous_secret_expires_ms(),
        }
    }

    /// The endpoint with this version pinned, if it is leased for this version. Its last test is dropped, unless it was made with the
    /// same secret.
    fn applied_to(&self, endpoint: &Endpoint) -> Option<Endpoint> {
        endpoint.claim.as_ref().filter(|lease| lease.version == self.version)?;
        let was_sealed_ms = endpoint.sealed.as_ref().map(|sealed| sealed.since_ms);
        let since = |sealed: SealedSecret| SealedSecret { since_ms: was_sealed_ms.unwrap_or(sealed.since_ms), ..sealed };
        Some(Endpoint {
            secret_version: self.version.clone(),
            sealed: self.sealed.clone().map(since),
            auth_header_names: self.auth_header_names.clone(),
            secret_created_ms: self.secret_created_ms.unwrap_or(endpoint.secret_created_ms),
            previous_secret_expires_ms: self.previous_secret_expires_ms,
            last_test: endpoint.last_test.clone().filter(|_| self.keeps_test),
            tested_ms: endpoint.tested_ms.filter(|_| self.keeps_test),
            claim: None,
            ..endpoint.clone()
        })
    }
}

impl PreparedSecret {
    /// The listing with the new version pinned. The caller writes it.
    ///
    /// # Errors
    /// `EDIT_CONFLICT` if the lease has passed to another request; for a new endpoint, if the listing has changed at all.
    pub(super) fn commit(&self, current: &Listing) -> Result<Listing, ApiError> {
        let endpoint = self.pinned(current.endpoint.as_ref(), current.version).ok_or(Code::EditConflict)?;
        Ok(Listing { endpoint: Some(endpoint), removing_secret_until_ms: None, ..current.clone() })
    }

    fn pinned(&self, current: Option<&Endpoint>, current_version: u64) -> Option<Endpoint> {
        match (&self.version, current) {
            (Version::First { endpoint, listing_version }, None) if *listing_version == current_version => {
                Some((**endpoint).clone())
            }
            (Version::Next { pin, .. }, Some(current)) => pin.applied_to(current),
            _ => None,
        }
    }

    /// The listing with our lease. `None` for a new endpoint, which needs no lease.
    pub(super) fn leased(&self) -> Option<&Listing> {
        match &self.version {
            Version::First { .. } => None,
            Version::Next { leased, .. } => Some(leased),
        }
    }

    /// Gives up the lease on the secret of listing `id`. A secret that no endpoint uses is deleted.
    pub(super) async fn abort(self, state: &crate::state::State, id: ListingId) {
        let is_released = match &self.version {
            Version::First { .. } => false,
            Version::Next { leased, .. } => release_lease(&state.app, leased).await,
        };
        if !is_released && let Err(error) = delete_orphaned_secret(&state.app, &*state.secrets, id).await {
            tracing::warn!(listing = %id, %error, "an endpoint secret was left for the next endpoint");
        }
    }
}

async fn count_edit(app: &App, listing: &Listing) -> Result<(), ApiError> {
    let status = app.limiter.count(limits::ENDPOINT_EDITS, &listing.id.to_string(), app.clock.now()).await?;
    status.check(Code::EditLimit)
}

/// Writes our lease. Returns the leased listing, or `None` if the listing has changed since it was read.
async fn acquire_lease(
    app: &App,
    listing: &Listing,
    endpoint: &Endpoint,
    version: &str,
    now_ms: i64,
) -> Result<Option<Listing>, ApiError> {
    let leased = Listing {
        endpoint: Some(with_lease(endpoint, version, now_ms)),
        // Nothing public changes, so the time of the last change stays.
        version: listing.version + 1,
        ..listing.clone()
    };
    Ok(app.store.update_listing(&leased).await?.then_some(leased))
}

/// Removes our lease, if the listing has not changed since. Otherwise returns `false`, and the lease expires by itself.
async fn release_lease(app: &App, leased: &Listing) -> bool {
    let mut released = leased.clone();
    if let Some(endpoint) = &mut released.endpoint {
        endpoint.claim = None;
    }
    released.version += 1;
    app.store.update_listing(&released).await.unwrap_or_else(|error| {
        tracing::warn!(listing = %leased.id, %error, "a lease was left to expire");
        false
    })
}

#[cfg(test)]
mod tests {
    use crochet::endpoint_secrets::SigningKey;
    use crochet::outbound::{EndpointUrl, OutboundRules};
    use crochet_domain::listing::EndpointLease;

    use super::*;

    fn endpoint(leased_version: Option<&str>) -> Endpoint {
        let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
        let url = EndpointUrl::parse("https://example.com/a", &OutboundRules::of(&config)).expect("a public URL");
        let claim = leased_version.map(|version| EndpointLease { version: version.into(), until_ms: 1 });
        let signing_key = SigningKey::of(SigningSecret::generate());
        Endpoint { claim, ..NewEndpoint::new(&url, None, signing_key, 0).endpoint }
    }

    fn pin() -> SecretPin {
        SecretPin {
            version: "v2".into(),
            sealed: None,
            keeps_test: false,
            auth_header_names: vec!["X-Key".into()],
            secret_created_ms: Some(7),
            previous_secret_expires_ms: Some(9),
        }
    }

    #[test]
    fn only_the_leased_version_can_be_pinned() {
        let pinned = pin().applied_to(&endpoint(Some("v2"))).expect("our lease");
        assert_eq!((pinned.secret_version.as_str(), pinned.claim), ("v2", None));
        assert_eq!((pinned.auth_header_names, pinned.secret_created_ms), (vec!["X-Key".to_owned()], 7));
        assert_eq!(pinned.previous_secret_expires_ms, Some(9));
        assert!(pin().applied_to(&endpoint(Some("v3"))).is_none(), "another request's lease");
        assert!(pin().applied_to(&endpoint(None)).is_none(), "no lease");
        let moved = SecretPin { secret_created_ms: None, ..pin() };
        assert_eq!(moved.applied_to(&endpoint(Some("v2"))).expect("our lease").secret_created_ms, 0, "the signing secret stays");
    }

    #[test]
    fn what_is_sealed_anew_has_been_sealed_since_the_first_time() {
        let sealed = |since_ms| Some(SealedSecret { key: "k".into(), text: "t".into(), since_ms });
        for (before, since_ms) in [(None, 9), (sealed(5), 5)] {
            let endpoint = Endpoint { sealed: before, ..endpoint(Some("v2")) };
            let pinned = SecretPin { sealed: sealed(9), ..pin() }.applied_to(&endpoint).expect("our lease");
            assert_eq!(pinned.sealed, sealed(since_ms));
        }
    }

    #[test]
    fn a_new_endpoint_is_committed_only_to_the_unchanged_listing() {
        let version = Version::First { endpoint: Box::new(endpoint(None)), listing_version: 3 };
        let first = PreparedSecret { version, signing_secret: None };
        assert!(first.pinned(None, 3).is_some());
        assert!(first.pinned(None, 4).is_none(), "the secret may have been deleted since");
        assert!(first.pinned(Some(&endpoint(None)), 3).is_none(), "another request was first");
    }
}
