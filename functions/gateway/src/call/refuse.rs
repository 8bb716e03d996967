//! The errors for refused requests.

use crochet::http::suspension::suspended;
use crochet::http::{ApiError, Code};
use crochet::wire::payment::PAYMENT_ID;
use crochet_domain::call::decide::delivered_before;
use crochet_domain::call::record::MAX_FILLABLE;
use crochet_domain::call::step::{Differs, NewCall, Refusal};
use crochet_domain::call::view::{ListingClosed, TrafficRefusal};
use crochet_domain::call::{Call, CallKey, CallName};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::listing::ListingStatus;
use serde_json::{Value, json};

use super::CallContext;
use super::progress::Progress;
use super::{not_found, offer, reply};

/// Seconds after which to ask again whether a quote of a closed listing was paid.
const CLOSED_RETRY_SECONDS: u64 = 30;

/// The error for a refusal.
pub(super) async fn error(ctx: &CallContext<'_>, progress: &Progress, refusal: Refusal) -> ApiError {
    let with_call = |key: &CallKey, error: fn(&Call) -> ApiError| progress.call(key).map_or_else(|e| e, error);
    match refusal {
        Refusal::PaymentNotFound => not_found::error(ctx, None).await,
        Refusal::BoundToAnotherRequest { call, differs } => bound_to_another(progress, &call, differs),
        Refusal::IdempotencyKeyConflict => Code::IdempotencyKeyConflict.into(),
        Refusal::IdempotencyKeyReused(differs) => ApiError::new(Code::IdempotencyKeyReused).detail("differs", name(differs)),
        Refusal::OtherCurrency(stored) => other_currency(stored),
        Refusal::CallMissing => ApiError::internal("a call lacks what its state says it has").alarm(),
        Refusal::InvalidBody => ctx.request.json().err().unwrap_or_else(|| Code::InvalidJson.into()),
        Refusal::SchemaMismatch => match serde_json::to_value(&progress.mismatches) {
            Ok(errors) => ApiError::new(Code::InputSchemaMismatch).detail("errors", errors),
            Err(e) => ApiError::internal(e),
        },
        Refusal::UnsupportedCurrency => ApiError::new(Code::UnsupportedOriginCurrency)
            .detail("origin_currencies", OriginCurrency::ALL.map(OriginCurrency::as_str).to_vec()),
        Refusal::ListingClosed { why, quoted } => with_what_was_offered(progress, listing_closed(ctx, why), quoted.as_ref()),
        Refusal::BuyerSuspended { reason, quoted } => with_what_was_offered(progress, suspended(reason), quoted.as_ref()),
        Refusal::Traffic(TrafficRefusal::RateLimited) => {
            let wait = 60 - ctx.now.unix_timestamp().rem_euclid(60);
            let limit = ctx.rate_limit().unwrap_or_default();
            ApiError::new(Code::ListingRateLimited).retry_after(u64::try_from(wait).unwrap_or(60)).detail("limit", limit)
        }
        Refusal::Traffic(TrafficRefusal::Busy { in_flight }) => {
            ApiError::new(Code::ListingBusy).retry_after(1).detail("in_flight", in_flight)
        }
        Refusal::BreakerOpen { retry_after } => ApiError::new(Code::SellerUnavailable)
            .retry_after(retry_after)
            .detail("settled", false)
            .detail("delivered", false)
            .detail("redeliver_until", Value::Null),
        Refusal::InProgress(key) => with_call(&key, reply::in_progress),
        Refusal::Undelivered(key) => with_call(&key, reply::undelivered),
        Refusal::AnswerExpired(key) => with_call(&key, |call| {
            ApiError::new(Code::AnswerExpired)
                .message("This call has ended, and its response is not stored any more; it is not charged again.")
                .detail("request_id", call.id.to_string())
        }),
        Refusal::ProviderUnavailable | Refusal::Failed => {
            progress.failure.clone().unwrap_or_else(|| ApiError::internal("a failure without a cause"))
        }
        Refusal::TooManyQuotes { until_ms } => {
            let wait = (until_ms - ctx.now_ms()).max(1).unsigned_abs().div_ceil(1_000);
            ApiError::new(Code::QuoteLimit)
                .message("So many quotes of this call may still be paid that no other is made; wait, or pay none of them.")
                .retry_after(wait)
                .detail("request_quotes", MAX_FILLABLE)
                .recovery("next_action", "wait_and_retry")
                .recovery(
                    "summary",
                    "Do not pay any of the earlier quotes. Wait retry_after_seconds, then send the same request again.",
                )
        }
        Refusal::AlreadyDelivered { delivered, unused } => already_delivered(progress, &delivered, &unused),
        Refusal::FailedBefore { call, retry_from_ms } => {
            progress.call(&call).map_or_else(|e| e, |call| reply::failed_before(ctx, call, retry_from_ms))
        }
        Refusal::PaymentMismatch(key) => with_call(&key, mismatch),
        Refusal::SellerUnavailable { call, retry_after } => {
            progress.call(&call).map_or_else(|e| e, |call| reply::seller_unavailable(call, retry_after))
        }
        Refusal::QuoteInProgress => {
            ApiError::new(Code::ServiceUnavailable).retry_after(1).cause("a parallel request is quoting the same call")
        }
    }
}

