//! Deletes secrets that nobody names any more: once a day, over all secrets of this deployment.
//!
//! A secret is left behind when a process dies between two writes, and it costs money every month. Running this twice, late or in
//! parallel does no harm: a listing is changed only by conditional writes, and the seller's own change is always first.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crochet::app::App;
use crochet::config::EndpointStore;
use crochet::endpoint_secrets::{EndpointSecrets, ListedSecret, SecretStoreError, SweepSecrets};
use crochet::http::gate::percent;
use crochet::store::StoreError;
use crochet::store::gate::Gate;
use crochet::telemetry::metrics::{self, Metric};
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{Endpoint, Listing};
use crochet_domain::timestamp::unix_ms;
use futures::stream::{self, StreamExt};

use crate::endpoint::lease::check_lease;
use crate::endpoint::secret::{delete_found_secret, delete_marked_secret, marked_for_deletion};

/// Age from which on a secret without an endpoint is left behind, and not part of a change in progress: one hour, in milliseconds.
/// No request runs for longer than 30 seconds, and Secrets Manager may list a change five minutes late.
const LEFT_BEHIND_MS: i64 = 3_600_000;
/// How long the secret of an endpoint that is sealed now is kept: 35 days, in milliseconds. A table that is restored to a time before
/// needs it, and point-in-time recovery reaches so far.
const SUPERSEDED_KEPT_MS: i64 = 35 * 86_400_000;
/// Time after which no further page is listed. It is enough for about 150,000 secrets. The function itself is ended after 15 minutes.
const LISTS_WITHIN: Duration = Duration::from_secs(480);
/// Time after which no further secret is deleted. The next run finds it again.
const DELETES_WITHIN: Duration = Duration::from_secs(840);
/// Secrets that are deleted at the same time. Secrets Manager allows 50 deletions a second.
const AT_ONCE: usize = 2;

/// What the sweeper may do: read and change listings, and list and delete endpoint secrets.
#[derive(Clone)]
pub struct SecretSweeper {
    app: App,
    secrets: Arc<dyn SweepSecrets>,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretsSwept {
    /// Secrets that were listed.
    pub listed: usize,
    /// Secrets of listings that have no endpoint or a sealed one, or do not exist: they were to be deleted.
    pub left_behind: usize,
    /// Endpoints that were removed, with their secrets, because their listings have been suspended for long.
    pub endpoints_removed: usize,
    /// Secrets of which the listing could not be read or written. The next sweep tries again.
    pub failed: usize,
}

/// Why a sweep ended early. The next one starts over.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The secrets could not be listed.
    #[error(transparent)]
    Secrets(#[from] SecretStoreError),
    /// The listings could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be done about a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// Its listing has no endpoint or a sealed one, or does not exist.
    LeftBehind,
    /// Its listing has been suspended for so long that the endpoint goes.
    Unused,
}

impl SecretSweeper {
    /// Connects to Secrets Manager.
    pub async fn connect(app: App) -> Self {
        let secrets = Arc::new(EndpointSecrets::connect(&app).await);
        Self { app, secrets }
    }

    /// Sweeps once.
    ///
    /// # Errors
    /// If the secrets cannot be listed, or their listings not be read. A listing that cannot be written is counted.
    pub async fn sweep(&self) -> Result<SecretsSwept, SweepError> {
        let began = Instant::now();
        let mut swept = SecretsSwept::default();
        // Nothing is deleted while pages are read: a page begins where the one before ended.
        let (found, is_complete) = self.find(began, &mut swept).await?;
        let mut done = stream::iter(found).map(|(id, finding)| self.act_on(id, finding)).buffer_unordered(AT_ONCE);
        while let Some(acted) = done.next().await {
            match acted {
                Ok(Some(Finding::LeftBehind)) => swept.left_behind += 1,
                Ok(Some(Finding::Unused)) => swept.endpoints_removed += 1,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a secret that nobody names was not deleted");
                    swept.failed += 1;
                }
            }
            if began.elapsed() >= DELETES_WITHIN {
                tracing::warn!(?swept, "some secrets are left for the next sweep");
                break;
            }
        }
        if is_complete && let Err(error) = self.count(&swept).await {
            tracing::warn!(%error, "the secrets that are left are counted by the next sweep");
        }
        Ok(swept)
    }

