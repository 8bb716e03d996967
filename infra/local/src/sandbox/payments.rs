//! What the sandbox has quoted, and what was said to have become of it.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::price::Terms;

/// Payments that are kept; the oldest goes first.
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

/// One control: what a payment becomes, from a moment of the stack's clock on.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Change {
    /// When it takes effect, in Unix milliseconds of the stack's clock.
    pub(super) at_ms: i64,
    /// The state from then on.
    pub(super) status: Status,
    /// What the record shows as paid out, in the smallest unit; as quoted where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    /// Whom the record shows as paid; as quoted where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient: Option<String>,
    /// The provider's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fail_reason: Option<String>,
    /// Whether the record shows a fill; a success does, and nothing else, where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fill: Option<bool>,
    /// The payment that took this one's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) superseded_by: Option<String>,
    /// Whether its webhook was sent (or none was to be sent).
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
    /// The request for the quote, as it came.
    pub(super) quote_request: Box<RawValue>,
    /// What was quoted.
    pub(super) terms: Terms,
    /// In the order in which they take effect.
    changes: Vec<Change>,
}

impl Payment {
    /// A payment that has just been quoted.
    pub(super) fn new(id: String, quoted_at_ms: i64, quote_request: Box<RawValue>, terms: Terms) -> Self {
        Self { id, quoted_at_ms, quote_request, terms, changes: Vec::new() }
    }

    /// Writes down a change. Of two for the same moment, the one that was told later counts.
    pub(super) fn change(&mut self, change: Change) {
        let place = self.changes.partition_point(|known| known.at_ms <= change.at_ms);
        self.changes.insert(place, change);
    }

    /// The change in effect at `now_ms`; none means that nothing was paid yet.
    pub(super) fn current(&self, now_ms: i64) -> Option<&Change> {
        self.changes.iter().rev().find(|change| change.at_ms <= now_ms)
    }

    /// The state at `now_ms`.
    pub(super) fn status(&self, now_ms: i64) -> Status {
        self.current(now_ms).map_or(Status::Waiting, |change| change.status)
    }

    /// All changes, also those to come.
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
    /// Adds a payment; the oldest leaves when there are too many.
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

    /// Every change that has taken effect and was not announced; they count as announced from now on.
    ///
    /// Each comes as a copy of its payment, with the moment at which it looked like that.
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
