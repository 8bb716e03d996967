//! The seller summaries in listings, and how they follow the seller's profile.

use futures::{StreamExt, TryStreamExt, stream};

use time::OffsetDateTime;

use super::item::{n, record};
use super::retry::{Attempts, retry_on_conflict};
use super::write::Update;
use super::{Store, StoreError, keys};
use crochet_domain::ids::ListingId;
use crochet_domain::profile::{Profile, SellerSummary};
use crochet_domain::timestamp::unix_ms;

/// Number of listings that are written concurrently.
const CONCURRENCY: usize = 8;

impl Store {
    /// Updates the seller summary of every listing of `profile`, if [`Profile::summaries_stale`] is set.
    ///
    /// `profile` is the version after the change. A write that changes what listings show sets the flag, and its caller calls this
    /// next. If the process dies in between, the flag remains, and the next read of the profile finishes the work. For the same
    /// reason failures are only logged.
    pub async fn refresh_seller_summaries(&self, profile: &Profile, now: OffsetDateTime) {
        if let Err(error) = self.try_refresh_seller_summaries(profile, unix_ms(now)).await {
            tracing::warn!(profile = %profile.id, %error, "seller summaries are stale for now");
        }
    }

    /// Like [`Store::refresh_seller_summaries`], for a caller that tries again after a failure, or tells somebody to.
    pub async fn try_refresh_seller_summaries(&self, profile: &Profile, now_ms: i64) -> Result<(), StoreError> {
        let mut profile = profile.clone();
        let mut attempts = Attempts::default();
        loop {
            if !profile.summaries_stale {
                return Ok(());
            }
            let ids = self.listing_ids_of(profile.id).await?;
            let writes = stream::iter(ids.into_iter().map(|id| self.refresh_seller_summary(id, &profile, now_ms)));
            writes.buffer_unordered(CONCURRENCY).try_for_each(|()| std::future::ready(Ok(()))).await?;
            let clear = Update::new("SET summaries_stale = :stale")
                .when("version = :seen")
                .value(":stale", aws_sdk_dynamodb::types::AttributeValue::Bool(false))
                .value(":seen", n(profile.version));
            match self.table.update(&keys::profile(profile.id), clear).await {
                Ok(_) => return Ok(()),
                Err(error) => match error.found()? {
                    Some(found) => profile = record(found)?,
                    None => return Ok(()),
                },
            }
            attempts.next_or(StoreError::Conflict).await?;
        }
    }

    /// Writes even if only the version differs, so that no older summary can replace this one later.
    async fn refresh_seller_summary(&self, id: ListingId, profile: &Profile, now_ms: i64) -> Result<(), StoreError> {
        retry_on_conflict(|| async {
            let Some(mut listing) = self.listing(id).await? else { return Ok(()) };
            if listing.seller.as_of >= profile.version {
                return Ok(());
            }
            listing.show_seller(SellerSummary::from(profile));
            listing.touch(now_ms);
            if self.show_on_listing(&listing).await? { Ok(()) } else { Err(StoreError::Conflict) }
        })
        .await
    }
}
