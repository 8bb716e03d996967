//! One call through the gateway: its states, and the moves between them.
//!
//! `quoted → settled → delivering(attempt n, lease) → delivered`, or back to `settled` when the seller failed. A call ends as
//! `delivered`, `undelivered` or `expired` (never paid); a late payment turns `expired` into `settled`. Every move is pure. The
//! store writes the result on the condition that the call still has the version that was read.

pub mod attend;
pub mod decide;
mod key;
pub mod ledger;
mod open;
pub mod outcome;
mod parts;
pub mod record;
pub mod step;
pub mod view;

use serde::{Deserialize, Serialize};

pub use key::{CallKey, CallName};
pub use parts::{
    Attempt, AttemptReport, CalledListing, ExpectedPayout, OFFER_MARGIN_MS, PayFrom, Payment, PaymentState, StoredResponse,
    same_address,
};

use super::ids::{CallId, ProfileId, RefundId};
use super::money::{Micros, PriceSplit};
use crate::unknown::Unknown;
use outcome::Outcome;
use parts::Settlement;

/// Maximum failed delivery attempts for a paid call.
pub const MAX_ATTEMPTS: usize = 20;
/// Time for retries of a paid call, from when it was first presented in vain: 24 hours.
pub const REDELIVER_MS: i64 = 24 * 3_600_000;
/// Time after a failed attempt in which the seller is not called again. It doubles with each failure, up to
/// [`LONGEST_RETRY_WAIT_MS`]: twenty attempts span 22 hours.
pub const FIRST_RETRY_WAIT_MS: i64 = 2_000;
/// Longest wait after a failed attempt: 3 hours.
pub const LONGEST_RETRY_WAIT_MS: i64 = 3 * 3_600_000;
/// Time after a settlement after which the provider is asked once more before the call is delivered: 10 minutes.
pub const CONFIRMED_FOR_MS: i64 = 600_000;
/// Times after the end of an unpaid quote's `ttl` at which the provider is asked again: late fills exist.
const ASKED_AGAIN_MS: [i64; 2] = [3_600_000, 24 * 3_600_000];
/// Shortest time after which the provider is asked again about a payment that it does not decide: a minute.
const ASKED_AFTER_MS: i64 = 60_000;
/// Part of the time since a decision was due that passes until the provider is asked again: a sixteenth. After a day that is 90 minutes.
const ASKED_AFTER_PART: i64 = 16;
/// Time that a settled call stays open if nobody retries it, from its settlement: 30 days.
pub const UNPRESENTED_MS: i64 = 30 * 24 * 3_600_000;
/// Time that a stored response is kept: 48 hours.
pub const RESPONSE_KEPT_MS: i64 = 48 * 3_600_000;

/// State of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CallState {
    /// Payment was requested.
    Quoted,
    /// A deposit was seen but has not settled.
    Pending,
    /// Paid, and no attempt is running.
    Settled,
    /// An attempt is running.
    Delivering {
        /// When the attempt's lease ends (Unix milliseconds).
        lease_until_ms: i64,
        /// Identifies the attempt.
        token: String,
    },
    /// The seller responded, and its response counts as a delivery.
    Delivered {
        /// The stored response; `None` for a free call without an Idempotency-Key, which nobody can ask for again.
        response: Option<StoredResponse>,
    },
    /// Paid, but never delivered.
    Undelivered,
    /// Never paid, or paid and reversed before a delivery.
    Expired,
}

impl CallState {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Quoted => "quoted",
            Self::Pending => "pending",
            Self::Settled => "settled",
            Self::Delivering { .. } => "delivering",
            Self::Delivered { .. } => "delivered",
            Self::Undelivered => "undelivered",
            Self::Expired => "expired",
        }
    }
}

/// What became of the debts of an undelivered call. At a delivered call, a settled one is a refund by good will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debts {
    /// The seller's part.
    pub seller: Settlement,
    /// The operator's part: the fee.
    pub operator: Settlement,
    /// The refund that paid the seller's part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// When the seller's part was paid (Unix milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_ms: Option<i64>,
}

