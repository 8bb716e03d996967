//! `GET /agents/{id}/score/inputs`: from which everybody can compute a score again.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::cursor::CursorKey;
use crochet::http::limited::ReadLimit;
use crochet::http::request::Query;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::score::ScoreRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::read::agent_with_score;
use super::rows::{PayerRow, ReviewRow, Rows};
use crochet::wire::score::ScoreView;

/// Payers, and reviews, of a page.
const PAGE: usize = 1_000;

/// Which rows to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InputsQuery {
    /// `week`: with the sums of each of the thirteen weeks, before they fade.
    #[param(pattern = "^week$")]
    by: Option<String>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// A page of what a score was computed from: at most 1,000 payers and 1,000 reviews.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreInputs {
    /// The score that these rows give, all pages together.
    score: ScoreView,
    /// What counts of each payer.
    payers: Vec<PayerRow>,
    /// What each review counts.
    reviews: Vec<ReviewRow>,
    /// Send this as `cursor` to get the next page; null on the last page.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

crochet::error_list!(ScoreInputsErrors: Anonymous<ReadLimit>, Path<String>, Query<InputsQuery>; ProfileNotFound, InvalidCursor);

/// List what an agent's score was computed from: a row for each payer, under a name that only this seller's rows have, and one for
/// each review. If the score is counted again while you read, the next page is refused with `INVALID_CURSOR`: start over.
#[utoipa::path(get, path = "/api/v1/agents/{id}/score/inputs", operation_id = "list_score_inputs", tag = "Reviews and statistics",
    params(("id" = String, Path, description = "The agent's profile id."), InputsQuery),
    responses((status = 200, body = ScoreInputs, description = "A page of rows."), ScoreInputsErrors))]
pub(crate) async fn list_score_inputs(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    Query(query): Query<InputsQuery>,
) -> Result {
    let by_week = match query.by.as_deref() {
        None => false,
        Some("week") => true,
        Some(_) => return Err(ApiError::field("by", "must be week")),
    };
    let (agent, record) = agent_with_score(&app, &id).await?;
    let page = page(record.as_ref(), query.cursor.as_deref())?;
    let rows = match &record {
        Some(record) => Rows::unpacked(&app.store.score_inputs(record).await?.unwrap_or_default())?,
        None => Rows::default(),
    };
    let has_more = rows.payers.len().max(rows.reviews.len()) > (page + 1) * PAGE;
    let mut payers: Vec<PayerRow> = rows.payers.into_iter().skip(page * PAGE).take(PAGE).collect();
    if !by_week {
        payers.iter_mut().for_each(|row| row.weeks = None);
    }
    let next = record.as_ref().filter(|_| has_more);
    Reply::ok(ScoreInputs {
        score: ScoreView::of(agent.id, record.as_ref(), app.config.unit_fee),
        payers,
        reviews: rows.reviews.into_iter().skip(page * PAGE).take(PAGE).collect(),
        next_cursor: next.map(|record| CursorKey::new(&record.salt).seal(&record.inputs, &(page + 1).to_string())),
        has_more,
    })
}

/// The number of the page, from 0. A cursor belongs to the inputs that it was made for.
fn page(record: Option<&ScoreRecord>, cursor: Option<&str>) -> Result<usize> {
    let Some(cursor) = cursor else { return Ok(0) };
    let record = record.ok_or(Code::InvalidCursor)?;
    let position = CursorKey::new(&record.salt).open(&record.inputs, cursor)?;
    position.parse().map_err(|_| Code::InvalidCursor.into())
}
