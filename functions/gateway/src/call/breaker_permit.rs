//! A call's permit to pass the breaker of the listing's endpoint.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crochet::store::StoreError;
use crochet::store::breaker::AcquireError;
use crochet_domain::breaker::{BreakerRecord, BreakerState, Observation, Permit, breaker_state};
use crochet_domain::listing::Endpoint;
use crochet_domain::share::Holder;
use crochet_domain::timestamp::unix_ms;

use super::{CallContext, RESERVE};

/// Permission to call the seller. [`BreakerPermit::around`] settles it on every way out.
pub(super) struct BreakerPermit<'a> {
    ctx: &'a CallContext<'a>,
    permit: Permit,
    /// The breaker's record when the permit was given, including this call's probe, if it is one.
    record: Option<BreakerRecord>,
    progress: Mutex<Progress>,
}

#[derive(Clone, Copy)]
enum Progress {
    NotCalled,
    Observed(Observation),
    Settled,
}

/// Why there is no permit.
pub(super) enum NoPermit {
    /// The breaker is open. It lets a call through after this many seconds.
    Open(u64),
    /// The store failed.
    Store(StoreError),
}

impl<'a> BreakerPermit<'a> {
    /// Asks the breaker for a permit. Only a probe is written: of parallel calls, one becomes the probe.
    pub(super) async fn acquire(ctx: &'a CallContext<'a>, endpoint: &Endpoint) -> Result<Self, NoPermit> {
        let now_ms = unix_ms(ctx.state.app.clock.now());
        let probe_lasts = Duration::from_millis(endpoint.timeout_ms.into()) + RESERVE;
        let until_ms = now_ms + i64::try_from(probe_lasts.as_millis()).unwrap_or(0);
        let store = &ctx.state.app.store;
        let permit = Permit {
            buyer: Holder::of(ctx.agent.profile),
            secret_version: endpoint.secret_version.clone(),
            since_ms: now_ms,
            probe: None,
        };
        match store.acquire_permit(ctx.listing.id, ctx.traffic.breaker.clone(), permit, until_ms).await {
            Ok((permit, record)) => Ok(Self { ctx, permit, record, progress: Mutex::new(Progress::NotCalled) }),
            Err(AcquireError::Open { until_ms }) => Err(NoPermit::Open(seconds_until(until_ms, now_ms))),
            Err(AcquireError::Store(e)) => Err(NoPermit::Store(e)),
        }
    }

    /// Runs `work`, then settles the permit, unless `work` has settled it.
    pub(super) async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        let done = work.await;
        self.settle().await;
        done
    }

    /// Notes what the attempt says about the endpoint.
    pub(super) fn observe(&self, observation: Observation) {
        self.set(Progress::Observed(observation));
    }

    /// Records the observation, or releases an unused probe. Returns the seconds until the breaker lets this buyer's next call
    /// through, if it is open.
    pub(super) async fn settle(&self) -> Option<u64> {
        let progress = self.progress();
        self.set(Progress::Settled);
        let (store, listing) = (&self.ctx.state.app.store, self.ctx.listing.id);
        let record = self.record.clone();
        let now_ms = unix_ms(self.ctx.state.app.clock.now());
        let settled = match progress {
            Progress::Settled => return None,
            Progress::NotCalled => store.release_probe(listing, record, &self.permit).await.map(|()| None),
            Progress::Observed(observation) => store.record_observation(listing, record, &self.permit, observation, now_ms).await,
        };
        match settled {
            Ok(record) => retry_after(record.as_ref(), self.ctx.listing.endpoint.as_ref()?, &self.permit.buyer, now_ms),
            // The failure goes uncounted, or the probe expires by itself. Neither is a reason to withhold the reply.
            Err(e) => {
                tracing::warn!(cause = %e, "a breaker permit was not settled");
                None
            }
        }
    }

    fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, progress: Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

/// Seconds until the breaker lets a call of this buyer through; `None` if it lets one through now.
pub(super) fn retry_after(record: Option<&BreakerRecord>, endpoint: &Endpoint, buyer: &Holder, now_ms: i64) -> Option<u64> {
    match breaker_state(record, &endpoint.secret_version, buyer, now_ms) {
        BreakerState::Open { until_ms } => Some(seconds_until(until_ms, now_ms)),
        BreakerState::Closed | BreakerState::HalfOpen => None,
    }
}

fn seconds_until(until_ms: i64, now_ms: i64) -> u64 {
    until_ms.saturating_sub(now_ms).max(1).unsigned_abs().div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_in_whole_seconds_and_never_none() {
        for (ms, seconds) in [(-5, 1), (0, 1), (1, 1), (1_000, 1), (1_001, 2), (30_000, 30)] {
            assert_eq!(seconds_until(100 + ms, 100), seconds, "{ms}");
        }
    }
}
