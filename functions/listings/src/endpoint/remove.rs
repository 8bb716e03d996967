//! Removing an endpoint: first nobody is sent there any more, then its secret goes.

use crochet::clock::unix_ms;
use crochet::domain::listing::Listing;
use crochet::http::{Code, Result};

use super::edit::ATTEMPTS;
use super::secret::discard;
use super::turn::{CLAIM_MS, free_to_claim};
use crate::seller::Editor;

/// Removes the endpoint of `before`, which `id` names. A listing without one stays as it is.
///
/// While the secret is on its way out nobody makes a new one: it would be deleted with the old one. Where this dies half-way,
/// the secret stays behind, and the next endpoint takes it over.
///
/// # Errors
/// `ENDPOINT_IN_USE` for a listing that has a price; `EDIT_CONFLICT`.
pub(crate) async fn remove(state: &crate::State, editor: Editor, id: &str, mut before: Listing) -> Result<Listing> {
    let store = &state.app.store;
    for _ in 0..ATTEMPTS {
        let Some(endpoint) = &before.endpoint else { return Ok(before) };
        if before.is_paid() {
            return Err(Code::EndpointInUse.into());
        }
        let now_ms = unix_ms(state.app.clock.now());
        free_to_claim(endpoint, now_ms)?;
        let mut after = Listing { endpoint: None, removing_secret_until_ms: Some(now_ms + CLAIM_MS), ..before.clone() };
        after.touch(now_ms);
        if store.update_listing(&after).await? {
            discard(&*state.secrets, after.id).await;
            return Ok(cleared(state, after).await);
        }
        before = editor.listing(&state.app, id).await?;
    }
    Err(Code::EditConflict.into())
}

/// Lets a new endpoint be made at once. Where that cannot be written, it can be made a little later.
async fn cleared(state: &crate::State, removed: Listing) -> Listing {
    let cleared = Listing { removing_secret_until_ms: None, version: removed.version + 1, ..removed.clone() };
    match state.app.store.update_listing(&cleared).await {
        Ok(true) => cleared,
        _ => removed,
    }
}
