//! A call's slot among the calls in flight at a listing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crochet::app::App;
use crochet::store::StoreError;
use crochet::store::traffic::{CountedCall, Slot, Traffic};
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

use super::BUDGET;

/// Time after which a slot ends by itself, in case its process has died: the whole request, and a little for clocks that differ.
const KEPT: Duration = BUDGET.saturating_add(Duration::from_secs(5));

/// A slot at a listing, or none yet. [`InFlightSlot::around`] settles it on every way out.
pub(super) struct InFlightSlot<'a> {
    app: &'a App,
    /// When the request began (Unix milliseconds).
    began_ms: i64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    caller: Option<Caller>,
    holds: Option<Holding>,
}

#[derive(Clone, Copy)]
struct Caller {
    buyer: ProfileId,
    rate_limit: Option<u32>,
}

#[derive(Clone)]
struct Holding {
    slot: Slot,
    /// The listing's traffic, including this call; `None` while the slot is being acquired.
    traffic: Option<Traffic>,
    was_used: bool,
}

impl<'a> InFlightSlot<'a> {
    /// A slot that is not acquired yet, for a request that began now.
    pub(super) fn new(app: &'a App, now: OffsetDateTime) -> Self {
        Self { app, began_ms: unix_ms(now), state: Mutex::default() }
    }

    /// Says whose slot it is, and the seller's limit of calls per minute. Nothing can be acquired before this is known.
    pub(super) fn belongs_to(&self, buyer: ProfileId, rate_limit: Option<u32>) {
        self.state().caller = Some(Caller { buyer, rate_limit });
    }

    /// Runs `work`, then settles the slot, unless `work` has settled it or never acquired it.
    pub(super) async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        let done = work.await;
        self.settle().await;
        done
    }

    /// Acquires a slot at `listing`. Returns the listing's traffic, including this call. Whether it may continue is for the caller to
    /// check.
    pub(super) async fn acquire(&self, listing: ListingId) -> Result<Traffic, StoreError> {
        let caller = self.state().caller.ok_or_else(|| StoreError::Defect("a slot of nobody".into()))?;
        let counted = caller.rate_limit.map(|limit| CountedCall::of(caller.buyer, self.began_ms.div_euclid(60_000), limit));
        if let Some(Holding { slot, traffic: Some(traffic), .. }) = &self.state().holds
            && slot.listing() == listing
            && slot.counted() == counted.as_ref()
        {
            return Ok(traffic.clone());
        }
        self.settle().await;
        let until_ms = self.began_ms + i64::try_from(KEPT.as_millis()).unwrap_or(0);
        let slot = Slot::new(listing, caller.buyer, until_ms, counted);
        // Held from here on: a reply may be lost after the write.
        self.state().holds = Some(Holding { slot: slot.clone(), traffic: None, was_used: false });
        let traffic = self.app.store.acquire_slot(&slot, self.now_ms()).await?;
        self.state().holds = Some(Holding { slot, traffic: Some(traffic.clone()), was_used: false });
        Ok(traffic)
    }

    /// The listing's traffic, including this call, if the slot is held.
    pub(super) fn traffic(&self) -> Option<Traffic> {
        self.state().holds.as_ref()?.traffic.clone()
    }

    /// The listing's traffic without this call, if the slot is held.
    pub(super) fn others_traffic(&self) -> Option<Traffic> {
        let state = self.state();
        let holding = state.holds.as_ref()?;
        Some(holding.traffic.as_ref()?.without(&holding.slot))
    }

    /// Notes that the seller was called.
    pub(super) fn mark_used(&self) {
        if let Some(holding) = &mut self.state().holds {
            holding.was_used = true;
        }
    }

    /// Releases the slot if the seller was called, and cancels it otherwise. Without a slot, nothing happens.
    ///
    /// The delivery settles early, at the same time as it stores the outcome, to save a round trip.
    pub(super) async fn settle(&self) {
        let Some(Holding { slot, traffic, was_used }) = self.state().holds.take() else { return };
        let (store, now_ms, seen) = (&self.app.store, self.now_ms(), traffic.unwrap_or_default());
        let settled =
            if was_used { store.release_slot(&slot, &seen, now_ms).await } else { store.cancel_slot(&slot, &seen, now_ms).await };
        // A slot that is not given back ends by itself. The reply matters more.
        if let Err(e) = settled {
            tracing::warn!(cause = %e, "an in-flight slot was not given back");
        }
    }

    fn now_ms(&self) -> i64 {
        unix_ms(self.app.clock.now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
