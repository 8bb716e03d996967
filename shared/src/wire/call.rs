//! The shapes of gateway requests and ledger entries.

use super::schema;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::money::Amount;
use crochet_domain::call::entry::{Entry, EntryType, Settlement};
use crochet_domain::call::outcome::Outcome;
use crochet_domain::call::{Attempt, Call, PaymentState, State};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::ProfileId;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// One call through the gateway, as its buyer or seller sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GatewayRequestView {
    /// `gw_req_…`; the seller sees it as `webhook-id`.
    pub id: String,
    /// `buyer` or `seller`: what the caller is in it.
    pub role: &'static str,
    /// The listing, as it was called at the time.
    pub listing: CalledListingView,
    /// `quoted`, `pending`, `settled`, `delivering`, `delivered`, `undelivered` or `expired`.
    pub status: &'static str,
    /// Whether the buyer was charged.
    pub charge: ChargeView,
    /// The provider's id of the payment.
    pub relay_request_id: Option<String>,
    /// The payment.
    pub payment: PaymentView,
    /// SHA-256 of the body's RFC 8785 form.
    pub body_sha256: String,
    /// The caller's own name for it; for the buyer only.
    pub idempotency_key: Option<String>,
    /// The tries so far.
    pub attempts: Vec<AttemptView>,
    /// Until when an undelivered call may be tried again.
    pub redeliver_until: Option<String>,
    /// When it was first seen.
    pub created_at: String,
    /// When it last moved.
    pub updated_at: String,
}

/// The listing of a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalledListingView {
    /// Its id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// "Was I charged?"
#[derive(Debug, Serialize, ToSchema)]
pub struct ChargeView {
    /// `none`, `pending`, `charged`, `owed` or `reversed`.
    pub state: &'static str,
    /// The price.
    pub amount: Amount,
}

/// The payment of a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentView {
    /// `waiting`, `pending`, `success`, `failed`, `refunded`, or `none` for a free call.
    pub state: &'static str,
    /// `relay`.
    pub provider: Option<&'static str>,
    /// What is paid in.
    #[schema(value_type = Option<schema::OriginCurrency>)]
    pub origin_currency: Option<OriginCurrency>,
    /// Until when the quote is offered.
    pub expires_at: Option<String>,
    /// What the buyer has to do; for the buyer only.
    #[schema(value_type = Option<Object>)]
    pub requirements: Option<Box<RawValue>>,
}

/// One try at the seller.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// 1, 2, 3 …
    pub n: u32,
    /// When it began.
    pub started_at: String,
    /// How long it took.
    pub latency_ms: Option<i64>,
    /// Length of what was sent.
    pub request_bytes: u64,
    /// Length of what came back.
    pub response_bytes: Option<u64>,
    /// `delivered` or a `SELLER_` code; `null` while it runs.
    #[schema(value_type = Option<schema::Outcome>)]
    pub outcome: Option<Outcome>,
    /// The seller's HTTP status.
    pub seller_status_code: Option<u16>,
}

impl GatewayRequestView {
    /// A call as `viewer` sees it. Only its buyer sees how it is paid for and what it calls it.
    #[must_use]
    pub fn of(call: &Call, viewer: ProfileId) -> Self {
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
            payment: payment_view(call, is_buyer),
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
    match call.state {
        State::Quoted | State::Expired => "none",
        State::Pending => "pending",
        State::Settled | State::Delivering { .. } | State::Delivered { .. } => "charged",
        State::Undelivered => "owed",
    }
}

fn payment_view(call: &Call, is_buyer: bool) -> PaymentView {
    let Some(payment) = &call.payment else {
        return PaymentView { state: "none", provider: None, origin_currency: None, expires_at: None, requirements: None };
    };
    PaymentView {
        state: match payment.state {
            PaymentState::Waiting => "waiting",
            PaymentState::Pending => "pending",
            PaymentState::Success => "success",
            PaymentState::Failed => "failed",
            PaymentState::Refunded => "refunded",
        },
        provider: Some("relay"),
        origin_currency: Some(payment.origin_currency),
        expires_at: Some(time(payment.expires_ms)),
        requirements: is_buyer.then(|| RawValue::from_string(payment.requirements.clone()).ok()).flatten(),
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

/// One line of the caller's books.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// `led_…`.
    pub id: String,
    /// What it records.
    #[serde(rename = "type")]
    #[schema(value_type = schema::EntryType)]
    pub entry_type: EntryType,
    /// Signed: what this account gained.
    pub amount: Amount,
    /// The call.
    pub request_id: String,
    /// The listing.
    pub listing_id: String,
    /// The provider's id of the payment.
    pub relay_request_id: String,
    /// For adjustments: `open`, `settled` or `waived`.
    #[schema(value_type = Option<schema::Settlement>)]
    pub settlement: Option<Settlement>,
    /// When it was written.
    pub created_at: String,
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            entry_type: entry.entry_type,
            amount: entry.amount.into(),
            request_id: entry.call.to_string(),
            listing_id: entry.listing.to_string(),
            relay_request_id: entry.payment_id.clone(),
            settlement: entry.settlement,
            created_at: time(entry.created_ms),
        }
    }
}
