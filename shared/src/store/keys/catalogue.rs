//! Keys of the catalogue: listings in order of change, and its snapshot.

use super::key::{GSI3, IndexKey, Key, just_after};
use crochet_domain::ids::ListingId;

/// The index partition of all listings, in order of change.
pub const CATALOGUE: &str = "CATALOGUE";

/// A listing in the catalogue's order of change.
#[must_use]
pub fn listing_change(id: ListingId, updated_ms: i64) -> IndexKey {
    IndexKey::new(GSI3, CATALOGUE.to_owned(), format!("{}{id}", changed_since(updated_ms)))
}

/// Smallest sort key of a change at `ms` (Unix milliseconds) or later.
#[must_use]
pub fn changed_since(ms: i64) -> String {
    format!("{:015}#", ms.max(0))
}

/// The head of the catalogue's snapshot in this format.
#[must_use]
pub fn snapshot(format: u32) -> Key {
    Key::new("SNAPSHOT#CATALOGUE".to_owned(), format!("HEAD#{format}"))
}

/// A part of a snapshot.
#[must_use]
pub fn snapshot_part(generation: &str, n: usize) -> Key {
    Key::new(format!("SNAPSHOT#{generation}#{n}"), "PART")
}

/// Smallest sort key above the change of this listing at `ms` (Unix milliseconds).
#[must_use]
pub fn changed_after(ms: i64, id: ListingId) -> String {
    just_after(&format!("{}{id}", changed_since(ms)))
}

/// The time (Unix milliseconds) and the listing of a sort key of [`listing_change`].
#[must_use]
pub fn parse_listing_change(sk: &str) -> Option<(i64, ListingId)> {
    let (ms, id) = sk.split_once('#')?;
    Some((ms.parse().ok()?, id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    #[test]
    fn changes_sort_by_time() {
        assert!(changed_since(999) < changed_since(1_000));
        assert!(changed_since(1_790_000_000_000) < changed_since(1_790_000_000_001));
    }

    #[test]
    fn a_change_is_read_back() {
        let id = ListingId::generate(OffsetDateTime::UNIX_EPOCH);
        let key = listing_change(id, 1_790_000_000_000);
        assert_eq!(parse_listing_change(&key.sk), Some((1_790_000_000_000, id)));
        assert!(key.sk < changed_after(1_790_000_000_000, id));
        assert!(changed_after(1_790_000_000_000, id) < changed_since(1_790_000_000_001));
    }
}
