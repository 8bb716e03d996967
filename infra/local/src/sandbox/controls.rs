//! `/sandbox/...`: the controls. Every reply is JSON.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::facts::Facts;
use super::faults::{Mode, Route};
use super::payment::{Change, Payment, Status};
use super::price::EXECUTION_FEE_MICROS;
use super::state::Sandbox;

/// Default number of payments in a list.
const DEFAULT_LIMIT: usize = 1_000;

pub(super) type Reply = Result<Json<Value>, Wrong>;

/// An invalid request to a control.
pub(super) struct Wrong(StatusCode, String);

impl Wrong {
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self(StatusCode::CONFLICT, message.into())
    }

    pub(super) fn unknown(id: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("no payment {id} was quoted here; GET /sandbox/requests lists them"))
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "message": self.1 }))).into_response()
    }
}

/// Parses a control's body. The error names an unknown field.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Wrong::body(error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    status: Option<Status>,
    #[serde(default)]
    after_ms: u32,
    record_after_ms: Option<u32>,
    output: Option<Value>,
    recipient: Option<String>,
    fail_reason: Option<String>,
    fill: Option<bool>,
    superseded_by: Option<String>,
    forget: Option<bool>,
}

impl ChangeBody {
    /// Whether it says anything about the payment's state.
    fn has_state(&self) -> bool {
        let texts = [&self.recipient, &self.fail_reason, &self.superseded_by];
        let rest = self.output.is_some() || self.fill.is_some() || self.record_after_ms.is_some();
        self.status.is_some() || rest || texts.into_iter().any(Option::is_some)
    }
}

/// `POST /sandbox/requests/{id}`: sets the state of a payment, or makes the provider forget it, now or later.
pub(super) async fn change(State(sandbox): State<Sandbox>, Path(id): Path<String>, body: Bytes) -> Reply {
    let body: ChangeBody = read(&body)?;
    let at_ms = sandbox.now_ms() + i64::from(body.after_ms);
    let is_known = match body.forget {
        Some(_) if body.has_state() => return Err(Wrong::body("forget: goes alone or with after_ms")),
        Some(forget) => sandbox.forget(&id, forget.then_some(at_ms)),
        None => {
            let change = state_change(&sandbox, &id, body, at_ms)?;
            sandbox.change(&id, change)
        }
    };
    if !is_known {
        return Err(Wrong::unknown(&id));
    }
    let webhooks = sandbox.announce().await;
    let payment = sandbox.payment(&id).ok_or_else(|| Wrong::unknown(&id))?;
    Ok(Json(json!({ "request": view(&payment, sandbox.now_ms()), "webhooks": webhooks })))
}

fn state_change(sandbox: &Sandbox, id: &str, body: ChangeBody, at_ms: i64) -> Result<Change, Wrong> {
    let output = body.output.map(units).transpose()?;
    let status = match (body.status, &body.superseded_by) {
        (Some(status), _) => status,
        // A superseded payment keeps its state.
        (None, Some(_)) => sandbox.payment(id).ok_or_else(|| Wrong::unknown(id))?.status(at_ms),
        (None, None) => return Err(Wrong::body("missing field `status`")),
    };
    if let Some(other) = &body.superseded_by {
        supersede(sandbox, id, other)?;
    }
    Ok(Change {
        at_ms,
        status,
        record_after_ms: body.record_after_ms,
        output,
        recipient: body.recipient,
        fail_reason: body.fail_reason,
        fill: body.fill,
        superseded_by: body.superseded_by,
        announced: false,
    })
}

/// A whole number in the smallest unit, as a string or a number.
fn units(output: Value) -> Result<String, Wrong> {
    let text = match output {
        Value::String(text) => text,
        other => other.to_string(),
    };
    if (1..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text);
    }
    Err(Wrong::body("output: a whole number in the token's smallest unit"))
}

/// A replacement has the terms of the payment that it replaces. The provider creates it itself, so it may be unknown here.
fn supersede(sandbox: &Sandbox, id: &str, other: &str) -> Result<(), Wrong> {
    let is_id = other.strip_prefix("0x").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if !is_id {
        return Err(Wrong::body("superseded_by: an id of the provider, 0x and 64 hex digits"));
    }
    let payment = sandbox.payment(id).ok_or_else(|| Wrong::unknown(id))?;
    if sandbox.payment(other).is_none() {
        sandbox.remember(Payment::new(other.to_owned(), sandbox.now_ms(), payment.quote_request, payment.terms));
    }
    Ok(())
}

/// `GET /sandbox/requests?user=&limit=`: newest first.
pub(super) async fn list(State(sandbox): State<Sandbox>, Query(query): Query<HashMap<String, String>>) -> Reply {
    let mut limit = DEFAULT_LIMIT;
    for (name, value) in &query {
        match name.as_str() {
            "user" => {}
            "limit" => limit = value.parse().map_err(|_| Wrong::body("limit: a whole number"))?,
            other => return Err(Wrong::body(format!("unknown field `{other}`"))),
        }
    }
    let now_ms = sandbox.now_ms();
    let (total, payments) = sandbox.newest(limit, query.get("user").map(String::as_str));
    let requests: Vec<Value> = payments.iter().map(|payment| view(payment, now_ms)).collect();
    Ok(Json(json!({ "requests": requests, "total": total })))
}

/// `GET /sandbox/requests/{id}`.
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Reply {
    let payment = sandbox.payment(&id).ok_or_else(|| Wrong::unknown(&id))?;
    Ok(Json(json!({ "request": view(&payment, sandbox.now_ms()) })))
}

