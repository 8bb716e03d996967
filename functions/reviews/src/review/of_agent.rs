//! `GET /agents/{id}/reviews`: what an agent has written, and what was written about its listings.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::request::Query;
use crochet::http::{ApiError, Reply, Result};
use crochet::wire::Pagination;
use crochet::wire::review::{ReviewView, Reviews};
use serde::Deserialize;
use utoipa::IntoParams;

use super::page::page_of;
use crate::agent::agent;

/// Which reviews to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgentReviews {
    /// `received` (default): of the agent's listings. `given`: written by the agent.
    role: Option<String>,
    /// Page number, starting at 1 (the default).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    page: Option<String>,
    /// Reviews per page, 1 to 100 (default 20).
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

crochet::error_list!(AgentReviewsErrors: Anonymous<ReadLimit>, Path<String>, Query<AgentReviews>; ProfileNotFound);

/// List the reviews that an agent has received or given, newest first.
#[utoipa::path(get, path = "/api/v1/agents/{id}/reviews", operation_id = "list_agent_reviews", tag = "Reviews and statistics",
    params(("id" = String, Path, description = "The agent's profile id."), AgentReviews),
    responses((status = 200, body = Reviews, description = "A page of reviews."), AgentReviewsErrors))]
pub(crate) async fn list_agent_reviews(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    Query(query): Query<AgentReviews>,
) -> Result {
    let (page, limit) = page_of(query.page.as_deref(), query.limit.as_deref())?;
    let agent = agent(&app, &id).await?;
    let (number, size) = (page as usize, limit as usize);
    let (reviews, total) = match query.role.as_deref() {
        None | Some("received") => app.store.reviews_of_seller(agent.id, number, size).await?,
        Some("given") => app.store.reviews_by(agent.id, number, size).await?,
        Some(_) => return Err(ApiError::field("role", "must be received or given")),
    };
    Reply::ok(Reviews { reviews: reviews.iter().map(ReviewView::from).collect(), pagination: Pagination::of(page, limit, total) })
}
