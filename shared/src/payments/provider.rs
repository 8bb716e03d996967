//! The interface of a payment provider.

use futures::future::BoxFuture;
use http::HeaderMap;
use serde_json::value::RawValue;

use crochet_domain::call::ExpectedPayout;
use crochet_domain::currency::Token;
use crochet_domain::money::Micros;

/// What to quote.
#[derive(Debug, Clone)]
pub struct QuoteRequest {
    /// The id of the call or refund that is paid. The provider repeats it in its webhooks.
    pub reference: String,
    /// Who pays and receives a refund.
    pub payer: String,
    /// The token that is paid.
    pub origin: Token,
    /// What the payment must achieve.
    pub expected: ExpectedPayout,
    /// The wallet that receives the marketplace's fee.
    pub fee_wallet: String,
    /// The fee that this wallet must at least receive; zero for none. What it receives above that is limited by [`FeePromise`].
    ///
    /// [`FeePromise`]: crochet_domain::money::FeePromise
    pub fee: Micros,
    /// Time in which the provider may fill the quote (seconds).
    pub ttl_seconds: i64,
}

/// A quote that matches its request.
pub struct ProviderQuote {
    /// The provider's id for the payment.
    pub id: String,
    /// What the buyer has to do to pay: `data.payment.requirements` of the 402.
    pub requirements: Box<RawValue>,
    /// The fee that the operator will receive, rounded down. At least the one that was asked for.
    pub fee_micros: Micros,
    /// How many quotes the provider was asked for: one or two. Each counts against the deployment's budget.
    pub asked: u8,
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

/// When the provider's record of a payment is asked for. Each question counts against the deployment's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordWanted {
    /// At the same time as the status. Saves a round trip if the payment succeeded: for the payment whose id a request presents.
    Beside,
    /// Only once the status says that the seller may have been paid: success, failure or refund. A payment that another one
    /// superseded is recognised only then.
    OnSuccess,
}

/// State of a payment at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderStatus {
    /// The provider does not know the id. It says so itself: no time-out or fault is reported as this.
    Unknown,
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
    /// Its state. A failure or refund is a success if the seller was paid. If other payments superseded it, the state of the last.
    pub status: ProviderStatus,
    /// The state of the asked id itself. The same as `status`, unless the payment was superseded.
    pub own_status: ProviderStatus,
    /// What was paid out, if the provider's record shows it. A success without it is recorded later.
    pub paid_out: Option<ExpectedPayout>,
    /// The marketplace's fee that was collected, rounded down to a micro-dollar; `None` if the record does not say.
    pub fee_collected: Option<Micros>,
    /// The provider's reason for a failure.
    pub fail_reason: Option<String>,
    /// Ids of the payments that superseded this one, in order. They may belong to another call.
    pub superseded_by: Vec<String>,
}

/// One page of a list of filled payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledPayments {
    /// The provider's id and report of each, in the order in which they changed.
    pub payments: Vec<(String, ProviderPayment)>,
    /// Names the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A verified notice that a payment changed. It says which one; the provider must be asked what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's id for the payment.
    pub payment_id: String,
}

/// Why a webhook is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefused {
    /// The signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    NotSigned,
    /// It was signed too long ago, or in the future.
    #[error("the timestamp is too far from the present")]
    OutsideWindow,
    /// It is signed, but names no payment.
    #[error("it names no payment")]
    Unreadable,
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
    /// Whether a text has exactly the form of this provider's ids. Strict, to find ids in places where other text stands too.
    fn is_payment_id(&self, text: &str) -> bool;
    /// Requests a quote, and checks that recipient, chain, currency, output and fee are as requested.
    ///
    /// Asks a second time if the first quote's fee breaks the promise to the operator, and never a third time.
    fn quote(&self, request: QuoteRequest) -> BoxFuture<'_, Result<ProviderQuote, QuoteFailure>>;
    /// Asks for the state of a payment. If it was paid, the provider's record says to whom and how much.
    ///
    /// Follows at most three payments that supersede it. A longer chain or a loop is reported as [`ProviderUnavailable`].
    fn payment<'a>(&'a self, id: &'a str, record: RecordWanted) -> BoxFuture<'a, Result<ProviderPayment, ProviderUnavailable>>;
    /// Lists this deployment's payments that succeeded and changed since `since_ms`, and before `until_ms` if that is given, oldest
    /// change first. Each page is one question to the provider. `page` is the `next` of the page before.
    ///
    /// A failure or refund whose fill was kept is not in the list: only [`PaymentProvider::payment`] finds it.
    fn filled_since<'a>(
        &'a self,
        since_ms: i64,
        until_ms: Option<i64>,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<FilledPayments, ProviderUnavailable>>;
    /// Verifies the signature and the time of a webhook. `raw_body` is the body as received.
    ///
    /// # Errors
    /// [`WebhookRefused`]. Nothing in a refused webhook may be trusted.
    fn verify_webhook<'a>(
        &'a self,
        headers: &'a HeaderMap,
        raw_body: &'a [u8],
        now_ms: i64,
    ) -> BoxFuture<'a, Result<WebhookEvent, WebhookRefused>>;
}

/// Why a payment id in a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadablePaymentId {
    /// The header is sent twice, or is not text.
    Malformed,
    /// The value does not have the form of this provider's ids.
    NotAnId,
}
