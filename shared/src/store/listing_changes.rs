//! The change feed: all listings in the order of their last change, which the catalogue reads.

use super::item::Item;
use super::read::Range;
use super::{Store, StoreError, keys};
use crochet_domain::ids::ListingId;

/// A change of one listing.
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
        let (at_ms, listing) = keys::parse_listing_change(item.get(&sk)?.as_s().ok()?)?;
        Some(Self { listing, at_ms })
    }
}

impl Store {
    /// The listings that changed at `since_ms` or later, oldest change first. The index may lag behind the table, so readers read
    /// the last minute again.
    pub async fn changed_listings(&self, since_ms: i64, limit: i32) -> Result<Vec<ListingChange>, StoreError> {
        self.changes(keys::changed_since(since_ms), limit).await
    }

    /// The next page of [`Store::changed_listings`], after the change `last`.
    pub async fn changed_listings_after(&self, last: ListingChange, limit: i32) -> Result<Vec<ListingChange>, StoreError> {
        self.changes(keys::changed_after(last.at_ms, last.listing), limit).await
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
