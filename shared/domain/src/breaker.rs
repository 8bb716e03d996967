//! The circuit breaker of a listing's endpoint: after repeated failures, calls pause, and then one call tests the endpoint.
//!
//! `closed → open → half-open → closed`, or open again, for longer, if the probe fails. A record exists only while there are
//! failures to remember; without one, the breaker is closed. A record applies to one version of the endpoint's secret, so a new URL
//! starts with a closed breaker. No buyer can close a seller to the others alone: failures that a body can cause open the breaker
//! only if two buyers had them.

use serde::{Deserialize, Serialize};

use super::ids::ProfileId;

/// Consecutive failures that open the breaker.
pub const FAILURES_TO_OPEN: u32 = 5;
/// Time that the breaker stays open at first (milliseconds). Each failed probe doubles it.
pub const FIRST_OPEN_MS: i64 = 30_000;
/// Maximum time that the breaker stays open (milliseconds).
pub const LONGEST_OPEN_MS: i64 = 300_000;
/// Time after its last failure at which a streak ends (milliseconds): one day.
pub const STREAK_KEPT_MS: i64 = 86_400_000;
/// Interval at which waiting callers may ask again while a probe is running (milliseconds). A probe usually ends long before it
/// expires.
pub const PROBE_POLL_MS: i64 = 2_000;

/// The recent failures of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerRecord {
    /// The version of the endpoint's secret that the record applies to.
    pub secret_version: String,
    /// Consecutive failures. While the breaker is closed, at most [`FAILURES_TO_OPEN`]; then each failed probe that extends the
    /// open time adds one.
    pub failures: u32,
    /// How many failures no body can have caused.
    #[serde(default)]
    pub without_connection: u32,
    /// The buyer whose call failed last.
    pub last_buyer: ProfileId,
    /// Whether calls of at least two buyers failed.
    #[serde(default)]
    pub seen_by_two_buyers: bool,
    /// When the last failure ended (Unix milliseconds).
    pub failed_ms: i64,
    /// The probe that is running, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Token of the write that made this record. A change is written only over the record that was read.
    pub write_token: String,
}

/// The one call that a half-open breaker lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Identifies the probe.
    pub token: String,
    /// When the probe expires (Unix milliseconds): its process may have died.
    pub until_ms: i64,
}

/// Whether the breaker lets calls through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It lets calls through.
    Closed,
    /// It lets no call through.
    Open {
        /// When to ask again (Unix milliseconds).
        until_ms: i64,
    },
    /// It lets one call through, as the probe.
    HalfOpen,
}

/// Permission for one call to pass the breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The buyer.
    pub buyer: ProfileId,
    /// The version of the endpoint's secret that the call uses.
    pub secret_version: String,
    /// When the permit was given (Unix milliseconds).
    pub since_ms: i64,
    /// The probe's token, if the call is the probe.
    pub probe: Option<String>,
}

/// How a record changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    Keep,
    /// Write this record. The caller sets the `write_token`.
    Put(BreakerRecord),
    /// Delete the record: the breaker is closed.
    Forget,
}

/// What the outcome of an attempt says about the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// The endpoint is healthy: a delivery, a refusal, or a response of the wrong kind. The streak ends.
    Healthy,
    /// The endpoint responds, but has a problem (5xx). It neither extends nor ends a streak. A probe with this outcome closes the
    /// breaker.
    ServerError,
    /// No response in time, or a broken connection. The endpoint may have seen the body, so the body may be the cause.
    NoResponse,
    /// No connection, or no TLS session. No body can have caused that.
    NoConnection,
    /// Nothing: the endpoint did not get its full timeout.
    Inconclusive,
}

/// The state of the breaker now.
#[must_use]
pub fn breaker_state(record: Option<&BreakerRecord>, secret_version: &str, now_ms: i64) -> BreakerState {
    let Some(breaker) = streak(record, secret_version, now_ms).filter(|breaker| breaker.is_open()) else {
        return BreakerState::Closed;
    };
    match &breaker.probe {
        Some(probe) if now_ms < probe.until_ms => BreakerState::Open { until_ms: probe.until_ms.min(now_ms + PROBE_POLL_MS) },
        _ if now_ms < breaker.open_until_ms() => BreakerState::Open { until_ms: breaker.open_until_ms() },
        _ => BreakerState::HalfOpen,
    }
}

