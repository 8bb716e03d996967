//! What a buyer is offered: the 402 and its payment.

use crochet::http::{ApiError, Code};
use crochet::payments::PayIn;
use crochet::wire::money::Amount;
use crochet::wire::schema;
use crochet_domain::call::Call;
use crochet_domain::currency::{OriginCurrency, payable_with};
use crochet_domain::ids::WalletId;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use crochet_domain::wallet::Chain;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Passage;

/// What the buyer has to do, as the provider says it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Requirements {
    /// Always `relay`.
    pub(crate) kind: &'static str,
    /// The provider's number of the chain that is paid on.
    pub(crate) chain_id: u64,
    /// What is paid, provider costs included.
    pub(crate) pay: PayIn,
    /// The provider's steps, verbatim: carry out each item's transaction with `pay_from`.
    #[schema(value_type = Vec<Object>)]
    pub(crate) steps: Box<RawValue>,
    /// The provider's API.
    pub(crate) api_base: String,
    /// Where the payment's state can be asked for.
    pub(crate) status_url: String,
    /// Where a refund goes.
    pub(crate) refund_to: String,
}

/// `data.payment` of a 402.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentOffer {
    /// Always `relay`.
    provider: &'static str,
    /// Send it back in `X-Crochet-Relay-Request-Id` once it is paid.
    relay_request_id: String,
    /// The price. Provider costs come on top.
    amount: Amount,
    /// What is paid in.
    #[schema(value_type = schema::OriginCurrency)]
    origin_currency: OriginCurrency,
    /// The wallet that the quote is made out to.
    pay_from: PayFromView,
    /// Until when the quote is offered.
    expires_at: String,
    /// What to do.
    #[schema(value_type = Requirements)]
    requirements: Box<RawValue>,
}

/// The wallet that a quote is made out to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayFromView {
    #[schema(value_type = String, format = "uuid")]
    wallet_id: WalletId,
    address: String,
    #[schema(value_type = String, example = "solana")]
    chain: Chain,
}

/// A 402.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentRequiredEnvelope {
    /// Always `false`.
    success: bool,
    /// `PAYMENT_REQUIRED`, with `recovery`.
    #[schema(value_type = Object)]
    error: Value,
    /// The payment.
    data: PaymentRequiredData,
}

/// The data of a 402.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentRequiredData {
    /// What has to be paid; for an empty body, the price alone.
    payment: PaymentOrPrice,
}

/// A quote, or the answer to a price probe.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum PaymentOrPrice {
    /// A quote.
    Quote(PaymentOffer),
    /// The price alone: nothing was quoted.
    Price(PriceOnly),
}

/// `data.payment` of a price probe.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceOnly {
    /// Always `true`.
    probe: bool,
    /// Always `relay`.
    provider: &'static str,
    /// Always `null`: nothing was quoted.
    #[schema(value_type = Option<String>)]
    relay_request_id: Option<()>,
    /// Always `null`.
    #[schema(value_type = Option<Object>)]
    requirements: Option<()>,
    /// The price.
    amount: Amount,
    /// What the listing can be paid in, recommended first.
    #[schema(value_type = Vec<schema::OriginCurrency>)]
    origin_currencies: Vec<OriginCurrency>,
}

/// Why a 402 is answered with an offer that is not the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Nothing was asked before.
    First,
    /// Acquire again, and the provider has seen no deposit.
    NotSeen,
    /// As [`Occasion::NotSeen`], but the quote is not offered any more: only who has paid it already should wait for it.
    NotSeenAndOver {
        /// Until when the provider fills it, in seconds from now.
        ends_in_seconds: u64,
    },
    /// The quote before this one came to nothing; `details.reason` says how.
    Replaces { relay_request_id: String, reason: &'static str, provider_reason: Option<String> },
    /// The same body was delivered before, and this is a new call.
    AfterDelivered { request_id: String },
    /// The same body was called before and never delivered, and this is a new call.
    AfterUndelivered { request_id: String },
}

/// The 402 that offers this call's quote.
pub(crate) fn offer(call: &Call, occasion: &Occasion) -> ApiError {
    let Some(payment) = &call.payment else { return ApiError::internal("a free call has no quote to offer") };
    let Ok(requirements) = RawValue::from_string(payment.requirements.clone()) else {
        return ApiError::internal("stored requirements are not JSON").alarm();
    };
    let view = PaymentOffer {
        provider: "relay",
        relay_request_id: payment.id.clone(),
        amount: call.split.price.into(),
        origin_currency: payment.origin_currency,
        pay_from: PayFromView {
            wallet_id: payment.pay_from.wallet_id,
            address: payment.pay_from.address.clone(),
            chain: payment.pay_from.chain,
        },
        expires_at: rfc3339(from_unix_ms(payment.expires_ms)),
        requirements,
    };
    let data = PaymentRequiredData { payment: PaymentOrPrice::Quote(view) };
    let Ok(data) = serde_json::to_value(data) else { return ApiError::internal("an offer cannot be spelled") };
    let error = ApiError::new(Code::PaymentRequired).detail("request_id", call.id.to_string()).data(data);
    match occasion {
        Occasion::First => error,
        Occasion::NotSeen => error.detail("payment_seen", false).recovery(
            "summary",
            "The provider has seen no deposit for this quote yet. If you have paid, do not pay twice: wait a few seconds and send the same request again with X-Crochet-Relay-Request-Id. If you have not, pay data.payment now.",
        ),
        Occasion::Replaces { relay_request_id, reason, provider_reason } => error
            .detail("reason", *reason)
            .detail("replaces_relay_request_id", relay_request_id.clone())
            .detail("provider_reason", provider_reason.clone()),
        Occasion::NotSeenAndOver { ends_in_seconds } => error
            .detail("payment_seen", false)
            .recovery("next_action", "wait_and_retry")
            .recovery(
                "summary",
                "The provider has seen no deposit for this quote, and it is not offered any more: do not start paying it. If you have paid it, wait retry_after_seconds and send the same request again; if you have not, leave X-Crochet-Relay-Request-Id out to be quoted anew.",
            )
            .retry_after((*ends_in_seconds).clamp(1, 60)),
        Occasion::AfterDelivered { request_id } => error.detail("delivered_request_id", request_id.clone()),
        Occasion::AfterUndelivered { request_id } => error.detail("undelivered_request_id", request_id.clone()),
    }
}

impl Passage<'_> {
    /// The price, without a quote.
    pub(crate) fn probe(&self) -> ApiError {
        let listing = &self.listing;
        let price = PriceOnly {
            probe: true,
            provider: "relay",
            relay_request_id: None,
            requirements: None,
            amount: listing.price.into(),
            origin_currencies: payable_with(listing.price, &listing.seller.payout_chains),
        };
        let data = PaymentRequiredData { payment: PaymentOrPrice::Price(price) };
        let Ok(data) = serde_json::to_value(data) else { return ApiError::internal("a price cannot be spelled") };
        ApiError::new(Code::PaymentRequired)
            .message("This call costs what data.payment.amount says; send the JSON body to be quoted.")
            .recovery("next_action", "send_body_to_be_quoted")
            .recovery("summary", "Send the JSON body of the call to be quoted; nothing was quoted for the empty body.")
            .recovery("preserve", json!([]))
            .data(data)
    }
}
