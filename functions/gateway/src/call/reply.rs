//! Replies about a call: delivered, pending or failed.

use crochet::http::{ApiError, Code, Reply, Result};
use crochet::wire::payment::{Delivered, Fees, PAYMENT_ID, Pending};
use crochet_domain::call::outcome::{Outcome, Unreadable};
use crochet_domain::call::{Call, CallState, MAX_ATTEMPTS};
use crochet_domain::money::Micros;
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};
use serde_json::value::RawValue;

use super::CallContext;

/// Seconds after which to ask again about a pending payment.
pub(super) const PENDING_RETRY_SECONDS: u64 = 2;
/// Seconds after which to ask again about a call that is being delivered.
const IN_PROGRESS_RETRY_SECONDS: u64 = 1;

/// The reply to a delivered call. Exactly these bytes are stored and sent.
pub(super) fn delivered(call: &Call, seller_status_code: u16, body: &[u8]) -> Result {
    let billable = call.payment.is_some();
    let split = call.split;
    let (_, fee_cents, seller_cents) = if billable { split.cents() } else { (0, 0, 0) };
    let micros = |amount: Micros| if billable { amount } else { Micros::ZERO };
    let seller_response = if body.is_empty() {
        None
    } else {
        let text = std::str::from_utf8(body).map_err(ApiError::internal)?;
        Some(RawValue::from_string(text.to_owned()).map_err(ApiError::internal)?)
    };
    Reply::ok(Delivered {
        request_id: call.id.to_string(),
        billable,
        charged_amount: micros(split.price).into(),
        fees: Fees {
            fee_rate: if billable { f64::from(split.fee_bps) / 10_000.0 } else { 0.0 },
            fee_amount_cents: fee_cents,
            fee_amount_micros: micros(split.fee).0,
            seller_receives_cents: seller_cents,
            seller_receives_micros: micros(split.seller_receives).0,
        },
        seller_status_code,
        seller_response,
    })
}

/// 202: the buyer should send the request again with the same id.
pub(super) fn pending(call: &Call) -> Result {
    let reply = Reply::accepted(Pending {
        status: "pending",
        retryable: true,
        retry_after_seconds: PENDING_RETRY_SECONDS,
        payment_id: call.payment.as_ref().map(|payment| payment.id.clone()),
        request_id: call.id.to_string(),
    })?;
    Ok(reply.header("retry-after", &PENDING_RETRY_SECONDS.to_string()))
}

/// The call is being delivered.
pub(super) fn in_progress(call: &Call) -> ApiError {
    ApiError::new(Code::CallInProgress).retry_after(IN_PROGRESS_RETRY_SECONDS).detail("request_id", call.id.to_string())
}

/// The seller failed. `breaker` is the number of seconds until its breaker lets the next call through, if it is open.
pub(super) fn seller_failure(ctx: &CallContext<'_>, call: &Call, breaker: Option<u64>) -> ApiError {
    let from = call.retry_from_ms(ctx.state.app.config.limit_factor);
    let error = failed_before(ctx, call, from.unwrap_or_default());
    let wait = error.retry_after_seconds().unwrap_or_default();
    error.retry_after(breaker.map_or(wait, |seconds| wait.max(seconds)))
}

/// The last attempt failed, and the seller is not called again before `retry_from_ms`.
pub(super) fn failed_before(ctx: &CallContext<'_>, call: &Call, retry_from_ms: i64) -> ApiError {
    let last = call.attempts.last();
    let outcome = last.and_then(|attempt| attempt.outcome).unwrap_or(Outcome::SellerError);
    let now_ms = unix_ms(ctx.state.app.clock.now());
    let wait = u64::try_from(retry_from_ms - now_ms).unwrap_or(0).div_ceil(1_000).max(1);
    let error = failure(call, code_of(outcome));
    let error = match last.and_then(|attempt| attempt.unreadable) {
        Some(unreadable) => with_fault(error, unreadable),
        None => error,
    };
    let left = if call.state == CallState::Settled { MAX_ATTEMPTS.saturating_sub(call.failures()) } else { 0 };
    error
        .retry_after(wait)
        .detail("seller_status_code", last.and_then(|attempt| attempt.seller_status_code))
        .detail("attempts_left", left)
}

/// Adds what is wrong with the response, and nothing of its text.
fn with_fault(error: ApiError, unreadable: Unreadable) -> ApiError {
    let (fault, clause) = match unreadable {
        Unreadable::Json(fault) => (fault.as_str(), fault.clause()),
        Unreadable::Compressed => ("compressed", "it is compressed"),
        Unreadable::MalformedHttp => {
            return error
                .message("The seller's reply was not well-formed HTTP; send the call again.")
                .detail("malformed_http", true);
        }
    };
    error.message(format!("The seller's response was not valid JSON: {clause}; send the call again.")).detail("json_fault", fault)
}

/// Seconds after which to retry at a paused or missing endpoint.
const NO_ENDPOINT_RETRY_SECONDS: u64 = 30;

/// The endpoint accepts no calls, and this was no attempt. `retry_after` is in seconds; `None` if the endpoint is paused or
/// missing.
pub(super) fn seller_unavailable(call: &Call, retry_after: Option<u64>) -> ApiError {
    failure(call, Code::SellerUnavailable).retry_after(retry_after.unwrap_or(NO_ENDPOINT_RETRY_SECONDS))
}

/// The call is closed.
pub(super) fn undelivered(call: &Call) -> ApiError {
    failure(call, Code::CallUndelivered)
}

fn failure(call: &Call, code: Code) -> ApiError {
    ApiError::new(code)
        .detail("request_id", call.id.to_string())
        .detail("settled", call.settled_ms.is_some())
        .detail("delivered", false)
        .detail("redeliver_until", call.redeliver_until_ms().map(|until| rfc3339(from_unix_ms(until))))
        .detail(PAYMENT_ID, call.payment.as_ref().map(|payment| payment.id.clone()))
}

fn code_of(outcome: Outcome) -> Code {
    match outcome {
        Outcome::SellerTimeout => Code::SellerTimeout,
        Outcome::SellerUnreachable => Code::SellerUnreachable,
        Outcome::SellerTls => Code::SellerTls,
        Outcome::SellerError => Code::SellerError,
        Outcome::SellerRefused => Code::SellerRefused,
        Outcome::SellerInvalidJson => Code::SellerInvalidJson,
        Outcome::SellerResponseTooLarge => Code::SellerResponseTooLarge,
        Outcome::Delivered | Outcome::GatewayInterrupted => Code::InternalError,
    }
}

/// The stored response, byte for byte.
///
/// # Errors
/// `ANSWER_EXPIRED` if it is not stored any more.
pub(super) async fn replay(ctx: &CallContext<'_>, call: &Call) -> Result {
    let expired = || ApiError::new(Code::AnswerExpired).detail("request_id", call.id.to_string());
    let stored = match &call.state {
        CallState::Delivered { response } => response.as_ref(),
        _ => None,
    };
    let stored = stored.filter(|stored| ctx.now_ms() < stored.kept_until_ms).ok_or_else(expired)?;
    let body = ctx.state.app.store.stored_response(call.id, stored).await?.ok_or_else(expired)?;
    Ok(Reply::verbatim(body).header("idempotent-replayed", "true"))
}
