//! What [`super::decide::decide`] looks at: the request, the listing, the calls that the request may mean, and what the payment
//! provider says about their payments.

use super::key::{CallKey, IdempotencyRecord};
use super::{Call, CallState, PaymentState};
use crate::currency::OriginCurrency;
use crate::ids::{ListingId, ProfileId};

/// Everything that is known of one gateway request so far.
#[derive(Debug, Clone)]
pub struct View {
    /// What was asked.
    pub request: RequestView,
    /// Where the listing stands.
    pub listing: ListingView,
    /// What the client's idempotency key names.
    pub record: Option<IdempotencyRecord>,
    /// The calls that the request leads to, newest first.
    pub candidates: Vec<CallKey>,
    /// The calls that were read.
    pub calls: Vec<KnownCall>,
    /// For a quote that came to nothing: the call that has taken its names over, if any.
    pub successors: Vec<(CallKey, Option<CallKey>)>,
    /// What keeps a settled call from being delivered now.
    pub obstacle: Option<Obstacle>,
    /// Whether the client's key now names the call that its payment id names; `None` until that was tried.
    pub key_added: Option<bool>,
    /// What a parallel request did while this one ran.
    pub raced: Option<Race>,
    /// The current time (Unix milliseconds).
    pub now_ms: i64,
}

/// A gateway request.
#[derive(Debug, Clone)]
pub struct RequestView {
    /// How the request names its call.
    pub resolved_by: ResolvedBy,
    /// Who calls.
    pub buyer: ProfileId,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The currency that was asked for.
    pub currency: RequestedCurrency,
    /// The currency of the buyer's default payment wallet, once that is known.
    pub default_currency: Option<OriginCurrency>,
    /// The body.
    pub body: BodyView,
}

/// How a request names its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolvedBy {
    /// By the id of its payment: whoever sends that says that it was paid.
    PaymentId,
    /// By an idempotency key.
    IdempotencyKey,
    /// By listing and body: once the call has ended, the same body is a new call.
    Body,
}

/// The `X-Crochet-Origin-Currency` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedCurrency {
    /// Not sent.
    Absent,
    /// One that Crochet knows.
    Known(OriginCurrency),
    /// Any other text.
    Unsupported,
}

/// A request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyView {
    /// Zero bytes.
    Empty,
    /// Not JSON, or too large.
    Invalid,
    /// JSON.
    Json {
        /// Its fingerprint.
        sha256: String,
        /// Whether it fits the listing's input schema.
        schema: SchemaCheck,
    },
}

/// Whether a body fits the listing's input schema. Checking takes processor time, so only new calls are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaCheck {
    /// Not checked yet.
    Unchecked,
    /// It does, or the listing has none.
    Fits,
    /// It does not.
    Fails,
}

/// The listing that is called.
#[derive(Debug, Clone)]
pub struct ListingView {
    /// Its id.
    pub id: ListingId,
    /// Whether a call costs something today.
    pub is_paid: bool,
    /// Why it takes no calls, if it takes none.
    pub closed: Option<ListingClosed>,
    /// Whether there is an endpoint that takes calls.
    pub endpoint_active: bool,
    /// Why it takes no further call in this moment, if it takes none.
    pub traffic: Option<TrafficRefusal>,
    /// Seconds until the breaker of the endpoint lets a call through; `None` if it is closed.
    pub breaker_retry_after: Option<u64>,
}

/// Why a listing takes no calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingClosed {
    /// It is a draft or suspended.
    NotActive,
    /// It has no endpoint.
    NoEndpoint,
    /// Its endpoint is paused.
    Paused,
}

/// Why a listing takes no further call right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficRefusal {
    /// The seller's calls per minute are used up.
    RateLimited,
    /// Too many calls are in flight.
    Busy {
        /// Calls in flight now.
        in_flight: u32,
    },
}

/// A call that was looked up.
#[derive(Debug, Clone)]
pub struct KnownCall {
    /// Its key.
    pub key: CallKey,
    /// The call; `None` if there is none under the key.
    pub call: Option<Call>,
    /// What the payment provider says about its payment; `None` until it was asked.
    pub fact: Option<Fact>,
}

/// What the payment provider says about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// No deposit was seen.
    Waiting,
    /// A deposit was seen, and has not settled.
    Pending,
    /// The seller was paid.
    Filled(Payout),
    /// It came to nothing.
    Over {
        /// Failed, or refunded.
        how: PaymentState,
        /// The provider's reason.
        reason: Option<String>,
    },
    /// The provider does not answer.
    Unreachable,
}

/// What the provider's record of a filled payment shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payout {
    /// Recipient and amount are those of the quote.
    AsQuoted,
    /// Recipient, chain, currency or amount differ from the quote.
    Differs,
    /// The record does not show the payout yet.
    NotRecorded,
}

/// What keeps a settled call from being delivered now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The breaker is open: seconds until it lets a call through.
    BreakerOpen(u64),
    /// Less time is left than the seller's timeout and the write of the outcome need.
    NoTime,
    /// A part of ours failed before the call was claimed.
    Failed,
}

/// What a parallel request did while this one ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Race {
    /// It moved the call.
    Moved,
    /// It was the first to quote or make this call.
    Created,
}

impl View {
    /// The call under this key, if it was read and exists.
    #[must_use]
    pub fn call(&self, key: &CallKey) -> Option<&Call> {
        self.known(key).and_then(|known| known.call.as_ref())
    }

    /// What was read under this key.
    #[must_use]
    pub fn known(&self, key: &CallKey) -> Option<&KnownCall> {
        self.calls.iter().find(|known| known.key == *key)
    }

    /// Adds a call that was read, or puts its newer version in place. What the provider said about it stays.
    pub fn put(&mut self, key: &CallKey, call: Option<Call>) {
        match self.calls.iter_mut().find(|known| known.key == *key) {
            Some(known) => known.call = call,
            None => self.calls.push(KnownCall { key: key.clone(), call, fact: None }),
        }
    }

    /// Notes what the provider says about the payment of a call.
    pub fn set_fact(&mut self, key: &CallKey, fact: Fact) {
        if let Some(known) = self.calls.iter_mut().find(|known| known.key == *key) {
            known.fact = Some(fact);
        }
    }
}

/// Whether a call may still be paid or settled: it is neither answered nor closed nor known to have come to nothing.
pub(super) fn is_open(call: &Call) -> bool {
    !matches!(call.state, CallState::Delivered { .. } | CallState::Undelivered | CallState::Expired)
}
