//! Statistics of listings: what is counted of a call that has ended, and the figures that listings show.
//!
//! Counters are integers, and merging them is adding: no order of calls can change a figure.

mod counted;
mod counters;
mod day;
mod figures;
mod pack;
mod parts;
mod place;
mod sketch;
#[cfg(test)]
mod tests;

pub use counted::{Book, Counted};
pub use counters::Counters;
pub use day::Day;
pub use figures::{DayFigures, Figures, Report, figures, report, volume};
pub use pack::NotCounters;
pub use parts::{DAY_EVENTS, Parts, SLICE_EVENTS};
pub use place::{Place, place, slice_start_ms};
pub use sketch::Sketch;

/// Days that figures are about, today included.
pub const WINDOW_DAYS: i32 = 30;
