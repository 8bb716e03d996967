//! The errors for refused requests.

use crochet::http::{ApiError, Code};
use crochet::wire::payment::PAYMENT_ID;
use crochet_domain::call::step::{Differs, Refusal};
use crochet_domain::call::view::{ListingClosed, TrafficRefusal};
use crochet_domain::call::{Call, CallKey};
use crochet_domain::currency::OriginCurrency;
use serde_json::{Value, json};

use super::CallContext;
use super::progress::Progress;
use super::reply;

/// The error for a refusal.
pub(super) fn error(ctx: &CallContext<'_>, progress: &Progress, refusal: Refusal) -> ApiError {
    let with_call = |key: &CallKey, error: fn(&Call) -> ApiError| progress.call(key).map_or_else(|e| e, error);
    match refusal {
        Refusal::PaymentNotFound => Code::PaymentNotFound.into(),
        Refusal::BoundToAnotherRequest { call, differs } => bound_to_another(progress, &call, differs),
        Refusal::IdempotencyKeyConflict => Code::IdempotencyKeyConflict.into(),
        Refusal::IdempotencyKeyReused(differs) => ApiError::new(Code::IdempotencyKeyReused).detail("differs", name(differs)),
        Refusal::CallMissing => ApiError::internal("an idempotency record points to a call that does not exist").alarm(),
        Refusal::InvalidBody => ctx.request.json().err().unwrap_or_else(|| Code::InvalidJson.into()),
        Refusal::SchemaMismatch => match serde_json::to_value(&progress.mismatches) {
            Ok(errors) => ApiError::new(Code::InputSchemaMismatch).detail("errors", errors),
            Err(e) => ApiError::internal(e),
        },
        Refusal::UnsupportedCurrency => ApiError::new(Code::UnsupportedOriginCurrency)
            .detail("origin_currencies", OriginCurrency::ALL.map(OriginCurrency::as_str).to_vec()),
        Refusal::ListingClosed { why, keep_payment } => {
            let error = listing_closed(ctx, why);
            if keep_payment { with_keep_payment_advice(error) } else { error }
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
        Refusal::PayoutNotRecorded => {
            let lag = "the provider says success, but its record shows no output yet";
            ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(lag)
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
        Differs::Currency => "currency",
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

/// The listing accepts no calls, but a sender of a payment id may have paid. A deposit that is seen later is still delivered.
fn with_keep_payment_advice(error: ApiError) -> ApiError {
    let summary = format!(
        "Do not start to pay this quote. If you have paid it, keep {PAYMENT_ID} and send the same request again: once the deposit is seen, the call is delivered."
    );
    error
        .detail("payment_seen", false)
        .recovery("retryable", true)
        .recovery("preserve", json!([PAYMENT_ID, "body"]))
        .recovery("summary", summary)
}

fn mismatch(call: &Call) -> ApiError {
    ApiError::new(Code::PaymentMismatch)
        .detail("request_id", call.id.to_string())
        .detail(PAYMENT_ID, call.payment.as_ref().map(|payment| payment.id.clone()))
        .cause("recipient, chain, currency or output of a settled payment differ from its quote")
        .alarm()
}
