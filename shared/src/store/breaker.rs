//! Stores the breaker of a listing's endpoint, as a part of the listing's traffic. It is in the table because an instance sees one
//! call at a time.
//!
//! Every change is written over the record that was read. A writer that finds another record decides again from that one. So of any
//! number of parallel calls, one becomes the probe, and each failure counts once.

use serde_dynamo::to_attribute_value;

use super::conditional::WriteError;
use super::item::s;
use super::retry::Attempts;
use super::traffic::{BREAKER, Traffic, expires};
use super::write::Update;
use super::{Store, StoreError, keys};
use crate::store::call::new_write_token;
use crochet_domain::breaker::{
    BreakerRecord, BreakerState, Change, Observation, Permit, Probe, after, breaker_state, release_probe, with_probe,
};
use crochet_domain::ids::ListingId;

/// Why the breaker gives no permit.
#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    /// It is open.
    #[error("the breaker is open")]
    Open {
        /// When to ask again (Unix milliseconds).
        until_ms: i64,
    },
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a record was not changed.
enum ChangeError {
    /// Another request changed the record first. This is the record now.
    Superseded(Box<Option<BreakerRecord>>),
    Store(StoreError),
}

impl Store {
    /// Asks for a permit. `seen` is the breaker's record as it was read; a probe expires at `until_ms`.
    ///
    /// Returns the permit, with the probe's token if the call is the probe, and the record over which the call's outcome must be
    /// recorded.
    pub async fn acquire_permit(
        &self,
        listing: ListingId,
        seen: Option<BreakerRecord>,
        permit: Permit,
        until_ms: i64,
    ) -> Result<(Permit, Option<BreakerRecord>), AcquireError> {
        let mut seen = seen;
        let mut attempts = Attempts::default();
        loop {
            let state = breaker_state(seen.as_ref(), &permit.secret_version, &permit.buyer, permit.since_ms);
            let due = match (state, &seen) {
                (BreakerState::Open { until_ms }, _) => return Err(AcquireError::Open { until_ms }),
                (BreakerState::HalfOpen, Some(due)) => due,
                _ => return Ok((permit, seen)),
            };
            let token = new_write_token();
            let next = with_probe(due, Probe { token: token.clone(), until_ms });
            match self.put_breaker(listing, seen.as_ref(), next, permit.since_ms).await {
                Ok(record) => return Ok((Permit { probe: Some(token), ..permit }, record)),
                Err(ChangeError::Superseded(found)) => seen = *found,
                Err(ChangeError::Store(e)) => return Err(e.into()),
            }
            attempts.next_or(StoreError::Conflict).await?;
        }
    }

    /// Records what the outcome of a permitted call says about the seller, and returns the record after that. `seen` is the record
    /// that came with the permit. If there was none and the call succeeded, nothing is written.
    pub async fn record_observation(
        &self,
        listing: ListingId,
        seen: Option<BreakerRecord>,
        permit: &Permit,
        observation: Observation,
        now_ms: i64,
    ) -> Result<Option<BreakerRecord>, StoreError> {
        self.change_breaker(listing, seen, now_ms, |breaker| after(breaker, permit, observation, now_ms)).await
    }

    /// Releases a probe that was not used, before it would expire by itself. `seen` is the record that came with the permit.
    pub async fn release_probe(&self, listing: ListingId, seen: Option<BreakerRecord>, permit: &Permit) -> Result<(), StoreError> {
        self.change_breaker(listing, seen, permit.since_ms, |breaker| release_probe(breaker, permit)).await.map(drop)
    }

    /// Closes the breaker, whatever its record says: the owner says that the endpoint works.
    pub async fn close_breaker(&self, listing: ListingId) -> Result<(), StoreError> {
        let update = Update::new("REMOVE #breaker").name("#breaker", BREAKER).when("attribute_exists(#breaker)");
        match self.table.update(&keys::traffic(listing), update).await {
            Ok(_) | Err(WriteError::ConditionFailed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn change_breaker(
        &self,
        listing: ListingId,
        seen: Option<BreakerRecord>,
        now_ms: i64,
        decide: impl Fn(Option<&BreakerRecord>) -> Change,
    ) -> Result<Option<BreakerRecord>, StoreError> {
        let mut seen = seen;
        let mut attempts = Attempts::default();
        loop {
            let changed = match (decide(seen.as_ref()), &seen) {
                (Change::Put(next), _) => self.put_breaker(listing, seen.as_ref(), next, now_ms).await,
                (Change::Forget, Some(known)) => {
                    let update = Update::new("REMOVE #breaker").name("#breaker", BREAKER);
                    let written = self.table.update(&keys::traffic(listing), unchanged(update, Some(known))).await;
                    unless_superseded(written.map(drop), None)
                }
                (Change::Keep | Change::Forget, _) => return Ok(seen),
            };
            match changed {
                Ok(now) => return Ok(now),
                Err(ChangeError::Superseded(found)) => seen = *found,
                Err(ChangeError::Store(e)) => return Err(e),
            }
            attempts.next_or(StoreError::Conflict).await?;
        }
    }

    async fn put_breaker(
        &self,
        listing: ListingId,
        seen: Option<&BreakerRecord>,
        next: BreakerRecord,
        now_ms: i64,
    ) -> Result<Option<BreakerRecord>, ChangeError> {
        let next = BreakerRecord { write_token: new_write_token(), ..next };
        let value = to_attribute_value(&next).map_err(|e| ChangeError::Store(StoreError::defect(e)))?;
        let update = Update::new("SET #breaker = :next, #ttl = :ttl")
            .name("#breaker", BREAKER)
            .name("#ttl", keys::TTL)
            .value(":next", value)
            .number(":ttl", expires(now_ms));
        let written = self.table.update(&keys::traffic(listing), unchanged(update, seen)).await;
        unless_superseded(written.map(drop), Some(next))
    }
}

/// The update, on the condition that the breaker's record is the one that was seen.
fn unchanged(update: Update, seen: Option<&BreakerRecord>) -> Update {
    match seen {
        None => update.when("attribute_not_exists(#breaker)"),
        Some(seen) => update.name("#token", "write_token").value(":seen", s(&seen.write_token)).when("#breaker.#token = :seen"),
    }
}

/// A refused write that finds its own record, or that there is none as it would have it, has succeeded before.
fn unless_superseded(written: Result<(), WriteError>, next: Option<BreakerRecord>) -> Result<Option<BreakerRecord>, ChangeError> {
    let Err(error) = written else { return Ok(next) };
    let found = error.found().and_then(|found| found.map_or_else(|| Ok(Traffic::default()), Traffic::of));
    let found = found.map_err(ChangeError::Store)?.breaker;
    let is_mine = match (&found, &next) {
        (Some(found), Some(next)) => found.write_token == next.write_token,
        (None, None) => true,
        _ => false,
    };
    if is_mine { Ok(found) } else { Err(ChangeError::Superseded(Box::new(found))) }
}
