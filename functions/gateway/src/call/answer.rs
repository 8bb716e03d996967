//! What a buyer is answered: delivered, pending, failed.

use crochet::http::{ApiError, Code, Reply, Result};
use crochet::wire::money::Amount;
use crochet_domain::call::outcome::Outcome;
use crochet_domain::call::{Call, MAX_ATTEMPTS, State, StoredAnswer};
use crochet_domain::money::Micros;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Passage;
use super::breaker::Wait;

/// How soon a pending payment is worth asking about again.
pub(crate) const PENDING_RETRY_SECONDS: u64 = 2;
/// How soon a call that is being delivered is worth asking about again.
const IN_PROGRESS_RETRY_SECONDS: u64 = 1;

/// A delivered call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivered {
    /// The call.
    request_id: String,
    /// Whether it was charged.
    billable: bool,
    /// What was charged.
    charged_amount: Amount,
    /// How it was divided.
    fees: Fees,
    /// The seller's HTTP status.
    seller_status_code: u16,
    /// The seller's answer, as it was; `null` where it was empty.
    #[schema(value_type = serde_json::Value)]
    seller_response: Option<Box<RawValue>>,
}

/// How a charge is divided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fees {
    /// The marketplace's part, as a fraction.
    fee_rate: f64,
    /// Its amount in cents.
    fee_amount_cents: i64,
    /// Its amount in micro-dollars.
    fee_amount_micros: i64,
    /// The seller's part in cents.
    seller_receives_cents: i64,
    /// The seller's part in micro-dollars.
    seller_receives_micros: i64,
}

/// 200.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveredEnvelope {
    /// Always `true`.
    success: bool,
    /// The delivered call.
    data: Delivered,
}

/// A call whose payment has not settled, or which is settled and waits for its delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pending {
    /// Always `pending`.
    status: &'static str,
    /// Always `true`.
    retryable: bool,
    /// When to ask again.
    retry_after_seconds: u64,
    /// Send it back in `X-Crochet-Relay-Request-Id`.
    relay_request_id: Option<String>,
    /// The call.
    request_id: String,
}

/// 202.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PendingEnvelope {
    /// Always `true`.
    success: bool,
    /// The pending call.
    data: Pending,
}

/// The reply to a delivered call: the bytes that are stored are the bytes that are sent.
pub(crate) fn delivered(call: &Call, seller_status_code: u16, body: &[u8]) -> Result {
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

/// 202: come back with the same id.
pub(crate) fn pending(call: &Call) -> Result {
    let reply = Reply::accepted(Pending {
        status: "pending",
        retryable: true,
        retry_after_seconds: PENDING_RETRY_SECONDS,
        relay_request_id: call.payment.as_ref().map(|payment| payment.id.clone()),
        request_id: call.id.to_string(),
    })?;
    Ok(reply.header("retry-after", &PENDING_RETRY_SECONDS.to_string()))
}

/// The call is with the seller right now.
pub(crate) fn in_progress(call: &Call) -> ApiError {
    ApiError::new(Code::CallInProgress).retry_after(IN_PROGRESS_RETRY_SECONDS).detail("request_id", call.id.to_string())
}

/// The seller failed; `kept_away` is how long its breaker holds the next call off.
pub(crate) fn seller_failure(call: &Call, outcome: Outcome, kept_away: Option<Wait>) -> ApiError {
    let attempts = call.attempts.len();
    // 2, 4, 8 … seconds, an hour at most: twenty attempts are a lot of time, and should be given it.
    let wait = 2_u64.saturating_pow(u32::try_from(attempts).unwrap_or(u32::MAX)).clamp(2, 3_600);
    let wait = kept_away.map_or(wait, |Wait(seconds)| wait.max(seconds));
    failure(call, code_of(outcome))
        .retry_after(wait)
        .detail("seller_status_code", call.attempts.last().and_then(|attempt| attempt.seller_status_code))
        .detail("attempts_left", if call.state == State::Settled { MAX_ATTEMPTS.saturating_sub(attempts) } else { 0 })
}

/// How soon a paused or missing endpoint is worth asking for again.
pub(crate) const NO_ENDPOINT_RETRY: Wait = Wait(30);

/// The endpoint takes no calls: no attempt was made.
pub(crate) fn seller_unavailable(call: &Call, wait: Wait) -> ApiError {
    failure(call, Code::SellerUnavailable).retry_after(wait.0)
}

/// The call is closed.
pub(crate) fn undelivered(call: &Call) -> ApiError {
    failure(call, Code::CallUndelivered)
}

fn failure(call: &Call, code: Code) -> ApiError {
    ApiError::new(code)
        .detail("request_id", call.id.to_string())
        .detail("settled", call.settled_ms.is_some())
        .detail("delivered", false)
        .detail("redeliver_until", call.redeliver_until_ms().map(|until| rfc3339(from_unix_ms(until))))
        .detail("relay_request_id", call.payment.as_ref().map(|payment| payment.id.clone()))
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
        Outcome::Delivered => Code::InternalError,
    }
}

impl Passage<'_> {
    /// The stored answer, byte for byte.
    ///
    /// # Errors
    /// `ANSWER_EXPIRED` where it is kept no more.
    pub(crate) async fn replay(&self, call: &Call, answer: Option<&StoredAnswer>) -> Result {
        let expired = || ApiError::new(Code::AnswerExpired).detail("request_id", call.id.to_string());
        let answer = answer.filter(|answer| self.now_ms() < answer.kept_until_ms).ok_or_else(expired)?;
        let body = self.state.app.store.answer(call.id, answer).await?.ok_or_else(expired)?;
        Ok(Reply::verbatim(body).header("idempotent-replayed", "true"))
    }
}
