//! How what happened loses weight: half in four weeks, nothing after thirteen. Days are UTC.

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3_600_000;
/// The weeks that count.
pub const WEEKS: usize = 13;
/// The days that count.
pub const DAYS: i32 = 91;
/// What a week's calls weigh, in thousandths, by their age in whole weeks: 2^(−week/4).
pub const WEIGHTS: [i64; WEEKS] = [1_000, 841, 707, 595, 500, 420, 354, 297, 250, 210, 177, 149, 125];

/// The UTC day of a time (Unix milliseconds), counted from 1970-01-01.
#[must_use]
pub fn day_of(at_ms: i64) -> i32 {
    i32::try_from(at_ms.div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

/// When a day begins (Unix milliseconds).
#[must_use]
pub fn day_start_ms(day: i32) -> i64 {
    i64::from(day) * DAY_MS
}

/// The calendar week of a day, Monday to Sunday, counted from the one of 1970-01-01.
#[must_use]
pub fn week_of(day: i32) -> i32 {
    // 1970-01-01 was a Thursday.
    (day + 3).div_euclid(7)
}

/// The age in whole weeks of what happened on `day`; `None` if it counts no more. A day that is still to come counts as today.
#[must_use]
pub fn age_in_weeks(day: i32, today: i32) -> Option<usize> {
    let age = (today - day).max(0);
    (age < DAYS).then(|| usize::try_from(age / 7).unwrap_or(0))
}

/// What still counts of something that happened on `day`, in thousandths.
#[must_use]
pub fn weight(day: i32, today: i32) -> i64 {
    age_in_weeks(day, today).map_or(0, |week| WEIGHTS[week])
}

/// The faded sum of the sums of thirteen weeks, the current one first.
#[must_use]
pub fn faded(by_week: &[i64; WEEKS]) -> i64 {
    by_week.iter().zip(WEIGHTS).map(|(sum, weight)| sum * weight).sum::<i64>() / 1_000
}
