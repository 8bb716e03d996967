//! `GET /me`: who the caller is.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Agent;
use crochet::http::{ApiError, Reply, Result};
use crochet::wire;
use crochet::wire::profile::{Auth, Me, wallets};

/// Tell who the caller is: its profile, its wallets, and what its key may do.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "get_me", tag = "Identity", security(("api_key" = [])),
    responses((status = 200, body = Me, description = "The caller. Errors: UNAUTHORIZED, INVALID_API_KEY, RATE_LIMITED.")))]
pub(crate) async fn me(State(app): State<App>, caller: Agent) -> Result {
    let profile = app.store.profile(caller.profile).await?;
    let profile = profile.ok_or_else(|| ApiError::internal("a good key has no profile").alarm())?;
    let operator = app.store.operator_of(&profile).await?;
    Reply::ok(Me {
        profile: wire::profile::Profile::of(&profile, operator.as_ref()),
        wallets: wallets(&profile),
        auth: Auth::api_key(&caller.key, caller.scopes, caller.expires_ms),
        claimed_agents: Vec::new(),
    })
}
