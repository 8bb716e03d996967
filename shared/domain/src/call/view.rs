//! The input of [`super::decide::decide`]: the request, the listing, the calls that the request may mean, and what the payment
//! provider says about their payments.

use super::key::CallKey;
use super::record::IdempotencyRecord;
use super::{Call, PaymentState};
use crate::currency::OriginCurrency;
use crate::ids::{ListingId, ProfileId};
use crate::suspension::SuspendedReason;

/// Everything that is known about a gateway request so far.
#[derive(Debug, Clone)]
pub struct View {
    /// The request.
    pub request: RequestView,
    /// The listing.
    pub listing: ListingView,
    /// The call of the payment id that the request sends; or, by a key that came later, the call that it was sent for.
    pub named: Option<CallKey>,
    /// The idempotency record of what the request means.
    pub record: RecordView,
    /// The calls that were read.
    pub calls: Vec<KnownCall>,
    /// Why a settled call cannot be delivered now.
    pub obstacle: Option<Obstacle>,
    /// Whether the client's key now leads to the call of the payment id; `None` if that was not tried yet.
    pub key_added: Option<bool>,
    /// What a parallel request did while this one was running.
    pub raced: Option<Race>,
    /// The current time (Unix milliseconds).
    pub now_ms: i64,
}

/// What is known about an idempotency record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordView {
    /// It was not read yet. A paid retry does not need it.
    Unread,
    /// There is none.
    Absent,
    /// It was read, and so were the calls that it lists.
    Found(IdempotencyRecord),
}

/// A gateway request.
#[derive(Debug, Clone)]
pub struct RequestView {
    /// How the request identifies its call.
    pub resolved_by: ResolvedBy,
    /// The buyer.
    pub buyer: ProfileId,
    /// Why the operator has suspended the buyer. Nothing new begins then; what is paid is delivered.
    pub buyer_suspended: Option<SuspendedReason>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The requested currency.
    pub currency: RequestedCurrency,
    /// The currency of the buyer's default payment wallet, once it is known.
    pub default_currency: Option<OriginCurrency>,
    /// The body.
    pub body: BodyView,
}

/// How a request identifies its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolvedBy {
    /// By its payment id, which says that the buyer has paid.
    PaymentId,
    /// By an idempotency key.
    IdempotencyKey,
    /// By listing and body. Once the call has ended, the same body is a new call.
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
        /// Whether it matches the listing's input schema.
        schema: SchemaCheck,
    },
}

/// Whether a body matches the listing's input schema. The check takes processor time, so only new calls are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaCheck {
    /// Not checked yet.
    Unchecked,
    /// It matches, or the listing has no schema.
    Fits,
    /// It does not match.
    Fails,
}

/// State of the listing.
#[derive(Debug, Clone)]
pub struct ListingView {
    /// Its id.
    pub id: ListingId,
    /// Whether a call costs something now.
    pub is_paid: bool,
    /// Why the listing accepts no calls; `None` if it does.
    pub closed: Option<ListingClosed>,
    /// Whether there is an endpoint that is not paused.
    pub endpoint_active: bool,
    /// The traffic limit that the listing has reached, if any.
    pub traffic: Option<TrafficRefusal>,
    /// Seconds until the endpoint's breaker lets a call through; `None` if it lets one through now.
    pub breaker_retry_after: Option<u64>,
    /// The mark of the endpoint (see [`crate::listing::Endpoint::mark`]).
    pub endpoint_mark: Option<String>,
    /// By what the wait after a failed attempt is divided: 1, or more where limits are relaxed.
    pub relaxed: u32,
}

/// Why a listing accepts no calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingClosed {
    /// It is a draft or suspended.
    NotActive,
    /// It has no endpoint.
    NoEndpoint,
    /// Its endpoint is paused.
    Paused,
}

/// Which traffic limit a listing has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficRefusal {
    /// The seller's limit of calls per minute.
    RateLimited,
    /// The limit of calls in flight.
    Busy {
        /// The calls in flight now.
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
    /// What the payment provider says about its payment; `None` if it was not asked yet.
    pub fact: Option<Fact>,
}

impl Fact {
    /// Whether the seller was paid, or a deposit was seen.
    #[must_use]
    pub fn is_deposit(&self) -> bool {
        matches!(self, Self::Filled(_) | Self::Pending)
    }
}

/// What the payment provider says about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// No deposit was seen.
    Waiting,
    /// A deposit was seen but has not settled.
    Pending,
    /// The seller was paid.
    Filled(Payout),
    /// It failed or was refunded.
    Over {
        /// `Failed` or `Refunded`.
        how: PaymentState,
        /// The provider's reason.
        reason: Option<String>,
    },
    /// The provider does not know the id. Before the end of its `ttl`, that is no answer.
    Unknown,
    /// The provider does not respond.
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

/// Why a settled call cannot be delivered now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The breaker is open. It lets a call through after this many seconds.
    BreakerOpen(u64),
    /// The secret of the endpoint does not exist any more, or cannot be opened. Waiting does not bring it back.
    SecretLost,
    /// Too little time is left for the seller's timeout and for storing the outcome.
    NoTime,
    /// Something on our side failed before the lease was taken.
    Failed,
}

/// What a parallel request did while this one was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Race {
    /// It moved the call.
    Moved,
    /// It was first to quote or create this call.
    Created,
}

impl View {
    /// The call under this key, if it was read and it exists.
    #[must_use]
    pub fn call(&self, key: &CallKey) -> Option<&Call> {
        self.known(key).and_then(|known| known.call.as_ref())
    }

    /// What the read of this key found.
    #[must_use]
    pub fn known(&self, key: &CallKey) -> Option<&KnownCall> {
        self.calls.iter().find(|known| known.key == *key)
    }

    /// Adds a call that was read, or its newer version. The provider's fact about it stays.
    pub fn put(&mut self, key: &CallKey, call: Option<Call>) {
        match self.calls.iter_mut().find(|known| known.key == *key) {
            Some(known) => known.call = call,
            None => self.calls.push(KnownCall { key: key.clone(), call, fact: None }),
        }
    }

    /// What the provider says about a call's payment, if it was asked.
    #[must_use]
    pub fn fact(&self, key: &CallKey) -> Option<&Fact> {
        self.known(key).and_then(|known| known.fact.as_ref())
    }

    /// Forgets what the provider says: it has to be asked again.
    pub fn forget_facts(&mut self) {
        self.calls.iter_mut().for_each(|known| known.fact = None);
    }

    /// Records what the provider says about a call's payment.
    pub fn set_fact(&mut self, key: &CallKey, fact: Fact) {
        if let Some(known) = self.calls.iter_mut().find(|known| known.key == *key) {
            known.fact = Some(fact);
        }
    }
}
