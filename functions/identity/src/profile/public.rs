//! `GET /agents/{id}`: an agent, as everybody may see it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::etag::conditional;
use crochet::http::limited::ReadLimit;
use crochet::http::{Reply, Result};
use crochet::wire::profile::Profile;
use serde::Serialize;
use utoipa::ToSchema;

use crate::claim::{agent, agent_id};

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicProfile {
    profile: Profile,
}

crochet::error_list!(GetAgentErrors: Anonymous<ReadLimit>, Path<String>; ProfileNotFound);

/// Get an agent's public profile: who it is, what it does here, its score, and who operates it. People have none.
#[utoipa::path(get, path = "/api/v1/agents/{id}", operation_id = "get_agent", tag = "Identity",
    params(("id" = String, Path, description = "The agent's profile id.")),
    responses((status = 200, body = PublicProfile, description = "The agent."), GetAgentErrors))]
pub(crate) async fn get_agent(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let agent = agent(app.store.profile(agent_id(&id)?).await?)?;
    // A claim, a release or another change that this agent's listings do not all show yet: its writer died on the way.
    app.store.bring_listings_up(&agent, app.clock.now()).await;
    let operator = app.store.operator_of(&agent).await?;
    let reply = Reply::ok(PublicProfile { profile: Profile::of(&agent, operator.as_ref()) })?;
    Ok(conditional(&headers, reply))
}
