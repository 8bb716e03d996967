//! The items of a listing.

use serde::{Deserialize, Serialize};

use crate::store::StoreError;
use crate::store::keys;
use crate::store::write::Put;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::Listing;

/// Item of a slug: the listing that has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SlugOwner {
    pub(super) listing: ListingId,
}

/// Item in a profile's partition: one of its listings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ListingPointer {
    pub(super) listing: ListingId,
}

/// The put of a whole listing, indexed by its time of change.
pub(super) fn put_listing(listing: &Listing) -> Result<Put, StoreError> {
    Ok(Put::new(&keys::listing(listing.id), "listing", listing)?
        .indexed(Some(keys::listing_change(listing.id, listing.position_ms()))))
}
