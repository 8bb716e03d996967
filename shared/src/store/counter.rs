//! Exact counters: one item per subject and window.

use super::item::Item;
use super::write::Update;
use super::{Store, StoreError, keys};
use crochet_domain::ids::ListingId;

/// Counts the calls at a listing that began in one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Traffic {
    /// Calls that began in that minute.
    #[serde(default)]
    pub started: u32,
    /// How many of them have ended.
    #[serde(default)]
    pub ended: u32,
}

impl Traffic {
    /// Calls that are still in flight.
    #[must_use]
    pub fn in_flight(self) -> u32 {
        self.started.saturating_sub(self.ended)
    }
}

impl Store {
    /// Counts one event of `subject` in the window that began at `window_start` (Unix seconds) and lasts `window_seconds`. Returns the
    /// count, this event included.
    pub async fn count(&self, subject: &str, window_start: i64, window_seconds: i64) -> Result<u32, StoreError> {
        let updating = Update::new("ADD n :one SET #ttl = :ttl")
            .name("#ttl", keys::TTL)
            .number(":one", 1)
            .number(":ttl", window_start + 2 * window_seconds);
        let item = self.table.update(&keys::counter(subject, window_start), updating).await?;
        Ok(number(&item, "n"))
    }

    /// Acquires an in-flight slot at `listing`, for a call that begins in `minute`.
    pub async fn acquire_slot(&self, listing: ListingId, minute: i64) -> Result<Traffic, StoreError> {
        self.traffic(listing, minute, "started", 1).await
    }

    /// Releases the slot of a call that began in `minute` and reached the seller.
    pub async fn release_slot(&self, listing: ListingId, minute: i64) -> Result<Traffic, StoreError> {
        self.traffic(listing, minute, "ended", 1).await
    }

    /// Cancels the slot of a call that was never sent to the seller, as if the call had not begun.
    pub async fn cancel_slot(&self, listing: ListingId, minute: i64) -> Result<Traffic, StoreError> {
        self.traffic(listing, minute, "started", -1).await
    }

    async fn traffic(&self, listing: ListingId, minute: i64, what: &str, by: i64) -> Result<Traffic, StoreError> {
        let updating = Update::new("ADD #n :by SET #ttl = :ttl")
            .name("#n", what)
            .name("#ttl", keys::TTL)
            .number(":by", by)
            .number(":ttl", (minute + 10) * 60);
        let item = self.table.update(&keys::traffic(listing, minute), updating).await?;
        Ok(Traffic { started: number(&item, "started"), ended: number(&item, "ended") })
    }
}

fn number(item: &Item, name: &str) -> u32 {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
