//! `GET /stats`: the statistics of the whole deployment.

use axum::extract::State;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::ReadLimit;
use crochet::http::{Reply, Result};
use crochet_domain::timestamp::unix_ms;

use super::view::Stats;

crochet::error_list!(GetStatsErrors: Anonymous<ReadLimit>;);

/// Get the statistics of the whole marketplace: of the last 30 days, and of each day with calls. They are counted once an hour.
#[utoipa::path(get, path = "/api/v1/stats", operation_id = "get_stats", tag = "Reviews and statistics",
    responses((status = 200, body = Stats, description = "The statistics."), GetStatsErrors))]
pub(crate) async fn get_stats(State(app): State<App>, _: Anonymous<ReadLimit>) -> Result {
    let (report, counted_ms) = app.store.total_stats().await?.unwrap_or_else(|| (Default::default(), unix_ms(app.clock.now())));
    Reply::ok(Stats::of(&report, counted_ms))
}
