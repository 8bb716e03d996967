//! The breaker of a listing's endpoint. It lives in the table, because an instance sees one call at a time.
//!
//! Every change is made over the record that was read. Whoever finds another one there decides again by that: of any number
//! of parallel calls one is the trial, and each failure counts once.

use super::table::{Written, record};
use super::write::{Condition, Putting};
use super::{Store, StoreError, keys};
use crate::store::call::fresh_writer;
use crate::store::counter::s;
use crochet_domain::breaker::{
    BreakerRecord, BreakerState, Change, Observation, Permit, Probe, ROW_KEPT_MS, after, breaker_state, release_probe, tried,
};
use crochet_domain::ids::ListingId;

/// How often a change is decided anew, because parallel calls were first. Failures that count are over after five.
const CHANGE_TRIES: usize = 8;

/// What came of asking to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquire {
    /// The call passes.
    Passes {
        /// Its token, where it is the trial.
        trial: Option<String>,
        /// What is remembered now: the record that its end is noted over.
        record: Option<BreakerRecord>,
    },
    /// It does not.
    Waits {
        /// When it is worth asking again (Unix milliseconds).
        until_ms: i64,
    },
}

impl Store {
    /// Asks to pass a breaker at which a trial was due when `seen` was read. A trial's time is over at `until_ms`.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn try_acquire(
        &self,
        listing: ListingId,
        seen: Option<BreakerRecord>,
        secret_version: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<Acquire, StoreError> {
        let mut seen = seen;
        for _ in 0..CHANGE_TRIES {
            let due = match (breaker_state(seen.as_ref(), secret_version, now_ms), &seen) {
                (BreakerState::Open { until_ms }, _) => return Ok(Acquire::Waits { until_ms }),
                (BreakerState::HalfOpen, Some(due)) => due,
                _ => return Ok(Acquire::Passes { trial: None, record: seen }),
            };
            let token = fresh_writer();
            let next = tried(due, Probe { token: token.clone(), until_ms });
            match self.put_breaker(listing, seen.as_ref(), next).await? {
                Changed::Done(record) => return Ok(Acquire::Passes { trial: Some(token), record }),
                Changed::Found(found) => seen = found,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Notes what the end of a call that was let through says of the seller, and gives what is remembered now. `seen` is the
    /// record at which it passed; where there was none and the call succeeded, nothing is written.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn record_observation(
        &self,
        listing: ListingId,
        seen: Option<BreakerRecord>,
        pass: &Permit,
        sign: Observation,
        now_ms: i64,
    ) -> Result<Option<BreakerRecord>, StoreError> {
        self.change_breaker(listing, seen, |breaker| after(breaker, pass, sign, now_ms)).await
    }

    /// Gives a trial back that was not made. It would lapse by itself, later. `seen` is the record at which it passed.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn release_probe(&self, listing: ListingId, seen: Option<BreakerRecord>, pass: &Permit) -> Result<(), StoreError> {
        self.change_breaker(listing, seen, |breaker| release_probe(breaker, pass)).await.map(drop)
    }

    /// Closes the breaker, whatever is known of the endpoint: its owner says that it works.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
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
        for _ in 0..CHANGE_TRIES {
            let changed = match (decide(seen.as_ref()), &seen) {
                (Change::Put(next), _) => self.put_breaker(listing, seen.as_ref(), next).await?,
                (Change::Forget, Some(known)) => {
                    let unchanged = Condition::equals("writer", s(&known.writer));
                    Changed::of(self.table.remove(&keys::breaker(listing), unchanged).await?, None)?
                }
                (Change::Keep | Change::Forget, _) => return Ok(seen),
            };
            match changed {
                Changed::Done(now) => return Ok(now),
                Changed::Found(found) => seen = found,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn put_breaker(
        &self,
        listing: ListingId,
        seen: Option<&BreakerRecord>,
        next: BreakerRecord,
    ) -> Result<Changed, StoreError> {
        let next = BreakerRecord { writer: fresh_writer(), ..next };
        let unchanged = seen.map_or_else(Condition::absent, |seen| Condition::equals("writer", s(&seen.writer)));
        let putting = Putting::new(&keys::breaker(listing), "breaker", &next)?
            .expiring((next.failed_ms + ROW_KEPT_MS) / 1_000)
            .when(unchanged);
        Changed::of(self.table.put(putting).await?, Some(next))
    }
}

/// What came of a change.
enum Changed {
    /// It is made, by this write or an earlier try of it: this is remembered now.
    Done(Option<BreakerRecord>),
    /// Somebody else was first: this is what stands there.
    Found(Option<BreakerRecord>),
}

impl Changed {
    fn of(written: Written, next: Option<BreakerRecord>) -> Result<Self, StoreError> {
        let found: Option<BreakerRecord> = match written {
            Written::Done => return Ok(Self::Done(next)),
            Written::Refused(found) => found.map(record).transpose()?,
        };
        let is_mine = match (&found, &next) {
            (Some(found), Some(next)) => found.writer == next.writer,
            (None, None) => true,
            _ => false,
        };
        Ok(if is_mine { Self::Done(found) } else { Self::Found(found) })
    }
}
