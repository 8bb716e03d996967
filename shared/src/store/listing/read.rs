//! Reading listings.

use super::record::{ListingPointer, SlugOwner};
use crate::store::item::record;
use crate::store::read::Range;
use crate::store::{Store, StoreError, keys};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::Listing;

/// Maximum length of a slug in bytes. DynamoDB rejects longer keys, and no slug is as long.
const MAX_SLUG_BYTES: usize = 100;
/// The attributes that the catalogue reads: all except the schemas and examples, which can be long.
const BRIEF: &[&str] = &[
    "id",
    "slug",
    "name",
    "description",
    "category",
    "tags",
    "delivery_type",
    "auth_method",
    "formats",
    "connection_instructions",
    "pricing_model",
    "price",
    "was_per_call",
    "status",
    "suspended_by",
    "suspended_reason",
    "held",
    "seller",
    "endpoint",
    "figures",
    "figures_ms",
    "version",
    "created_ms",
    "updated_ms",
];
/// Listings per batch of a brief read. DynamoDB reads whole items before it projects them; this keeps a batch below its limit
/// of 16 MB and within one second.
const BRIEF_BATCH: usize = 25;
/// Maximum number of keys in a batch read (DynamoDB's limit), and page size of an owner's listings.
const BATCH: usize = 100;

/// Whether this text can be a slug. Nothing else needs a lookup.
fn is_slug(text: &str) -> bool {
    (1..=MAX_SLUG_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Store {
    /// The listing with this id.
    pub async fn listing(&self, id: ListingId) -> Result<Option<Listing>, StoreError> {
        self.table.get(&keys::listing(id)).await
    }

    /// The id of the listing with this slug. Only deleting a draft frees its slug, so the result can be cached.
    pub async fn listing_of_slug(&self, slug: &str) -> Result<Option<ListingId>, StoreError> {
        Ok(self.table.get::<SlugOwner>(&keys::slug(slug)).await?.map(|owner| owner.listing))
    }

    /// The listing with this id or slug.
    pub async fn find_listing(&self, id_or_slug: &str) -> Result<Option<Listing>, StoreError> {
        if let Ok(id) = id_or_slug.parse() {
            return self.listing(id).await;
        }
        if !is_slug(id_or_slug) {
            return Ok(None);
        }
        match self.listing_of_slug(id_or_slug).await? {
            Some(id) => self.listing(id).await,
            None => Ok(None),
        }
    }

    /// All listings of a profile in order of creation, including drafts and suspended listings.
    pub async fn listings_of(&self, owner: ProfileId) -> Result<Vec<Listing>, StoreError> {
        self.listings(self.listing_ids_of(owner).await?.into_iter()).await
    }

    /// The ids of all listings of a profile in order of creation.
    pub async fn listing_ids_of(&self, owner: ProfileId) -> Result<Vec<ListingId>, StoreError> {
        let mut ids = Vec::new();
        let mut range = keys::profile_listings(owner);
        loop {
            let page = self.table.query(&Range::of(&range, 100)).await?;
            let full = page.len() == BATCH;
            for pointer in page {
                ids.push(record::<ListingPointer>(pointer)?.listing);
            }
            if !full {
                return Ok(ids);
            }
            if let Some(last) = ids.last() {
                range = range.after(&keys::profile_listing(owner, *last).sk);
            }
        }
    }

    /// The existing listings among these ids that can be read, without schemas and examples: what the catalogue holds.
    pub async fn listings_in_brief(&self, ids: impl Iterator<Item = ListingId>) -> Result<Vec<Listing>, StoreError> {
        let wanted: Vec<_> = ids.map(keys::listing).collect();
        let mut listings = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(BRIEF_BATCH) {
            let mut found = self.table.get_all_of(batch, BRIEF).await?;
            for key in batch {
                match found.take::<Listing>(key) {
                    Ok(listing) => listings.extend(listing),
                    // The next version has written a value that this one does not know. Its listing must not hide all the others.
                    Err(error) => tracing::warn!(listing = key.pk, %error, "a listing cannot be read"),
                }
            }
        }
        Ok(listings)
    }

    /// The existing listings among these ids, in the given order.
    pub async fn listings(&self, ids: impl Iterator<Item = ListingId>) -> Result<Vec<Listing>, StoreError> {
        let wanted: Vec<_> = ids.map(keys::listing).collect();
        let mut listings = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(BATCH) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                listings.extend(found.take::<Listing>(key)?);
            }
        }
        Ok(listings)
    }
}
