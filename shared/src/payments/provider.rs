//! What a payment provider does, and what it says.

use futures::future::BoxFuture;
use http::HeaderMap;
use serde_json::value::RawValue;

use crochet_domain::call::ExpectedPayout;
use crochet_domain::currency::Token;
use crochet_domain::ids::CallId;

/// What a quote is asked for.
#[derive(Debug, Clone)]
pub struct QuoteRequest {
    /// The call; the provider repeats it in its webhooks.
    pub call: CallId,
    /// Who pays, and who is refunded.
    pub payer: String,
    /// What is paid in.
    pub origin: Token,
    /// What it must bring about.
    pub expected: ExpectedPayout,
    /// Where the marketplace's fee goes.
    pub fee_wallet: String,
    /// The fee, in basis points of what is paid in.
    pub fee_bps: i64,
    /// How long the provider may fill it (seconds).
    pub ttl_seconds: i64,
}

/// A quote that is what was asked for.
pub struct ProviderQuote {
    /// The provider's id of the payment.
    pub id: String,
    /// What the buyer has to do: `data.payment.requirements` of the 402.
    pub requirements: Box<RawValue>,
}

/// Why there is no quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuoteFailure {
    /// The route does not carry so small an amount.
    MinimumNotMet,
    /// No route at all.
    NoRoute,
    /// The provider offered something else than was asked for: an operator must look.
    NotAsAsked(String),
    /// The provider does not answer as it should.
    Unavailable(String),
}

/// Where a payment stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderStatus {
    /// No deposit was seen.
    Waiting,
    /// A deposit was seen.
    Pending,
    /// Filled.
    Success,
    /// Failed, and nothing was filled.
    Failed,
    /// Given back, and nothing was filled.
    Refunded,
}

/// A payment as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPayment {
    /// Where it stands. A refund whose fill was kept is a success.
    pub status: ProviderStatus,
    /// What was paid out, where something was.
    pub paid_out: Option<ExpectedPayout>,
    /// The provider's reason for a failure.
    pub fail_reason: Option<String>,
}

/// The provider does not answer as it should. What it sent is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment provider does not answer as it should: {0}")]
pub struct ProviderUnavailable(pub String);

/// A payment provider: how a payment is offered, recognised in a request, and confirmed.
pub trait PaymentProvider: Send + Sync {
    /// The name under which payments are stored and shown.
    fn name(&self) -> &'static str;
    /// The id of the payment that a request names, if it names one.
    fn recognise(&self, headers: &HeaderMap) -> Result<Option<String>, UnreadablePaymentId>;
    /// Asks for a quote and checks that recipient, chain, currency and output are what was asked for.
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'_, Result<ProviderQuote, QuoteFailure>>;
    /// Asks about a payment. If it was paid, its record says to whom and how much.
    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ProviderPayment, ProviderUnavailable>>;
}

/// A request names a payment in a way that cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadablePaymentId {
    /// The header is sent twice, or is not text.
    Malformed,
    /// No id of this provider looks like this.
    NotAnId,
}
