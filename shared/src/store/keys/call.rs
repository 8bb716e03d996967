//! Keys of calls, of the names that find them, and of their stored responses.

use time::OffsetDateTime;

use super::catalogue::changed_since;
use super::key::{GSI3, IndexKey, Key};
use crochet_domain::call::CallKey;
use crochet_domain::ids::{CallId, ListingId, ProfileId, sha256_hex};
use crochet_domain::timestamp::unix_ms;

/// Prefix of the partition keys of calls.
const CALLS: &str = "CALL#";

/// A call. Its ledger entries are in the same partition.
#[must_use]
pub fn call(call: &CallKey) -> Key {
    Key::new(format!("{CALLS}{call}"), "CALL")
}

/// The call in a partition.
#[must_use]
pub fn call_of_partition(pk: &str) -> Option<CallKey> {
    pk.strip_prefix(CALLS).map(CallKey::from_stored)
}

/// A ledger entry of a call.
#[must_use]
pub fn entry(call: &CallKey, entry_key: &str) -> Key {
    Key::new(format!("{CALLS}{call}"), format!("ENTRY#{entry_key}"))
}

/// Points from the id of a paid call to its key.
#[must_use]
pub fn call_pointer(id: CallId) -> Key {
    Key::new(format!("REQUEST#{id}"), "REQUEST")
}

/// A part of a stored response.
#[must_use]
pub fn answer(id: CallId, attempt: u32, part: usize) -> Key {
    Key::new(format!("ANSWER#{id}#{attempt}#{part}"), "ANSWER")
}

/// The idempotency record of a buyer's key. The header is the caller's text and is stored as a hash.
#[must_use]
pub fn idempotency(buyer: ProfileId, key: &str) -> Key {
    Key::new(format!("BUYER#{buyer}"), format!("IDEMPOTENCY#{}", sha256_hex(key)))
}

/// A buyer's quotes for one listing and body, without an idempotency key.
#[must_use]
pub fn open_quotes_for_body(buyer: ProfileId, listing: ListingId, body_sha256: &str) -> Key {
    Key::new(format!("BUYER#{buyer}"), format!("QUOTES#{listing}#{body_sha256}"))
}

/// A buyer's open quotes, for the limit on them.
#[must_use]
pub fn open_quotes(buyer: ProfileId) -> Key {
    Key::new(format!("BUYER#{buyer}"), "OPEN")
}

/// The time at which a call needs attention.
#[must_use]
pub fn due(call: CallId, at: OffsetDateTime) -> IndexKey {
    let digest = sha256_hex(call.to_string());
    let shard = u8::from_str_radix(&digest[..2], 16).unwrap_or(0) % DUE_SHARDS;
    IndexKey::new(GSI3, format!("DUE#{shard}"), format!("{}{call}", changed_since(unix_ms(at))))
}

/// Number of partitions that share the calls that need attention.
pub const DUE_SHARDS: u8 = 8;
