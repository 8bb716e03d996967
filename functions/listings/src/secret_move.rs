//! Moves the secrets of endpoints to where the configuration keeps the next ones. Calls go on: they use the version that is pinned,
//! wherever it is.

use crochet::endpoint_secrets::Place;
use crochet::http::{ApiError, Code};
use crochet_domain::ids::ListingId;

use crate::endpoint::secret::place;
use crate::endpoint::secret_change::SecretChange;
use crate::endpoint::write::update_endpoint_of;
use crate::seller::ListingWriter;
use crate::state::State;

/// What became of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Its secret was moved, or sealed with the current key.
    Moved,
    /// Nothing was to be done.
    InPlace,
    /// Its seller is changing it. Try again.
    Busy,
}

/// Moves the secret of a listing's endpoint. What Secrets Manager held of it is left to the daily sweep: requests that began before may
/// still read it.
///
/// # Errors
/// If the table or Secrets Manager fails, or the secret is lost.
pub async fn move_secret(state: &State, id: ListingId) -> Result<Moved, ApiError> {
    let Some(listing) = state.app.store.listing(id).await? else { return Ok(Moved::InPlace) };
    let Some(endpoint) = &listing.endpoint else { return Ok(Moved::InPlace) };
    let is_in_place = match place(state.app.config.endpoint_secrets, Some(endpoint), listing.status) {
        Place::SameSecret => true,
        Place::NewSecret => false,
        Place::Sealed => match &endpoint.sealed {
            Some(sealed) => state.secrets.is_current(sealed).await?,
            None => false,
        },
    };
    if is_in_place {
        return Ok(Moved::InPlace);
    }
    let owner = ListingWriter(listing.seller.id);
    match update_endpoint_of(state, owner, listing, Some(&SecretChange::Move { by_operator: true }), |listing| Ok(listing.clone()))
        .await
    {
        Ok(_) => Ok(Moved::Moved),
        Err(error) if error.code() == Code::EditConflict => Ok(Moved::Busy),
        Err(error) => Err(error),
    }
}
