//! Where an event is counted: in the slice of its time, or in its day, once that is over and folded.

use crate::score::fade::{day_of, day_start_ms};

/// How long after midnight slices of the day before yesterday may still be written. A run of the sweeper is shorter.
const SLICES_OPEN_MS: i64 = 5 * 60_000;
/// From when after midnight that day may be folded.
const FOLDED_FROM_MS: i64 = 10 * 60_000;
/// Length of a slice: ten minutes.
const SLICE_MS: i64 = 10 * 60_000;

/// Where an event is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the slice of its time.
    Slice,
    /// In its day, which is folded.
    Day,
    /// Nowhere for some minutes: its day is about to be folded.
    Later,
}

/// Where an event of this time is counted now (Unix milliseconds).
#[must_use]
pub fn place(at_ms: i64, now_ms: i64) -> Place {
    let last_change = day_start_ms(day_of(at_ms) + 2);
    if now_ms < last_change + SLICES_OPEN_MS {
        Place::Slice
    } else if now_ms < last_change + FOLDED_FROM_MS {
        Place::Later
    } else {
        Place::Day
    }
}

/// The beginning of the slice that holds this time (Unix milliseconds).
#[must_use]
pub fn slice_start_ms(at_ms: i64) -> i64 {
    at_ms - at_ms.rem_euclid(SLICE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_a_day_end_before_it_is_folded() {
        let end = day_start_ms(3);
        let next = day_start_ms(4);
        for (now_ms, expected) in [
            (end - 1, Place::Slice),
            (next + SLICES_OPEN_MS - 1, Place::Slice),
            (next + SLICES_OPEN_MS, Place::Later),
            (next + FOLDED_FROM_MS, Place::Day),
        ] {
            assert_eq!(place(end - 1, now_ms), expected, "{now_ms}");
        }
    }
}
