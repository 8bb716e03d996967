//! The breaker of a listing's endpoint: a seller that gives no answer time after time is left alone for a while, then tried once.
//!
//! `closed → open → trial → closed`, or open again for longer when the trial fails. The record exists only while there is
//! something to remember: no record is a closed breaker. It speaks about one version of the endpoint's secret, so a new URL
//! starts with a closed one. No buyer closes a seller to the others alone: what a body can cause opens a breaker only when it
//! has happened to two buyers.

use serde::{Deserialize, Serialize};

use super::ids::ProfileId;

/// So many failures one after another open a breaker.
pub const FAILURES_TO_OPEN: u32 = 5;
/// How long it stays open the first time (milliseconds); each trial that fails doubles it.
pub const FIRST_OPEN_MS: i64 = 30_000;
/// How long it stays open at most (milliseconds).
pub const LONGEST_OPEN_MS: i64 = 300_000;
/// How long after its last failure a row is over (milliseconds): past it, time has broken it.
pub const ROW_KEPT_MS: i64 = 86_400_000;
/// When those who wait for a trial may ask again (milliseconds): it usually ends long before its time is over.
pub const TRIAL_POLL_MS: i64 = 2_000;

/// What is remembered of an endpoint that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerRecord {
    /// The version of the endpoint's secret that it speaks about.
    pub secret_version: String,
    /// Failures one after another, no more than open a breaker; beyond that only trials that make the time longer.
    pub failures: u32,
    /// How many of them no body can have caused.
    #[serde(default)]
    pub unconnected: u32,
    /// Whose call failed last.
    pub last_buyer: ProfileId,
    /// Whether calls of two buyers at least have failed.
    #[serde(default)]
    pub seen_by_two_buyers: bool,
    /// When the last of them ended (Unix milliseconds).
    pub failed_ms: i64,
    /// The call that is tried while the breaker is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Probe>,
    /// Names the write that made this record: a change is made over the record that was read, and over no other.
    pub writer: String,
}

/// One call that is let through an open breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Names it.
    pub token: String,
    /// Until when others wait for it (Unix milliseconds): whoever made it may have died.
    pub until_ms: i64,
}

/// Whether calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// They do.
    Closed,
    /// None does.
    Open {
        /// When it is worth asking again (Unix milliseconds).
        until_ms: i64,
    },
    /// One may be tried.
    HalfOpen,
}

/// A call that was let through: whose, when, at which version of the endpoint's secret, and whether as a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// Who calls.
    pub buyer: ProfileId,
    /// The version of the endpoint's secret that it goes out with.
    pub secret_version: String,
    /// When it was let through (Unix milliseconds).
    pub since_ms: i64,
    /// The trial that it is.
    pub trial: Option<String>,
}

/// What a record has to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    Keep,
    /// This. The writer is the caller's to set.
    Put(BreakerRecord),
    /// It is forgotten: the breaker is closed.
    Forget,
}

/// What the end of an attempt says about the seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// It is there: a delivery, a refusal, an answer of the wrong kind. A row of failures ends.
    Healthy,
    /// It is there, and failed (5xx). That keeps nobody waiting: it neither adds to a row nor ends one. As a trial it shows
    /// that somebody answers again.
    ServerError,
    /// It may have seen the body, and gave no answer: not in time, or the connection broke. The body may be the cause.
    NoResponse,
    /// No connection or no secure one: no body can have caused that.
    NoConnection,
    /// Nothing: it was not given its whole time.
    Inconclusive,
}

/// Whether calls pass at this moment. `record` is what is remembered, if anything.
#[must_use]
pub fn breaker_state(record: Option<&BreakerRecord>, secret_version: &str, now_ms: i64) -> BreakerState {
    let Some(breaker) = streak(record, secret_version, now_ms).filter(|breaker| breaker.is_open()) else {
        return BreakerState::Closed;
    };
    match &breaker.trial {
        Some(trial) if now_ms < trial.until_ms => BreakerState::Open { until_ms: trial.until_ms.min(now_ms + TRIAL_POLL_MS) },
        _ if now_ms < breaker.open_until_ms() => BreakerState::Open { until_ms: breaker.open_until_ms() },
        _ => BreakerState::HalfOpen,
    }
}