/// The record with a running probe.
#[must_use]
pub fn with_probe(breaker: &BreakerRecord, probe: Probe) -> BreakerRecord {
    BreakerRecord { probe: Some(probe), ..breaker.clone() }
}

/// The change to the record after an attempt with this observation.
#[must_use]
pub fn after(record: Option<&BreakerRecord>, permit: &Permit, observation: Observation, now_ms: i64) -> Change {
    let Some(breaker) = streak(record, &permit.secret_version, now_ms) else {
        // A failure of another secret version since this call began is newer information than this call.
        let outdated = record.is_some_and(|other| other.failed_ms >= permit.since_ms);
        return match observation {
            Observation::NoResponse | Observation::NoConnection if !outdated => {
                Change::Put(first_failure(permit, observation, now_ms))
            }
            _ => Change::Keep,
        };
    };
    let is_open = breaker.is_open();
    // Calls that were in flight when the breaker opened no longer count. Only its probe does.
    if is_open && !breaker.is_probed_by(permit) {
        return Change::Keep;
    }
    match observation {
        Observation::Healthy => Change::Forget,
        Observation::ServerError if is_open => Change::Forget,
        Observation::ServerError => Change::Keep,
        Observation::Inconclusive => release_probe(record, permit),
        Observation::NoResponse | Observation::NoConnection => Change::Put(breaker.failed_again(permit, observation, now_ms)),
    }
}

/// The change to the record when a call got a permit but was not sent.
#[must_use]
pub fn release_probe(record: Option<&BreakerRecord>, permit: &Permit) -> Change {
    match record {
        Some(breaker) if breaker.is_probed_by(permit) => Change::Put(BreakerRecord { probe: None, ..breaker.clone() }),
        _ => Change::Keep,
    }
}

/// The streak of this version of the endpoint, if it has not ended. The table's TTL may be late.
fn streak<'a>(record: Option<&'a BreakerRecord>, secret_version: &str, now_ms: i64) -> Option<&'a BreakerRecord> {
    record.filter(|breaker| breaker.secret_version == secret_version && now_ms < breaker.failed_ms.saturating_add(STREAK_KEPT_MS))
}

fn first_failure(permit: &Permit, observation: Observation, now_ms: i64) -> BreakerRecord {
    BreakerRecord {
        secret_version: permit.secret_version.clone(),
        failures: 1,
        without_connection: u32::from(observation == Observation::NoConnection),
        last_buyer: permit.buyer,
        seen_by_two_buyers: false,
        failed_ms: now_ms,
        probe: None,
        write_token: String::new(),
    }
}

impl BreakerRecord {
    fn is_open(&self) -> bool {
        self.failures >= FAILURES_TO_OPEN && (self.seen_by_two_buyers || self.without_connection >= FAILURES_TO_OPEN)
    }

    /// The record with one more failure.
    fn failed_again(&self, permit: &Permit, observation: Observation, now_ms: i64) -> Self {
        let is_without_connection = observation == Observation::NoConnection;
        let is_another_buyers = self.last_buyer != permit.buyer;
        let failures = if !self.is_open() {
            // Failures of one buyer before the breaker opens must not extend the open time.
            (self.failures + 1).min(FAILURES_TO_OPEN)
        } else if is_without_connection || is_another_buyers {
            self.failures.saturating_add(1)
        } else {
            // Repeated failures of one buyer's body do not extend the open time.
            self.failures
        };
        Self {
            failures,
            without_connection: self.without_connection.saturating_add(u32::from(is_without_connection)),
            last_buyer: permit.buyer,
            seen_by_two_buyers: self.seen_by_two_buyers || is_another_buyers,
            failed_ms: now_ms,
            probe: None,
            ..self.clone()
        }
    }

    fn is_probed_by(&self, permit: &Permit) -> bool {
        self.probe.as_ref().is_some_and(|probe| permit.probe.as_ref() == Some(&probe.token))
    }

    /// When the next probe is due (Unix milliseconds).
    fn open_until_ms(&self) -> i64 {
        let doublings = self.failures.saturating_sub(FAILURES_TO_OPEN).min(16);
        self.failed_ms + (FIRST_OPEN_MS << doublings).min(LONGEST_OPEN_MS)
    }
}

#[cfg(test)]
mod tests;
