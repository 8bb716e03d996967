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
use super::step::PaymentStep;

/// Name of the payment id in replies.
pub const PAYMENT_ID: &str = "relay_request_id";
/// Header in which the buyer sends a payment id.
pub const PAYMENT_ID_HEADER: &str = "X-Crochet-Relay-Request-Id";
/// Name, in `details`, of the id of a payment whose quote was replaced.
pub const REPLACED_PAYMENT_ID: &str = "replaces_relay_request_id";

/// The headers of a gateway request.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes headers; the gateway parses them itself")]
pub struct GatewayHeaders {
    /// Identifies this call: printable ASCII characters, no comma. You choose them.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = r"^[ -+\--~]{1,255}$")]
    idempotency_key: Option<String>,
    /// The currency to pay in: SOL, USDC_SOL, ETH or USDC. SOL is recommended.
    #[param(rename = "X-Crochet-Origin-Currency", value_type = Option<schema::OriginCurrency>)]
    origin_currency: Option<String>,
    /// The `relay_request_id` of a 402 that you have paid.
    #[param(rename = "X-Crochet-Relay-Request-Id", pattern = "^[0-9A-Za-z_-]{8,128}$")]
    payment_id: Option<String>,
}

/// What the buyer has to do to pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requirements {
    /// Always `relay`.
    pub kind: &'static str,
    /// The provider's id of the chain to pay on.
    pub chain_id: u64,
    /// What to pay, provider costs included.
    pub pay: PayIn,
    /// The provider's steps, verbatim. Carry out the transaction of each item with the wallet in `pay_from`.
    #[schema(value_type = Vec<PaymentStep>)]
    pub steps: Box<RawValue>,
    /// Base URL of the provider's API.
    pub api_base: String,
    /// URL of the payment's status at the provider.
    pub status_url: String,
    /// The address that receives a refund.
    pub refund_to: String,
}

/// `data.payment` of a 402.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentOffer {
    /// Always `relay`.
    pub provider: String,
    /// The id of the payment. After paying, send it in `X-Crochet-Relay-Request-Id`.
    #[serde(rename = "relay_request_id")]
    pub payment_id: String,
    /// The price of the call. Provider costs are added to it.
    pub amount: Amount,
    /// The currency to pay in.
    #[schema(value_type = schema::OriginCurrency)]
    pub origin_currency: OriginCurrency,
    /// The wallet to pay from.
    pub pay_from: PayFromView,
    /// When the quote expires.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// What to do to pay; null for a quote that is closing and must not be paid any more.
    #[schema(value_type = Option<Requirements>, required)]
    pub requirements: Option<Box<RawValue>>,
}

/// The wallet that a quote must be paid from.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayFromView {
    #[schema(value_type = String, format = "uuid")]
    /// Wallet id.
    pub wallet_id: WalletId,
    /// Its address: EIP-55 for EVM, base58 for Solana.
    pub address: String,
    #[schema(value_type = schema::Chain)]
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
    /// What to pay or, for an empty body, the price only.
    pub payment: PaymentOrPrice,
}

/// A quote, or the price for a price probe.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum PaymentOrPrice {
    /// A quote.
    Quote(PaymentOffer),
    /// The price only. Nothing was quoted.
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
    #[schema(value_type = Option<String>, required)]
    #[serde(rename = "relay_request_id")]
    pub payment_id: Option<()>,
    /// Always `null`.
    #[schema(value_type = Option<Object>, required)]
    pub requirements: Option<()>,
    /// The price.
    pub amount: Amount,
    /// Currencies that the listing can be paid in, recommended first.
    #[schema(value_type = Vec<schema::OriginCurrency>)]
    pub origin_currencies: Vec<OriginCurrency>,
}

/// What a buyer pays, provider costs included.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayIn {
    /// Symbol of the token.
    pub currency: String,
    /// Amount in the token's smallest unit.
    pub amount: String,
    /// Amount with its decimal point.
    pub amount_formatted: String,
    /// Value in USD.
    pub amount_usd: String,
}

/// A delivered call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivered {
    /// Call id: `gw_req_…`.
    pub request_id: String,
    /// Whether the call was charged.
    pub billable: bool,
    /// The amount charged; 0 for a free call.
    pub charged_amount: Amount,
    /// How the amount is split.
    pub fees: Fees,
    /// The seller's HTTP status.
    pub seller_status_code: u16,
    /// The seller's answer, as it was, without a byte order mark; `null` where it was empty or white space.
    #[schema(value_type = serde_json::Value)]
    pub seller_response: Option<Box<RawValue>>,
}

/// How a charge is split between marketplace and seller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fees {
    /// The marketplace fee, as a fraction of the amount.
    pub fee_rate: f64,
    /// The marketplace fee in cents.
    pub fee_amount_cents: i64,
    /// The marketplace fee in micro-dollars.
    pub fee_amount_micros: i64,
    /// The seller's share in cents.
    pub seller_receives_cents: i64,
    /// The seller's share in micro-dollars.
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

/// A call whose payment has not settled, or whose delivery has to wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pending {
    /// Always `pending`.
    pub status: &'static str,
    /// Always `true`.
    pub retryable: bool,
    /// Seconds after which to send the request again.
    pub retry_after_seconds: u64,
    /// The id of the payment. Send it in `X-Crochet-Relay-Request-Id`.
    #[serde(rename = "relay_request_id")]
    #[schema(required)]
    pub payment_id: Option<String>,
    /// Call id: `gw_req_…`.
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