/// What becomes of a record at which a trial is due.
#[must_use]
pub fn tried(breaker: &BreakerRecord, trial: Probe) -> BreakerRecord {
    BreakerRecord { trial: Some(trial), ..breaker.clone() }
}

/// What becomes of the record when a call ends with this sign.
#[must_use]
pub fn after(record: Option<&BreakerRecord>, pass: &Permit, sign: Observation, now_ms: i64) -> Change {
    let Some(breaker) = streak(record, &pass.secret_version, now_ms) else {
        // What another version of the endpoint did since this call began is newer than this call.
        let outdated = record.is_some_and(|other| other.failed_ms >= pass.since_ms);
        return match sign {
            Observation::NoResponse | Observation::NoConnection if !outdated => Change::Put(first_failure(pass, sign, now_ms)),
            _ => Change::Keep,
        };
    };
    let is_open = breaker.is_open();
    // Calls that were on their way when the breaker opened have no say in it any more: only its trial has.
    if is_open && !breaker.is_tried_by(pass) {
        return Change::Keep;
    }
    match sign {
        Observation::Healthy => Change::Forget,
        Observation::ServerError if is_open => Change::Forget,
        Observation::ServerError => Change::Keep,
        Observation::Inconclusive => release_probe(record, pass),
        Observation::NoResponse | Observation::NoConnection => Change::Put(breaker.failed_again(pass, sign, now_ms)),
    }
}

/// What becomes of the record when a call that was let through as a trial was not made.
#[must_use]
pub fn release_probe(record: Option<&BreakerRecord>, pass: &Permit) -> Change {
    match record {
        Some(breaker) if breaker.is_tried_by(pass) => Change::Put(BreakerRecord { trial: None, ..breaker.clone() }),
        _ => Change::Keep,
    }
}

/// The row that the record holds about this version of the endpoint. The table may keep a record longer than it was asked to.
fn streak<'a>(record: Option<&'a BreakerRecord>, secret_version: &str, now_ms: i64) -> Option<&'a BreakerRecord> {
    record.filter(|breaker| breaker.secret_version == secret_version && now_ms < breaker.failed_ms.saturating_add(ROW_KEPT_MS))
}

fn first_failure(pass: &Permit, sign: Observation, now_ms: i64) -> BreakerRecord {
    BreakerRecord {
        secret_version: pass.secret_version.clone(),
        failures: 1,
        unconnected: u32::from(sign == Observation::NoConnection),
        last_buyer: pass.buyer,
        seen_by_two_buyers: false,
        failed_ms: now_ms,
        trial: None,
        writer: String::new(),
    }
}

impl BreakerRecord {
    fn is_open(&self) -> bool {
        self.failures >= FAILURES_TO_OPEN && (self.seen_by_two_buyers || self.unconnected >= FAILURES_TO_OPEN)
    }

    /// The row with one failure more.
    fn failed_again(&self, pass: &Permit, sign: Observation, now_ms: i64) -> Self {
        let is_unconnected = sign == Observation::NoConnection;
        let is_another_buyers = self.last_buyer != pass.buyer;
        let failures = if !self.is_open() {
            // What one buyer piles up before it opens must not make the time longer.
            (self.failures + 1).min(FAILURES_TO_OPEN)
        } else if is_unconnected || is_another_buyers {
            self.failures.saturating_add(1)
        } else {
            // One buyer's body, tried time after time, makes it no longer.
            self.failures
        };
        Self {
            failures,
            unconnected: self.unconnected.saturating_add(u32::from(is_unconnected)),
            last_buyer: pass.buyer,
            seen_by_two_buyers: self.seen_by_two_buyers || is_another_buyers,
            failed_ms: now_ms,
            trial: None,
            ..self.clone()
        }
    }

    fn is_tried_by(&self, pass: &Permit) -> bool {
        self.trial.as_ref().is_some_and(|trial| pass.trial.as_ref() == Some(&trial.token))
    }

    /// When the next trial is due (Unix milliseconds).
    fn open_until_ms(&self) -> i64 {
        let doublings = self.failures.saturating_sub(FAILURES_TO_OPEN).min(16);
        self.failed_ms + (FIRST_OPEN_MS << doublings).min(LONGEST_OPEN_MS)
    }
}

#[cfg(test)]
mod tests;
