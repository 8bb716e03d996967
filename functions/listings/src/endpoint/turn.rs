//! Taking turns at an endpoint's secret: claim the next version, write it, pin it.
//!
//! The claim is a conditional write of the listing, and so is pinning: a version that is pinned was made from the one before
//! it, and of two editors one is told to read again. Until the new version is pinned the gateway goes on with the old one.

use crochet::app::App;
use crochet::clock::unix_ms;
use crochet::domain::listing::{Endpoint, EndpointClaim, Listing};
use crochet::endpoint_secrets::{WriteSecrets, fresh_version};
use crochet::http::{ApiError, Code, limits};
use crochet::outbound::EndpointUrl;

use super::secret::{First, moved};

/// A claim lapses after this: longer than a function may run, so that no owner of one is overtaken while it writes.
const CLAIM_MS: i64 = 30_000;

/// A version of a listing's secret that is written, but not pinned yet.
pub(crate) struct Turn {
    version: Version,
    /// The signing secret of a first endpoint, to be shown once.
    pub(crate) shown: Option<String>,
}

enum Version {
    First(Endpoint),
    Next(String),
}

/// Writes the secret for `url`; `None` where it says so already.
///
/// # Errors
/// `EDIT_LIMIT`; `EDIT_CONFLICT` where somebody else is at it; where a store does not answer.
pub(crate) async fn take(
    app: &App,
    secrets: &dyn WriteSecrets,
    listing: &Listing,
    url: &EndpointUrl,
) -> Result<Option<Turn>, ApiError> {
    let now = app.clock.now();
    let Some(endpoint) = &listing.endpoint else {
        count(app, listing).await?;
        let first = First::at(url, unix_ms(now));
        first.create_or_adopt(secrets, listing.id).await?;
        return Ok(Some(Turn { version: Version::First(first.endpoint), shown: Some(first.shown) }));
    };
    let before = secrets.read(listing.id, endpoint.secret_version.clone()).await?;
    if before.url == url.reveal() {
        return Ok(None);
    }
    count(app, listing).await?;
    let claimed = claim(app, listing, endpoint, unix_ms(now)).await?;
    let version = claimed.1;
    if let Err(error) = secrets.add_version(listing.id, &version, &moved(&before, url, unix_ms(now))).await {
        release(app, claimed.0).await;
        return Err(error.into());
    }
    Ok(Some(Turn { version: Version::Next(version), shown: None }))
}

impl Turn {
    /// The endpoint with the new version pinned, as a change of `present`: the listing as it stands now.
    ///
    /// # Errors
    /// `EDIT_CONFLICT` where the turn has passed to somebody else.
    pub(crate) fn pin(&self, present: Option<&Endpoint>) -> Result<Endpoint, ApiError> {
        match (&self.version, present) {
            (Version::First(endpoint), None) => Ok(endpoint.clone()),
            (Version::Next(version), Some(present)) if present.claim.as_ref().is_some_and(|claim| claim.version == *version) => {
                Ok(Endpoint { secret_version: version.clone(), claim: None, ..present.clone() })
            }
            _ => Err(Code::EditConflict.into()),
        }
    }
}

async fn count(app: &App, listing: &Listing) -> Result<(), ApiError> {
    let standing = app.limiter.count(limits::ENDPOINT_EDITS, &listing.id.to_string(), app.clock.now()).await?;
    standing.within(Code::EditLimit).map(drop)
}

async fn claim(app: &App, listing: &Listing, endpoint: &Endpoint, now_ms: i64) -> Result<(Listing, String), ApiError> {
    if endpoint.claim.as_ref().is_some_and(|claim| now_ms < claim.until_ms) {
        return Err(Code::EditConflict.into());
    }
    let version = fresh_version();
    let claim = EndpointClaim { version: version.clone(), until_ms: now_ms + CLAIM_MS };
    let claimed = Listing {
        endpoint: Some(Endpoint { claim: Some(claim), ..endpoint.clone() }),
        // Nothing that anybody sees has changed, so the time of the last change stays.
        version: listing.version + 1,
        ..listing.clone()
    };
    if app.store.update_listing(&claimed).await? { Ok((claimed, version)) } else { Err(Code::EditConflict.into()) }
}

/// Gives a claim back, if that is possible now; else it lapses.
async fn release(app: &App, mut claimed: Listing) {
    if let Some(endpoint) = &mut claimed.endpoint {
        endpoint.claim = None;
    }
    claimed.version += 1;
    if let Err(error) = app.store.update_listing(&claimed).await {
        tracing::warn!(listing = %claimed.id, %error, "a claim was left to lapse");
    }
}

#[cfg(test)]
mod tests {
    use crochet::endpoint_secrets::EndpointSecret;
    use crochet::outbound::OutboundRules;

    use super::*;

    fn url(text: &str) -> EndpointUrl {
        let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
        EndpointUrl::parse(text, &OutboundRules::of(&config)).expect("a public URL")
    }

    fn endpoint(claim: Option<&str>) -> Endpoint {
        let claim = claim.map(|version| EndpointClaim { version: version.into(), until_ms: 1 });
        Endpoint { claim, ..First::at(&url("https://example.com/a"), 0).endpoint }
    }

    #[test]
    fn only_the_claimed_version_is_pinned() {
        let next = Turn { version: Version::Next("v2".into()), shown: None };
        let pinned = next.pin(Some(&endpoint(Some("v2")))).expect("ours");
        assert_eq!((pinned.secret_version.as_str(), pinned.claim), ("v2", None));
        assert!(next.pin(Some(&endpoint(Some("v3")))).is_err(), "somebody else's turn");
        assert!(next.pin(Some(&endpoint(None))).is_err(), "given back");
        assert!(next.pin(None).is_err(), "gone");
        let first = Turn { version: Version::First(endpoint(None)), shown: None };
        assert!(first.pin(None).is_ok());
        assert!(first.pin(Some(&endpoint(None))).is_err(), "somebody else was first");
    }

    #[test]
    fn a_moved_endpoint_keeps_header_and_live_keys() {
        let first = First::at(&url("https://example.com/a"), 0);
        let mut secret: EndpointSecret = serde_json::from_str(&format!(
            r#"{{"url":"https://example.com/a","header":{{"name":"x-key","value":"v"}},"keys":[{{"secret":"{0}","not_after_ms":null}},{{"secret":"{0}","not_after_ms":5}}]}}"#,
            first.shown
        ))
        .expect("a secret");
        secret = moved(&secret, &url("https://example.com/b"), 5);
        assert_eq!((secret.url.as_str(), secret.keys.len()), ("https://example.com/b", 1));
        assert_eq!(secret.header.expect("kept").value, "v");
    }
}
