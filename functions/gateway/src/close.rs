//! `POST /gateway-requests/:id/close`: the buyer closes an unused payment, and is owed it at once.

use axum::extract::{Path, State as Extract};
use crochet::budget::{Asker, Grant};
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, Refunds};
use crochet::http::request::JsonOrNothing;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::payments::RecordWanted;
use crochet::store::StoreError;
use crochet::store::call::{PutCallError, next_version};
use crochet::store::record::StoredName;
use crochet::store::retry::Attempts;
use crochet::wire::call::GatewayRequestView;
use crochet::wire::payment::{PAYMENT_ID, PendingEnvelope};
use crochet::wire::refund::NoFields;
use crochet_domain::call::ledger::{reversal, settlement};
use crochet_domain::call::view::Fact;
use crochet_domain::call::{Call, CallKey, CallState};
use crochet_domain::closing::{ClosingStep, ClosingView, NotClosable, decide};
use crochet_domain::money::Micros;
use crochet_domain::timestamp::{from_unix_ms, rfc3339, unix_ms};
use serde_json::json;

use crate::fact;
use crate::history::requests::OneGatewayRequest;
use crate::out_of_budget::out_of_questions;
use crate::party::{Party, call_of};
use crate::refund::reply::pending;
use crate::state::State;

/// Seconds after which to ask again about a call that is being delivered.
const IN_PROGRESS_RETRY_SECONDS: u64 = 1;

crochet::error_list!(
    CloseCallErrors: Limited<Agent, Refunds>, Path<String>, JsonOrNothing<NoFields>;
    CallNotFound, CallRoleRequired, CallNotClosable, CallInProgress, PaymentProviderUnavailable, PaymentMismatch
);

/// Close an unused payment
///
/// For the buyer. If two payments of one call were filled, the call is delivered with one of them, and the other one is unused money.
/// This closes its call as `undelivered`: the seller owes you what it received, and the operator the fee, at once instead of after 24
/// hours. Everything else is still to be delivered, or nothing was paid for it, and is not closed.
#[utoipa::path(
    post,
    path = "/api/v1/gateway-requests/{id}/close",
    tag = "Gateway and payments",
    security(("api_key" = ["write"])),
    params(("id" = String, Path, description = "The call's id, `gw_req_…`.", pattern = "^gw_req_[0-9A-HJKMNP-TV-Z]{26}$")),
    request_body(content = Option<NoFields>, description = "An empty object, or nothing."),
    responses(
        (status = 200, description = "The call is closed. A repeat returns the same.", body = OneGatewayRequest),
        (status = 202, description = "The payment is pending. Send the same request again.", body = PendingEnvelope),
        CloseCallErrors,
    ),
)]
pub(crate) async fn close_call(
    Extract(state): Extract<State>,
    limited: Limited<Agent, Refunds>,
    Path(id): Path<String>,
    JsonOrNothing(NoFields {}): JsonOrNothing<NoFields>,
) -> Result {
    let buyer = limited.caller.profile;
    let mut call = call_of(&state, &id, buyer, Party::Buyer).await?;
    let is_unused = is_unused(&state, &call).await?;
    let mut asked = Asked::default();
    let mut attempts = Attempts::default();
    loop {
        let now_ms = unix_ms(state.app.clock.now());
        let view = ClosingView { call: &call, is_unused, fact: asked.fact.as_ref(), now_ms };
        let (next, ledger) = match decide(&view) {
            ClosingStep::AskProvider => {
                asked = ask(&state, &call).await?;
                continue;
            }
            ClosingStep::Done => {
                return Reply::ok(OneGatewayRequest { gateway_request: GatewayRequestView::of(&call, buyer, None) });
            }
            ClosingStep::Wait => return pending(call.id, call.payment.as_ref().map_or("", |payment| &payment.id)),
            ClosingStep::Refuse(why) => return Err(refused(&call, why, asked.failure)),
            ClosingStep::Settle => {
                let settled = next_version(call.clone().settled(asked.fee_collected, now_ms));
                let ledger = settlement(&settled, now_ms);
                (settled, Some(ledger))
            }
            ClosingStep::Reverse => {
                let reversed = next_version(call.clone().reversed(now_ms));
                let ledger = reversal(&reversed, now_ms);
                (reversed, Some(ledger))
            }
            ClosingStep::Close => (next_version(call.clone().closed(now_ms)), None),
        };
        let store = &state.app.store;
        let written = match &ledger {
            Some(_) => store.put_call_version(&next, ledger.as_slice()).await,
            None => store.close_call(&next).await,
        };
        match written {
            Ok(()) => call = next,
            Err(PutCallError::Store(e)) => return Err(e.into()),
            // Another request moved it. What it is now says what to do.
            Err(PutCallError::Superseded(_) | PutCallError::Contended) => {
                attempts.next_or(ApiError::from(StoreError::Conflict)).await?;
                call = store.calls(&[call.key()]).await?.pop().unwrap_or(call);
            }
        }
    }
}

