//! `POST /webhooks/:provider`: the payment provider says that a payment has changed. It only makes the settlement earlier: the
//! provider is asked what became of the payment, and whoever polls gets there without it.

use axum::extract::{Path, Request, State as Extract};
use crochet::budget::Asker;
use crochet::http::limited::count_failed_auth;
use crochet::http::request::read_body;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::payments::{RecordWanted, WebhookRefused};
use crochet_domain::call::CallKey;
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;
use utoipa::ToSchema;

use crate::attend::attend_to;
use crate::state::State;

/// Maximum length of a webhook's body.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// That the event was received.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    /// Always `true`.
    received: bool,
}

crochet::error_list!(ReceiveWebhookErrors: Path<String>; NotFound, WebhookRefused, PayloadTooLarge, RateLimited);

/// Receive a payment event
///
/// For the payment provider. The signature covers the raw body. The same event may arrive any number of times.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{provider}",
    tag = "Gateway and payments",
    params(("provider" = String, Path, description = "The payment provider's name, as `data.payment.provider` of a 402 shows it.")),
    request_body(content = serde_json::Value, description = "The provider's event."),
    responses((status = 200, description = "The event was received.", body = Received), ReceiveWebhookErrors),
)]
pub(crate) async fn receive_webhook(Extract(state): Extract<State>, Path(provider): Path<String>, request: Request) -> Result {
    if provider != state.provider.name() {
        return Err(Code::NotFound.into());
    }
    let (parts, body) = request.into_parts();
    let body = read_body(body, MAX_BODY_BYTES).await?;
    let now_ms = unix_ms(state.app.clock.now());
    let event = match state.provider.verify_webhook(&parts.headers, &body, now_ms).await {
        Ok(event) => event,
        // It is genuine and says nothing about a payment.
        Err(WebhookRefused::Unreadable) => return Reply::ok(Received { received: true }),
        Err(refused) => {
            return Err(count_failed_auth(&state.app, &parts, ApiError::new(Code::WebhookRefused).cause(refused)).await);
        }
    };
    let key = CallKey::of_payment(state.provider.name(), &event.payment_id);
    if let Some(call) = state.app.store.calls(&[key]).await?.pop() {
        let buyer = Asker::Buyer(call.buyer);
        attend_to(&state, call, RecordWanted::Beside, buyer).await?;
    }
    Reply::ok(Received { received: true })
}
