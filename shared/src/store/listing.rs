//! Listings: by id, by slug and by owner. In order of change: `feed.rs`.

use serde::{Deserialize, Serialize};

use super::item::{n, record, s};
use super::read::Range;
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{EndpointTest, Listing};
use crochet_domain::profile::{Profile, SellerSummary};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SlugOwner {
    listing: ListingId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ListingPointer {
    listing: ListingId,
}

/// What came of creating a listing.
#[derive(Debug)]
pub enum Created {
    /// It exists now.
    Done,
    /// Another listing has the slug.
    SlugTaken,
    /// The profile has as many listings as it may have.
    LimitReached,
    /// The seller has no payout wallet any more: a price could reach nobody.
    Unpayable,
    /// The profile does not sell any more.
    NoSeller,
    /// Another write was at one of the items; nothing is written.
    Conflict,
}

/// Whether this can be a slug at all: no other text is worth a look-up, and DynamoDB refuses keys that are too long.
fn is_slug(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What the catalogue holds of a listing. The four texts that may be long are left where they are.
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
    "seller",
    "endpoint",
    "version",
    "created_ms",
    "updated_ms",
];
/// DynamoDB reads the long texts all the same: a batch stays below its 16 MB a reply, and within a second.
const BRIEF_BATCH: usize = 25;
/// How often a new listing is fitted to a profile that has changed meanwhile, before the writer is told of the conflict.
const CREATING_TRIES: usize = 4;

fn listing_put(listing: &Listing) -> Result<Put, StoreError> {
    Ok(Put::new(&keys::listing(listing.id), "listing", listing)?
        .indexed(Some(keys::listing_change(listing.id, listing.updated_ms))))
}

impl Store {
    /// The listing with this id.
    pub async fn listing(&self, id: ListingId) -> Result<Option<Listing>, StoreError> {
        self.table.get(&keys::listing(id)).await
    }

    /// Which listing has this slug. Slugs never move, so an answer may be remembered.
    pub async fn listing_of_slug(&self, slug: &str) -> Result<Option<ListingId>, StoreError> {
        Ok(self.table.get::<SlugOwner>(&keys::slug(slug)).await?.map(|owner| owner.listing))
    }

    /// The listing that a path names, by id or by slug.
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

    /// Creates a listing, takes its slug and counts it, all or nothing. What it shows of its seller is what the profile says at
    /// that moment: where the profile has changed since it was read, the listing is changed, too.
    pub async fn create_listing(&self, listing: &mut Listing, max_listings: u32) -> Result<Created, StoreError> {
        let owner = listing.seller.id;
        for _ in 0..CREATING_TRIES {
            let counting = Update::new("SET listing_count = listing_count + :one, version = version + :one")
                .when("listing_count < :max AND version = :seen")
                .value(":one", n(1))
                .value(":max", n(max_listings))
                .value(":seen", n(listing.seller.as_of));
            let pointer = ListingPointer { listing: listing.id };
            let operations = vec![
                self.table.transact_update(&keys::profile(owner), counting)?,
                Put::new(&keys::slug(&listing.slug), "slug", &SlugOwner { listing: listing.id })?
                    .when(Condition::absent())
                    .into_transact_item(&self.table)?,
                listing_put(listing)?.when(Condition::absent()).into_transact_item(&self.table)?,
                Put::new(&keys::profile_listing(owner, listing.id), "profile_listing", &pointer)?
                    .into_transact_item(&self.table)?,
            ];
            let found = match self.table.transact(operations).await {
                Ok(()) => return Ok(Created::Done),
                Err(TransactError::ConditionFailed { index: 0, found: Some(found) }) => record::<Profile>(found)?,
                Err(TransactError::ConditionFailed { index: 1, .. }) => return Ok(Created::SlugTaken),
                Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => return Ok(Created::Conflict),
                Err(TransactError::Store(error)) => return Err(error),
            };
            if found.listing_count >= max_listings {
                return Ok(Created::LimitReached);
            }
            if !found.role.sells() {
                return Ok(Created::NoSeller);
            }
            listing.seller = SellerSummary::from(&found);
            if listing.is_paid() && listing.seller.payout_chains.is_empty() {
                return Ok(Created::Unpayable);
            }
        }
        Ok(Created::Conflict)
    }

    /// Writes a changed listing over the version that was read (`listing.version - 1`). `false` where it changed meanwhile.
    pub async fn update_listing(&self, listing: &Listing) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(listing.version.saturating_sub(1)));
        Ok(match self.table.put(listing_put(listing)?.when(before)).await {
            Ok(()) => true,
            // The reply to our own write was lost and the SDK tried again: what stands there is what we wrote.
            Err(error) => error.found()?.map(record::<Listing>).transpose()?.is_some_and(|found| found == *listing),
        })
    }

    /// As [`Store::update_listing`], where the change puts the listing on offer: its owner's profile must still be the one that was
    /// read (`owner_seen` is its version), and counts this as a change. Who stops selling in the same moment finds either an
    /// active listing or another version. `false` where the listing or the profile changed meanwhile.
    pub async fn activate_listing(&self, listing: &Listing, owner_seen: u64) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(listing.version.saturating_sub(1)));
        let versioning =
            Update::new("SET version = version + :one").when("version = :seen").value(":one", n(1)).value(":seen", n(owner_seen));
        let operations = vec![
            listing_put(listing)?.when(before).into_transact_item(&self.table)?,
            self.table.transact_update(&keys::profile(listing.seller.id), versioning)?,
        ];
        Ok(match self.table.transact(operations).await {
            Ok(()) => true,
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                found.map(record::<Listing>).transpose()?.is_some_and(|found| found == *listing)
            }
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => false,
            Err(TransactError::Store(error)) => return Err(error),
        })
    }

    /// Notes what came of a test call with this version of an endpoint's secret. `false` where another one counts by now.
    ///
    /// Only the note is written, so that no other change is lost; the listing's version moves, so that who has read it
    /// before does not write the note away. Nothing that anybody else sees has changed: the time of the last change stays.
    pub async fn note_endpoint_test(&self, id: ListingId, secret_version: &str, test: &EndpointTest) -> Result<bool, StoreError> {
        let noting = Update::new("SET #endpoint.#last_test = :test, #version = #version + :one")
            .name("#endpoint", "endpoint")
            .name("#last_test", "last_test")
            .name("#secret_version", "secret_version")
            .name("#version", "version")
            .value(":test", serde_dynamo::to_attribute_value(test).map_err(StoreError::defect)?)
            .value(":tested", s(secret_version))
            .number(":one", 1)
            .when("#endpoint.#secret_version = :tested");
        Ok(match self.table.update(&keys::listing(id), noting).await {
            Ok(_) => true,
            Err(error) => {
                error.found()?;
                false
            }
        })
    }

    /// Removes a draft and its slug. `false` where it is no draft any more.
    pub async fn delete_draft(&self, listing: &Listing) -> Result<bool, StoreError> {
        let owner = listing.seller.id;
        let counting = Update::new("SET listing_count = listing_count - :one, version = version + :one").value(":one", n(1));
        let unlisting = self.table.transact_delete_when(
            &keys::listing(listing.id),
            "#status = :draft AND version = :seen",
            ("#status", "status"),
            [(":draft", s("draft")), (":seen", n(listing.version))],
        )?;
        let operations = vec![
            unlisting,
            self.table.transact_delete(&keys::slug(&listing.slug))?,
            self.table.transact_delete(&keys::profile_listing(owner, listing.id))?,
            self.table.transact_update(&keys::profile(owner), counting)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(true),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Ok(false),
            Err(TransactError::Store(error)) => Err(error),
        }
    }

    /// All listings of a profile, in order of creation, drafts and suspended ones included.
    pub async fn listings_of(&self, owner: ProfileId) -> Result<Vec<Listing>, StoreError> {
        self.listings(self.listing_ids_of(owner).await?.into_iter()).await
    }

    /// The ids of all listings of a profile, in order of creation.
    pub async fn listing_ids_of(&self, owner: ProfileId) -> Result<Vec<ListingId>, StoreError> {
        let mut ids = Vec::new();
        let mut range = keys::profile_listings(owner);
        loop {
            let page = self.table.query(&Range::of(&range, 100)).await?;
            let full = page.len() == 100;
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

    /// The listings with these ids that exist, without their schemas and examples: what the catalogue holds.
    pub async fn listings_in_brief(&self, ids: impl Iterator<Item = ListingId>) -> Result<Vec<Listing>, StoreError> {
        let wanted: Vec<_> = ids.map(keys::listing).collect();
        let mut listings = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(BRIEF_BATCH) {
            let mut found = self.table.get_all_of(batch, BRIEF).await?;
            for key in batch {
                listings.extend(found.take::<Listing>(key)?);
            }
        }
        Ok(listings)
    }

    /// The listings with these ids that exist, in the order asked for.
    pub async fn listings(&self, ids: impl Iterator<Item = ListingId>) -> Result<Vec<Listing>, StoreError> {
        let wanted: Vec<_> = ids.map(keys::listing).collect();
        let mut listings = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(100) {
            let mut found = self.table.get_all(batch).await?;
            for key in batch {
                listings.extend(found.take::<Listing>(key)?);
            }
        }
        Ok(listings)
    }
}
