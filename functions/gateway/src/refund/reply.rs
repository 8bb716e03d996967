//! Replies to a seller that refunds: what to pay, that it is pending, or that it is done.

use crochet::http::{ApiError, Code, Reply, Result};
use crochet::wire::payment::{PAYMENT_ID, PayFromView, PaymentOffer, PaymentOrPrice, PaymentRequiredData, Pending};
use crochet::wire::refund::{OneRefund, RefundView};
use crochet_domain::call::record::MAX_FILLABLE;
use crochet_domain::ids::CallId;
use crochet_domain::refund::decide::RefundRefusal;
use crochet_domain::refund::{PaidRefund, RefundPayment};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::json;
use serde_json::value::RawValue;

use super::run::Refunding;

/// Seconds after which to ask again about a pending payment.
const PENDING_RETRY_SECONDS: u64 = 2;

/// 200: the refund is paid.
pub(super) fn paid(paid: &PaidRefund) -> Result {
    Reply::ok(OneRefund { refund: RefundView::from(paid) })
}

/// 202: a deposit was seen.
pub(crate) fn pending(call: CallId, payment_id: &str) -> Result {
    let reply = Reply::accepted(Pending {
        status: "pending",
        retryable: true,
        retry_after_seconds: PENDING_RETRY_SECONDS,
        payment_id: Some(payment_id.to_owned()),
        request_id: call.to_string(),
    })?;
    Ok(reply.header("retry-after", &PENDING_RETRY_SECONDS.to_string()))
}

/// The 402 with this payment. `was_shown` says that it was offered before.
pub(super) fn offer(offered: &RefundPayment, requirements: &str, was_shown: bool) -> ApiError {
    let Ok(requirements) = RawValue::from_string(requirements.to_owned()) else {
        return ApiError::internal("stored requirements are not JSON").alarm();
    };
    let error = required(offered, Some(requirements))
        .message("Pay data.payment, then send this request again.")
        .recovery("preserve", json!([]));
    if !was_shown {
        return error.recovery(
            "summary",
            "Carry out data.payment.requirements.steps with the wallet in data.payment.pay_from, then send the same request again until it returns 200.",
        );
    }
    error.detail("payment_seen", false).recovery(
        "summary",
        "The provider has not seen a deposit for this payment yet. If you have paid it, do not pay twice: wait a few seconds, then send the same request again. If you have not, pay data.payment now.",
    )
}

/// The 402 of a payment that must not be started any more. Nothing is offered in its place until `until_ms`.
pub(super) fn closing(offered: &RefundPayment, until_ms: i64, now_ms: i64) -> ApiError {
    required(offered, None)
        .message("This quote is closing: do not start to pay it. If you have paid it, wait.")
        .detail("reason", "quote_closing")
        .detail("payment_seen", false)
        .retry_after(seconds_until(until_ms, now_ms))
        .recovery("next_action", "wait_and_retry")
        .recovery("preserve", json!([]))
        .recovery(
            "summary",
            "Do not start to pay. If you have paid, the deposit still counts. Wait retry_after_seconds, then send the same request again.",
        )
}

fn required(offered: &RefundPayment, requirements: Option<Box<RawValue>>) -> ApiError {
    let payment = &offered.payment;
    let offer = PaymentOffer {
        provider: payment.provider.clone(),
        payment_id: payment.id.clone(),
        amount: offered.amount().into(),
        origin_currency: payment.origin_currency,
        pay_from: PayFromView {
            wallet_id: payment.pay_from.wallet_id,
            address: payment.pay_from.address.clone(),
            chain: payment.pay_from.chain,
        },
        expires_at: rfc3339(from_unix_ms(payment.expires_ms)),
        requirements,
    };
    let calls: Vec<String> = offered.calls.iter().map(|call| call.id.to_string()).collect();
    match serde_json::to_value(PaymentRequiredData { payment: PaymentOrPrice::Quote(offer) }) {
        Ok(data) => ApiError::new(Code::PaymentRequired)
            .data(data)
            .detail("refund_id", offered.refund.to_string())
            .detail("request_ids", calls),
        Err(e) => ApiError::internal(e),
    }
}

/// The error for a refusal.
pub(super) fn refused(refunding: &Refunding<'_>, call: CallId, refusal: RefundRefusal) -> ApiError {
    match refusal {
        RefundRefusal::NothingOwed => ApiError::new(Code::NothingOwed).detail("request_id", call.to_string()),
        RefundRefusal::ProviderUnavailable => refunding
            .failure
            .clone()
            .unwrap_or_else(|| ApiError::internal("a provider without an answer"))
            .recovery("preserve", json!([])),
        RefundRefusal::PaymentMismatch(id) => ApiError::new(Code::PaymentMismatch)
            .message("The provider's record of this refund differs from its quote, so nothing was settled; ask the operator.")
            .detail("request_id", call.to_string())
            .detail(PAYMENT_ID, id)
            .recovery("preserve", json!([]))
            .recovery("summary", format!("Do not pay again. Give the operator details.{PAYMENT_ID}."))
            .cause("recipient, chain, currency or output of a paid refund differ from its quote")
            .alarm(),
        RefundRefusal::TooManyQuotes { until_ms } => ApiError::new(Code::QuoteLimit)
            .message("So many quotes of this refund may still be paid that no other is made; wait, and pay none of them.")
            .detail("request_quotes", MAX_FILLABLE)
            .retry_after(seconds_until(until_ms, refunding.view.now_ms))
            .recovery("next_action", "wait_and_retry")
            .recovery("preserve", json!([]))
            .recovery("summary", "Pay none of the earlier quotes. Wait retry_after_seconds, then send the same request again."),
    }
}

fn seconds_until(until_ms: i64, now_ms: i64) -> u64 {
    u64::try_from(until_ms - now_ms).unwrap_or(0).div_ceil(1_000).max(1)
}