pub(super) fn view(payment: &Payment, now_ms: i64) -> Value {
    let terms = &payment.terms;
    let current = payment.current(now_ms);
    let facts = Facts::of(payment, current);
    json!({
        "id": payment.id,
        "status": facts.status,
        "filled": facts.filled,
        "forgotten": payment.is_forgotten(now_ms),
        "quoted_at": rfc3339(from_unix_ms(payment.quoted_at_ms)),
        "expires_at": payment.expires_ms().map(|ms| rfc3339(from_unix_ms(ms))),
        "updated_at": rfc3339(from_unix_ms(facts.updated_at_ms())),
        "input": terms.input.json(),
        "output": terms.output.json(),
        "user": terms.user,
        "recipient": terms.recipient,
        "refund_to": terms.refund_to,
        "app_fee_micros": u64::try_from(terms.app_micros()).ok(),
        "paid_output": current.and_then(|change| change.output.as_deref()),
        "paid_recipient": current.and_then(|change| change.recipient.as_deref()),
        "superseded_by": facts.superseded_by(),
        "changes": payment.changes(),
        "quote_request": verbatim(&payment.quote_request),
    })
}

/// The caller's JSON, with its field order.
fn verbatim(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or(Value::Null)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    route: Option<Route>,
    mode: Option<Mode>,
    for_ms: Option<u32>,
    /// With a fault that changes a quote: the address whose quotes it changes. Without it, it changes all.
    user: Option<String>,
    #[serde(default)]
    clear: bool,
}

/// `POST /sandbox/faults`: starts a fault, or ends all with `{"clear":true}`.
pub(super) async fn fault(State(sandbox): State<Sandbox>, body: Bytes) -> Reply {
    let body: FaultBody = read(&body)?;
    if body.clear {
        if body.route.is_some() || body.mode.is_some() || body.for_ms.is_some() {
            return Err(Wrong::body("clear: goes alone, it ends all faults"));
        }
        sandbox.clear_faults();
        return Ok(Json(json!({ "cleared": true })));
    }
    let route = body.route.ok_or_else(|| Wrong::body("missing field `route`"))?;
    let mode = body.mode.ok_or_else(|| Wrong::body("missing field `mode`"))?;
    let for_ms = body.for_ms.ok_or_else(|| Wrong::body("missing field `for_ms`"))?;
    if !mode.applies_to(route) {
        return Err(Wrong::body("mode: this route cannot misbehave in this way"));
    }
    if body.user.is_some() && !mode.changes_quote(route) {
        return Err(Wrong::body("user: only a fault that changes a quote has one"));
    }
    sandbox.start_fault(route, mode, body.user, Duration::from_millis(for_ms.into()));
    Ok(Json(json!({ "route": route, "mode": mode, "for_ms": for_ms })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CostsBody {
    execution_micros: Option<u32>,
}

/// `POST /sandbox/costs`: sets the provider's flat fee for quotes from now on; without a number, as it was at the start.
pub(super) async fn costs(State(sandbox): State<Sandbox>, body: Bytes) -> Reply {
    let body: CostsBody = read(&body)?;
    let micros = body.execution_micros.unwrap_or(EXECUTION_FEE_MICROS);
    sandbox.set_execution_micros(micros);
    Ok(Json(json!({ "execution_micros": micros })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysBody {
    accepted: Vec<String>,
}

/// `POST /sandbox/keys`: accepts these API keys and no others. Webhooks are signed with the first.
pub(super) async fn keys(State(sandbox): State<Sandbox>, body: Bytes) -> Reply {
    let body: KeysBody = read(&body)?;
    let count = body.accepted.len();
    if count == 0 {
        return Err(Wrong::body("accepted: at least one key"));
    }
    sandbox.accept_keys(body.accepted);
    Ok(Json(json!({ "accepted": count })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_ms: i64,
}

/// Maximum clock offset: a hundred years, in milliseconds.
const MAXIMUM_OFFSET_MS: i64 = 100 * 365 * 86_400_000;

/// `POST /sandbox/clock`: moves the clock of the whole stack.
pub(super) async fn advance(State(sandbox): State<Sandbox>, body: Bytes) -> Reply {
    let body: ClockBody = read(&body)?;
    let target = sandbox.clock().offset_ms().saturating_add(body.advance_ms);
    if target.saturating_abs() > MAXIMUM_OFFSET_MS {
        return Err(Wrong::body("advance_ms: the clock stays within a hundred years of the system's"));
    }
    let offset_ms = sandbox.clock().advance_ms(body.advance_ms);
    let webhooks = sandbox.announce().await;
    Ok(Json(json!({ "offset_ms": offset_ms, "now": rfc3339(sandbox.clock().now()), "webhooks": webhooks })))
}

/// `GET /sandbox/clock`.
pub(super) async fn clock(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({ "offset_ms": sandbox.clock().offset_ms(), "now": rfc3339(sandbox.clock().now()) }))
}

/// Any other route.
pub(super) async fn not_found() -> Wrong {
    Wrong(
        StatusCode::NOT_FOUND,
        "the sandbox Relay knows POST /quote/v2, GET /intents/status/v3?requestId=, GET /requests/v3?id= and /sandbox/requests, \
         /sandbox/pay, /sandbox/faults, /sandbox/costs, /sandbox/keys, /sandbox/clock"
            .into(),
    )
}
