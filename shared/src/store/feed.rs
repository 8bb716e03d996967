//! The listings in order of their last change: what the catalogue follows.

use super::table::{Item, Range};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ListingId;

/// One change of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListingChange {
    /// The listing that changed.
    pub listing: ListingId,
    /// When (Unix milliseconds).
    pub at_ms: i64,
}

impl ListingChange {
    fn read(item: &Item) -> Option<Self> {
        let (_, sk) = keys::index_attributes(keys::GSI3);
        let (at, listing) = item.get(&sk)?.as_s().ok()?.split_once('#')?;
        Some(Self { listing: listing.parse().ok()?, at_ms: at.parse().ok()? })
    }
}

impl Store {
    /// The listings that changed at `since_ms` or later, oldest change first, at most `limit`. The index may lag a moment
    /// behind the table: readers read the last minute again.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn changed_listings(&self, since_ms: i64, limit: i32) -> Result<Vec<ListingChange>, StoreError> {
        self.changes(keys::changed_since(since_ms), limit).await
    }

    /// The listings that changed after `last`, in the order of [`Store::changed_listings`]: its next page.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn changed_listings_after(&self, last: ListingChange, limit: i32) -> Result<Vec<ListingChange>, StoreError> {
        // "!" is below every digit: the next page begins just after this change.
        self.changes(format!("{}{}!", keys::changed_since(last.at_ms), last.listing), limit).await
    }

    async fn changes(&self, from: String, limit: i32) -> Result<Vec<ListingChange>, StoreError> {
        let items = self
            .table
            .query(&Range {
                index: Some(keys::GSI3),
                partition: keys::CATALOGUE,
                from: Some(&from),
                to: None,
                newest_first: false,
                limit,
            })
            .await?;
        Ok(items.iter().filter_map(ListingChange::read).collect())
    }
}
