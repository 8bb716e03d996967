//! Removing an endpoint: first nobody is sent there any more, then its secret goes.

use crochet::http::{Code, Result};
use crochet::store::StoreError;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::Listing;
use crochet_domain::timestamp::unix_ms;

use super::edit::ATTEMPTS;
use super::secret::discard;
use super::turn::{CLAIM_MS, free_to_claim};
use crate::seller::Editor;

/// Removes the endpoint of `before`. A listing without one stays as it is.
///
/// While the secret is on its way out nobody makes a new one: it would be deleted with the old one. Where this dies half-way,
/// the secret stays behind, and the next endpoint takes it over.
///
/// # Errors
/// `ENDPOINT_IN_USE` for a listing that has a price; `EDIT_CONFLICT`.
pub(crate) async fn remove(state: &crate::State, editor: Editor, mut before: Listing) -> Result<Listing> {
    let store = &state.app.store;
    for _ in 0..ATTEMPTS {
        let Some(endpoint) = &before.endpoint else { return Ok(before) };
        if before.is_paid() {
            return Err(Code::EndpointInUse.into());
        }
        let now_ms = unix_ms(state.app.clock.now());
        free_to_claim(endpoint, now_ms)?;
        let mut after = marked(&before, now_ms);
        after.touch(now_ms);
        if store.update_listing(&after).await? {
            return Ok(without_secret(state, after).await);
        }
        before = editor.again(&state.app, before.id).await?;
    }
    Err(Code::EditConflict.into())
}

/// Deletes the secret of a listing that nobody is to have one for, where an edit that came to nothing has left one behind.
///
/// The mark is what makes this safe: it moves the listing's version, so that a first version which was written over an earlier
/// one cannot be pinned any more, and keeps others from writing one. Where the mark cannot be set, the secret stays, for the
/// next endpoint to take over.
pub(crate) async fn sweep(state: &crate::State, id: ListingId) {
    let now_ms = unix_ms(state.app.clock.now());
    let swept = async {
        let Some(listing) = state.app.store.listing(id).await? else {
            discard(&*state.secrets, id).await;
            return Ok(());
        };
        if listing.endpoint.is_some() || listing.removing_secret_until_ms.is_some_and(|until_ms| now_ms < until_ms) {
            return Ok(());
        }
        let mut marked = marked(&listing, now_ms);
        // Nothing that anybody sees changes, so the time of the last change stays.
        marked.version += 1;
        if state.app.store.update_listing(&marked).await? {
            without_secret(state, marked).await;
        }
        Ok::<_, StoreError>(())
    };
    if let Err(error) = swept.await {
        tracing::warn!(listing = %id, %error, "an endpoint secret was left for the next endpoint");
    }
}

/// The listing without an endpoint, and with the mark that its secret is on its way out.
fn marked(listing: &Listing, now_ms: i64) -> Listing {
    Listing { endpoint: None, removing_secret_until_ms: Some(now_ms + CLAIM_MS), ..listing.clone() }
}

/// Deletes the secret of a marked listing, and lets a new endpoint be made at once. Where the deletion may still land, or that
/// cannot be written, the mark stays until it lapses: a late deletion would take a new endpoint's secret with it.
async fn without_secret(state: &crate::State, removed: Listing) -> Listing {
    if !discard(&*state.secrets, removed.id).await {
        return removed;
    }
    let cleared = Listing { removing_secret_until_ms: None, version: removed.version + 1, ..removed.clone() };
    match state.app.store.update_listing(&cleared).await {
        Ok(true) => cleared,
        _ => removed,
    }
}
