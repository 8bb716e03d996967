//! Creating a listing: one transaction over the listing, its slug and its owner's profile.

use super::record::{ListingPointer, SlugOwner, put_listing};
use crate::store::item::{n, record};
use crate::store::retry::Attempts;
use crate::store::transaction::TransactError;
use crate::store::write::{Condition, Put, Update};
use crate::store::{Store, StoreError, keys};
use crochet_domain::listing::{Listing, ListingStatus};
use crochet_domain::profile::{Profile, SellerSummary};

/// Why a listing was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateListingError {
    /// Another listing has the slug.
    #[error("the slug is taken")]
    SlugTaken,
    /// The profile already has the maximum number of listings.
    #[error("the profile has reached its listing limit")]
    LimitReached,
    /// The listing has a price, but its seller no longer has a payout wallet.
    #[error("the seller has no payout wallet")]
    NoPayoutWallet,
    /// The profile is no longer a seller.
    #[error("the profile is not a seller")]
    NotSeller,
    /// The seller owes refunds that are overdue, and the listing would be on offer.
    #[error("the seller owes refunds that are overdue")]
    RefundOverdue,
    /// The operator has suspended the seller.
    #[error("the seller is suspended")]
    SellerSuspended,
    /// Another write changed one of the items.
    #[error("another write changed one of the items")]
    Conflict,
    /// The store failed. The listing may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Creates a listing, takes its slug and increments its owner's listing count, in one transaction.
    ///
    /// If the profile has changed since it was read, `listing.seller` is updated from the current profile first.
    ///
    /// # Errors
    /// [`CreateListingError`].
    pub async fn create_listing(&self, listing: &mut Listing, max_listings: u32) -> Result<(), CreateListingError> {
        let mut attempts = Attempts::default();
        loop {
            let Some(current) = self.try_create_listing(listing, max_listings).await? else { return Ok(()) };
            if current.listing_count >= max_listings {
                return Err(CreateListingError::LimitReached);
            }
            if !current.role.sells() {
                return Err(CreateListingError::NotSeller);
            }
            listing.seller = SellerSummary::from(&current);
            if listing.is_paid() && listing.seller.payout_chains.is_empty() {
                return Err(CreateListingError::NoPayoutWallet);
            }
            if listing.status == ListingStatus::Active && current.standing.overdue {
                return Err(CreateListingError::RefundOverdue);
            }
            if current.suspended.is_some() {
                return Err(CreateListingError::SellerSuspended);
            }
            attempts.next_or(CreateListingError::Conflict).await?;
        }
    }

    /// One attempt. Returns the owner's profile if it is not the version that the listing shows, or is at its limit.
    async fn try_create_listing(&self, listing: &Listing, max_listings: u32) -> Result<Option<Profile>, CreateListingError> {
        let owner = listing.seller.id;
        let count = Update::new("SET listing_count = listing_count + :one, version = version + :one")
            .when("listing_count < :max AND version = :seen")
            .value(":one", n(1))
            .value(":max", n(max_listings))
            .value(":seen", n(listing.seller.as_of));
        let pointer = ListingPointer { listing: listing.id };
        let operations = vec![
            self.table.transact_update(&keys::profile(owner), count)?,
            Put::new(&keys::slug(&listing.slug), "slug", &SlugOwner { listing: listing.id })?
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
            put_listing(listing)?.when(Condition::absent()).into_transact_item(&self.table)?,
            Put::new(&keys::profile_listing(owner, listing.id), "profile_listing", &pointer)?.into_transact_item(&self.table)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(None),
            Err(TransactError::ConditionFailed { index: 0, found: Some(found) }) => Ok(Some(record(found)?)),
            Err(TransactError::ConditionFailed { index: 1, .. }) => Err(CreateListingError::SlugTaken),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Err(CreateListingError::Conflict),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }
}
