//! The 402: a quote to pay, a quote that is closing, or the price only.

use crochet::http::{ApiError, Result};
use crochet::payments::{payment_required, price_only};
use crochet::wire::payment::{PAYMENT_ID, PAYMENT_ID_HEADER, PayFromView, PaymentOffer, PaymentOrPrice, REPLACED_PAYMENT_ID};
use crochet_domain::call::step::{NewCall, Offer, OfferReason};
use crochet_domain::call::{Call, CallKey, PaymentState};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::CallContext;
use super::progress::Progress;

/// Seconds after which to ask again whether a deposit is seen.
const NOT_SEEN_RETRY_SECONDS: u64 = 5;
/// What a quote is for, beside an answer that is stored.
const BUY_AGAIN: &str = " Pay data.payment only to buy it again.";

/// The 402 of a quote that was just made.
pub(super) fn first(ctx: &CallContext<'_>, progress: &Progress, call: &Call, new: &NewCall) -> ApiError {
    let Some(requirements) = progress.requirements.get(&call.key()) else {
        return ApiError::internal("a quote without requirements").alarm();
    };
    let error = with_reason(progress, offer(ctx, call, Some(requirements)), &new.reason);
    with_stored_answer(progress, error, new.delivered.as_ref(), BUY_AGAIN)
}

/// The 402 of a quote that is open. `None` if it is not completely there: the process that made it has died, or is about to show it.
pub(super) async fn again(ctx: &CallContext<'_>, progress: &mut Progress, offered: &Offer) -> Result<Option<ApiError>> {
    if !progress.requirements.contains_key(&offered.call) {
        let read = ctx.state.app.store.requirements(&[progress.call(&offered.call)?]).await?;
        progress.requirements.extend(read);
    }
    let call = progress.call(&offered.call)?;
    let Some(requirements) = progress.requirements.get(&offered.call) else { return Ok(None) };
    let error = with_reason(progress, offer(ctx, call, Some(requirements)), &offered.reason);
    // Whoever sends the id of a quote may have paid it, and waits.
    let may_be_paid = matches!(offered.reason, OfferReason::NotSeen { by_payment_id: true });
    let error = with_stored_answer(progress, error, offered.delivered.as_ref().filter(|_| !may_be_paid), BUY_AGAIN);
    Ok(Some(with_seller_advice(error, progress.resolved.view.listing.breaker_retry_after)))
}

/// The 402 of a quote that is no longer offered, but that settles if it is paid. Nothing is offered in its place until `until_ms`.
pub(super) fn closing(ctx: &CallContext<'_>, call: &Call, until_ms: i64) -> ApiError {
    let wait = u64::try_from((until_ms - ctx.now_ms()).max(0)).unwrap_or(0).div_ceil(1_000).max(1);
    offer(ctx, call, None)
        .message("This quote is closing: do not start to pay it. If you have paid it, wait.")
        .detail("reason", "quote_closing")
        .detail("payment_seen", false)
        .retry_after(wait)
        .recovery("next_action", "wait_and_retry")
        .recovery("preserve", json!([PAYMENT_ID, "body", "idempotency_key"]))
        .recovery(
            "summary",
            format!(
                "Do not start to pay. If you have paid {PAYMENT_ID}, the deposit still counts. Wait retry_after_seconds, then send the same request again: it is delivered if it was paid, and gets a new quote if it was not."
            ),
        )
}

/// The 402 with this call's quote.
fn offer(ctx: &CallContext<'_>, call: &Call, requirements: Option<&String>) -> ApiError {
    let Some(payment) = &call.payment else { return ApiError::internal("a free call has no quote to offer") };
    let requirements = match requirements.map(|text| RawValue::from_string(text.clone())).transpose() {
        Ok(requirements) => requirements,
        Err(_) => return ApiError::internal("stored requirements are not JSON").alarm(),
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
    ctx.with_unknown_headers(error)
}

fn with_reason(progress: &Progress, error: ApiError, reason: &OfferReason) -> ApiError {
    match reason {
        OfferReason::First => error,
        OfferReason::NotSeen { by_payment_id: true } => error
            .detail("payment_seen", false)
            .retry_after(NOT_SEEN_RETRY_SECONDS)
            .recovery("next_action", "wait_and_retry")
            .recovery("preserve", json!([PAYMENT_ID, "body", "idempotency_key"]))
            .recovery(
                "summary",
                format!(
                    "The provider has not seen a deposit for this quote yet; that can take two minutes. Do not pay twice: wait retry_after_seconds, then send the same request again with {PAYMENT_ID_HEADER}."
                ),
            ),
        OfferReason::NotSeen { by_payment_id: false } => error.detail("payment_seen", false).recovery(
            "summary",
            format!(
                "The provider has not seen a deposit for this quote yet. If you have paid it, do not pay twice: wait a few seconds, then send the same request again with {PAYMENT_ID_HEADER}. If you have not paid, pay data.payment now."
            ),
        ),
        OfferReason::Replaces { call, how, provider_reason } => {
            let replaced = progress.call(call).ok().and_then(|call| call.payment.as_ref()).map(|payment| payment.id.clone());
            error
                .detail("reason", ended(*how))
                .detail(REPLACED_PAYMENT_ID, replaced)
                .detail("provider_reason", provider_reason.clone())
        }
        OfferReason::AfterUndelivered(call) => error.detail("undelivered_request_id", request_id(progress, call)),
    }
}

/// The same body was delivered before, and its answer is stored. To fetch it costs nothing. `otherwise` ends the advice.
pub(super) fn with_stored_answer(progress: &Progress, error: ApiError, delivered: Option<&CallKey>, otherwise: &str) -> ApiError {
    let Some(call) = delivered.and_then(|key| progress.call(key).ok()) else { return error };
    delivered_details(error, call)
        .recovery("next_action", "fetch_stored_answer")
        .recovery("preserve", json!(["body"]))
        .recovery(
            "summary",
            format!(
                "You have bought this before: send details.delivered_{PAYMENT_ID} in {PAYMENT_ID_HEADER} with the same body for the answer that you have paid for.{otherwise}"
            ),
        )
}

/// Names the delivered call in the details.
pub(super) fn delivered_details(error: ApiError, call: &Call) -> ApiError {
    error
        .detail("delivered_request_id", call.id.to_string())
        .detail(&format!("delivered_{PAYMENT_ID}"), call.payment.as_ref().map(|payment| payment.id.clone()))
        .detail("delivered_at", rfc3339(from_unix_ms(call.updated_ms)))
}

/// The quote is honoured, but the buyer should not pay while the seller cannot respond. `retry_after` is the number of seconds
/// until the seller's breaker lets a call through, if it is open.
fn with_seller_advice(offer: ApiError, retry_after: Option<u64>) -> ApiError {
    let Some(seconds) = retry_after else { return offer };
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
    ctx.with_unknown_headers(price_only(&ctx.listing, ctx.state.provider.name()))
}

fn request_id(progress: &Progress, call: &CallKey) -> Value {
    progress.call(call).map_or(Value::Null, |call| call.id.to_string().into())
}

/// How a quote ended unpaid.
fn ended(how: PaymentState) -> &'static str {
    match how {
        PaymentState::Failed => "payment_failed",
        PaymentState::Refunded => "payment_refunded",
        PaymentState::Waiting | PaymentState::Pending | PaymentState::Success => "quote_expired",
    }
}
