//! The circuit of a listing's endpoint: a seller that fails time after time is left alone for a while, then tried once.
//!
//! `closed → open → trial → closed`, or open again for longer when the trial fails. The record exists only while there is
//! something to remember: no record is a closed circuit. It speaks about one version of the endpoint's secret, so a new URL
//! starts with a closed one.

use serde::{Deserialize, Serialize};

use super::call::outcome::Outcome;

/// So many failures one after another open a circuit.
pub const FAILURES_TO_OPEN: u32 = 5;
/// How long it stays open the first time (milliseconds); each trial that fails doubles it.
pub const FIRST_OPEN_MS: i64 = 30_000;
/// How long it stays open at most (milliseconds).
pub const LONGEST_OPEN_MS: i64 = 300_000;
/// When those who wait for a trial may ask again (milliseconds): it usually ends long before its time is over.
pub const TRIAL_POLL_MS: i64 = 2_000;

/// What is remembered of an endpoint that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// The version of the endpoint's secret that it speaks about.
    pub secret_version: String,
    /// Failures one after another; of those at an open circuit only the trials'.
    pub failures: u32,
    /// When the last of them ended (Unix milliseconds).
    pub failed_ms: i64,
    /// The call that is tried while the circuit is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// Names the write that made this record: a change is made over the record that was read, and over no other.
    pub writer: String,
}

/// One call that is let through an open circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Names it.
    pub token: String,
    /// Until when others wait for it (Unix milliseconds): whoever made it may have died.
    pub until_ms: i64,
}

/// Whether calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They do.
    Closed,
    /// None does.
    Open {
        /// When it is worth asking again (Unix milliseconds).
        until_ms: i64,
    },
    /// One may be tried.
    TrialDue,
}

/// A call that was let through: when, at which version of the endpoint's secret, and whether as a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
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
    Put(Circuit),
    /// It is forgotten: the circuit is closed.
    Forget,
}

/// Whether an attempt counts against the seller: it found nobody, or nobody able to answer. These are the failures that keep
/// a call waiting, or that the next call would meet as well. A refusal (`SELLER_REFUSED`) and an answer of the wrong kind
/// (`SELLER_INVALID_JSON`, `SELLER_RESPONSE_TOO_LARGE`) come from a seller that is there; they end a row of failures, as a
/// delivery does.
#[must_use]
pub fn counts(outcome: Outcome) -> bool {
    match outcome {
        Outcome::SellerTimeout | Outcome::SellerUnreachable | Outcome::SellerTls | Outcome::SellerError => true,
        Outcome::Delivered | Outcome::SellerRefused | Outcome::SellerInvalidJson | Outcome::SellerResponseTooLarge => false,
    }
}

/// Whether calls pass at this moment. `record` is what is remembered, if anything.
#[must_use]
pub fn standing(record: Option<&Circuit>, secret_version: &str, now_ms: i64) -> Standing {
    let Some(circuit) = record.filter(|circuit| circuit.secret_version == secret_version && circuit.is_open()) else {
        return Standing::Closed;
    };
    match &circuit.trial {
        Some(trial) if now_ms < trial.until_ms => Standing::Open { until_ms: trial.until_ms.min(now_ms + TRIAL_POLL_MS) },
        _ if now_ms < circuit.open_until_ms() => Standing::Open { until_ms: circuit.open_until_ms() },
        _ => Standing::TrialDue,
    }
}

/// What becomes of a record at which a trial is due.
#[must_use]
pub fn tried(circuit: &Circuit, trial: Trial) -> Circuit {
    Circuit { trial: Some(trial), ..circuit.clone() }
}

/// What becomes of the record when a call ends in this way.
#[must_use]
pub fn after(record: Option<&Circuit>, pass: &Pass, outcome: Outcome, now_ms: i64) -> Change {
    let about_mine = record.filter(|circuit| circuit.secret_version == pass.secret_version);
    let Some(circuit) = about_mine else {
        // What another version of the endpoint did since this call began is newer than this call.
        let outdated = record.is_some_and(|other| other.failed_ms >= pass.since_ms);
        return if counts(outcome) && !outdated { Change::Put(first_failure(pass, now_ms)) } else { Change::Keep };
    };
    // Calls that were on their way when the circuit opened have no say in it any more: only its trial has.
    let is_heard = !circuit.is_open() || circuit.is_tried_by(pass);
    match (is_heard, counts(outcome)) {
        (false, _) => Change::Keep,
        (true, false) => Change::Forget,
        (true, true) => {
            Change::Put(Circuit { failures: circuit.failures.saturating_add(1), failed_ms: now_ms, trial: None, ..circuit.clone() })
        }
    }
}

/// What becomes of the record when a call that was let through as a trial was not made.
#[must_use]
pub fn not_tried(record: Option<&Circuit>, pass: &Pass) -> Change {
    match record {
        Some(circuit) if circuit.is_tried_by(pass) => Change::Put(Circuit { trial: None, ..circuit.clone() }),
        _ => Change::Keep,
    }
}

fn first_failure(pass: &Pass, now_ms: i64) -> Circuit {
    Circuit { secret_version: pass.secret_version.clone(), failures: 1, failed_ms: now_ms, trial: None, writer: String::new() }
}

impl Circuit {
    fn is_open(&self) -> bool {
        self.failures >= FAILURES_TO_OPEN
    }

    fn is_tried_by(&self, pass: &Pass) -> bool {
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
