//! A call's slot among the calls in flight at a listing.

use std::sync::{Mutex, PoisonError};

use crochet::store::counter::Traffic;
use crochet::store::{Store, StoreError};
use crochet_domain::ids::ListingId;

/// A slot at a listing, or none yet. [`InFlightSlot::around`] settles it on every way out.
pub(super) struct InFlightSlot<'a> {
    store: &'a Store,
    minute: i64,
    holds: Mutex<Holds>,
}

#[derive(Clone, Copy)]
enum Holds {
    Nothing,
    Slot {
        listing: ListingId,
        /// The listing's traffic, including this call.
        traffic: Traffic,
        was_used: bool,
    },
}

impl<'a> InFlightSlot<'a> {
    /// A slot that is not acquired yet. `minute` is the minute of the request, since the Unix epoch.
    pub(super) fn new(store: &'a Store, minute: i64) -> Self {
        Self { store, minute, holds: Mutex::new(Holds::Nothing) }
    }

    pub(super) fn minute(&self) -> i64 {
        self.minute
    }

    /// Runs `work`, then settles the slot, unless `work` has settled it or never acquired it.
    pub(super) async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        let done = work.await;
        self.settle().await;
        done
    }

    /// Acquires a slot at `listing`. Returns the listing's traffic in this minute, including this call.
    pub(super) async fn acquire(&self, listing: ListingId) -> Result<Traffic, StoreError> {
        if let Holds::Slot { listing: held, traffic, .. } = self.holds()
            && held == listing
        {
            return Ok(traffic);
        }
        let traffic = self.store.acquire_slot(listing, self.minute).await?;
        self.set(Holds::Slot { listing, traffic, was_used: false });
        Ok(traffic)
    }

    /// The listing's traffic in this minute, including this call, if the slot is held.
    pub(super) fn traffic(&self) -> Option<Traffic> {
        match self.holds() {
            Holds::Slot { traffic, .. } => Some(traffic),
            Holds::Nothing => None,
        }
    }

    /// Notes that the seller was called.
    pub(super) fn mark_used(&self) {
        if let Holds::Slot { listing, traffic, .. } = self.holds() {
            self.set(Holds::Slot { listing, traffic, was_used: true });
        }
    }

    /// Releases the slot if the seller was called, and cancels it otherwise. Without a slot, nothing happens.
    ///
    /// The delivery settles early, at the same time as it stores the outcome, to save a round trip.
    pub(super) async fn settle(&self) {
        let Holds::Slot { listing, was_used, .. } = self.holds() else { return };
        self.set(Holds::Nothing);
        let settled = if was_used {
            self.store.release_slot(listing, self.minute).await
        } else {
            self.store.cancel_slot(listing, self.minute).await
        };
        // A slot that is not given back stops counting when its minute and the next are over. The reply matters more.
        if let Err(e) = settled {
            tracing::warn!(cause = %e, "an in-flight slot was not given back");
        }
    }

    fn holds(&self) -> Holds {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, holds: Holds) {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner) = holds;
    }
}
