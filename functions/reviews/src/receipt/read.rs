//! `GET /gateway-requests/{id}/receipt`: the signed receipt of a call.

use axum::extract::{Path, State as Extract};
use crochet::http::caller::Caller;
use crochet::http::request::Query;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet_domain::api_key::Scope;
use crochet_domain::ids::CallId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account::account;
use super::claims::claims;
use crate::state::State;

/// Whose call it is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// Profile id of an agent that you operate. The default is your own.
    agent_id: Option<String>,
}

/// `data` of a receipt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneReceipt {
    receipt: Receipt,
}

/// A signed receipt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// A compact JWS (RFC 7515) with ES256, whose payload is JSON: who bought what from whom, for how much, the hashes of request and
    /// response, the payment, and the times.
    jws: String,
    /// The id of its key in `/.well-known/jwks.json`.
    kid: String,
}

crochet::error_list!(
    GetReceiptErrors: Caller, Path<String>, Query<Whose>;
    InsufficientScope, ProfileNotFound, NotOperator, CallNotFound, ReceiptNotReady
);

/// Get the receipt of a call that has ended, as its buyer or seller.
///
/// Whoever you show it to can verify it with a JOSE library and `/.well-known/jwks.json`. `request_sha256` is the SHA-256 of the
/// request's JSON in its canonical form (RFC 8785), `response_sha256` that of the whole body of the 200 that the buyer received, null if
/// none was stored. A receipt says what happened when the call ended; a later refund is not in it.
#[utoipa::path(get, path = "/api/v1/gateway-requests/{id}/receipt", operation_id = "get_receipt", tag = "Reviews and statistics",
    security(("api_key" = ["read"]), ("session" = [])),
    params(("id" = String, Path, description = "The call's id, `gw_req_…`."), Whose),
    responses((status = 200, body = OneReceipt, description = "The receipt."), GetReceiptErrors))]
pub(crate) async fn get_receipt(
    caller: Caller,
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result {
    caller.may(Scope::Read)?;
    let id: CallId = id.parse().map_err(|_| ApiError::from(Code::CallNotFound))?;
    let account = account(&state.app, &caller, whose.agent_id.as_deref()).await?;
    let call = state.app.store.call(id, account).await?.filter(|call| call.buyer == account || call.seller == account);
    let call = call.ok_or(Code::CallNotFound)?;
    let claims = claims(&call, &state.app.config)
        .ok_or_else(|| ApiError::new(Code::ReceiptNotReady).detail("status", call.state.as_str()))?;
    let (jws, kid) = state.receipts.sign(&state.app, &claims).await?;
    Reply::ok(OneReceipt { receipt: Receipt { jws, kid } })
}
