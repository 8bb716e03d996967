//! `POST /gateway/:listingId`.

use std::time::Instant;

use axum::extract::{Path, Request, State as Extract};
use axum::http::request::Parts;
use crochet::http::caller::presented_key;
use crochet::http::limited::count_failed_key;
use crochet::http::request::read_body;
use crochet::http::{ApiError, Result};
use crochet::wire::payment::{DeliveredEnvelope, GatewayHeaders, PaymentRequiredEnvelope, PendingEnvelope};
use crochet_domain::api_key::ApiKey;
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

use super::advance::advance;
use super::errors::CallListingErrors;
use super::in_flight::InFlightSlot;
use super::load::Loaded;
use super::request::{GatewayRequest, MAX_BODY_BYTES};
use crate::state::State;

/// Call a listing through the gateway
///
/// Sends one JSON body to the seller behind a listing and returns its response. A paid listing first returns 402 with
/// `data.payment`. Pay it, then send the same body with the payment's id. A repeat with the same id or `Idempotency-Key` never
/// charges twice: after delivery it returns the stored response with `Idempotent-Replayed: true`. An empty body asks a paid
/// listing for its price only.
#[utoipa::path(
    post,
    path = "/api/v1/gateway/{listing_id}",
    tag = "Gateway and payments",
    security(("api_key" = ["write"])),
    params(("listing_id" = String, Path, description = "The listing's id or slug."), GatewayHeaders),
    request_body(content = Option<serde_json::Value>, description = "Any JSON value, up to 256 KiB. It reaches the seller byte for byte. An empty body is a price probe."),
    responses(
        (status = 200, description = "The seller's response.", body = DeliveredEnvelope, headers(("Idempotent-Replayed" = String, description = "`true` if this is the stored response of an earlier delivery."))),
        (status = 202, description = "The payment is pending. Send the same request again with the same payment id.", body = PendingEnvelope),
        (status = 402, description = "PAYMENT_REQUIRED with data.payment.", body = PaymentRequiredEnvelope),
        CallListingErrors,
    ),
)]
pub(crate) async fn call_listing(Extract(state): Extract<State>, Path(name): Path<String>, request: Request) -> Result {
    let began = Instant::now();
    let now = state.app.clock.now();
    let (parts, body) = request.into_parts();
    let key = match presented_key(&parts.headers) {
        Ok(key) => key,
        Err(e) => return Err(count_failed_key(&state.app, &parts, e).await),
    };
    let body = read_body(body, MAX_BODY_BYTES).await;
    let request = GatewayRequest::parse(&*state.provider, &parts.headers, body);
    let slot = InFlightSlot::new(&state.app, now);
    slot.around(reply_to(&state, &parts, &key, &name, request, &slot, now, began)).await
}

#[expect(clippy::too_many_arguments, reason = "what one request consists of; nobody else calls it")]
async fn reply_to(
    state: &State,
    parts: &Parts,
    key: &ApiKey,
    name: &str,
    request: Result<GatewayRequest, ApiError>,
    slot: &InFlightSlot<'_>,
    now: OffsetDateTime,
    began: Instant,
) -> Result {
    let loaded = Loaded::read(state, parts, key, name, &request, slot, now).await?;
    let key = loaded.key.clone();
    let mut ctx = loaded.authorize(state, request, slot, now, began)?;
    ctx.confirm_traffic(slot).await?;
    // Noting the key's use takes no extra time: it is written while the call continues.
    let ((), reply) = tokio::join!(state.app.store.record_key_use(&key, unix_ms(now)), Box::pin(advance(&ctx, slot)));
    reply
}
