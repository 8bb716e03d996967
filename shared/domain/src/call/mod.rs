//! One call through the gateway: its states, and the moves between them.
//!
//! `quoted → settled → delivering(attempt n, lease) → delivered`, or back to `settled` when the seller failed. A call ends as
//! `delivered`, `undelivered` or `expired` (never paid); a late payment turns `expired` into `settled`. Every move is pure. The
//! store writes the result on the condition that the call still has the version that was read.

pub mod decide;
mod key;
pub mod ledger;
pub mod outcome;
mod parts;
pub mod step;
pub mod view;

use serde::{Deserialize, Serialize};

pub use key::{CallKey, IdempotencyKey, IdempotencyRecord, OpenQuotesForBody};
pub use parts::{
    Attempt, AttemptReport, CalledListing, ExpectedPayout, PayFrom, Payment, PaymentState, StoredResponse, same_address,
};

use super::ids::{CallId, ProfileId};
use super::money::PriceSplit;
use outcome::Outcome;

/// Maximum delivery attempts for a paid call.
pub const MAX_ATTEMPTS: usize = 20;
/// Time for retries of a paid call, from its first failed attempt: 24 hours.
pub const REDELIVER_MS: i64 = 24 * 3_600_000;
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
    /// Never paid.
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

/// A call, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The call that this one replaces. Its quote may still turn out to be paid.
    #[serde(default)]
    pub replaces: Option<CallKey>,
    /// State of the call.
    pub state: CallState,
    /// Delivery attempts so far; at most [`MAX_ATTEMPTS`] if the call is paid.
    pub attempts: Vec<Attempt>,
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

    /// What an idempotency key that names this call is bound to, at this version of the record.
    #[must_use]
    pub fn idempotency_record(&self, version: u64) -> IdempotencyRecord {
        IdempotencyRecord {
            call: self.key(),
            listing: self.listing.id,
            body_sha256: self.body_sha256.clone(),
            currency: self.payment.as_ref().map(|payment| payment.origin_currency),
            version,
        }
    }

    /// A deposit was seen. Only a call that waits for a deposit changes.
    #[must_use]
    pub fn deposit_seen(mut self, now_ms: i64) -> Self {
        if matches!(self.state, CallState::Quoted | CallState::Expired) {
            self.state = CallState::Pending;
            self.set_payment(PaymentState::Pending);
            self.updated_ms = now_ms;
        }
        self
    }

    /// The payment failed, was refunded, or was never made.
    #[must_use]
    pub fn expired(mut self, payment: PaymentState, now_ms: i64) -> Self {
        self.state = CallState::Expired;
        self.set_payment(payment);
        self.updated_ms = now_ms;
        self
    }

    /// The seller was paid.
    #[must_use]
    pub fn settled(mut self, now_ms: i64) -> Self {
        self.state = CallState::Settled;
        self.set_payment(PaymentState::Success);
        self.settled_ms = Some(now_ms);
        self.updated_ms = now_ms;
        self
    }

    /// Starts the next attempt, with a lease until `lease_until_ms`. An abandoned attempt is recorded as a timeout.
    #[must_use]
    pub fn begun(mut self, token: String, lease_until_ms: i64, request_bytes: u64, now_ms: i64) -> Self {
        self.end_abandoned_attempt(now_ms);
        let n = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX) + 1;
        self.attempts.push(Attempt {
            n,
            started_ms: now_ms,
            latency_ms: None,
            request_bytes,
            response_bytes: None,
            outcome: None,
            seller_status_code: None,
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
        }
        self.state = if report.outcome == Outcome::Delivered { CallState::Delivered { response } } else { CallState::Settled };
        self.updated_ms = now_ms;
        self
    }

    /// Closes a call that was never delivered. An abandoned attempt is recorded as a timeout.
    #[must_use]
    pub fn closed(mut self, now_ms: i64) -> Self {
        self.end_abandoned_attempt(now_ms);
        self.state = CallState::Undelivered;
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
        let tried_out = self.attempts.len() >= MAX_ATTEMPTS;
        with_nobody && (tried_out || self.redeliver_until_ms().is_some_and(|until| now_ms >= until))
    }

    /// Until when an undelivered call may be retried (Unix milliseconds); `None` if it does not await a delivery.
    #[must_use]
    pub fn redeliver_until_ms(&self) -> Option<i64> {
        if !matches!(self.state, CallState::Settled | CallState::Delivering { .. }) {
            return None;
        }
        // An attempt without an outcome counts as failed.
        match self.attempts.iter().find(|attempt| attempt.outcome != Some(Outcome::Delivered)) {
            Some(failed) => Some(failed.started_ms + failed.latency_ms.unwrap_or(0) + REDELIVER_MS),
            None => self.settled_ms.map(|settled| settled + UNPRESENTED_MS),
        }
    }

    /// When the call needs attention next (Unix milliseconds); `None` if it has ended.
    #[must_use]
    pub fn due_ms(&self) -> Option<i64> {
        match &self.state {
            CallState::Quoted | CallState::Pending => self.payment.as_ref().map(|payment| payment.ttl_ms),
            CallState::Settled => self.redeliver_until_ms(),
            CallState::Delivering { lease_until_ms, .. } => Some(*lease_until_ms),
            CallState::Delivered { .. } | CallState::Undelivered | CallState::Expired => None,
        }
    }

    fn end_abandoned_attempt(&mut self, now_ms: i64) {
        if let Some(abandoned) = self.attempts.last_mut().filter(|attempt| attempt.outcome.is_none()) {
            abandoned.outcome = Some(Outcome::SellerTimeout);
            abandoned.latency_ms = Some(now_ms - abandoned.started_ms);
        }
    }

    fn set_payment(&mut self, state: PaymentState) {
        if let Some(payment) = &mut self.payment {
            payment.state = state;
        }
    }
}

#[cfg(test)]
mod tests;
