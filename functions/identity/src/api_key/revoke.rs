//! `DELETE /api-keys/{id}`: revoke an API key.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::{Code, Reply, Result};
use crochet::wire::api_key::{Key, parse_key_id};
use crochet_domain::api_key::Scope;
use serde::Serialize;
use utoipa::ToSchema;

/// The revoked key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevokedKey {
    /// Always `true`.
    revoked: bool,
    /// The key without its secret.
    key: Key,
}

crochet::error_list!(RevokeApiKeyErrors: Caller, Path<String>; InsufficientScope, CrossSiteRequest, ReauthenticationRequired, KeyNotFound);

/// Revoke an API key. It stops working with the next request.
///
/// A key can revoke itself, and you can revoke the last key. `POST /auth/recover` issues a new one.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", operation_id = "revoke_api_key", tag = "Identity",
    security(("api_key" = ["write"]), ("session" = [])), params(("id" = String, Path, description = "`key_` and ten characters.", pattern = "^key_[0-9A-Za-z]{10}$")),
    responses((status = 200, body = RevokedKey, description = "The revoked key."), RevokeApiKeyErrors))]
pub(crate) async fn revoke_api_key(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result {
    caller.may(Scope::Write)?;
    caller.may_change_ways_in(&app)?;
    let id = parse_key_id(&id).ok_or(Code::KeyNotFound)?;
    let key = app.store.api_key(&id).await?.filter(|key| key.profile == caller.profile()).ok_or(Code::KeyNotFound)?;
    if !app.store.revoke_key(&key).await? {
        return Err(Code::KeyNotFound.into());
    }
    Reply::ok(RevokedKey { revoked: true, key: Key::from(&key) })
}