impl Default for Debts {
    fn default() -> Self {
        Self { seller: Settlement::Open, operator: Settlement::Open, refund: None, changed_ms: None }
    }
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its id; the seller sees it as `webhook-id`.
    pub id: CallId,
    /// The buyer.
    pub buyer: ProfileId,
    /// The seller.
    pub seller: ProfileId,
    /// The listing that is called.
    pub listing: CalledListing,
    /// Fingerprint of the body (see [`super::json::fingerprint`]).
    pub body_sha256: String,
    /// The client's `Idempotency-Key`, if it sent one.
    pub idempotency_key: Option<String>,
    /// Price and its split, frozen.
    pub split: PriceSplit,
    /// Its payment; `None` for a free call.
    pub payment: Option<Payment>,
    /// Which of the calls with this name it belongs to (see [`record::IdempotencyRecord::round`]).
    pub round: u32,
    /// State of the call.
    pub state: CallState,
    /// Delivery attempts so far. At most [`MAX_ATTEMPTS`] of them failed, if the call is paid. Of several attempts in a row that
    /// were interrupted, only the last is kept.
    pub attempts: Vec<Attempt>,
    /// When the call was first presented and could not be delivered for the seller's reason (Unix milliseconds).
    pub in_vain_ms: Option<i64>,
    /// The endpoint of the last attempt (see [`crate::listing::Endpoint::mark`]).
    pub tried_endpoint: Option<String>,
    /// What was paid back.
    pub debts: Debts,
    /// When the call needs attention next (Unix milliseconds); `None` if it has ended.
    pub due_ms: Option<i64>,
    /// When the settlement was stored (Unix milliseconds).
    pub settled_ms: Option<i64>,
    /// When the call was created (Unix milliseconds).
    pub created_ms: i64,
    /// When the call last changed (Unix milliseconds).
    pub updated_ms: i64,
    /// Version of the record; every write increments it.
    pub version: u64,
    /// Token of the write that made this version. A writer that finds its own token has succeeded.
    pub write_token: String,
    /// What the next version has added.
    pub unknown: Unknown,
}

impl Call {
    /// The key under which the call is stored.
    #[must_use]
    pub fn key(&self) -> CallKey {
        match &self.payment {
            Some(payment) => CallKey::of_payment(&payment.provider, &payment.id),
            None => CallKey::of_free_call(self.id),
        }
    }

    /// The first name of what the buyer wants with this call.
    #[must_use]
    pub fn name(&self) -> CallName {
        match &self.idempotency_key {
            Some(key) => CallName::Key(key.clone()),
            None => CallName::Body { listing: self.listing.id, sha256: self.body_sha256.clone() },
        }
    }

    /// A deposit was seen. Only a call that waits for a deposit changes.
    #[must_use]
    pub fn deposit_seen(mut self, now_ms: i64) -> Self {
        if matches!(self.state, CallState::Quoted | CallState::Expired) {
            self.state = CallState::Pending;
            self.set_payment(PaymentState::Pending);
            self.due_ms = self.due_after(now_ms);
            self.updated_ms = now_ms;
        }
        self
    }

    /// The payment failed, was refunded, or was never made. A free call is over because it costs something now.
    #[must_use]
    pub fn expired(mut self, payment: PaymentState, now_ms: i64) -> Self {
        self.state = CallState::Expired;
        self.set_payment(payment);
        self.due_ms = self.due_after(now_ms);
        self.updated_ms = now_ms;
        self
    }

    /// The provider was asked about an unpaid quote again, and nothing has changed.
    #[must_use]
    pub fn asked_again(mut self, now_ms: i64) -> Self {
        self.due_ms = self.due_after(now_ms);
        self
    }

    /// The provider has given no answer since `since_ms` (Unix milliseconds). It is asked less and less often.
    #[must_use]
    pub fn asked_in_vain(mut self, since_ms: i64, now_ms: i64) -> Self {
        self.due_ms = Some(less_and_less_often(since_ms, now_ms));
        self
    }

    /// Due at once, so that the next sweep looks at it. `None` if a sweep must do nothing: the call has ended, or it is paid and waits
    /// for its buyer, who alone has its body. A payment that was given back, or that an operator has declared void, has ended it.
    #[must_use]
    pub fn redriven(mut self, now_ms: i64) -> Option<Self> {
        let payment = self.payment.as_ref().map(|payment| payment.state);
        let is_for_sweep = match self.state {
            CallState::Quoted | CallState::Pending => payment.is_some(),
            CallState::Expired => self.settled_ms.is_none() && payment.is_some_and(|state| state != PaymentState::Refunded),
            CallState::Delivering { lease_until_ms, .. } => now_ms >= lease_until_ms,
            CallState::Settled => self.is_overdue(now_ms),
            CallState::Delivered { .. } | CallState::Undelivered => false,
        };
        self.due_ms = Some(now_ms);
        is_for_sweep.then_some(self)
    }

