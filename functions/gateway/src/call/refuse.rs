//! The errors for refused requests.

use crochet::http::{ApiError, Code};
use crochet::wire::payment::PAYMENT_ID;
use crochet_domain::call::record::MAX_FILLABLE;
use crochet_domain::call::step::{Differs, Refusal};
use crochet_domain::call::view::{ListingClosed, TrafficRefusal};
use crochet_domain::call::{Call, CallKey};
use crochet_domain::currency::OriginCurrency;
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
        Refusal::ListingClosed { why, quoted } => {
            let error = listing_closed(ctx, why);
            match quoted.and_then(|key| progress.call(&key).ok()) {
                Some(call) => with_keep_payment_advice(error, call),
                None => error,
            }
        }
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

fn listing_closed(ctx: &CallContext<'_>, why: ListingClosed) -> ApiError {
    match why {
        ListingClosed::NotActive => ApiError::new(Code::ListingNotActive).detail("status", ctx.listing.status.as_str()),
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

/// The listing accepts no calls, but this quote may have been paid. A deposit that is seen later is still delivered.
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
        .cause("recipient, chain, currency or output of a settled payment differ from its quote")
        .alarm()
}
