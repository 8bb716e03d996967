//! `GET /agents/{id}/score`: a score, and everything that it is made of.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::{Reply, Result};
use crochet::store::score::ScoreRecord;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Profile;
use serde::Serialize;
use utoipa::ToSchema;

use crate::agent::agent;
use crochet::wire::score::ScoreView;

/// A score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneScore {
    score: ScoreView,
}

crochet::error_list!(GetScoreErrors: Anonymous<ReadLimit>, Path<String>; ProfileNotFound);

/// Get an agent's score as a seller, its components, and what they are computed from. It is counted every hour in which something has
/// changed, and once a day.
#[utoipa::path(get, path = "/api/v1/agents/{id}/score", operation_id = "get_score", tag = "Reviews and statistics",
    params(("id" = String, Path, description = "The agent's profile id.")),
    responses((status = 200, body = OneScore, description = "The score."), GetScoreErrors))]
pub(crate) async fn get_score(State(app): State<App>, _: Anonymous<ReadLimit>, Path(id): Path<String>) -> Result {
    let (agent, record) = agent_with_score(&app, &id).await?;
    Reply::ok(OneScore { score: ScoreView::of(agent.id, record.as_ref(), app.config.unit_fee) })
}

/// The agent with this id, and its score, if anything was ever counted. Both are read at the same time.
///
/// # Errors
/// `PROFILE_NOT_FOUND`, also for a person.
pub(super) async fn agent_with_score(app: &App, id: &str) -> Result<(Profile, Option<ScoreRecord>)> {
    let score = async {
        match id.parse::<ProfileId>() {
            Ok(id) => app.store.score(id).await,
            Err(_) => Ok(None),
        }
    };
    let (agent, score) = tokio::join!(agent(app, id), score);
    Ok((agent?, score?))
}
