//! What a profile has on offer, and may therefore not give up.

use crochet::app::App;
use crochet::http::{ApiError, Code};
use crochet::store::StoreError;
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::profile::Profile;

/// Maximum number of listings that the error names.
const MAX_NAMED_LISTINGS: usize = 20;

/// The error for a change that the profile's active listings do not allow, if there are such listings. `needs_it` tells them.
///
/// Putting a listing on offer, or giving one a price, increments the profile's version. So a change that is conditional on the version
/// of `profile` cannot overlook one.
pub(crate) async fn still_active(
    app: &App,
    profile: &Profile,
    needs_it: impl Fn(&Listing) -> bool,
    message: &'static str,
) -> Result<Option<ApiError>, StoreError> {
    if profile.listing_count == 0 {
        return Ok(None);
    }
    let ids = app.store.listing_ids_of(profile.id).await?;
    let listings = app.store.listings_in_brief(ids.into_iter()).await?;
    let is_or_becomes_active = |listing: &Listing| listing.status == ListingStatus::Active || listing.comes_back();
    let needing = listings.iter().filter(|listing| is_or_becomes_active(listing) && needs_it(listing));
    let active: Vec<String> = needing.map(|listing| listing.id.to_string()).collect();
    Ok((!active.is_empty()).then(|| {
        ApiError::new(Code::ListingsStillActive)
            .message(message)
            .detail("active_listings", active.len())
            .detail("listing_ids", active.into_iter().take(MAX_NAMED_LISTINGS).collect::<Vec<_>>())
    }))
}
