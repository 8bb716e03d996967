//! `PAYMENT_NOT_FOUND`: the id of a payment is mangled, or was sent in the wrong place. Nothing is lost, and nobody pays twice.

use crochet::http::{ApiError, Code, Result};
use crochet::store::history::{HistoryPage, Side};
use crochet::wire::payment::{PAYMENT_ID, PAYMENT_ID_HEADER};
use crochet_domain::call::{Call, CallKey, CallState};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::{Value, json};

use super::CallContext;
use super::request::MisplacedId;

/// Number of the buyer's newest calls among which open payments are looked for.
const LOOKED_AT: usize = 50;

/// Where the request has the id of one of the buyer's payments at this listing, instead of in its header.
pub(super) async fn misplaced<'a>(ctx: &'a CallContext<'_>) -> Result<Option<&'a MisplacedId>> {
    if ctx.request.misplaced.is_empty() {
        return Ok(None);
    }
    let key = |found: &MisplacedId| CallKey::of_payment(ctx.state.provider.name(), &found.id);
    let keys: Vec<CallKey> = ctx.request.misplaced.iter().map(key).collect();
    let calls = ctx.state.app.store.calls(&keys).await?;
    let is_theirs = |call: &Call| call.buyer == ctx.agent.profile && call.listing.id == ctx.listing.id;
    let known: Vec<CallKey> = calls.into_iter().filter(is_theirs).map(|call| call.key()).collect();
    Ok(ctx.request.misplaced.iter().find(|found| known.contains(&key(found))))
}

/// The error. `misplaced` is where the id was found instead.
pub(super) async fn error(ctx: &CallContext<'_>, misplaced: Option<&MisplacedId>) -> ApiError {
    let error = ctx.with_unknown_headers(ApiError::new(Code::PaymentNotFound));
    if let Some(MisplacedId { id, header }) = misplaced {
        let place = header.as_ref().map_or_else(|| "body".to_owned(), |name| format!("header {name}"));
        return error
            .message(format!("The payment's id was sent in the wrong place ({place}); send it in {PAYMENT_ID_HEADER}."))
            .detail("found_in", place)
            .detail(PAYMENT_ID, id.clone())
            .recovery("next_action", "send_payment_id_in_header")
            .recovery(
                "summary",
                format!(
                    "Send details.{PAYMENT_ID} in the header {PAYMENT_ID_HEADER}, with the body for which the payment was quoted, without the id in it. Do not pay again."
                ),
            );
    }
    let open = open_payments(ctx).await;
    let error = error.detail("open_payments", open.clone());
    if open.is_empty() {
        return error;
    }
    error.recovery("next_action", "send_listed_payment_id").recovery(
        "summary",
        format!("Send the right id of details.open_payments in {PAYMENT_ID_HEADER}, with the same body. Do not pay again."),
    )
}

/// The buyer's payments at this listing that have not ended. An error leaves them out: the history lists them, too.
async fn open_payments(ctx: &CallContext<'_>) -> Vec<Value> {
    let page = HistoryPage { profile: ctx.agent.profile, side: Side::Buyer, before: None, now: ctx.now, limit: LOOKED_AT };
    let calls = ctx.state.app.store.call_history(page).await.unwrap_or_default();
    let is_open = |call: &&Call| {
        let has_ended = matches!(call.state, CallState::Delivered { .. } | CallState::Undelivered | CallState::Expired);
        call.listing.id == ctx.listing.id && call.payment.is_some() && !has_ended
    };
    calls.iter().filter(is_open).filter_map(row).collect()
}

fn row(call: &Call) -> Option<Value> {
    let payment = call.payment.as_ref()?;
    Some(json!({
        PAYMENT_ID: payment.id,
        "request_id": call.id.to_string(),
        "status": call.state.as_str(),
        "body_sha256": call.body_sha256,
        "created_at": rfc3339(from_unix_ms(call.created_ms)),
    }))
}
