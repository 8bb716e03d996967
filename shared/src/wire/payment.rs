//! The replies of `POST /gateway/:listingId`: 402, 202, 200.

use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::WalletId;
use crochet_domain::wallet::Chain;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::money::Amount;
use super::schema;

/// The name of a payment id in replies.
pub const PAYMENT_ID: &str = "relay_request_id";
/// The header in which a buyer sends a payment id.
pub const PAYMENT_ID_HEADER: &str = "X-Crochet-Relay-Request-Id";
/// The name, in `details`, of the payment id whose quote came to nothing.
pub const REPLACED_PAYMENT_ID: &str = "replaces_relay_request_id";

/// The headers of a gateway request.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes headers; the gateway parses them itself")]
pub struct GatewayHeaders {
    /// 1 to 255 printable ASCII characters: your own name for this call.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
    /// The currency to pay in: SOL, USDC_SOL, ETH or USDC. SOL is recommended.
    #[param(rename = "X-Crochet-Origin-Currency")]
    origin_currency: Option<String>,
    /// The relay_request_id of a 402 that you have paid.
    #[param(rename = "X-Crochet-Relay-Request-Id")]
    payment_id: Option<String>,
}

/// What the buyer has to do to pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requirements {
    /// Always `relay`.
    pub kind: &'static str,
    /// The provider's number of the chain that is paid on.
    pub chain_id: u64,
    /// What is paid, provider costs included.
    pub pay: PayIn,
    /// The provider's steps, verbatim: carry out each item's transaction with `pay_from`.
    #[schema(value_type = Vec<Object>)]
    pub steps: Box<RawValue>,
    /// The provider's API.
    pub api_base: String,
    /// Where the payment's state can be asked for.
    pub status_url: String,
    /// Where a refund goes.
    pub refund_to: String,
}

/// `data.payment` of a 402.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentOffer {
    /// Always `relay`.
    pub provider: String,
    /// Send it back in `X-Crochet-Relay-Request-Id` once it is paid.
    #[serde(rename = "relay_request_id")]
    pub payment_id: String,
    /// The price. Provider costs come on top.
    pub amount: Amount,
    /// What is paid in.
    #[schema(value_type = schema::OriginCurrency)]
    pub origin_currency: OriginCurrency,
    /// The wallet that the quote is made out to.
    pub pay_from: PayFromView,
    /// Until when the quote is offered.
    pub expires_at: String,
    /// What to do.
    #[schema(value_type = Requirements)]
    pub requirements: Box<RawValue>,
}

/// The wallet that a quote is made out to.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayFromView {
    #[schema(value_type = String, format = "uuid")]
    /// Its id.
    pub wallet_id: WalletId,
    /// Its address.
    pub address: String,
    #[schema(value_type = String, example = "solana")]
    /// Its chain family.
    pub chain: Chain,
}

/// A 402.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentRequiredEnvelope {
    /// Always `false`.
    pub success: bool,
    /// `PAYMENT_REQUIRED`, with `recovery`.
    #[schema(value_type = Object)]
    pub error: Value,
    /// The payment.
    pub data: PaymentRequiredData,
}

/// The data of a 402.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentRequiredData {
    /// What has to be paid; for an empty body, the price alone.
    pub payment: PaymentOrPrice,
}

/// A quote, or the answer to a price probe.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum PaymentOrPrice {
    /// A quote.
    Quote(PaymentOffer),
    /// The price alone: nothing was quoted.
    Price(PriceOnly),
}

/// `data.payment` of a price probe.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceOnly {
    /// Always `true`.
    pub probe: bool,
    /// Always `relay`.
    pub provider: String,
    /// Always `null`: nothing was quoted.
    #[schema(value_type = Option<String>)]
    #[serde(rename = "relay_request_id")]
    pub payment_id: Option<()>,
    /// Always `null`.
    #[schema(value_type = Option<Object>)]
    pub requirements: Option<()>,
    /// The price.
    pub amount: Amount,
    /// What the listing can be paid in, recommended first.
    #[schema(value_type = Vec<schema::OriginCurrency>)]
    pub origin_currencies: Vec<OriginCurrency>,
}

/// What a buyer pays, provider costs included.
#[derive(Debug, Clone, Serialize, ToSchema)]
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

/// A delivered call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivered {
    /// The call.
    pub request_id: String,
    /// Whether it was charged.
    pub billable: bool,
    /// What was charged.
    pub charged_amount: Amount,
    /// How it was divided.
    pub fees: Fees,
    /// The seller's HTTP status.
    pub seller_status_code: u16,
    /// The seller's answer, as it was, without a byte order mark; `null` where it was empty or white space.
    #[schema(value_type = serde_json::Value)]
    pub seller_response: Option<Box<RawValue>>,
}

/// How a charge is divided.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fees {
    /// The marketplace's part, as a fraction.
    pub fee_rate: f64,
    /// Its amount in cents.
    pub fee_amount_cents: i64,
    /// Its amount in micro-dollars.
    pub fee_amount_micros: i64,
    /// The seller's part in cents.
    pub seller_receives_cents: i64,
    /// The seller's part in micro-dollars.
    pub seller_receives_micros: i64,
}

/// 200.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveredEnvelope {
    /// Always `true`.
    pub success: bool,
    /// The delivered call.
    pub data: Delivered,
}

/// A call whose payment has not settled, or which is settled and waits for its delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pending {
    /// Always `pending`.
    pub status: &'static str,
    /// Always `true`.
    pub retryable: bool,
    /// When to ask again.
    pub retry_after_seconds: u64,
    /// Send it back in `X-Crochet-Relay-Request-Id`.
    #[serde(rename = "relay_request_id")]
    pub payment_id: Option<String>,
    /// The call.
    pub request_id: String,
}

/// 202.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingEnvelope {
    /// Always `true`.
    pub success: bool,
    /// The pending call.
    pub data: Pending,
}
