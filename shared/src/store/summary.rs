//! What listings show of their seller, brought up to what its profile says.

use futures::{StreamExt, TryStreamExt, stream};

use time::OffsetDateTime;

use super::table::record;
use super::write::Updating;
use super::{Store, StoreError, counter::n, keys};
use crochet_domain::ids::ListingId;
use crochet_domain::profile::{Profile, SellerSummary};
use crochet_domain::timestamp::unix_ms;

/// Listings that are written at the same time.
const AT_ONCE: usize = 8;
/// Other writers of one listing, or of the profile, are given way to this often.
const TRIES: usize = 6;

impl Store {
    /// Lets every listing of `profile` show what the profile says now, if [`Profile::listings_behind`] says that some do not.
    ///
    /// `profile` is the view after the change. Whoever changes what listings show sets the flag in the same write and calls this
    /// next: a process that dies on the way leaves the flag, and the next look at the profile finishes the work. For the same
    /// reason nothing is said of a failure.
    pub async fn bring_listings_up(&self, profile: &Profile, now: OffsetDateTime) {
        if let Err(error) = self.try_to_bring_listings_up(profile, unix_ms(now)).await {
            tracing::warn!(profile = %profile.id, %error, "listings show an older view of their seller for now");
        }
    }

    async fn try_to_bring_listings_up(&self, profile: &Profile, now_ms: i64) -> Result<(), StoreError> {
        let mut profile = profile.clone();
        for _ in 0..TRIES {
            if !profile.listings_behind {
                return Ok(());
            }
            let ids = self.listing_ids_of(profile.id).await?;
            let writes = stream::iter(ids.into_iter().map(|id| self.bring_listing_up(id, &profile, now_ms)));
            writes.buffer_unordered(AT_ONCE).try_for_each(|()| std::future::ready(Ok(()))).await?;
            let done = Updating::new("SET listings_behind = :behind")
                .when("version = :seen")
                .value(":behind", aws_sdk_dynamodb::types::AttributeValue::Bool(false))
                .value(":seen", n(profile.version));
            match self.table.update(&keys::profile(profile.id), done).await? {
                Ok(_) | Err(None) => return Ok(()),
                Err(Some(found)) => profile = record(found)?,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Writes even where the words are the same: what is as new as this view, an older one never replaces.
    async fn bring_listing_up(&self, id: ListingId, profile: &Profile, now_ms: i64) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some(mut listing) = self.listing(id).await? else { return Ok(()) };
            if listing.seller.as_of >= profile.version {
                return Ok(());
            }
            listing.seller = SellerSummary::from(profile);
            listing.touch(now_ms);
            if self.update_listing(&listing).await? {
                return Ok(());
            }
        }
        Err(StoreError::Conflict)
    }
}
