//! Taking turns at an endpoint's secret: claim the next version, write it, pin it.
//!
//! The claim is a conditional write of the listing, and so is pinning: a version that is pinned was made from the one before
//! it, and of two editors one is told to try again. Until the new version is pinned the gateway goes on with the old one.

use crochet::app::App;
use crochet::endpoint_secrets::{SecretStoreError, fresh_version};
use crochet::http::{ApiError, Code, limits};
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{Endpoint, EndpointLease, Listing};
use crochet_domain::timestamp::unix_ms;

use super::edit::ATTEMPTS;
use super::remove::sweep;
use super::rewrite::{Rewrite, Rewritten};
use super::secret::create_or_adopt;
use crate::seller::Editor;

/// A claim lapses after this: longer than a function may run, so that no owner of one is overtaken while it writes.
pub(crate) const CLAIM_MS: i64 = 30_000;

/// A version of a listing's secret that is written, but not pinned yet.
pub(crate) struct Turn {
    version: Version,
    /// A signing secret that is new, to be shown once.
    pub(crate) shown: Option<String>,
}

enum Version {
    First {
        endpoint: Endpoint,
        /// The version of the listing that it was taken over: only there nobody else has written or deleted the secret since.
        over: u64,
    },
    Next {
        /// The listing as it was claimed.
        claimed: Box<Listing>,
        pinned: Pinned,
    },
}

/// What the listing's item says of a version of the secret.
struct Pinned {
    version: String,
    auth_header_names: Vec<String>,
    /// Where the signing secret is new.
    secret_created_ms: Option<i64>,
    previous_secret_expires_ms: Option<i64>,
}

/// Writes the next version of the secret of `listing`; `None` where it says so already.
///
/// # Errors
/// `ENDPOINT_NOT_FOUND` where there is none and no URL for a first one; `EDIT_LIMIT`; `EDIT_CONFLICT` where somebody else is at
/// it; what [`Rewrite::of`] refuses; where a store does not answer.
pub(crate) async fn take(
    state: &crate::State,
    editor: Editor,
    mut listing: Listing,
    rewrite: &Rewrite,
) -> Result<Option<Turn>, ApiError> {
    let (app, secrets) = (&state.app, &*state.secrets);
    let now_ms = unix_ms(app.clock.now());
    let mut is_counted = false;
    for _ in 0..ATTEMPTS {
        let Some(endpoint) = &listing.endpoint else { return first(state, &listing, rewrite, now_ms).await.map(Some) };
        let (next, is_lost) = match secrets.read_fresh(listing.id, endpoint.secret_version.clone()).await {
            Ok(before) => (rewrite.of(&before, now_ms)?, false),
            Err(error) if error.is_missing() => (Some(in_place_of_a_lost_one(rewrite, now_ms, error)?), true),
            Err(error) => return Err(error.into()),
        };
        let Some(next) = next else { return Ok(None) };
        free_to_claim(endpoint, now_ms)?;
        if !is_counted {
            count(app, &listing).await?;
            is_counted = true;
        }
        let version = fresh_version();
        let Some(claimed) = claim(app, &listing, endpoint, &version, now_ms).await? else {
            listing = editor.again(app, listing.id).await?;
            continue;
        };
        let written = if is_lost {
            create_or_adopt(secrets, listing.id, &version, &next.secret).await
        } else {
            secrets.add_version(listing.id, &version, &next.secret).await
        };
        let pinned = Pinned::of(version, &next, now_ms);
        let turn = Turn { version: Version::Next { claimed: Box::new(claimed), pinned }, shown: next.shown };
        if let Err(error) = written {
            turn.give_back(state, listing.id).await;
            return Err(error.into());
        }
        return Ok(Some(turn));
    }
    Err(Code::EditConflict.into())
}

/// Writes the secret of a first endpoint.
async fn first(state: &crate::State, listing: &Listing, rewrite: &Rewrite, now_ms: i64) -> Result<Turn, ApiError> {
    let first = rewrite.anew(now_ms).ok_or(Code::EndpointNotFound)?;
    free(listing.removing_secret_until_ms, now_ms)?;
    count(&state.app, listing).await?;
    create_or_adopt(&*state.secrets, listing.id, &first.endpoint.secret_version, &first.secret).await?;
    Ok(Turn { version: Version::First { endpoint: first.endpoint, over: listing.version }, shown: Some(first.shown) })
}