    /// The seller was paid. `fee_collected` is what the provider's record says that it collected for the operator.
    #[must_use]
    pub fn settled(mut self, fee_collected: Option<Micros>, now_ms: i64) -> Self {
        self.state = CallState::Settled;
        self.set_payment(PaymentState::Success);
        if let (Some(payment), Some(fee)) = (&mut self.payment, fee_collected) {
            payment.fee_collected = fee;
        }
        self.settled_ms = Some(now_ms);
        self.due_ms = self.due_after(now_ms);
        self.updated_ms = now_ms;
        self
    }

    /// The payment was refunded after its settlement, before a delivery.
    #[must_use]
    pub fn reversed(mut self, now_ms: i64) -> Self {
        self.end_interrupted_attempt(now_ms);
        self.expired(PaymentState::Refunded, now_ms)
    }

    /// The call was presented, and the seller's endpoint accepts no calls.
    #[must_use]
    pub fn presented_in_vain(mut self, now_ms: i64) -> Self {
        self.in_vain_ms = self.in_vain_ms.or(Some(now_ms));
        self.due_ms = self.due_after(now_ms);
        self
    }

    /// The call settled beside other payments for the same thing. After a day it is looked at whether that was delivered with one of
    /// them.
    #[must_use]
    pub fn beside_others(mut self) -> Self {
        self.due_ms = self.settled_ms.map(|settled| settled + REDELIVER_MS);
        self
    }

    /// What the call was wanted for was delivered with another payment (`is_unused`), or was not. It is owed a day after its
    /// settlement, or is due when every other settled call is.
    #[must_use]
    pub fn looked_at(mut self, is_unused: bool, now_ms: i64) -> Self {
        if is_unused {
            self.in_vain_ms = self.in_vain_ms.or(self.settled_ms);
        }
        self.due_ms = self.due_after(now_ms);
        self
    }

    /// Starts the next attempt, with a lease until `lease_until_ms`. An attempt that never ended was interrupted.
    ///
    /// The first attempt leaves the time at which the call is due as it is, which saves two writes of an index entry: a lapsed
    /// lease is found when the quote would have been over.
    #[must_use]
    pub fn begun(mut self, token: String, lease_until_ms: i64, request_bytes: u64, now_ms: i64) -> Self {
        self.end_interrupted_attempt(now_ms);
        let n = self.attempts.last().map_or(1, |last| last.n + 1);
        if n > 1 {
            self.due_ms = Some(lease_until_ms);
        }
        self.attempts.push(Attempt {
            n,
            started_ms: now_ms,
            latency_ms: None,
            request_bytes,
            response_bytes: None,
            outcome: None,
            seller_status_code: None,
            unreadable: None,
            unknown: Unknown::default(),
        });
        self.state = CallState::Delivering { lease_until_ms, token };
        self.updated_ms = now_ms;
        self
    }

