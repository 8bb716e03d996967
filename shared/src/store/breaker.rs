//! Stores the breaker of a listing's endpoint. It is in the table because an instance sees one call at a time.
//!
//! Every change is written over the record that was read. A writer that finds another record decides again from that one. So of any
//! number of parallel calls, one becomes the probe, and each failure counts once.

use super::conditional::WriteError;
use super::item::record;
use super::retry::Attempts;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crate::store::call::new_write_token;
use crate::store::item::s;
use crochet_domain::breaker::{
    BreakerRecord, BreakerState, Change, Observation, Permit, Probe, STREAK_KEPT_MS, after, breaker_state, release_probe,
    with_probe,
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
    Superseded(Option<BreakerRecord>),
    Store(StoreError),
}

impl Store {
    /// Asks for a permit. `seen` is the breaker's record as it was read; a probe expires at `until_ms`.
    ///
    /// Returns the probe's token, if the call is the probe, and the record over which the call's outcome must be recorded.
    pub async fn acquire_permit(
        &self,
        listing: ListingId,
        seen: Option<BreakerRecord>,
        secret_version: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<(Option<String>, Option<BreakerRecord>), AcquireError> {
        let mut seen = seen;
        let mut attempts = Attempts::default();
        loop {
            let due = match (breaker_state(seen.as_ref(), secret_version, now_ms), &seen) {
                (BreakerState::Open { until_ms }, _) => return Err(AcquireError::Open { until_ms }),
                (BreakerState::HalfOpen, Some(due)) => due,
                _ => return Ok((None, seen)),
            };
            let token = new_write_token();
            let next = with_probe(due, Probe { token: token.clone(), until_ms });
            match self.put_breaker(listing, seen.as_ref(), next).await {
                Ok(record) => return Ok((Some(token), record)),
                Err(ChangeError::Superseded(found)) => seen = found,
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
        self.change_breaker(listing, seen, |breaker| after(breaker, permit, observation, now_ms)).await
    }

    /// Releases a probe that was not used, before it would expire by itself. `seen` is the record that came with the permit.
    pub async fn release_probe(&self, listing: ListingId, seen: Option<BreakerRecord>, permit: &Permit) -> Result<(), StoreError> {
        self.change_breaker(listing, seen, |breaker| release_probe(breaker, permit)).await.map(drop)
    }

    /// Closes the breaker, whatever its record says: the owner says that the endpoint works.
    pub async fn close_breaker(&self, listing: ListingId) -> Result<(), StoreError> {
        self.table.take::<serde_json::Value>(&keys::breaker(listing)).await.map(drop)
    }

    async fn change_breaker(
        &self,
        listing: ListingId,
        seen: Option<BreakerRecord>,
        decide: impl Fn(Option<&BreakerRecord>) -> Change,
    ) -> Result<Option<BreakerRecord>, StoreError> {
        let mut seen = seen;
        let mut attempts = Attempts::default();
        loop {
            let changed = match (decide(seen.as_ref()), &seen) {
                (Change::Put(next), _) => self.put_breaker(listing, seen.as_ref(), next).await,
                (Change::Forget, Some(known)) => {
                    let unchanged = Condition::equals("write_token", s(&known.write_token));
                    unless_superseded(self.table.remove(&keys::breaker(listing), unchanged).await, None)
                }
                (Change::Keep | Change::Forget, _) => return Ok(seen),
            };
            match changed {
                Ok(now) => return Ok(now),
                Err(ChangeError::Superseded(found)) => seen = found,
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
    ) -> Result<Option<BreakerRecord>, ChangeError> {
        let next = BreakerRecord { write_token: new_write_token(), ..next };
        let unchanged = seen.map_or_else(Condition::absent, |seen| Condition::equals("write_token", s(&seen.write_token)));
        let expires = (next.failed_ms + STREAK_KEPT_MS) / 1_000;
        let put = Put::new(&keys::breaker(listing), "breaker", &next).map_err(ChangeError::Store)?;
        unless_superseded(self.table.put(put.expiring(expires).when(unchanged)).await, Some(next))
    }
}

/// A refused write that finds its own record, or its own deletion, has succeeded before.
fn unless_superseded(written: Result<(), WriteError>, next: Option<BreakerRecord>) -> Result<Option<BreakerRecord>, ChangeError> {
    let Err(error) = written else { return Ok(next) };
    let found: Option<BreakerRecord> = error.found().and_then(|found| found.map(record).transpose()).map_err(ChangeError::Store)?;
    let is_mine = match (&found, &next) {
        (Some(found), Some(next)) => found.write_token == next.write_token,
        (None, None) => true,
        _ => false,
    };
    if is_mine { Ok(found) } else { Err(ChangeError::Superseded(found)) }
}
