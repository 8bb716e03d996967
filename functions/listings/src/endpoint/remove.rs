//! Removing an endpoint: calls to it stop first, then its secret is deleted.

use crochet::http::{ApiError, Code, Result};
use crochet::store::retry::Attempts;
use crochet_domain::listing::Listing;
use crochet_domain::timestamp::unix_ms;

use super::lease::check_lease;
use super::secret::{delete_marked_secret, marked_for_deletion};
use crate::seller::ListingWriter;

/// Removes the endpoint of `listing`. A listing without one stays unchanged.
///
/// While its secret is being deleted nobody can create a new one, which the deletion could hit. If this is interrupted, the
/// secret stays, and the next endpoint adopts it.
///
/// # Errors
/// `ENDPOINT_IN_USE` if the listing has a price; `EDIT_CONFLICT`.
pub(super) async fn remove_endpoint(state: &crate::state::State, writer: ListingWriter, mut listing: Listing) -> Result<Listing> {
    let store = &state.app.store;
    let mut attempts = Attempts::default();
    loop {
        let Some(endpoint) = &listing.endpoint else { return Ok(listing) };
        if listing.is_paid() {
            return Err(Code::EndpointInUse.into());
        }
        let now_ms = unix_ms(state.app.clock.now());
        check_lease(endpoint, now_ms)?;
        let mut removed = marked_for_deletion(&listing, now_ms);
        removed.touch(now_ms);
        if store.update_listing(&removed).await? {
            return Ok(delete_marked_secret(&state.app, &*state.secrets, removed).await);
        }
        attempts.next_or(ApiError::from(Code::EditConflict)).await?;
        listing = writer.reload(&state.app, listing.id).await?;
    }
}
