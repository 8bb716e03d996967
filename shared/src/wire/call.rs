//! The JSON shapes of gateway requests and ledger entries.

use super::schema;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::money::Amount;
use super::payment::Requirements;
use crochet_domain::call::ledger::{EntryType, LedgerEntry, Settlement};
use crochet_domain::call::outcome::Outcome;
use crochet_domain::call::{Attempt, Call, CallState};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::ProfileId;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// One call through the gateway, as its buyer or seller sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GatewayRequestView {
    /// Call id: `gw_req_…`. The seller sees it as `webhook-id`.
    pub id: String,
    /// The caller's role in this call: `buyer` or `seller`.
    #[schema(value_type = schema::CallRole)]
    pub role: &'static str,
    /// The listing, as it was at the time of the call.
    pub listing: CalledListingView,
    /// State of the call: `quoted`, `pending`, `settled`, `delivering`, `delivered`, `undelivered` or `expired`.
    #[schema(value_type = schema::CallStatus)]
    pub status: &'static str,
    /// Whether the buyer was charged.
    pub charge: ChargeView,
    /// The provider's id for the payment.
    #[schema(required)]
    pub relay_request_id: Option<String>,
    /// The payment.
    pub payment: PaymentView,
    /// SHA-256 (hex) of the request body in RFC 8785 canonical form.
    pub body_sha256: String,
    /// The `Idempotency-Key` that the buyer sent. Only the buyer sees it.
    #[schema(required)]
    pub idempotency_key: Option<String>,
    /// Delivery attempts so far.
    pub attempts: Vec<AttemptView>,
    /// Until when the call can be retried, while it is paid but not delivered.
    #[schema(required, format = DateTime)]
    pub redeliver_until: Option<String>,
    /// Creation time.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Time of the last change of state.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// The listing that was called.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalledListingView {
    /// Listing id.
    pub id: String,
    /// Slug.
    pub slug: String,
    /// Display name.
    pub name: String,
}

/// Whether the buyer was charged.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChargeView {
    /// State of the charge: `none`, `pending`, `charged`, `owed`, `refunded` or `reversed`.
    #[schema(value_type = schema::ChargeState)]
    pub state: &'static str,
    /// The price of the call.
    pub amount: Amount,
}

/// The payment of a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentView {
    /// State of the payment: `waiting`, `pending`, `success`, `failed`, `refunded`, or `none` for a free call.
    #[schema(value_type = schema::PaymentState)]
    pub state: &'static str,
    /// Payment provider: `relay`.
    #[schema(required)]
    pub provider: Option<String>,
    /// Currency that the buyer pays in.
    #[schema(value_type = Option<schema::OriginCurrency>, required)]
    pub origin_currency: Option<OriginCurrency>,
    /// Expiry time of the quote.
    #[schema(required, format = DateTime)]
    pub expires_at: Option<String>,
    /// What the buyer has to do to pay. Only the buyer sees it, while the quote may still be paid.
    #[schema(value_type = Option<Requirements>, required)]
    pub requirements: Option<Box<RawValue>>,
}

/// One delivery attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// Number of the attempt, from 1.
    pub n: u32,
    /// Start time.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// Duration, in milliseconds.
    #[schema(required)]
    pub latency_ms: Option<i64>,
    /// Length of the request body, in bytes.
    pub request_bytes: u64,
    /// Length of the response body, in bytes.
    #[schema(required)]
    pub response_bytes: Option<u64>,
    /// `delivered`, a `SELLER_…` code, or `GATEWAY_INTERRUPTED` if the attempt ended with a process of ours; null while it is running.
    #[schema(value_type = Option<schema::Outcome>, required)]
    pub outcome: Option<Outcome>,
    /// The seller's HTTP status.
    #[schema(required)]
    pub seller_status_code: Option<u16>,
}