/// What the provider says about the payment.
#[derive(Default)]
struct Asked {
    fact: Option<Fact>,
    fee_collected: Option<Micros>,
    failure: Option<ApiError>,
}

async fn ask(state: &State, call: &Call) -> Result<Asked> {
    let Some(payment) = &call.payment else { return Ok(Asked::default()) };
    let (key, asker) = (call.key(), Asker::Buyer(call.buyer));
    // A status and a record, counted while they are asked for, to save a round trip.
    let (asked, granted) = tokio::join!(
        fact::ask(state, &key, payment, RecordWanted::Beside),
        state.app.provider_budget.questions(asker, 2, state.app.clock.now()),
    );
    if let Grant::Refused { retry_after_seconds } = granted? {
        return Err(out_of_questions(retry_after_seconds));
    }
    let asked = asked?;
    Ok(Asked { fact: Some(asked.fact), fee_collected: asked.fee_collected, failure: asked.failure })
}

/// Whether what the call was wanted for was delivered without it.
async fn is_unused(state: &State, call: &Call) -> Result<bool> {
    let store = &state.app.store;
    let stored = match store.stored_name(call.buyer, &call.name()).await? {
        Some(StoredName::Pointer { to, .. }) => store.stored_name(call.buyer, &to).await?,
        stored => stored,
    };
    let Some(StoredName::Record(record)) = stored else { return Ok(false) };
    let others: Vec<CallKey> = record
        .calls
        .into_iter()
        .filter(|listed| listed.round == call.round && listed.key != call.key())
        .map(|listed| listed.key)
        .collect();
    let others = store.calls(&others).await?;
    Ok(others.iter().any(|other| other.buyer == call.buyer && matches!(other.state, CallState::Delivered { .. })))
}

fn refused(call: &Call, why: NotClosable, failure: Option<ApiError>) -> ApiError {
    let not_closable = || ApiError::new(Code::CallNotClosable);
    let error = match why {
        NotClosable::Deliverable => not_closable(),
        NotClosable::InProgress => ApiError::new(Code::CallInProgress).retry_after(IN_PROGRESS_RETRY_SECONDS),
        NotClosable::Delivered => not_closable()
            .message("This call was delivered; fetch its answer.")
            .recovery("retryable", false)
            .recovery("next_action", "fetch_stored_answer")
            .recovery(
                "summary",
                format!("Send the call again with this {PAYMENT_ID} and the same body: that returns the stored answer."),
            ),
        NotClosable::NotPaid => not_closable()
            .message("Nothing was paid for this call, or it was paid back, so there is nothing to close.")
            .recovery("retryable", false)
            .recovery("next_action", "read_gateway_request")
            .recovery("preserve", json!([]))
            .recovery("summary", "Read data.gateway_request.charge with GET /gateway-requests/:id. Nothing is to be done."),
        NotClosable::ProviderUnavailable => {
            failure.unwrap_or_else(|| ApiError::new(Code::PaymentProviderUnavailable).retry_after(2))
        }
        NotClosable::PaymentMismatch => ApiError::new(Code::PaymentMismatch)
            .cause("recipient, chain, currency or output of a payment differ from its quote")
            .alarm(),
    };
    error
        .detail("request_id", call.id.to_string())
        .detail("status", call.state.as_str())
        .detail(PAYMENT_ID, call.payment.as_ref().map(|payment| payment.id.clone()))
        .detail("redeliver_until", call.redeliver_until_ms().map(|until| rfc3339(from_unix_ms(until))))
}
