//! The breaker of the listing's endpoint: whether a call passes, and what its end says about the seller.

use std::time::Duration;

use crochet::http::{ApiError, Code, Result};
use crochet::store::breaker::Acquire;
use crochet_domain::breaker::{BreakerRecord, BreakerState, Observation, Permit, breaker_state};
use crochet_domain::listing::Endpoint;
use crochet_domain::timestamp::unix_ms;
use serde_json::Value;

use super::{Passage, RESERVE};

/// A call that is let through.
#[derive(Debug)]
pub(crate) struct BreakerPermit {
    pass: Permit,
    /// What was remembered when it passed; a trial has put itself there.
    record: Option<BreakerRecord>,
}

/// A call has to wait for so many seconds, because the breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) u64);

impl Wait {
    fn until(until_ms: i64, now_ms: i64) -> Self {
        let seconds = until_ms.saturating_sub(now_ms).max(1).unsigned_abs().div_ceil(1_000);
        Self(seconds)
    }

    /// The answer to a call that is neither quoted nor counted yet.
    pub(crate) fn for_a_new_call(self) -> ApiError {
        ApiError::new(Code::SellerUnavailable)
            .retry_after(self.0)
            .detail("settled", false)
            .detail("delivered", false)
            .detail("redeliver_until", Value::Null)
    }
}

impl Passage<'_> {
    /// How long the breaker keeps calls away, as the first read saw it; `None` where one may pass.
    pub(crate) fn breaker_wait(&self) -> Option<Wait> {
        let endpoint = self.listing.endpoint.as_ref()?;
        self.wait_of(self.breaker.as_ref(), endpoint)
    }

    /// Nobody is quoted for a seller that does not answer, and no free call is sent to it.
    ///
    /// # Errors
    /// `SELLER_UNAVAILABLE` while the breaker is open.
    pub(crate) fn check_breaker(&self) -> Result<()> {
        self.breaker_wait().map_or(Ok(()), |wait| Err(wait.for_a_new_call()))
    }

    /// Lets this call through, or tells how long to wait. Only where a trial is due is anything written: of parallel calls
    /// one becomes the trial.
    pub(crate) async fn pass_breaker(&self, endpoint: &Endpoint) -> Result<std::result::Result<BreakerPermit, Wait>> {
        let now_ms = unix_ms(self.state.app.clock.now());
        let version = &endpoint.secret_version;
        let trial_ends = Duration::from_millis(endpoint.timeout_ms.into()) + RESERVE;
        let until_ms = now_ms + i64::try_from(trial_ends.as_millis()).unwrap_or(0);
        let store = &self.state.app.store;
        Ok(match store.try_acquire(self.listing_id(), self.breaker.clone(), version, now_ms, until_ms).await? {
            Acquire::Passes { trial, record } => {
                let pass = Permit { buyer: self.agent.profile, secret_version: version.clone(), since_ms: now_ms, trial };
                Ok(BreakerPermit { pass, record })
            }
            Acquire::Waits { until_ms } => Err(Wait::until(until_ms, now_ms)),
        })
    }

    /// Gives a trial back that this call was let through for and did not make.
    pub(crate) async fn release_probe(&self, let_through: &BreakerPermit) {
        let BreakerPermit { pass, record } = let_through;
        // It lapses by itself; others wait a little longer.
        if let Err(e) = self.state.app.store.release_probe(self.listing_id(), record.clone(), pass).await {
            tracing::warn!(cause = %e, "a trial of a seller was left to lapse");
        }
    }

    /// Notes what the end of a call that was let through says of the seller, and tells how long the breaker keeps the next one away.
    pub(crate) async fn record_observation(&self, let_through: &BreakerPermit, sign: Observation) -> Option<Wait> {
        let BreakerPermit { pass, record } = let_through;
        let now_ms = unix_ms(self.state.app.clock.now());
        let store = &self.state.app.store;
        match store.record_observation(self.listing_id(), record.clone(), pass, sign, now_ms).await {
            Ok(breaker) => self.wait_of(breaker.as_ref(), self.listing.endpoint.as_ref()?),
            // One failure less in the row, or a trial that lapses: no reason to hold the answer back.
            Err(e) => {
                tracing::warn!(cause = %e, "an outcome is not noted at its seller's breaker");
                None
            }
        }
    }

    fn wait_of(&self, breaker: Option<&BreakerRecord>, endpoint: &Endpoint) -> Option<Wait> {
        let now_ms = unix_ms(self.state.app.clock.now());
        match breaker_state(breaker, &endpoint.secret_version, now_ms) {
            BreakerState::Open { until_ms } => Some(Wait::until(until_ms, now_ms)),
            BreakerState::Closed | BreakerState::HalfOpen => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_in_whole_seconds_and_never_none() {
        for (ms, seconds) in [(-5, 1), (0, 1), (1, 1), (1_000, 1), (1_001, 2), (30_000, 30)] {
            assert_eq!(Wait::until(100 + ms, 100), Wait(seconds), "{ms}");
        }
    }
}
