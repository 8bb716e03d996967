//! Payments: quotes, and the changes made through the controls.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::price::Terms;

/// Maximum number of kept payments. The oldest is dropped first.
const CAPACITY: usize = 50_000;

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
#[derive(Debug, Clone, Serialize)]
pub(super) struct Change {
    /// When it takes effect, in Unix milliseconds of the stack's clock.
    pub(super) at_ms: i64,
    /// The state from then on.
    pub(super) status: Status,
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

/// A payment.
#[derive(Debug, Clone)]
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
}

impl Payment {
    /// Creates a payment in the state `waiting`.
    pub(super) fn new(id: String, quoted_at_ms: i64, quote_request: Box<RawValue>, terms: Terms) -> Self {
        Self { id, quoted_at_ms, quote_request, terms, changes: Vec::new() }
    }

    /// Adds a change. Of two for the same moment, the later addition wins.
    pub(super) fn change(&mut self, change: Change) {
        let place = self.changes.partition_point(|known| known.at_ms <= change.at_ms);
        self.changes.insert(place, change);
    }

    /// The change in effect at `now_ms`. `None` if nothing has been paid.
    pub(super) fn current(&self, now_ms: i64) -> Option<&Change> {
        self.changes.iter().rev().find(|change| change.at_ms <= now_ms)
    }

    /// The state at `now_ms`.
    pub(super) fn status(&self, now_ms: i64) -> Status {
        self.current(now_ms).map_or(Status::Waiting, |change| change.status)
    }

    /// All changes, including future ones.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the seller was paid, as the record of `now_ms` shows it.
    pub(super) fn filled(&self, now_ms: i64) -> bool {
        self.current(now_ms).is_some_and(|change| change.fill.unwrap_or(change.status == Status::Success))
    }

    /// When the state last changed, in Unix milliseconds.
    pub(super) fn updated_at_ms(&self, now_ms: i64) -> i64 {
        self.current(now_ms).map_or(self.quoted_at_ms, |change| change.at_ms)
    }
}

/// All payments.
#[derive(Debug, Default)]
pub(super) struct Payments {
    by_id: HashMap<String, Payment>,
    /// Ids, oldest first.
    order: VecDeque<String>,
}

impl Payments {
    /// Adds a payment. Drops the oldest if there are too many.
    pub(super) fn add(&mut self, payment: Payment) {
        self.order.push_back(payment.id.clone());
        self.by_id.insert(payment.id.clone(), payment);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Payment> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Payment> {
        self.by_id.get_mut(id)
    }

    /// Newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Payment> {
        self.order.iter().rev().filter_map(|id| self.by_id.get(id))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Takes every change that is in effect and was not announced, and marks it as announced.
    ///
    /// Each is a copy of its payment and the moment of the change.
    pub(super) fn take_unannounced(&mut self, now_ms: i64) -> Vec<(Payment, i64)> {
        let mut due = Vec::new();
        for payment in self.by_id.values_mut() {
            let moments: Vec<i64> = payment
                .changes
                .iter_mut()
                .filter(|change| !change.announced && change.at_ms <= now_ms)
                .map(|change| {
                    change.announced = true;
                    change.at_ms
                })
                .collect();
            due.extend(moments.into_iter().map(|at_ms| (payment.clone(), at_ms)));
        }
        due.sort_by_key(|(_, at_ms)| *at_ms);
        due
    }
}
