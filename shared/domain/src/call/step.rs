//! The steps of a gateway call, as [`super::decide::decide`] names them.

use super::PaymentState;
use super::key::{CallKey, IdempotencyKey};
use super::view::{ListingClosed, TrafficRefusal};
use crate::currency::OriginCurrency;

/// What the gateway does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask the payment provider about the payments of these calls.
    AskProvider(Vec<CallKey>),
    /// Check the body against the listing's input schema.
    CheckSchema,
    /// Read a call that another call refers to.
    Load(CallKey),
    /// Find the call that replaced this one, whose quote ended unpaid.
    FindSuccessor(CallKey),
    /// Bind the client's idempotency key to this call, too.
    AddIdempotencyKey(CallKey),
    /// Store what the provider says about a payment that has not settled.
    Move(CallKey, PaymentMove),
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
    Offer(CallKey, OfferReason),
    /// Reply 402 with the price only.
    Probe,
    /// Reply 202: the payment has not settled, or the delivery must wait.
    Wait(CallKey),
    /// Reply with an error.
    Refuse(Refusal),
}

/// What the provider says about a payment that has not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentMove {
    /// The provider has seen a deposit.
    DepositSeen,
    /// The payment failed, was refunded, or was never made.
    Expired(PaymentState),
}

/// A call to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// The idempotency key that identifies it; `None` if listing and body do.
    pub key: Option<IdempotencyKey>,
    /// The currency to quote in; `None` for the requested currency or, without one, that of the buyer's default wallet.
    pub currency: Option<OriginCurrency>,
    /// The call that this one replaces because its quote ended unpaid.
    pub replaces: Option<CallKey>,
    /// What the offer says.
    pub reason: OfferReason,
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
    /// Like [`OfferReason::NotSeen`], but the quote is no longer offered: only a buyer who has already paid should wait for it.
    NotSeenAndClosing {
        /// Milliseconds until the provider stops filling the quote.
        ends_in_ms: i64,
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
    /// The same body was delivered before, so this is a new call.
    AfterDelivered(CallKey),
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
    /// The idempotency key was used with another listing, body or currency.
    IdempotencyKeyReused(Differs),
    /// An idempotency record points to a call that does not exist. An operator must look.
    CallMissing,
    /// The body is not JSON.
    InvalidBody,
    /// The body does not match the listing's input schema.
    SchemaMismatch,
    /// Crochet does not know the requested currency.
    UnsupportedCurrency,
    /// The listing accepts no calls.
    ListingClosed {
        /// Why.
        why: ListingClosed,
        /// Whether the request sends a payment id, so that its sender may have paid.
        keep_payment: bool,
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
    /// The provider does not respond.
    ProviderUnavailable,
    /// The provider reports success, but its record does not show the payout yet.
    PayoutNotRecorded,
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
    /// The currency.
    Currency,
}