    /// Notes how many are left. Those that are created meanwhile are counted tomorrow.
    async fn count(&self, swept: &SecretsSwept) -> Result<(), StoreError> {
        let deleted = swept.left_behind + swept.endpoints_removed;
        let left = u32::try_from(swept.listed.saturating_sub(deleted)).unwrap_or(u32::MAX);
        self.app.store.set_kept(Gate::EndpointSecrets, left).await?;
        let config = &self.app.config;
        // What sealed endpoints have superseded counts against no cap, and goes by itself.
        if config.endpoint_secrets == EndpointStore::PerListing {
            let all = config.max_endpoint_secrets.saturating_mul(config.limit_factor);
            metrics::emit(&[(Metric::EndpointSecretsUsed, percent(left, all))]);
        }
        Ok(())
    }

    /// Lists all secrets, and looks at the listings that they name. Returns what was found, and whether that is all.
    async fn find(&self, began: Instant, swept: &mut SecretsSwept) -> Result<(Vec<(ListingId, Finding)>, bool), SweepError> {
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let page = self.secrets.list(from).await?;
            swept.listed += page.secrets.len();
            let now_ms = unix_ms(self.app.clock.now());
            // After the page: a secret is created before the listing that names it.
            let named = self.app.store.listings_in_brief(page.secrets.iter().map(|secret| secret.listing)).await?;
            let named: HashMap<ListingId, Listing> = named.into_iter().map(|listing| (listing.id, listing)).collect();
            found.extend(page.secrets.iter().filter_map(|secret| {
                let finding = finding(secret, named.get(&secret.listing), now_ms)?;
                Some((secret.listing, finding))
            }));
            from = page.next;
            if from.is_none() {
                return Ok((found, true));
            }
            if began.elapsed() >= LISTS_WITHIN {
                tracing::error!(alarm = true, listed = swept.listed, "there are more secrets than one sweep can list");
                return Ok((found, false));
            }
        }
    }

    /// Does what was found necessary, if it still is. Returns `None` if the listing has changed.
    async fn act_on(&self, id: ListingId, finding: Finding) -> Result<Option<Finding>, StoreError> {
        match finding {
            Finding::LeftBehind => delete_found_secret(&self.app, &*self.secrets, id).await.map(|()| Some(finding)),
            Finding::Unused => Ok(self.remove_unused_endpoint(id).await?.then_some(finding)),
        }
    }

    /// Removes the endpoint of a listing that has been suspended for long, then its secret. If the process dies in between, the
    /// secret is left behind, and the next sweep finds it.
    async fn remove_unused_endpoint(&self, id: ListingId) -> Result<bool, StoreError> {
        let Some(listing) = self.app.store.listing(id).await? else { return Ok(false) };
        let now_ms = unix_ms(self.app.clock.now());
        let is_leased = listing.endpoint.as_ref().is_some_and(|endpoint| check_lease(endpoint, now_ms).is_err());
        if is_leased || !listing.has_unused_endpoint(now_ms) {
            return Ok(false);
        }
        let mut removed = marked_for_deletion(&listing, now_ms);
        removed.touch(now_ms);
        // A change by the seller that came first stands.
        if !self.app.store.update_listing(&removed).await? {
            return Ok(false);
        }
        delete_marked_secret(&self.app, &*self.secrets, removed).await;
        Ok(true)
    }
}

fn finding(secret: &ListedSecret, listing: Option<&Listing>, now_ms: i64) -> Option<Finding> {
    let is_left = now_ms - secret.changed_ms >= LEFT_BEHIND_MS;
    let goes = match listing.and_then(|listing| listing.endpoint.as_ref()) {
        None => is_left,
        // What was created since was never in force.
        Some(Endpoint { sealed: Some(sealed), .. }) => {
            is_left && (secret.created_ms > sealed.since_ms || now_ms - sealed.since_ms >= SUPERSEDED_KEPT_MS)
        }
        Some(_) => return listing?.has_unused_endpoint(now_ms).then_some(Finding::Unused),
    };
    goes.then_some(Finding::LeftBehind)
}