impl GatewayRequestView {
    /// The call as `viewer` sees it. Only the buyer sees the payment requirements and the idempotency key. `requirements` are given
    /// for a quote that may still be paid.
    #[must_use]
    pub fn of(call: &Call, viewer: ProfileId, requirements: Option<&str>) -> Self {
        let is_buyer = call.buyer == viewer;
        Self {
            id: call.id.to_string(),
            role: if is_buyer { "buyer" } else { "seller" },
            listing: CalledListingView {
                id: call.listing.id.to_string(),
                slug: call.listing.slug.clone(),
                name: call.listing.name.clone(),
            },
            status: call.state.as_str(),
            charge: ChargeView { state: charge_state(call), amount: call.split.price.into() },
            relay_request_id: call.payment.as_ref().map(|payment| payment.id.clone()),
            payment: payment_view(call, requirements.filter(|_| is_buyer)),
            body_sha256: call.body_sha256.clone(),
            idempotency_key: call.idempotency_key.clone().filter(|_| is_buyer),
            attempts: call.attempts.iter().map(AttemptView::from).collect(),
            redeliver_until: call.redeliver_until_ms().map(time),
            created_at: time(call.created_ms),
            updated_at: time(call.updated_ms),
        }
    }
}

fn time(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}

fn charge_state(call: &Call) -> &'static str {
    if call.payment.is_none() {
        return "none";
    }
    let is_refunded = call.debts.seller == Settlement::Settled;
    match call.state {
        CallState::Expired if call.settled_ms.is_some() => "reversed",
        CallState::Quoted | CallState::Expired => "none",
        CallState::Pending => "pending",
        CallState::Delivered { .. } | CallState::Undelivered if is_refunded => "refunded",
        CallState::Settled | CallState::Delivering { .. } | CallState::Delivered { .. } => "charged",
        CallState::Undelivered => "owed",
    }
}

fn payment_view(call: &Call, requirements: Option<&str>) -> PaymentView {
    let Some(payment) = &call.payment else {
        return PaymentView { state: "none", provider: None, origin_currency: None, expires_at: None, requirements: None };
    };
    PaymentView {
        state: payment.state.as_str(),
        provider: Some(payment.provider.clone()),
        origin_currency: Some(payment.origin_currency),
        expires_at: Some(time(payment.expires_ms)),
        requirements: requirements.and_then(|text| RawValue::from_string(text.to_owned()).ok()),
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            n: attempt.n,
            started_at: time(attempt.started_ms),
            latency_ms: attempt.latency_ms,
            request_bytes: attempt.request_bytes,
            response_bytes: attempt.response_bytes,
            outcome: attempt.outcome,
            seller_status_code: attempt.seller_status_code,
        }
    }
}

/// A ledger entry of one of the caller's accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Entry id: `led_…`.
    pub id: String,
    /// What the entry records.
    #[serde(rename = "type")]
    #[schema(value_type = schema::EntryType)]
    pub entry_type: EntryType,
    /// Signed amount; positive means that this account gained.
    pub amount: Amount,
    /// Call id.
    pub request_id: String,
    /// Listing id.
    pub listing_id: String,
    /// The provider's id for the payment.
    pub relay_request_id: String,
    /// Status of an adjustment: `open`, `settled` or `waived`. Null for other entries.
    #[schema(value_type = Option<schema::Settlement>, required)]
    pub settlement: Option<Settlement>,
    /// Creation time.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl EntryView {
    /// The entry. An adjustment needs its call, which says what has become of the debt.
    #[must_use]
    pub fn of(entry: &LedgerEntry, call: Option<&Call>) -> Self {
        Self {
            id: entry.id.clone(),
            entry_type: entry.leg.entry_type,
            amount: entry.leg.amount.into(),
            request_id: entry.call.to_string(),
            listing_id: entry.listing.to_string(),
            relay_request_id: entry.payment_id.clone(),
            settlement: call.and_then(|call| entry.settlement(call)),
            created_at: time(entry.created_ms),
        }
    }
}