/// What to write where the pinned version is not there any more: with a URL everything is made anew, under a new signing secret.
fn in_place_of_a_lost_one(rewrite: &Rewrite, now_ms: i64, error: SecretStoreError) -> Result<Rewritten, ApiError> {
    let first = rewrite.anew(now_ms).ok_or_else(|| {
        ApiError::from(error).recovery(
            "summary",
            "Wait retry_after_seconds, then send the same request again. If this comes again, the endpoint's secret is lost: send \
             PUT /listings/{id}/endpoint with private_endpoint_url, which makes a new one.",
        )
    })?;
    Ok(Rewritten { secret: first.secret, shown: Some(first.shown) })
}

impl Pinned {
    fn of(version: String, next: &Rewritten, now_ms: i64) -> Self {
        Self {
            version,
            auth_header_names: next.header_names(),
            secret_created_ms: next.shown.as_ref().map(|_| now_ms),
            previous_secret_expires_ms: next.earlier_end_ms(),
        }
    }

    /// `present` with this version pinned, where it was claimed for it.
    fn over(&self, present: &Endpoint) -> Option<Endpoint> {
        present.claim.as_ref().filter(|claim| claim.version == self.version)?;
        Some(Endpoint {
            secret_version: self.version.clone(),
            auth_header_names: self.auth_header_names.clone(),
            secret_created_ms: self.secret_created_ms.unwrap_or(present.secret_created_ms),
            previous_secret_expires_ms: self.previous_secret_expires_ms,
            last_test: None,
            claim: None,
            ..present.clone()
        })
    }
}

impl Turn {
    /// The endpoint with the new version pinned, as a change of `present`: the listing as it stands now. What the last test
    /// said is said of another version, and goes.
    ///
    /// # Errors
    /// `EDIT_CONFLICT` where the turn has passed to somebody else; for a first endpoint, where the listing has changed at all.
    pub(crate) fn pin(&self, present: &Listing) -> Result<Endpoint, ApiError> {
        self.pinned(present.endpoint.as_ref(), present.version).ok_or_else(|| Code::EditConflict.into())
    }

    /// As [`Turn::pin`], over this endpoint of a listing at this version.
    fn pinned(&self, present: Option<&Endpoint>, listing_version: u64) -> Option<Endpoint> {
        match (&self.version, present) {
            (Version::First { endpoint, over }, None) if *over == listing_version => Some(endpoint.clone()),
            (Version::Next { pinned, .. }, Some(present)) => pinned.over(present),
            _ => None,
        }
    }

    /// The listing with the claim on it; `None` for a first endpoint, which needs no claim.
    pub(crate) fn claimed(&self) -> Option<&Listing> {
        match &self.version {
            Version::First { .. } => None,
            Version::Next { claimed, .. } => Some(claimed),
        }
    }

    /// Gives the turn at the listing `id` back: its version will not be pinned. A secret that nobody is to have goes.
    pub(crate) async fn give_back(self, state: &crate::State, id: ListingId) {
        let is_released = match &self.version {
            Version::First { .. } => false,
            Version::Next { claimed, .. } => release(&state.app, claimed).await,
        };
        if !is_released {
            sweep(state, id).await;
        }
    }
}

/// Fails while somebody else writes, or may write, the next version.
///
/// # Errors
/// `EDIT_CONFLICT`, with the time after which the way is free whatever happens.
pub(crate) fn free_to_claim(endpoint: &Endpoint, now_ms: i64) -> Result<(), ApiError> {
    free(endpoint.claim.as_ref().map(|claim| claim.until_ms), now_ms)
}

fn free(taken_until_ms: Option<i64>, now_ms: i64) -> Result<(), ApiError> {
    match taken_until_ms {
        Some(until_ms) if now_ms < until_ms => {
            let seconds = u64::try_from(until_ms - now_ms).unwrap_or(1).div_ceil(1_000);
            Err(ApiError::new(Code::EditConflict).retry_after(seconds))
        }
        _ => Ok(()),
    }
}

