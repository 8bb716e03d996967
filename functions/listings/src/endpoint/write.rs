//! The one way to change a listing's endpoint, for every route that does: check the change, write the secret, then write the
//! listing with the new version pinned.

use crochet::endpoint_secrets::Place;
use crochet::http::{ApiError, Code, Result};
use crochet::store::retry::Attempts;
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::profile::SellerSummary;
use crochet_domain::timestamp::unix_ms;
use crochet_domain::webhook_signature::SigningSecret;

use super::secret::place;
use super::secret_change::SecretChange;
use super::secret_lease::{PreparedSecret, prepare};
use super::url::check_host;
use crate::seller::{ListingWriter, held_back, require_seller};

/// A changed listing.
pub(crate) struct Updated {
    /// The listing after the change.
    pub(crate) listing: Listing,
    /// The signing secret, if it is new, to show once.
    pub(crate) signing_secret: Option<SigningSecret>,
}

/// Changes a listing: the secret of its endpoint by `secret_change`, everything else by `apply`, which takes the current listing
/// and returns the changed one.
///
/// Without a change of the secret this is one conditional write. Activating a listing, or giving an active one a price, is a
/// transaction with its owner's profile, which must still be a seller and be able to be paid.
///
/// # Errors
/// The errors of `apply`, [`check_host`] and [`prepare`]; `ROLE_REQUIRED`; `EDIT_CONFLICT` if other changes keep coming first.
pub(crate) async fn update_endpoint_of(
    state: &crate::state::State,
    writer: ListingWriter,
    mut listing: Listing,
    secret_change: Option<&SecretChange>,
    apply: impl Fn(&Listing) -> Result<Listing>,
) -> Result<Updated> {
    // Reports everything wrong with the change itself before anything is looked up, counted or written.
    let status = apply(&listing)?.status;
    let mut prepared = None;
    if let Some(change) = secret_change.or_else(|| goes_on_offer(state, &listing, status)) {
        if let Some(url) = change.url() {
            check_host(url, &state.outbound).await?;
            // The lookup may have been slow: the listing may have changed, or be gone.
            listing = writer.reload(&state.app, listing.id).await?;
            apply(&listing)?;
        }
        prepared = prepare(state, writer, listing.clone(), change, status).await?;
        // The URL that a draft has already is no change, and the draft may still go on offer with it.
        if prepared.is_none()
            && let Some(moves) = goes_on_offer(state, &listing, status)
        {
            prepared = prepare(state, writer, listing.clone(), moves, status).await?;
        }
    }
    let id = listing.id;
    let current = prepared.as_ref().and_then(PreparedSecret::leased).cloned().unwrap_or(listing);
    match write(state, writer, current, prepared.as_ref(), apply).await {
        Ok(listing) => Ok(Updated { listing, signing_secret: prepared.and_then(|prepared| prepared.signing_secret) }),
        Err(error) => {
            if let Some(prepared) = prepared {
                prepared.abort(state, id).await;
            }
            Err(error)
        }
    }
}

/// The move of a draft's secret, which is sealed until the listing goes on offer.
fn goes_on_offer(state: &crate::state::State, listing: &Listing, status: ListingStatus) -> Option<&'static SecretChange> {
    let endpoint = listing.endpoint.as_ref()?;
    let activates = listing.status != ListingStatus::Active && status == ListingStatus::Active;
    let moves = activates && place(state.app.config.endpoint_secrets, Some(endpoint), status) == Place::NewSecret;
    moves.then_some(&SecretChange::Move { by_operator: false })
}

/// Writes the change. If another write came first, applies the change to its result.
async fn write(
    state: &crate::state::State,
    writer: ListingWriter,
    mut before: Listing,
    prepared: Option<&PreparedSecret>,
    apply: impl Fn(&Listing) -> Result<Listing>,
) -> Result<Listing> {
    let mut attempts = Attempts::default();
    loop {
        let mut after = match prepared {
            Some(prepared) => apply(&prepared.commit(&before)?)?,
            None => apply(&before)?,
        };
        if after == before {
            return Ok(after);
        }
        // Another request has given the listing its endpoint meanwhile.
        if prepared.is_none() && goes_on_offer(state, &before, after.status).is_some() {
            return Err(Code::EditConflict.into());
        }
        after.touch(unix_ms(state.app.clock.now()));
        if write_once(state, writer, &before, &after).await? {
            return Ok(after);
        }
        attempts.next_or(ApiError::from(Code::EditConflict)).await?;
        before = writer.reload(&state.app, before.id).await?;
    }
}

/// Replaces `before` by `after`. Returns `false` if the listing has changed since it was read or, for an activation, its owner's
/// profile has.
async fn write_once(state: &crate::state::State, writer: ListingWriter, before: &Listing, after: &Listing) -> Result<bool> {
    let store = &state.app.store;
    let begins_to_sell = after.is_paid() && !before.is_paid();
    if after.status != ListingStatus::Active || (before.status == ListingStatus::Active && !begins_to_sell) {
        return Ok(store.update_listing(after).await?);
    }
    let owner = writer.profile(&state.app).await?;
    require_seller(&owner)?;
    if let Some(reason) = SellerSummary::from(&owner).hold() {
        return Err(held_back(reason));
    }
    if after.is_paid() && owner.payout_chains().is_empty() {
        return Err(Code::PayoutWalletRequired.into());
    }
    Ok(store.activate_listing(after, owner.version).await?)
}
