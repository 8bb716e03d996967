//! Keys of calls, of the names that find them, and of their stored responses.

use time::OffsetDateTime;

use super::catalogue::changed_since;
use super::key::{GSI3, IndexKey, Key};
use crochet_domain::ids::{CallId, ListingId, ProfileId, sha256_hex};
use crochet_domain::timestamp::unix_ms;

/// What the partition keys of calls begin with.
const CALLS: &str = "CALL#";

/// A call. `home` names its payment, or is its own id if it is free.
#[must_use]
pub fn call(home: &str) -> Key {
    Key::new(format!("{CALLS}{home}"), "CALL")
}

/// A ledger entry of a call.
#[must_use]
pub fn entry(home: &str, kind: &str) -> Key {
    Key::new(format!("{CALLS}{home}"), format!("ENTRY#{kind}"))
}

/// Pointer from a paid call's own id to where it is stored.
#[must_use]
pub fn call_home(id: CallId) -> Key {
    Key::new(format!("REQUEST#{id}"), "REQUEST")
}

/// A part of a stored response.
#[must_use]
pub fn answer(id: CallId, attempt: u32, part: usize) -> Key {
    Key::new(format!("ANSWER#{id}#{attempt}#{part}"), "ANSWER")
}

/// What a buyer's Idempotency-Key names. The header is the caller's text and is stored as a hash.
#[must_use]
pub fn idempotency(buyer: ProfileId, key: &str) -> Key {
    Key::new(format!("BUYER#{buyer}"), format!("IDEMPOTENCY#{}", sha256_hex(key)))
}

/// A buyer's quotes for one listing and body, without an Idempotency-Key.
#[must_use]
pub fn anonymous_quotes(buyer: ProfileId, listing: ListingId, body_sha256: &str) -> Key {
    Key::new(format!("BUYER#{buyer}"), format!("QUOTES#{listing}#{body_sha256}"))
}

/// A buyer's open quotes, for the limit on them.
#[must_use]
pub fn open_quotes(buyer: ProfileId) -> Key {
    Key::new(format!("BUYER#{buyer}"), "OPEN")
}

/// The moment at which a call needs work.
#[must_use]
pub fn due(call: CallId, at: OffsetDateTime) -> IndexKey {
    let digest = sha256_hex(call.to_string());
    let shard = u8::from_str_radix(&digest[..2], 16).unwrap_or(0) % DUE_SHARDS;
    IndexKey::new(GSI3, format!("DUE#{shard}"), format!("{}{call}", changed_since(unix_ms(at))))
}

/// Number of partitions that share the due work.
pub const DUE_SHARDS: u8 = 8;

/// The `home` of a partition key of [`call`].
#[must_use]
pub fn home_of_call(pk: &str) -> Option<&str> {
    pk.strip_prefix(CALLS)
}
