//! Payment providers behind one trait. Money never passes through Crochet: a quote pays the seller's own wallet.

pub mod relay;

use std::fmt;

use futures::future::BoxFuture;
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
    /// What the buyer pays with: symbol, amount in the smallest unit, amount with its point, worth in USD.
    pub pay: PayIn,
    /// What the buyer has to do, in the provider's own words.
    pub steps: Box<RawValue>,
}

/// What a buyer pays, provider costs included.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct PayIn {
    /// Symbol of the token.
    pub currency: String,
    /// In the token's smallest unit.
    pub amount: String,
    /// With its decimal point.
    pub amount_formatted: String,
    /// Its worth in USD.
    pub amount_usd: String,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderUnavailable(pub String);

impl fmt::Display for ProviderUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the payment provider does not answer as it should: {}", self.0)
    }
}

impl std::error::Error for ProviderUnavailable {}

/// A payment provider.
pub trait PaymentProvider: Send + Sync {
    /// Asks for a quote and checks that recipient, chain, currency and output are what was asked for.
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'_, Result<ProviderQuote, QuoteFailure>>;
    /// Asks about a payment. Where it was paid, its record says to whom and how much.
    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ProviderPayment, ProviderUnavailable>>;
    /// Where a buyer asks about a payment without us.
    fn status_url(&self, id: &str) -> String;
    /// The provider's base URL.
    fn api_base(&self) -> &str;
}
