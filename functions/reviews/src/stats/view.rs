//! Statistics in replies.

use crochet::wire::listing::StatsView;
use crochet_domain::score::fade::day_start_ms;
use crochet_domain::stats::{DayFigures, Report};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde::Serialize;
use utoipa::ToSchema;

/// `data` of statistics.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    stats: DailyStats,
}

/// Statistics of the last 30 days (UTC), and of each day with calls.
#[derive(Debug, Serialize, ToSchema)]
struct DailyStats {
    #[serde(flatten)]
    figures: StatsView,
    /// The days with calls, oldest first.
    days: Vec<DayStats>,
    /// When this was counted.
    #[schema(format = DateTime)]
    as_of: String,
}

/// Statistics of one day.
#[derive(Debug, Serialize, ToSchema)]
struct DayStats {
    /// The day (UTC).
    #[schema(format = Date)]
    date: String,
    /// Calls that have ended.
    calls: u64,
    /// Of these, those that were delivered.
    delivered: u64,
    /// Those that were not.
    undelivered: u64,
    /// Median of the sellers' response times, in milliseconds.
    #[schema(required)]
    p50_latency_ms: Option<u32>,
    /// 95th percentile of the sellers' response times, in milliseconds.
    #[schema(required)]
    p95_latency_ms: Option<u32>,
    /// Different buyers who paid.
    payers: u64,
}

impl Stats {
    /// The statistics of a report that was counted at this time (Unix milliseconds).
    pub(super) fn of(report: &Report, counted_ms: i64) -> Self {
        let days = report.days.iter().map(DayStats::from).collect();
        let as_of = rfc3339(from_unix_ms(counted_ms));
        Self { stats: DailyStats { figures: StatsView::from(&report.figures), days, as_of } }
    }
}

impl From<&DayFigures> for DayStats {
    fn from(day: &DayFigures) -> Self {
        Self {
            date: rfc3339(from_unix_ms(day_start_ms(day.day))).chars().take(10).collect(),
            calls: day.delivered + day.undelivered,
            delivered: day.delivered,
            undelivered: day.undelivered,
            p50_latency_ms: day.p50_ms,
            p95_latency_ms: day.p95_ms,
            payers: day.payers,
        }
    }
}
