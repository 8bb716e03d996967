//! A payment: its quote, and its changes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::price::Terms;

/// The provider's states of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Waiting,
    Depositing,
    Pending,
    Submitted,
    Delayed,
    Success,
    Failure,
    Refund,
}

/// A change of a payment's state at a moment of the stack's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Change {
    /// When it takes effect, in Unix milliseconds of the stack's clock.
    pub(super) at_ms: i64,
    /// The state from then on.
    pub(super) status: Status,
    /// How much later the record shows it, in milliseconds. Until then, it shows the state before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record_after_ms: Option<u32>,
    /// The amount paid out, in the smallest unit. Default: as quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    /// The recipient. Default: as quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient: Option<String>,
    /// The provider's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fail_reason: Option<String>,
    /// Whether the record shows a fill. Default: only for a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fill: Option<bool>,
    /// The payment that replaces this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) superseded_by: Option<String>,
    /// Whether its webhook was sent, or none is needed.
    #[serde(skip)]
    pub(super) announced: bool,
}

impl Change {
    /// When the record shows it, in Unix milliseconds.
    fn recorded_at_ms(&self) -> i64 {
        self.at_ms + i64::from(self.record_after_ms.unwrap_or_default())
    }

    /// Whether the seller is paid.
    pub(super) fn fills(&self) -> bool {
        self.fill.unwrap_or(self.status == Status::Success)
    }
}

/// A payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Payment {
    /// `0x` and 64 hex digits.
    pub(super) id: String,
    /// When it was quoted, in Unix milliseconds of the stack's clock.
    pub(super) quoted_at_ms: i64,
    /// The original request for the quote.
    pub(super) quote_request: Box<RawValue>,
    /// What was quoted.
    pub(super) terms: Terms,
    /// In order of effect.
    changes: Vec<Change>,
    /// From when on the provider does not know the id any more, in Unix milliseconds.
    forgotten_at_ms: Option<i64>,
}

impl Payment {
    /// Creates a payment in the state `waiting`.
    pub(super) fn new(id: String, quoted_at_ms: i64, quote_request: Box<RawValue>, terms: Terms) -> Self {
        Self { id, quoted_at_ms, quote_request, terms, changes: Vec::new(), forgotten_at_ms: None }
    }

    /// Adds a change. Of two for the same moment, the later addition wins.
    pub(super) fn change(&mut self, change: Change) {
        let place = self.changes.partition_point(|known| known.at_ms <= change.at_ms);
        self.changes.insert(place, change);
    }

    /// Makes the provider forget the id from `at_ms` on, or know it again.
    pub(super) fn forget(&mut self, at_ms: Option<i64>) {
        self.forgotten_at_ms = at_ms;
    }

    /// Whether the provider does not know the id at `now_ms`.
    pub(super) fn is_forgotten(&self, now_ms: i64) -> bool {
        self.forgotten_at_ms.is_some_and(|at_ms| at_ms <= now_ms)
    }

    /// The change in effect at `now_ms`. `None` if nothing has been paid.
    pub(super) fn current(&self, now_ms: i64) -> Option<&Change> {
        self.changes.iter().rev().find(|change| change.at_ms <= now_ms)
    }

    /// The change that the record shows at `now_ms`.
    pub(super) fn recorded(&self, now_ms: i64) -> Option<&Change> {
        self.changes.iter().rev().find(|change| change.recorded_at_ms() <= now_ms)
    }

    /// The state at `now_ms`.
    pub(super) fn status(&self, now_ms: i64) -> Status {
        self.current(now_ms).map_or(Status::Waiting, |change| change.status)
    }

    /// When its `ttl` ends, in Unix milliseconds.
    pub(super) fn expires_ms(&self) -> Option<i64> {
        i64::try_from(self.terms.ttl?).ok()?.checked_mul(1_000)?.checked_add(self.quoted_at_ms)
    }

    /// All changes, including future ones.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Marks every change up to `now_ms` as announced. Returns the moments of those that were not.
    pub(super) fn announce(&mut self, now_ms: i64) -> Vec<i64> {
        let due = self.changes.iter_mut().filter(|change| !change.announced && change.at_ms <= now_ms);
        due.map(|change| {
            change.announced = true;
            change.at_ms
        })
        .collect()
    }
}