    /// Records the outcome of the running attempt.
    #[must_use]
    pub fn ended(mut self, report: &AttemptReport, response: Option<StoredResponse>, now_ms: i64) -> Self {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.latency_ms = Some(report.latency_ms);
            attempt.response_bytes = report.response_bytes;
            attempt.seller_status_code = report.seller_status_code;
            attempt.outcome = Some(report.outcome);
            attempt.unreadable = report.unreadable;
        }
        self.state = if report.outcome == Outcome::Delivered { CallState::Delivered { response } } else { CallState::Settled };
        if report.outcome != Outcome::Delivered {
            self.in_vain_ms = self.in_vain_ms.or(Some(now_ms));
        }
        self.due_ms = self.due_after(now_ms);
        self.updated_ms = now_ms;
        self
    }

    /// The lease of the running attempt has lapsed: our process died. The call is settled again.
    #[must_use]
    pub fn interrupted(mut self, now_ms: i64) -> Self {
        self.end_interrupted_attempt(now_ms);
        self.state = CallState::Settled;
        self.due_ms = self.due_after(now_ms);
        self.updated_ms = now_ms;
        self
    }

    /// Closes a call that was never delivered. An attempt that never ended was interrupted.
    #[must_use]
    pub fn closed(mut self, now_ms: i64) -> Self {
        self.end_interrupted_attempt(now_ms);
        self.state = CallState::Undelivered;
        self.due_ms = None;
        self.updated_ms = now_ms;
        self
    }

    /// Whether no attempt is running, and none may be started any more.
    #[must_use]
    pub fn is_overdue(&self, now_ms: i64) -> bool {
        let with_nobody = match self.state {
            CallState::Settled => true,
            CallState::Delivering { lease_until_ms, .. } => now_ms >= lease_until_ms,
            _ => false,
        };
        let tried_out = self.failures() >= MAX_ATTEMPTS;
        with_nobody && (tried_out || self.redeliver_until_ms().is_some_and(|until| now_ms >= until))
    }

    /// How many attempts failed for the seller's reason.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.is_failure()).count()
    }

    /// Until when an undelivered call may be retried (Unix milliseconds); `None` if it does not await a delivery.
    #[must_use]
    pub fn redeliver_until_ms(&self) -> Option<i64> {
        if !matches!(self.state, CallState::Settled | CallState::Delivering { .. }) {
            return None;
        }
        match self.in_vain_ms {
            Some(first) => Some(first + REDELIVER_MS),
            None => Some(self.settled_ms.unwrap_or(self.created_ms) + UNPRESENTED_MS),
        }
    }

    /// From when the seller may be called again after a failed attempt (Unix milliseconds); `None` if the last attempt did not
    /// fail. Where limits are relaxed, the wait is divided by `relaxed`.
    #[must_use]
    pub fn retry_from_ms(&self, relaxed: u32) -> Option<i64> {
        let last = self.attempts.last().filter(|attempt| attempt.is_failure())?;
        let doublings = u32::try_from(self.failures().saturating_sub(1)).unwrap_or(u32::MAX).min(20);
        let wait = FIRST_RETRY_WAIT_MS.saturating_mul(1 << doublings).min(LONGEST_RETRY_WAIT_MS);
        Some(last.ended_ms()? + wait / i64::from(relaxed.max(1)))
    }

    /// When the call needs attention after now (Unix milliseconds).
    fn due_after(&self, now_ms: i64) -> Option<i64> {
        let payment = self.payment.as_ref();
        match &self.state {
            // A deposit that was seen and has not settled is asked about for as long as that takes, but less and less often.
            CallState::Pending => payment.map(|payment| payment.closes_ms().max(less_and_less_often(payment.ttl_ms, now_ms))),
            CallState::Quoted => payment.map(Payment::closes_ms),
            CallState::Settled => self.redeliver_until_ms(),
            CallState::Delivering { lease_until_ms, .. } => Some(*lease_until_ms),
            CallState::Expired if self.settled_ms.is_some() => None,
            CallState::Expired => {
                let times = ASKED_AGAIN_MS.into_iter().map(|after| payment.map(|payment| payment.ttl_ms + after));
                times.flatten().find(|at| now_ms < *at)
            }
            CallState::Delivered { .. } | CallState::Undelivered => None,
        }
    }

    /// Ends an attempt that was left without an outcome. Interruptions in a row leave one attempt, so that their number does not
    /// make the call grow.
    fn end_interrupted_attempt(&mut self, now_ms: i64) {
        let Some(last) = self.attempts.last_mut().filter(|attempt| attempt.outcome.is_none()) else { return };
        last.outcome = Some(Outcome::GatewayInterrupted);
        last.latency_ms = Some(now_ms - last.started_ms);
        if let [.., before, _] = self.attempts.as_slice()
            && before.outcome == Some(Outcome::GatewayInterrupted)
        {
            self.attempts.remove(self.attempts.len() - 2);
        }
    }

    fn set_payment(&mut self, state: PaymentState) {
        if let Some(payment) = &mut self.payment {
            payment.state = state;
        }
    }
}

/// When to ask next about what was to be decided at `since_ms`. That is about 90 questions in the first day, and 150 in a month.
fn less_and_less_often(since_ms: i64, now_ms: i64) -> i64 {
    now_ms + ASKED_AFTER_MS.max((now_ms - since_ms) / ASKED_AFTER_PART)
}

#[cfg(test)]
mod tests;
