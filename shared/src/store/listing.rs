//! Listings: by id, by slug and by owner. In order of change: `feed.rs`.

use serde::{Deserialize, Serialize};

use super::counter::{n, s};
use super::table::{Range, Transacted, Written, record};
use super::write::{Condition, Putting, Updating};
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

fn putting(listing: &Listing) -> Result<Putting, StoreError> {
    Ok(Putting::new(&keys::listing(listing.id), "listing", listing)?
        .indexed(Some(keys::listing_change(listing.id, listing.updated_ms))))
}

impl Store {
    /// The listing with this id.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn listing(&self, id: ListingId) -> Result<Option<Listing>, StoreError> {
        self.table.get(&keys::listing(id)).await
    }

    /// Which listing has this slug. Slugs never move, so an answer may be remembered.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn listing_of_slug(&self, slug: &str) -> Result<Option<ListingId>, StoreError> {
        Ok(self.table.get::<SlugOwner>(&keys::slug(slug)).await?.map(|owner| owner.listing))
    }

    /// The listing that a path names, by id or by slug.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
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
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn create_listing(&self, listing: &mut Listing, max_listings: u32) -> Result<Created, StoreError> {
        let owner = listing.seller.id;
        for _ in 0..CREATING_TRIES {
            let counting = Updating::new("SET listing_count = listing_count + :one, version = version + :one")
                .when("listing_count < :max AND version = :seen")
                .value(":one", n(1))
                .value(":max", n(max_listings))
                .value(":seen", n(listing.seller.as_of));
            let pointer = ListingPointer { listing: listing.id };
            let operations = vec![
                self.table.updating(&keys::profile(owner), counting)?,
                Putting::new(&keys::slug(&listing.slug), "slug", &SlugOwner { listing: listing.id })?
                    .when(Condition::absent())
                    .in_transaction(&self.table)?,
                putting(listing)?.when(Condition::absent()).in_transaction(&self.table)?,
                Putting::new(&keys::profile_listing(owner, listing.id), "profile_listing", &pointer)?
                    .in_transaction(&self.table)?,
            ];
            let found = match self.table.transact(operations).await? {
                Transacted::Done => return Ok(Created::Done),
                Transacted::Refused { index: 0, found: Some(found) } => record::<Profile>(found)?,
                Transacted::Refused { index: 1, .. } => return Ok(Created::SlugTaken),
                Transacted::Refused { .. } | Transacted::Conflict => return Ok(Created::Conflict),
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
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn update_listing(&self, listing: &Listing) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(listing.version.saturating_sub(1)));
        Ok(match self.table.put(putting(listing)?.when(before)).await? {
            Written::Done => true,
            // The reply to our own write was lost and the SDK tried again: what stands there is what we wrote.
            Written::Refused(Some(found)) => record::<Listing>(found)? == *listing,
            Written::Refused(None) => false,
        })
    }

    /// As [`Store::update_listing`], where the change puts the listing on offer: its owner's profile must still be the one that was
    /// read (`owner_seen` is its version), and counts this as a change. Who stops selling in the same moment finds either an
    /// active listing or another version. `false` where the listing or the profile changed meanwhile.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn activate_listing(&self, listing: &Listing, owner_seen: u64) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(listing.version.saturating_sub(1)));
        let versioning =
            Updating::new("SET version = version + :one").when("version = :seen").value(":one", n(1)).value(":seen", n(owner_seen));
        let operations = vec![
            putting(listing)?.when(before).in_transaction(&self.table)?,
            self.table.updating(&keys::profile(listing.seller.id), versioning)?,
        ];
        Ok(match self.table.transact(operations).await? {
            Transacted::Done => true,
            Transacted::Refused { index: 0, found } => {
                found.map(record::<Listing>).transpose()?.is_some_and(|found| found == *listing)
            }
            Transacted::Refused { .. } | Transacted::Conflict => false,
        })
    }

    /// Notes what came of a test call with this version of an endpoint's secret. `false` where another one counts by now.
    ///
    /// Only the note is written, so that no other change is lost; the listing's version moves, so that who has read it
    /// before does not write the note away. Nothing that anybody else sees has changed: the time of the last change stays.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn note_endpoint_test(&self, id: ListingId, secret_version: &str, test: &EndpointTest) -> Result<bool, StoreError> {
        let noting = Updating::new("SET #endpoint.#last_test = :test, #version = #version + :one")
            .name("#endpoint", "endpoint")
            .name("#last_test", "last_test")
            .name("#secret_version", "secret_version")
            .name("#version", "version")
            .value(":test", serde_dynamo::to_attribute_value(test).map_err(StoreError::defect)?)
            .value(":tested", s(secret_version))
            .number(":one", 1)
            .when("#endpoint.#secret_version = :tested");
        Ok(self.table.update(&keys::listing(id), noting).await?.is_ok())
    }

    /// Removes a draft and its slug. `false` where it is no draft any more.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn delete_draft(&self, listing: &Listing) -> Result<bool, StoreError> {
        let owner = listing.seller.id;
        let counting = Updating::new("SET listing_count = listing_count - :one, version = version + :one").value(":one", n(1));
        let unlisting = self.table.removing_when(
            &keys::listing(listing.id),
            "#status = :draft AND version = :seen",
            ("#status", "status"),
            [(":draft", s("draft")), (":seen", n(listing.version))],
        )?;
        let operations = vec![
            unlisting,
            self.table.removing(&keys::slug(&listing.slug))?,
            self.table.removing(&keys::profile_listing(owner, listing.id))?,
            self.table.updating(&keys::profile(owner), counting)?,
        ];
        Ok(matches!(self.table.transact(operations).await?, Transacted::Done))
    }

    /// All listings of a profile, in order of creation, drafts and suspended ones included.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn listings_of(&self, owner: ProfileId) -> Result<Vec<Listing>, StoreError> {
        self.listings(self.listing_ids_of(owner).await?.into_iter()).await
    }

    /// The ids of all listings of a profile, in order of creation.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn listing_ids_of(&self, owner: ProfileId) -> Result<Vec<ListingId>, StoreError> {
        let partition = keys::profile_partition(owner);
        let mut ids = Vec::new();
        let mut from = keys::PROFILE_LISTING_PREFIX.to_owned();
        loop {
            let page = self
                .table
                .query(&Range {
                    index: None,
                    partition: &partition,
                    from: Some(&from),
                    to: Some("LISTING#~"),
                    newest_first: false,
                    limit: 100,
                })
                .await?;
            let full = page.len() == 100;
            for pointer in page {
                ids.push(record::<ListingPointer>(pointer)?.listing);
            }
            if !full {
                return Ok(ids);
            }
            // "!" is below every digit: the next page begins just after this id.
            from = ids.last().map(|last| format!("{}!", keys::profile_listing(owner, *last).sk)).unwrap_or_default();
        }
    }

    /// The listings with these ids that exist, without their schemas and examples: what the catalogue holds.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
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
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
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
