//! The 402: a quote, or the price only.

use crochet::http::{ApiError, Code};
use crochet::wire::payment::{
    PAYMENT_ID, PAYMENT_ID_HEADER, PayFromView, PaymentOffer, PaymentOrPrice, PaymentRequiredData, PriceOnly, REPLACED_PAYMENT_ID,
};
use crochet_domain::call::step::OfferReason;
use crochet_domain::call::{Call, CallKey, PaymentState};
use crochet_domain::currency::payable_with;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::json;
use serde_json::value::RawValue;

use super::CallContext;
use super::progress::Progress;

/// The 402 that offers this call's quote.
pub(super) fn offer(progress: &Progress, call: &Call, reason: &OfferReason) -> ApiError {
    let Some(payment) = &call.payment else { return ApiError::internal("a free call has no quote to offer") };
    let Ok(requirements) = RawValue::from_string(payment.requirements.clone()) else {
        return ApiError::internal("stored requirements are not JSON").alarm();
    };
    let offer = PaymentOffer {
        provider: payment.provider.clone(),
        payment_id: payment.id.clone(),
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
    let error = payment_required(PaymentOrPrice::Quote(offer)).detail("request_id", call.id.to_string());
    match reason {
        OfferReason::First => error,
        OfferReason::NotSeen { .. } => error.detail("payment_seen", false).recovery(
            "summary",
            format!(
                "The provider has not seen a deposit for this quote yet. If you have paid, do not pay twice: wait a few seconds, then send the same request again with {PAYMENT_ID_HEADER}. If you have not paid, pay data.payment now."
            ),
        ),
        OfferReason::NotSeenAndClosing { ends_in_ms } => error
            .detail("payment_seen", false)
            .recovery("next_action", "wait_and_retry")
            .recovery(
                "summary",
                format!(
                    "The provider has not seen a deposit for this quote, and the quote is no longer offered: do not start to pay it. If you have paid it, wait retry_after_seconds and send the same request again. If you have not, leave {PAYMENT_ID_HEADER} out to get a new quote."
                ),
            )
            .retry_after(u64::try_from(ends_in_ms / 1_000).unwrap_or(1).clamp(1, 60)),
        OfferReason::Replaces { call, how, provider_reason } => {
            let replaced = progress.call(call).ok().and_then(|call| call.payment.as_ref()).map(|payment| payment.id.clone());
            error
                .detail("reason", ended(*how))
                .detail(REPLACED_PAYMENT_ID, replaced)
                .detail("provider_reason", provider_reason.clone())
        }
        OfferReason::AfterDelivered(call) => error.detail("delivered_request_id", request_id(progress, call)),
        OfferReason::AfterUndelivered(call) => error.detail("undelivered_request_id", request_id(progress, call)),
    }
}

/// The quote is honoured, but the buyer should not pay while the seller cannot respond. `retry_after` is the number of seconds
/// until the seller's breaker lets a call through, if it is open.
pub(super) fn with_seller_advice(offer: ApiError, reason: &OfferReason, retry_after: Option<u64>) -> ApiError {
    let Some(seconds) = retry_after.filter(|_| !matches!(reason, OfferReason::NotSeenAndClosing { .. })) else { return offer };
    let summary = format!(
        "The seller is not responding. The quote stays open until data.payment.expires_at: wait retry_after_seconds, send the same request again, and pay once details.seller_available is gone. If you have paid, do not pay twice: keep {PAYMENT_ID} and send the same request again with it."
    );
    offer
        .retry_after(seconds)
        .detail("seller_available", false)
        .recovery("next_action", "wait_and_retry")
        .recovery("summary", summary)
}

/// The price, without a quote.
pub(super) fn price(ctx: &CallContext<'_>) -> ApiError {
    let listing = &ctx.listing;
    let price = PriceOnly {
        probe: true,
        provider: ctx.state.provider.name().to_owned(),
        payment_id: None,
        requirements: None,
        amount: listing.price.into(),
        origin_currencies: payable_with(listing.price, &listing.seller.payout_chains),
    };
    payment_required(PaymentOrPrice::Price(price))
        .message("data.payment.amount is the price of this call. Send the JSON body to get a quote.")
        .recovery("next_action", "send_body_to_be_quoted")
        .recovery("summary", "Send the JSON body of the call to get a quote. Nothing was quoted for the empty body.")
        .recovery("preserve", json!([]))
}

fn payment_required(payment: PaymentOrPrice) -> ApiError {
    match serde_json::to_value(PaymentRequiredData { payment }) {
        Ok(data) => ApiError::new(Code::PaymentRequired).data(data),
        Err(e) => ApiError::internal(e),
    }
}

fn request_id(progress: &Progress, call: &CallKey) -> Option<String> {
    progress.call(call).ok().map(|call| call.id.to_string())
}

/// How a quote ended unpaid.
fn ended(how: PaymentState) -> &'static str {
    match how {
        PaymentState::Failed => "payment_failed",
        PaymentState::Refunded => "payment_refunded",
        PaymentState::Waiting | PaymentState::Pending | PaymentState::Success => "quote_expired",
    }
}
