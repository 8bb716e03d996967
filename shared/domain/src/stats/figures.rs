//! The figures that buyers choose by.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Book, Counters};
use crate::ids::{ListingId, ProfileId};
use crate::money::Micros;
use crate::review::Rating;
use crate::score::window::{Payers, Window};

/// Figures of the last 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Calls that have ended.
    #[serde(rename = "n", default)]
    pub calls: u64,
    /// Of these, those that were delivered.
    #[serde(rename = "d", default)]
    pub delivered: u64,
    /// Who paid.
    #[serde(rename = "u", default)]
    pub payers: u64,
    /// The median of the prices paid.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub median_price: Option<Micros>,
    /// The median of the seller's times, in milliseconds.
    #[serde(rename = "p50", default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u32>,
    /// The 95th percentile of the seller's times, in milliseconds.
    #[serde(rename = "p95", default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u32>,
    /// When the last call ended (Unix milliseconds).
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
    /// The counted volume of its calls, by which listings are sorted as `popular`; in thousandths of a call.
    #[serde(rename = "v", default)]
    pub volume: i64,
    /// The rating.
    #[serde(rename = "r", default)]
    pub rating: Rating,
}

impl Figures {
    /// Share of calls that were delivered, in hundred-thousandths; `None` without calls.
    #[must_use]
    pub fn success(&self) -> Option<u64> {
        (self.calls > 0).then(|| self.delivered * 100_000 / self.calls)
    }
}

/// The figures of these counts; volume and rating are counted elsewhere.
#[must_use]
pub fn figures(counters: &Counters) -> Figures {
    Figures {
        calls: counters.delivered + counters.undelivered,
        delivered: counters.delivered,
        payers: counters.payers.len() as u64,
        median_price: median(counters),
        p50_ms: counters.times.quantile_ms(50),
        p95_ms: counters.times.quantile_ms(95),
        last_ms: (counters.last_ms > 0).then_some(counters.last_ms),
        volume: 0,
        rating: Rating::default(),
    }
}

/// The volume of one listing's calls, as the score counts it, by which listings are sorted as `popular`. Its seller's own calls count
/// nothing.
#[must_use]
pub fn volume<'a>(days: impl IntoIterator<Item = (i32, &'a Book)>, listing: ListingId, seller: ProfileId, today: i32) -> i64 {
    let payers = Payers { excluded: BTreeSet::from([seller]), ..Payers::default() };
    let mut window = Window::default();
    for (day, book) in days {
        window.add_day(day, &book.payers.only(listing), &payers, today);
    }
    window.sums(&[]).volume
}

/// The lower median of the prices.
fn median(counters: &Counters) -> Option<Micros> {
    let half = counters.prices.values().sum::<u64>().div_ceil(2);
    let mut below = 0;
    counters.prices.iter().find_map(|(price, count)| {
        below += count;
        (below >= half).then_some(*price)
    })
}

/// The figures of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFigures {
    /// The day (UTC), counted from 1970-01-01.
    pub day: i32,
    /// Calls that were delivered.
    pub delivered: u64,
    /// Calls that were not.
    pub undelivered: u64,
    /// The median of the seller's times, in milliseconds.
    pub p50_ms: Option<u32>,
    /// The 95th percentile of them.
    pub p95_ms: Option<u32>,
    /// Who paid.
    pub payers: u64,
}

/// Figures of 30 days, and of each day with calls, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// All days together.
    pub figures: Figures,
    /// Each day.
    pub days: Vec<DayFigures>,
}

/// The report of the counts of these days.
#[must_use]
pub fn report<'a>(days: impl IntoIterator<Item = (i32, &'a Counters)>) -> Report {
    let mut all = Counters::default();
    let mut each = Vec::new();
    for (day, counters) in days {
        all.merge(counters);
        each.push(DayFigures {
            day,
            delivered: counters.delivered,
            undelivered: counters.undelivered,
            p50_ms: counters.times.quantile_ms(50),
            p95_ms: counters.times.quantile_ms(95),
            payers: counters.payers.len() as u64,
        });
    }
    Report { figures: figures(&all), days: each }
}