async fn count(app: &App, listing: &Listing) -> Result<(), ApiError> {
    let status = app.limiter.count(limits::ENDPOINT_EDITS, &listing.id.to_string(), app.clock.now()).await?;
    status.check(Code::EditLimit)
}

/// The listing with the claim on it; `None` where the listing was changed since it was read.
async fn claim(app: &App, listing: &Listing, endpoint: &Endpoint, version: &str, now_ms: i64) -> Result<Option<Listing>, ApiError> {
    let claim = EndpointLease { version: version.to_owned(), until_ms: now_ms + CLAIM_MS };
    let claimed = Listing {
        endpoint: Some(Endpoint { claim: Some(claim), ..endpoint.clone() }),
        // Nothing that anybody sees has changed, so the time of the last change stays.
        version: listing.version + 1,
        ..listing.clone()
    };
    Ok(app.store.update_listing(&claimed).await?.then_some(claimed))
}

/// Gives a claim back, if nothing has been written since; else it lapses, and this is `false`.
async fn release(app: &App, claimed: &Listing) -> bool {
    let mut released = claimed.clone();
    if let Some(endpoint) = &mut released.endpoint {
        endpoint.claim = None;
    }
    released.version += 1;
    app.store.update_listing(&released).await.unwrap_or_else(|error| {
        tracing::warn!(listing = %claimed.id, %error, "a claim was left to lapse");
        false
    })
}

#[cfg(test)]
mod tests {
    use crochet::outbound::{EndpointUrl, OutboundRules};

    use super::super::secret::First;
    use super::*;

    fn endpoint(claim: Option<&str>) -> Endpoint {
        let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
        let url = EndpointUrl::parse("https://example.com/a", &OutboundRules::of(&config)).expect("a public URL");
        let claim = claim.map(|version| EndpointLease { version: version.into(), until_ms: 1 });
        Endpoint { claim, ..First::at(&url, None, 0).endpoint }
    }

    fn pinned() -> Pinned {
        Pinned {
            version: "v2".into(),
            auth_header_names: vec!["X-Key".into()],
            secret_created_ms: Some(7),
            previous_secret_expires_ms: Some(9),
        }
    }

    #[test]
    fn only_the_claimed_version_is_pinned() {
        let ours = pinned().over(&endpoint(Some("v2"))).expect("ours");
        assert_eq!((ours.secret_version.as_str(), ours.claim), ("v2", None));
        assert_eq!((ours.auth_header_names, ours.secret_created_ms), (vec!["X-Key".to_owned()], 7));
        assert_eq!(ours.previous_secret_expires_ms, Some(9));
        assert!(pinned().over(&endpoint(Some("v3"))).is_none(), "somebody else's turn");
        assert!(pinned().over(&endpoint(None)).is_none(), "given back");
        let moved = Pinned { secret_created_ms: None, ..pinned() };
        assert_eq!(moved.over(&endpoint(Some("v2"))).expect("ours").secret_created_ms, 0, "the secret is the old one");
    }

    #[test]
    fn a_first_endpoint_is_pinned_where_there_is_none() {
        let first = Turn { version: Version::First { endpoint: endpoint(None), over: 3 }, shown: None };
        assert!(first.pinned(None, 3).is_some());
        assert!(first.pinned(None, 4).is_none(), "the secret may have been deleted since");
        assert!(first.pinned(Some(&endpoint(None)), 3).is_none(), "somebody else was first");
    }

    #[test]
    fn a_claim_holds_until_it_lapses_and_says_so() {
        let mut taken = endpoint(Some("v2"));
        taken.claim = Some(EndpointLease { version: "v2".into(), until_ms: 30_000 });
        let error = free_to_claim(&taken, 1).expect_err("taken");
        assert_eq!((error.code(), error.retry_after_seconds()), (Code::EditConflict, Some(30)));
        assert!(free_to_claim(&taken, 30_000).is_ok(), "its owner cannot be alive");
    }
}
