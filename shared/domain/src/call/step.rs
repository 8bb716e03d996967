//! The steps of a gateway call, as [`super::decide::decide`] names them.

use super::PaymentState;
use super::key::{CallKey, CallName};
use super::view::{ListingClosed, TrafficRefusal};
use crate::currency::OriginCurrency;
use crate::suspension::SuspendedReason;

/// What the gateway does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask the payment provider about the payments of these calls.
    AskProvider(Vec<CallKey>),
    /// Check the body against the listing's input schema.
    CheckSchema,
    /// Read the idempotency record of this call, and the calls that it lists.
    LoadRecord(CallKey),
    /// Let the client's idempotency key lead to the record of this call, too.
    AddIdempotencyKey(CallKey),
    /// Store what has become of a call that is not with the seller.
    Move(CallKey, CallMove),
    /// Quote a new call and offer the quote.
    Quote(NewCall),
    /// Create a free call and forward it.
    CallFree(NewCall),
    /// Store the settlement. The call is not delivered now.
    Settle(CallKey),
    /// Take the lease for the next attempt and forward the call to the seller.
    Deliver {
        /// The call.
        call: CallKey,
        /// Whether the same write stores the settlement.
        settle: bool,
    },
    /// Close a call that may not be attempted again.
    Close(CallKey),
    /// Reply with the stored response.
    Replay(CallKey),
    /// Reply 402 with this call's quote.
    Offer(Offer),
    /// Reply 402 without requirements: the quote is no longer offered, but it settles if it is paid. Nothing is offered in its place
    /// until this time (Unix milliseconds).
    Closing(CallKey, i64),
    /// Reply 402 with the price only.
    Probe,
    /// Reply 202: the payment has not settled, or the delivery must wait.
    Wait(CallKey),
    /// Reply with an error.
    Refuse(Refusal),
}

/// What has become of a call that is not with the seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallMove {
    /// The provider has seen a deposit.
    DepositSeen,
    /// The payment failed, was refunded, or was never made; or a free call is over because the listing has a price.
    Expired(PaymentState),
    /// The call was presented, and the seller's endpoint accepts no calls.
    PresentedInVain,
    /// The payment was refunded after its settlement.
    Reversed,
}

/// A call to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// What it is recorded under; `None` for a free call that nobody can ask for again.
    pub name: Option<CallName>,
    /// Its round under that name.
    pub round: u32,
    /// The currency to quote in; `None` for that of the buyer's default wallet.
    pub currency: Option<OriginCurrency>,
    /// What the offer says.
    pub reason: OfferReason,
    /// A call with the same body that was delivered before, and whose response is stored.
    pub delivered: Option<CallKey>,
}

/// A quote that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its call.
    pub call: CallKey,
    /// Why.
    pub reason: OfferReason,
    /// A call with the same body that was delivered before, and whose response is stored.
    pub delivered: Option<CallKey>,
}

/// Why a quote is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferReason {
    /// This is the first offer of the quote.
    First,
    /// The quote was offered before, and the provider has seen no deposit.
    NotSeen {
        /// Whether the request sends the payment id, which says that the buyer has paid.
        by_payment_id: bool,
    },
    /// The previous quote ended unpaid.
    Replaces {
        /// The call of the previous quote.
        call: CallKey,
        /// How the previous quote ended.
        how: PaymentState,
        /// The provider's reason.
        provider_reason: Option<String>,
    },
    /// The same body was called before and never delivered, so this is a new call.
    AfterUndelivered(CallKey),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// This buyer has no payment with the id.
    PaymentNotFound,
    /// The payment belongs to a call with another listing or body.
    BoundToAnotherRequest {
        /// The payment's call.
        call: CallKey,
        /// What differs.
        differs: Differs,
    },
    /// The idempotency key identifies another call than the payment id does.
    IdempotencyKeyConflict,
    /// The idempotency key was used with another listing or body.
    IdempotencyKeyReused(Differs),
    /// The idempotency key was used with another currency, and nothing was paid in it.
    OtherCurrency(OriginCurrency),
    /// A call does not have what its state says it has. An operator must look.
    CallMissing,
    /// The body is not JSON.
    InvalidBody,
    /// The body does not match the listing's input schema.
    SchemaMismatch,
    /// Crochet does not know the requested currency.
    UnsupportedCurrency,
    /// The operator has suspended the buyer.
    BuyerSuspended {
        /// Why.
        reason: SuspendedReason,
        /// The call of a quote that may have been paid.
        quoted: Option<CallKey>,
    },
    /// The listing accepts no calls.
    ListingClosed {
        /// Why.
        why: ListingClosed,
        /// The call of a quote that may have been paid.
        quoted: Option<CallKey>,
    },
    /// The listing has reached a traffic limit.
    Traffic(TrafficRefusal),
    /// The endpoint's breaker is open. Nothing was quoted or counted.
    BreakerOpen {
        /// Seconds until the breaker lets a call through.
        retry_after: u64,
    },
    /// The call is being delivered, or another request is moving it.
    InProgress(CallKey),
    /// The call was closed without a delivery.
    Undelivered(CallKey),
    /// What this call was wanted for has ended so long ago that nothing of it is stored but the names.
    AnswerExpired(CallKey),
    /// The provider does not respond.
    ProviderUnavailable,
    /// So many payments of this call may still be filled that no further one is offered.
    TooManyQuotes {
        /// When one of them can no longer be filled (Unix milliseconds).
        until_ms: i64,
    },
    /// The body was delivered, and a second payment for it was filled.
    AlreadyDelivered {
        /// The delivered call.
        delivered: CallKey,
        /// The calls of the unused payments.
        unused: Vec<CallKey>,
    },
    /// The last attempt failed a moment ago, and the seller is not called again yet.
    FailedBefore {
        /// The call.
        call: CallKey,
        /// From when it is called again (Unix milliseconds).
        retry_from_ms: i64,
    },
    /// The payment differs from its quote. An operator must look.
    PaymentMismatch(CallKey),
    /// The call is settled, but the seller's endpoint accepts no calls.
    SellerUnavailable {
        /// The call.
        call: CallKey,
        /// Seconds until the breaker lets a call through; `None` if the endpoint is paused or missing.
        retry_after: Option<u64>,
    },
    /// Something on our side failed before the lease was taken.
    Failed,
    /// A parallel request is quoting this call.
    QuoteInProgress,
}

/// What differs between a request and the call that it identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// The listing.
    Listing,
    /// The body.
    Body,
}
