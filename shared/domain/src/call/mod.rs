//! One call through the gateway: its states, and the moves between them.
//!
//! `quoted → settled → delivering(attempt n, lease) → delivered`, or back to `settled` when the seller failed. It ends
//! `delivered`, `undelivered` or `expired` (never paid); a late success turns `expired` into `settled`. Every move here is
//! pure: the store writes the result under the condition that the call is still the version that was read.

pub mod entry;
pub mod outcome;
mod parts;

use serde::{Deserialize, Serialize};

pub use parts::{
    Attempt, AttemptReport, CalledListing, ExpectedPayout, PayFrom, Payment, PaymentState, StoredAnswer, same_address,
};

use super::ids::{CallId, ProfileId};
use super::money::PriceSplit;
use outcome::Outcome;

/// A paid call may be tried so often.
pub const MAX_ATTEMPTS: usize = 20;
/// How long an undelivered call may be tried again after its first failed attempt: 24 hours.
pub const REDELIVER_MS: i64 = 24 * 3_600_000;
/// How long a settled call that nobody presents stays open: 30 days.
pub const UNPRESENTED_MS: i64 = 30 * 24 * 3_600_000;
/// How long a delivered answer is kept: 48 hours, so that "24 hours at least" holds whenever it is looked at.
pub const ANSWER_KEPT_MS: i64 = 48 * 3_600_000;

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum State {
    /// Payment was asked for.
    Quoted,
    /// A deposit was seen, but has not settled.
    Pending,
    /// Paid for, and with nobody right now.
    Settled,
    /// With the seller.
    Delivering {
        /// Until when this attempt may still write its outcome (Unix milliseconds).
        lease_until_ms: i64,
        /// Names the attempt; a writer without it changes nothing.
        token: String,
    },
    /// Healthy by the seller.
    Delivered {
        /// The answer; `None` for a free call without an Idempotency-Key, which nobody can ask for again.
        answer: Option<StoredAnswer>,
    },
    /// Paid for and never delivered.
    Undelivered,
    /// Never paid.
    Expired,
}

impl State {
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
    /// Who calls.
    pub buyer: ProfileId,
    /// Who is called.
    pub seller: ProfileId,
    /// What is called.
    pub listing: CalledListing,
    /// Fingerprint of the body (see [`super::json::fingerprint`]).
    pub body_sha256: String,
    /// The caller's own name for it.
    pub idempotency_key: Option<String>,
    /// Price and its division, frozen.
    pub split: PriceSplit,
    /// Its payment; `None` for a free call.
    pub payment: Option<Payment>,
    /// Where the call is stored whose quote this one replaces: that one may still turn out to be paid.
    #[serde(default)]
    pub replaces: Option<String>,
    /// Where it stands.
    pub state: State,
    /// The tries so far; at most [`MAX_ATTEMPTS`] when paid.
    pub attempts: Vec<Attempt>,
    /// When the payment was settled here (Unix milliseconds).
    pub settled_ms: Option<i64>,
    /// When it was first seen (Unix milliseconds).
    pub created_ms: i64,
    /// When it last moved (Unix milliseconds).
    pub updated_ms: i64,
    /// Counts its moves.
    pub version: u64,
    /// Names the write that made this version: whoever finds its own name there has written it.
    pub writer: String,
}

impl Call {
    /// Where it is stored: under its payment, so that a retry finds it in one read; a free call under its own id.
    #[must_use]
    pub fn home(&self) -> String {
        self.payment.as_ref().map_or_else(|| self.id.to_string(), |payment| payment_home(&payment.id))
    }

    /// A deposit was seen. Only a call that waits for one moves.
    #[must_use]
    pub fn deposit_seen(mut self, now_ms: i64) -> Self {
        if matches!(self.state, State::Quoted | State::Expired) {
            self.state = State::Pending;
            self.set_payment(PaymentState::Pending);
            self.updated_ms = now_ms;
        }
        self
    }

    /// The payment came to nothing.
    #[must_use]
    pub fn expired(mut self, payment: PaymentState, now_ms: i64) -> Self {
        self.state = State::Expired;
        self.set_payment(payment);
        self.updated_ms = now_ms;
        self
    }

    /// The seller was paid.
    #[must_use]
    pub fn settled(mut self, now_ms: i64) -> Self {
        self.state = State::Settled;
        self.set_payment(PaymentState::Success);
        self.settled_ms = Some(now_ms);
        self.updated_ms = now_ms;
        self
    }

    /// Hands the call to attempt n + 1 until `lease_until_ms`. An attempt whose lease ran out is closed as timed out.
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
        self.state = State::Delivering { lease_until_ms, token };
        self.updated_ms = now_ms;
        self
    }

    /// Writes what the running attempt came to.
    #[must_use]
    pub fn ended(mut self, report: &AttemptReport, answer: Option<StoredAnswer>, now_ms: i64) -> Self {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.latency_ms = Some(report.latency_ms);
            attempt.response_bytes = report.response_bytes;
            attempt.seller_status_code = report.seller_status_code;
            attempt.outcome = Some(report.outcome);
        }
        self.state = if report.outcome == Outcome::Delivered { State::Delivered { answer } } else { State::Settled };
        self.updated_ms = now_ms;
        self
    }

    /// Closes a call that was never delivered. An attempt that was abandoned ends with it.
    #[must_use]
    pub fn closed(mut self, now_ms: i64) -> Self {
        self.end_abandoned_attempt(now_ms);
        self.state = State::Undelivered;
        self.updated_ms = now_ms;
        self
    }

    /// Whether a call that is with nobody may not be tried any more.
    #[must_use]
    pub fn is_overdue(&self, now_ms: i64) -> bool {
        let with_nobody = match self.state {
            State::Settled => true,
            State::Delivering { lease_until_ms, .. } => now_ms >= lease_until_ms,
            _ => false,
        };
        let tried_out = self.attempts.len() >= MAX_ATTEMPTS;
        with_nobody && (tried_out || self.redeliver_until_ms().is_some_and(|until| now_ms >= until))
    }

    /// Until when an undelivered call may be tried again (Unix milliseconds); `None` where it is not on its way.
    #[must_use]
    pub fn redeliver_until_ms(&self) -> Option<i64> {
        if !matches!(self.state, State::Settled | State::Delivering { .. }) {
            return None;
        }
        // An attempt that never ended has failed, unless it is the one that runs.
        match self.attempts.iter().find(|attempt| attempt.outcome != Some(Outcome::Delivered)) {
            Some(failed) => Some(failed.started_ms + failed.latency_ms.unwrap_or(0) + REDELIVER_MS),
            None => self.settled_ms.map(|settled| settled + UNPRESENTED_MS),
        }
    }

    /// When somebody has to look at this call again (Unix milliseconds); `None` when it has ended.
    #[must_use]
    pub fn due_ms(&self) -> Option<i64> {
        match &self.state {
            State::Quoted | State::Pending => self.payment.as_ref().map(|payment| payment.ttl_ms),
            State::Settled => self.redeliver_until_ms(),
            State::Delivering { lease_until_ms, .. } => Some(*lease_until_ms),
            State::Delivered { .. } | State::Undelivered | State::Expired => None,
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

/// Where the call of a payment is stored.
#[must_use]
pub fn payment_home(payment_id: &str) -> String {
    format!("relay:{payment_id}")
}

#[cfg(test)]
mod tests;
