//! The interface of a payment provider.

use futures::future::BoxFuture;
use http::HeaderMap;
use serde_json::value::RawValue;

use crochet_domain::call::ExpectedPayout;
use crochet_domain::currency::Token;
use crochet_domain::ids::CallId;

/// What to quote.
#[derive(Debug, Clone)]
pub struct QuoteRequest {
    /// The call. The provider repeats its id in its webhooks.
    pub call: CallId,
    /// Who pays and receives a refund.
    pub payer: String,
    /// The token that is paid.
    pub origin: Token,
    /// What the payment must achieve.
    pub expected: ExpectedPayout,
    /// The wallet that receives the marketplace's fee.
    pub fee_wallet: String,
    /// The fee, in basis points of the amount that is paid.
    pub fee_bps: i64,
    /// Time in which the provider may fill the quote (seconds).
    pub ttl_seconds: i64,
}

/// A quote that matches its request.
pub struct ProviderQuote {
    /// The provider's id for the payment.
    pub id: String,
    /// What the buyer has to do to pay: `data.payment.requirements` of the 402.
    pub requirements: Box<RawValue>,
}

/// Why there is no quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuoteFailure {
    /// The amount is below the minimum of the route.
    MinimumNotMet,
    /// There is no route.
    NoRoute,
    /// The quote differs from its request. An operator must look.
    NotAsAsked(String),
    /// The provider is unavailable, or its reply cannot be read.
    Unavailable(String),
}

/// State of a payment at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderStatus {
    /// No deposit was seen.
    Waiting,
    /// A deposit was seen.
    Pending,
    /// The seller was paid.
    Success,
    /// It failed, and the seller was not paid.
    Failed,
    /// It was refunded, and the seller was not paid.
    Refunded,
}

/// A payment, as the provider reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPayment {
    /// Its state. A refund is a success if the seller was paid.
    pub status: ProviderStatus,
    /// What was paid out, if anything.
    pub paid_out: Option<ExpectedPayout>,
    /// The provider's reason for a failure.
    pub fail_reason: Option<String>,
}

/// The provider is unavailable, or its reply cannot be read. The reply itself is never quoted here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment provider is unavailable: {0}")]
pub struct ProviderUnavailable(pub String);

/// A payment provider: it quotes, recognises payment ids in requests, and reports on payments.
pub trait PaymentProvider: Send + Sync {
    /// The name of the provider in records and replies.
    fn name(&self) -> &'static str;
    /// The id of the payment that a request names, if any.
    fn recognise(&self, headers: &HeaderMap) -> Result<Option<String>, UnreadablePaymentId>;
    /// Requests a quote, and checks that recipient, chain, currency and output are as requested.
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'_, Result<ProviderQuote, QuoteFailure>>;
    /// Asks for the state of a payment. If it was paid, the provider's record says to whom and how much.
    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ProviderPayment, ProviderUnavailable>>;
}

/// Why a payment id in a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadablePaymentId {
    /// The header is sent twice, or is not text.
    Malformed,
    /// The value does not have the form of this provider's ids.
    NotAnId,
}
