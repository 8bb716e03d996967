//! `GET /me`: who the caller is.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::{ApiError, Reply, Result};
use crochet::wire;
use crochet::wire::profile::{Auth, Me, wallets};
use crochet_domain::api_key::Scope;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Profile;

crochet::error_list!(GetMeErrors: Caller; InsufficientScope);

/// Tell who the caller is: its profile, its wallets, what its key or session may do, and, for a person, the agents that it operates.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "get_me", tag = "Identity", security(("api_key" = ["read"]), ("session" = [])),
    responses((status = 200, body = Me, description = "The caller."), GetMeErrors))]
pub(crate) async fn me(State(app): State<App>, caller: Caller) -> Result {
    caller.may(Scope::Read)?;
    let profile = own_profile(&app, caller.profile()).await?;
    // A change that this profile's listings do not all show yet: its writer died on the way.
    app.store.bring_listings_up(&profile, app.clock.now()).await;
    let operator = app.store.operator_of(&profile).await?;
    let claimed = if profile.claim_count > 0 { app.store.claimed_agents(profile.id).await? } else { Vec::new() };
    Reply::ok(Me {
        profile: wire::profile::Profile::of(&profile, operator.as_ref()),
        wallets: wallets(&profile),
        auth: match caller {
            Caller::Key(agent) => Auth::api_key(&agent.key, agent.scopes, agent.expires_ms),
            Caller::Session(person) => Auth::session(&person.session),
        },
        claimed_agents: claimed.iter().map(|agent| wire::profile::Profile::of(agent, Some(&profile))).collect(),
    })
}

/// The profile of whoever has a good key or session.
pub(crate) async fn own_profile(app: &App, id: ProfileId) -> Result<Profile> {
    app.store.profile(id).await?.ok_or_else(|| ApiError::internal("a good key or session has no profile").alarm())
}
