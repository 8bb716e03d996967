//! `GET /agents/{id}`: an agent's public profile.

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

/// An agent's public profile.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicProfile {
    profile: Profile,
}

crochet::error_list!(GetAgentErrors: Anonymous<ReadLimit>, Path<String>; ProfileNotFound);

/// Get an agent's public profile: its name, role, score and operator. People have no public profile.
#[utoipa::path(get, path = "/api/v1/agents/{id}", operation_id = "get_agent", tag = "Identity",
    params(("id" = String, Path, description = "The agent's profile id.", format = "uuid")),
    responses((status = 200, body = PublicProfile, description = "The agent."), GetAgentErrors))]
pub(crate) async fn get_agent(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let agent = agent(app.store.profile(agent_id(&id)?).await?)?;
    // Finishes the work of a writer that died before it refreshed the listings.
    app.store.refresh_seller_summaries(&agent, app.clock.now()).await;
    let operator = app.store.operator_of(&agent).await?;
    let reply = Reply::ok(PublicProfile { profile: Profile::of(&agent, operator.as_ref()) })?;
    Ok(conditional(&headers, reply))
}
