//! Keys of reviews.

use super::key::{ABOVE_ALL, BELOW_ALL, GSI1, GSI2, GSI3, IndexKey, Key, KeyRange};
use super::{changed_since, ended_partition, shard};
use crochet_domain::ids::{CallId, ListingId, ProfileId, ReviewId};

/// Prefix of the partition keys of reviews.
const REVIEWS: &str = "REVIEW#";
/// Prefix of the sort keys of reviews, by author.
const BY_AUTHOR: &str = "R#";
/// Prefix of the partition keys of authors' pointers to their reviews.
const AUTHORS: &str = "REVIEWER#";

/// The review of a listing by this author.
#[must_use]
pub fn review(listing: ListingId, author: ProfileId) -> Key {
    Key::new(reviews_partition(listing), format!("{BY_AUTHOR}{author}"))
}

/// What a review said before it was changed, by the version that said it.
#[must_use]
pub fn earlier_review(listing: ListingId, author: ProfileId, version: u64) -> Key {
    Key::new(reviews_partition(listing), format!("H#{author}#{version:08}"))
}

/// The person one of whose agents has reviewed a listing.
#[must_use]
pub fn reviewing_operator(listing: ListingId, operator: ProfileId) -> Key {
    Key::new(reviews_partition(listing), format!("O#{operator}"))
}

/// What the reviews of a listing come to.
#[must_use]
pub fn rating(listing: ListingId) -> Key {
    Key::new(reviews_partition(listing), "RATING")
}

/// The partition of a listing's reviews.
#[must_use]
pub fn reviews_partition(listing: ListingId) -> String {
    format!("{REVIEWS}{listing}")
}

/// The reviews in the partition of a listing.
#[must_use]
pub fn reviews(listing: ListingId) -> KeyRange {
    KeyRange::starting_with(reviews_partition(listing), BY_AUTHOR)
}

/// The listing in whose partition something is.
#[must_use]
pub fn listing_of_reviews(pk: &str) -> Option<ListingId> {
    pk.strip_prefix(REVIEWS)?.parse().ok()
}

/// The listing and the author of the review at this key.
#[must_use]
pub fn parse_review(key: &Key) -> Option<(ListingId, ProfileId)> {
    Some((listing_of_reviews(&key.pk)?, key.sk.strip_prefix(BY_AUTHOR)?.parse().ok()?))
}

/// A listing's reviews in order of their creation.
#[must_use]
pub fn review_of_listing(listing: ListingId, id: ReviewId) -> IndexKey {
    IndexKey::new(GSI1, reviews_partition(listing), id.to_string())
}

/// The partition of [`review_of_seller`].
#[must_use]
pub fn reviews_of_seller_partition(seller: ProfileId) -> String {
    format!("SELLER#{seller}#REVIEWS")
}

/// The reviews of all of a seller's listings, in order of their creation.
#[must_use]
pub fn review_of_seller(seller: ProfileId, id: ReviewId) -> IndexKey {
    IndexKey::new(GSI2, reviews_of_seller_partition(seller), id.to_string())
}

/// A changed review in the log that statistics read.
#[must_use]
pub fn review_changed(id: ReviewId, at_ms: i64) -> IndexKey {
    let id = id.to_string();
    IndexKey::new(GSI3, ended_partition(shard(&id)), format!("{}{id}", changed_since(at_ms)))
}

/// That a call at a listing is the evidence of a review.
#[must_use]
pub fn evidence(listing: ListingId, call: CallId) -> Key {
    Key::new(reviews_partition(listing), format!("E#{call}"))
}

/// Pointer from an author to a review.
#[must_use]
pub fn reviewer(author: ProfileId, id: ReviewId) -> Key {
    Key::new(format!("{AUTHORS}{author}"), id.to_string())
}

/// An author's pointers to reviews, in order of their creation.
#[must_use]
pub fn reviews_by(author: ProfileId) -> KeyRange {
    KeyRange { pk: format!("{AUTHORS}{author}"), from: BELOW_ALL.to_owned(), to: ABOVE_ALL.to_owned() }
}
