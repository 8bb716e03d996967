//! `GET /api-keys`: the caller's keys.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::{Reply, Result};
use crochet::wire::api_key::Key;
use crochet_domain::api_key::Scope;
use serde::Serialize;
use utoipa::ToSchema;

/// The keys of a profile.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Keys {
    /// Oldest first; at most 45.
    keys: Vec<Key>,
}

crochet::error_list!(ListApiKeysErrors: Caller; InsufficientScope);

/// List your API keys: what is known of each, never the key itself.
///
/// A key that has ended stays in the list until it is deleted or a new one takes its place.
#[utoipa::path(get, path = "/api/v1/api-keys", operation_id = "list_api_keys", tag = "Identity",
    security(("api_key" = ["read"]), ("session" = [])),
    responses((status = 200, body = Keys, description = "The keys."), ListApiKeysErrors))]
pub(crate) async fn list_api_keys(State(app): State<App>, caller: Caller) -> Result {
    caller.may(Scope::Read)?;
    let keys = app.store.keys_of(caller.profile()).await?;
    Reply::ok(Keys { keys: keys.iter().map(Key::from).collect() })
}
