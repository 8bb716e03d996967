//! `GET /agents/{id}/score/history`: the last score of each day.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::cursor::CursorKey;
use crochet::http::limited::ReadLimit;
use crochet::http::request::{Query, int_param};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::score::DayScore;
use crochet_domain::profile::tier;
use crochet_domain::score::fade::{day_of, day_start_ms};
use crochet_domain::timestamp::{from_unix_ms, unix_ms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::read::agent_with_score;

/// Default and maximum number of days of a page.
const LIMIT: (u32, u32) = (30, 100);

/// Which days to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Number of days, 1 to 100. The default is 30.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// A page of the scores of days, newest first. A day on which nothing was counted is left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreHistory {
    history: Vec<ScoreOfDay>,
    /// Send this as `cursor` to get the next page; null on the last page.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// The last score of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreOfDay {
    /// The day (UTC), such as `2026-01-31`.
    date: String,
    /// The score.
    value: u16,
    /// Its tier.
    tier: &'static str,
    /// Reliability, 0 to 1000.
    reliability: u16,
    /// Accuracy.
    accuracy: u16,
    /// Volume.
    volume: u16,
    /// Longevity.
    longevity: u16,
    /// Reputation.
    reputation: u16,
}

impl From<&DayScore> for ScoreOfDay {
    fn from(day: &DayScore) -> Self {
        let [reliability, accuracy, volume, longevity, reputation] = day.parts;
        Self {
            date: from_unix_ms(day_start_ms(day.day)).date().to_string(),
            value: day.value,
            tier: tier(day.value),
            reliability,
            accuracy,
            volume,
            longevity,
            reputation,
        }
    }
}

crochet::error_list!(ScoreHistoryErrors: Anonymous<ReadLimit>, Path<String>, Query<HistoryQuery>; ProfileNotFound, InvalidCursor);

/// List an agent's scores by day, newest first, of the last two years.
#[utoipa::path(get, path = "/api/v1/agents/{id}/score/history", operation_id = "list_score_history", tag = "Reviews and statistics",
    params(("id" = String, Path, description = "The agent's profile id."), HistoryQuery),
    responses((status = 200, body = ScoreHistory, description = "A page of scores."), ScoreHistoryErrors))]
pub(crate) async fn list_score_history(
    State(app): State<App>,
    _: Anonymous<ReadLimit>,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result {
    let limit = int_param("limit", query.limit.as_deref(), 1, LIMIT.1, LIMIT.0)?;
    let (agent, record) = agent_with_score(&app, &id).await?;
    let of = format!("score-history:{}", agent.id);
    let key = record.map(|record| CursorKey::new(&record.salt));
    let today = day_of(unix_ms(app.clock.now()));
    let until = match (query.cursor.as_deref(), &key) {
        (None, _) => today,
        (Some(cursor), Some(key)) => key.open(&of, cursor)?.parse().map_err(|_| Code::InvalidCursor)?,
        (Some(_), None) => return Err(ApiError::new(Code::InvalidCursor)),
    };
    let wanted = i32::try_from(limit + 1).unwrap_or(i32::MAX);
    let mut days = app.store.score_history(agent.id, until, wanted).await?;
    let next = days.get(limit as usize).map(|first| first.day.to_string());
    days.truncate(limit as usize);
    let next_cursor = next.zip(key).map(|(position, key)| key.seal(&of, &position));
    Reply::ok(ScoreHistory { history: days.iter().map(ScoreOfDay::from).collect(), has_more: next_cursor.is_some(), next_cursor })
}
