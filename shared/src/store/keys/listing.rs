//! Keys of listings, and of the traffic and failures of their endpoints.

use super::key::{Key, KeyRange};
use crochet_domain::ids::{ListingId, ProfileId};

/// Prefix of the sort keys of pointers to listings.
const LISTINGS: &str = "LISTING#";

/// A listing.
#[must_use]
pub fn listing(id: ListingId) -> Key {
    Key::new(format!("LISTING#{id}"), "LISTING")
}

/// The listing that has a slug.
#[must_use]
pub fn slug(slug: &str) -> Key {
    Key::new(format!("SLUG#{slug}"), "SLUG")
}

/// Pointer from a profile to a listing. In a partition of its own, so that who writes listings need not write profiles.
#[must_use]
pub fn profile_listing(id: ProfileId, listing: ListingId) -> Key {
    Key::new(profile_listings_partition(id), format!("{LISTINGS}{listing}"))
}

/// A proof of work that a seller requested.
#[must_use]
pub fn listing_work(profile: ProfileId, challenge: &str) -> Key {
    Key::new(listing_work_partition(profile), challenge)
}

/// The partition of a seller's open proofs of work; newer challenges sort later.
#[must_use]
pub fn listing_work_partition(profile: ProfileId) -> String {
    format!("WORK#{profile}")
}

/// The traffic of a listing: its calls in flight, those of the minute, and the breaker of its endpoint.
#[must_use]
pub fn traffic(listing: ListingId) -> Key {
    Key::new(format!("TRAFFIC#{listing}"), "TRAFFIC")
}

/// The pointers of a profile to its listings, in order of creation.
#[must_use]
pub fn profile_listings(id: ProfileId) -> KeyRange {
    KeyRange::starting_with(profile_listings_partition(id), LISTINGS)
}

fn profile_listings_partition(id: ProfileId) -> String {
    format!("LISTINGS#{id}")
}