/// A quote could not be made. What was bought with this body before, or may have been paid, comes first: another Idempotency-Key would
/// not know of it.
pub(super) fn not_quoted(progress: &Progress, new: &NewCall, error: ApiError) -> ApiError {
    if !matches!(error.code(), Code::PaymentRouteUnavailable | Code::PaymentRouteMinimumNotMet | Code::PaymentWalletRequired) {
        return error;
    }
    if new.delivered.is_some() {
        let error = error.recovery("retryable", true).recovery("use_new_idempotency_key", false);
        return offer::with_stored_answer(progress, error, new.delivered.as_ref(), "");
    }
    let is_offered = progress.resolved.view.calls.iter().filter_map(|known| known.call.as_ref()).any(|call| call.payment.is_some());
    let is_by_body = matches!(new.name, Some(CallName::Body { .. }));
    if error.code() == Code::PaymentWalletRequired || !is_offered || !is_by_body {
        return error;
    }
    error
        .recovery("retryable", true)
        .recovery("next_action", "leave_currency_out")
        .recovery("use_new_idempotency_key", false)
        .recovery(
            "summary",
            "This body was quoted in another currency, and may have been paid. Send the same request again without X-Crochet-Origin-Currency.",
        )
}

fn name(differs: Differs) -> &'static str {
    match differs {
        Differs::Listing => "listing",
        Differs::Body => "body",
    }
}

fn bound_to_another(progress: &Progress, key: &CallKey, differs: Differs) -> ApiError {
    let error = ApiError::new(Code::PaymentBoundToAnotherRequest).detail("differs", name(differs));
    match (progress.call(key), differs) {
        (Ok(call), Differs::Listing) => {
            error.detail("request_id", call.id.to_string()).detail("listing_id", call.listing.id.to_string())
        }
        (Ok(call), _) => error.detail("request_id", call.id.to_string()),
        (Err(_), _) => error,
    }
}

/// Nothing is offered now. What was offered may have been paid, and what was bought before can be fetched.
fn with_what_was_offered(progress: &Progress, error: ApiError, quoted: Option<&CallKey>) -> ApiError {
    match quoted.and_then(|key| progress.call(key).ok()) {
        Some(call) => with_keep_payment_advice(error, call),
        None => with_earlier_answer(progress, error),
    }
}

/// What was bought with this body before can still be fetched.
fn with_earlier_answer(progress: &Progress, error: ApiError) -> ApiError {
    match delivered_before(&progress.resolved.view) {
        Some(key) => offer::with_stored_answer(progress, error.recovery("retryable", true), Some(&key), ""),
        None => error,
    }
}

fn listing_closed(ctx: &CallContext<'_>, why: ListingClosed) -> ApiError {
    match why {
        ListingClosed::NotActive => {
            // A listing that does not show yet that its seller is suspended is as good as suspended.
            let status = match ctx.listing.status {
                ListingStatus::Active => ListingStatus::Suspended,
                status => status,
            };
            ApiError::new(Code::ListingNotActive).detail("status", status.as_str())
        }
        ListingClosed::NoEndpoint => Code::ListingHasNoGateway.into(),
        ListingClosed::Paused => Code::EndpointPaused.into(),
    }
}

/// The key was used with another currency, and nothing was paid in it.
fn other_currency(stored: OriginCurrency) -> ApiError {
    ApiError::new(Code::IdempotencyKeyReused)
        .message("This Idempotency-Key was used with another currency; send that one, or leave the currency out.")
        .detail("differs", "currency")
        .detail("origin_currency", stored.as_str())
        .recovery("retryable", true)
        .recovery("next_action", "send_stored_currency")
        .recovery("preserve", json!(["body", "idempotency_key"]))
        .recovery("discard", json!([]))
        .recovery(
            "summary",
            "Send X-Crochet-Origin-Currency: details.origin_currency, or leave the header out. For another currency, use a new Idempotency-Key.",
        )
}

/// The body was delivered, and another payment for it was filled. Nothing more is quoted while that money is unused.
fn already_delivered(progress: &Progress, delivered: &CallKey, unused: &[CallKey]) -> ApiError {
    let payment_id = |key: &CallKey| key.payment().map(|(_, id)| id.to_owned());
    let error = ApiError::new(Code::CallAlreadyDelivered)
        .detail(&format!("unused_{PAYMENT_ID}s"), unused.iter().filter_map(payment_id).collect::<Vec<_>>());
    match progress.call(delivered) {
        Ok(call) => offer::delivered_details(error, call),
        Err(_) => error,
    }
}

/// No calls are accepted, but this quote may have been paid. A deposit that is seen later is still delivered.
fn with_keep_payment_advice(error: ApiError, call: &Call) -> ApiError {
    let summary = format!(
        "Do not start to pay this quote. If you have paid it, send {PAYMENT_ID} from details with the same request again: once the deposit is seen, the call is delivered."
    );
    error
        .detail("request_id", call.id.to_string())
        .detail(PAYMENT_ID, call.payment.as_ref().map(|payment| payment.id.clone()))
        .detail("payment_seen", false)
        .retry_after(CLOSED_RETRY_SECONDS)
        .recovery("next_action", "wait_and_retry")
        .recovery("retryable", true)
        .recovery("preserve", json!([PAYMENT_ID, "body", "idempotency_key"]))
        .recovery("summary", summary)
}

fn mismatch(call: &Call) -> ApiError {
    ApiError::new(Code::PaymentMismatch)
        .detail("request_id", call.id.to_string())
        .detail(PAYMENT_ID, call.payment.as_ref().map(|payment| payment.id.clone()))
        .cause(if call.settled_ms.is_some() {
            "a payment that was refunded after its settlement shows as filled again"
        } else {
            "recipient, chain, currency or output of a settled payment differ from its quote"
        })
        .alarm()
}
