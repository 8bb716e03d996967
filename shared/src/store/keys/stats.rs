//! Keys of what is counted of calls.

use time::macros::format_description;

use super::key::{ABOVE_ALL, GSI3, IndexKey, Key, KeyRange};
use super::{changed_since, due_partition, shard};
use crochet_domain::ids::ProfileId;
use crochet_domain::score::fade::day_start_ms;
use crochet_domain::timestamp::from_unix_ms;

/// Prefix of the partition keys of what is counted.
const STATS: &str = "STATS#";
/// Prefixes of the sort keys of slices, of days, and of the events that are in a day.
const SLICE: &str = "T#";
const DAY: &str = "D#";
const SEEN: &str = "S#";
/// Rows of parts that a slice of the whole deployment has, so that a minute's calls change small items.
pub const ALL_ROWS: u8 = 16;

/// Whose calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whose {
    /// A seller's.
    Seller(ProfileId),
    /// The whole deployment's.
    All,
}

fn partition(whose: Whose) -> String {
    match whose {
        Whose::Seller(seller) => format!("{STATS}{seller}"),
        Whose::All => format!("{STATS}ALL"),
    }
}

/// Whose counts are in a partition.
#[must_use]
pub fn counted_in_partition(pk: &str) -> Option<Whose> {
    match pk.strip_prefix(STATS)? {
        "ALL" => Some(Whose::All),
        seller => seller.parse().ok().map(Whose::Seller),
    }
}

/// What was counted of the calls that ended within the ten minutes of `at_ms` (Unix milliseconds): the first part of a row. `row` is 0
/// for a seller.
#[must_use]
pub fn slice(whose: Whose, at_ms: i64, row: u8) -> Key {
    let at = from_unix_ms(at_ms);
    Key::new(partition(whose), format!("{SLICE}{}T{:02}{}#{row}", date(at_ms), at.hour(), at.minute() / 10))
}

/// What was counted of a day (UTC, counted from 1970-01-01) that is over.
#[must_use]
pub fn stats_day(whose: Whose, day: i32) -> Key {
    Key::new(partition(whose), format!("{DAY}{}", date(day_start_ms(day))))
}

/// The events that were counted of a day that is over: the first part of a row.
#[must_use]
pub fn stats_seen(whose: Whose, day: i32) -> Key {
    Key::new(partition(whose), format!("{SEEN}{}", date(day_start_ms(day))))
}

/// The part in this place of the row that begins at `first`, which is a slice, or the events of a day. The first part is in place 0.
#[must_use]
pub fn stats_part(first: &Key, place: usize) -> Key {
    match place {
        0 => first.clone(),
        place => Key::new(first.pk.clone(), format!("{}#{place:04}", first.sk)),
    }
}

/// The row of parts that begins at `first`.
#[must_use]
pub fn stats_parts(first: &Key) -> KeyRange {
    KeyRange { pk: first.pk.clone(), from: first.sk.clone(), to: format!("{}#{ABOVE_ALL}", first.sk) }
}

/// The days from this one on.
#[must_use]
pub fn stats_days_from(whose: Whose, day: i32) -> KeyRange {
    KeyRange { pk: partition(whose), from: stats_day(whose, day).sk, to: format!("{DAY}{ABOVE_ALL}") }
}

/// All slices.
#[must_use]
pub fn slices(whose: Whose) -> KeyRange {
    KeyRange::starting_with(partition(whose), SLICE)
}

/// The slices of a day.
#[must_use]
pub fn slices_of(whose: Whose, day: i32) -> KeyRange {
    KeyRange::starting_with(partition(whose), &format!("{SLICE}{}", date(day_start_ms(day))))
}

/// The day (`yyyymmdd`) of the sort key of a slice or a day.
#[must_use]
pub fn date_of_stats(sk: &str) -> Option<&str> {
    sk.strip_prefix(SLICE).or(sk.strip_prefix(DAY))?.get(..8)
}

/// The day, as it is written in keys.
#[must_use]
pub fn date_of_day(day: i32) -> String {
    date(day_start_ms(day))
}

/// That days of this seller, or of the deployment, have to be folded, and figures to be renewed.
#[must_use]
pub fn stats_due(whose: Whose) -> Key {
    Key::new(partition(whose), "DUE")
}

/// Whose counts are due at this key.
#[must_use]
pub fn parse_stats_due(key: &Key) -> Option<Whose> {
    counted_in_partition(&key.pk).filter(|_| key.sk == "DUE")
}

/// When that is due.
#[must_use]
pub fn stats_due_at(whose: Whose, at_ms: i64) -> IndexKey {
    let id = partition(whose);
    IndexKey::new(GSI3, due_partition(shard(&id)), format!("{}{id}", changed_since(at_ms)))
}

/// Up to where the log of ended calls was counted.
#[must_use]
pub fn stats_cursor() -> Key {
    Key::new(format!("{STATS}CURSOR"), "CURSOR")
}

/// The figures of the whole deployment.
#[must_use]
pub fn stats_total() -> Key {
    Key::new(partition(Whose::All), "TOTAL")
}

/// That a buyer has paid a seller.
#[must_use]
pub fn paid(buyer: ProfileId, seller: ProfileId) -> Key {
    Key::new(format!("PAID#{buyer}"), seller.to_string())
}

fn date(at_ms: i64) -> String {
    from_unix_ms(at_ms).format(format_description!("[year][month][day]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_sort_by_time_and_name_their_day() {
        let all = Whose::All;
        let [first, second] = [0, 86_400_000 - 1].map(|ms| slice(all, ms, 0));
        assert_eq!((first.sk.as_str(), second.sk.as_str()), ("T#19700101T000#0", "T#19700101T235#0"));
        assert_eq!(date_of_stats(&first.sk), Some(date_of_day(0).as_str()));
        assert_eq!(stats_day(all, 1).sk, "D#19700102");
        assert_eq!(counted_in_partition(&first.pk), Some(all));
        let (row, second) = (stats_parts(&slice(all, 0, 1)), stats_part(&slice(all, 0, 1), 1));
        assert_eq!((&row.from, second.sk.as_str()), (&slice(all, 0, 1).sk, "T#19700101T000#1#0001"));
        let is_in_row = |key: &Key| row.from <= key.sk && key.sk <= row.to;
        assert!(is_in_row(&second) && is_in_row(&stats_part(&slice(all, 0, 1), 9_999)));
        assert!(!is_in_row(&slice(all, 0, 10)) && !is_in_row(&slice(all, 0, 2)) && !is_in_row(&slice(all, 600_000, 1)));
        let seller = Whose::Seller(ProfileId::from_bytes([1; 16]));
        assert_eq!(parse_stats_due(&stats_due(seller)), Some(seller));
        assert_eq!(parse_stats_due(&stats_cursor()), None);
    }
}
