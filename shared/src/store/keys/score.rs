//! Keys of scores.

use super::key::{ABOVE_ALL, BELOW_ALL, GSI3, IndexKey, Key, KeyRange};
use super::{date_of_day, shard};
use crochet_domain::ids::ProfileId;

/// Prefix of the partition keys of scores.
const SCORES: &str = "SCORE#";
/// Prefixes of the sort keys of the scores of days, and of what a score was computed from.
const HISTORY: &str = "H#";
const INPUTS: &str = "I#";

/// A seller's score.
#[must_use]
pub fn score(seller: ProfileId) -> Key {
    Key::new(format!("{SCORES}{seller}"), "NOW")
}

/// A seller's last score of a day (UTC, counted from 1970-01-01).
#[must_use]
pub fn score_of_day(seller: ProfileId, day: i32) -> Key {
    Key::new(format!("{SCORES}{seller}"), format!("{HISTORY}{}", date_of_day(day)))
}

/// A seller's last scores of the days up to this one, included.
#[must_use]
pub fn scores_until(seller: ProfileId, day: i32) -> KeyRange {
    KeyRange { pk: format!("{SCORES}{seller}"), from: HISTORY.to_owned(), to: score_of_day(seller, day).sk }
}

/// A part of what a score was computed from, under this name.
#[must_use]
pub fn score_inputs(seller: ProfileId, name: &str, part: usize) -> Key {
    Key::new(format!("{SCORES}{seller}"), format!("{INPUTS}{name}#{part}"))
}

/// A seller's score, by the day on which its counts were last compared with the calls.
#[must_use]
pub fn score_compared(seller: ProfileId, day: i32) -> IndexKey {
    let id = seller.to_string();
    IndexKey::new(GSI3, scores_partition(shard(&id)), format!("{}#{id}", date_of_day(day)))
}

/// The partition of [`score_compared`] with this number.
#[must_use]
pub fn scores_partition(shard: u8) -> String {
    format!("SCORES#{shard}")
}

/// Below every score that was compared on `day` or later.
#[must_use]
pub fn compared_before(day: i32) -> String {
    date_of_day(day)
}

/// The seller whose score is at this key.
#[must_use]
pub fn parse_score(key: &Key) -> Option<ProfileId> {
    key.pk.strip_prefix(SCORES)?.parse().ok()
}

/// Up to where the log of ended calls was read for scores.
#[must_use]
pub fn score_cursor() -> Key {
    Key::new(format!("{SCORES}CURSOR"), "CURSOR")
}

/// The sellers that a buyer has paid.
#[must_use]
pub fn paid_by(buyer: ProfileId) -> KeyRange {
    KeyRange { pk: super::paid(buyer, buyer).pk, from: BELOW_ALL.to_owned(), to: ABOVE_ALL.to_owned() }
}
