//! The circuit breaker of a listing's endpoint: after repeated failures, calls pause, and then one call tests the endpoint.
//!
//! `closed → open → half-open → closed`, or open again, for longer, if the probe fails. A record exists only while there are
//! failures to remember; without one, the breaker is closed. A record applies to one version of the endpoint's secret, so a new URL
//! starts with a closed breaker.
//!
//! A body can make a seller hang or crash. So no buyer alone can close a seller to the others: a buyer counts for at most
//! [`MOST_OF_ONE`] of the failures that open the breaker, unless no body can have caused them, and a probe by a buyer that has failed
//! before does not open it again. What a buyer fails alone keeps away that buyer alone.

mod record;

use serde::{Deserialize, Serialize};

use super::share::Holder;

/// Failures since the last success that open the breaker. Also, a buyer's own failures in a row that keep this buyer away.
pub const FAILURES_TO_OPEN: u32 = 5;
/// Most of these failures that count from one buyer.
pub const MOST_OF_ONE: u32 = 3;
/// Time that the breaker stays open at first (milliseconds). It doubles each time that it opens again, and each time that a buyer
/// fails after having been kept away.
pub const FIRST_OPEN_MS: i64 = 30_000;
/// Maximum time that the breaker stays open (milliseconds).
pub const LONGEST_OPEN_MS: i64 = 300_000;
/// Time after which a failure is forgotten (milliseconds): one day.
pub const FAILURE_KEPT_MS: i64 = 86_400_000;
/// Interval at which waiting callers may ask again while a probe is running (milliseconds). A probe usually ends long before it
/// expires.
pub const PROBE_POLL_MS: i64 = 2_000;

/// The recent failures of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerRecord {
    /// The version of the endpoint's secret that the record applies to.
    pub secret_version: String,
    /// The buyers that failed, the one that failed last at the end.
    pub buyers: Vec<BuyerFailures>,
    /// Failures since the last success that no body can have caused.
    #[serde(default)]
    pub without_connection: u32,
    /// Since when the breaker is open; `None` if it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
    /// The probe that is running, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// When the last failure ended (Unix milliseconds).
    pub failed_ms: i64,
    /// Token of the write that made this record. A change is written only over the record that was read.
    pub write_token: String,
}

/// The failures of one buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyerFailures {
    /// The buyer.
    pub buyer: Holder,
    /// Failures since this buyer's last success.
    pub own: u32,
    /// Those that count for everybody: since anybody's last success, and at most [`MOST_OF_ONE`].
    #[serde(default)]
    pub counted: u32,
    /// When the last one ended (Unix milliseconds).
    pub failed_ms: i64,
}

/// That the breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Since when (Unix milliseconds).
    pub since_ms: i64,
    /// How often it has opened in a row.
    pub times: u32,
}

/// The one call that a half-open breaker lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Identifies the probe.
    pub token: String,
    /// When the probe expires (Unix milliseconds): its process may have died.
    pub until_ms: i64,
}

/// Whether the breaker lets a buyer's calls through.
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
    pub buyer: Holder,
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
    /// Delete the record: there is nothing to remember.
    Forget,
}

/// What the outcome of an attempt says about the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// The endpoint is healthy: a delivery, a refusal, or a response of the wrong kind. It ends the streak.
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

/// The state of the breaker now, for calls of `buyer`.
#[must_use]
pub fn breaker_state(record: Option<&BreakerRecord>, secret_version: &str, buyer: &Holder, now_ms: i64) -> BreakerState {
    let Some(breaker) = recent(record, secret_version, now_ms) else { return BreakerState::Closed };
    let kept_away = breaker.keeps_away(buyer).filter(|until_ms| now_ms < *until_ms);
    let until_ms = match (&breaker.opened, &breaker.probe) {
        (None, _) => kept_away,
        (Some(_), Some(probe)) if now_ms < probe.until_ms => Some(probe.until_ms.min(now_ms + PROBE_POLL_MS)),
        (Some(opened), _) if now_ms < opened.until_ms() => Some(opened.until_ms()),
        (Some(_), _) if kept_away.is_none() => return BreakerState::HalfOpen,
        (Some(_), _) => kept_away,
    };
    until_ms.map_or(BreakerState::Closed, |until_ms| BreakerState::Open { until_ms })
}

/// The record with a running probe.
#[must_use]
pub fn with_probe(breaker: &BreakerRecord, probe: Probe) -> BreakerRecord {
    BreakerRecord { probe: Some(probe), ..breaker.clone() }
}

/// The change to the record after an attempt with this observation.
#[must_use]
pub fn after(record: Option<&BreakerRecord>, permit: &Permit, observation: Observation, now_ms: i64) -> Change {
    let is_failure = matches!(observation, Observation::NoResponse | Observation::NoConnection);
    let Some(breaker) = recent(record, &permit.secret_version, now_ms) else {
        // A failure of another secret version since this call began is newer information than this call.
        let is_outdated = record.is_some_and(|other| other.failed_ms >= permit.since_ms);
        return if is_failure && !is_outdated {
            BreakerRecord::new(permit).failed(permit, observation, now_ms)
        } else {
            Change::Keep
        };
    };
    // Calls that were in flight when the breaker opened no longer count. Only its probe does.
    if breaker.opened.is_some() && !breaker.is_probed_by(permit) {
        return Change::Keep;
    }
    match observation {
        Observation::Healthy => breaker.succeeded(&permit.buyer, now_ms),
        Observation::ServerError if breaker.opened.is_some() => breaker.succeeded(&permit.buyer, now_ms),
        Observation::ServerError => Change::Keep,
        Observation::Inconclusive => release_probe(record, permit),
        Observation::NoResponse | Observation::NoConnection => breaker.failed(permit, observation, now_ms),
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

/// The record of this version of the endpoint, if it is not forgotten. It may be stored longer.
fn recent<'a>(record: Option<&'a BreakerRecord>, secret_version: &str, now_ms: i64) -> Option<&'a BreakerRecord> {
    record.filter(|breaker| breaker.secret_version == secret_version && is_recent(breaker.failed_ms, now_ms))
}

fn is_recent(failed_ms: i64, now_ms: i64) -> bool {
    now_ms < failed_ms.saturating_add(FAILURE_KEPT_MS)
}

/// How long the breaker, or a buyer's own failures, keep calls away, the `times`-th time in a row (milliseconds).
fn pause_ms(times: u32) -> i64 {
    (FIRST_OPEN_MS << times.saturating_sub(1).min(16)).min(LONGEST_OPEN_MS)
}

#[cfg(test)]
mod tests;
