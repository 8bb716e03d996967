//! Keys of calls, of the names that find them, and of their stored responses.

use time::OffsetDateTime;

use super::catalogue::changed_since;
use super::key::{GSI3, IndexKey, Key};
use crochet_domain::call::ledger::LedgerMove;
use crochet_domain::call::{CallKey, CallName};
use crochet_domain::ids::{CallId, ProfileId, sha256_hex};
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

/// The ledger record of one move of a call.
#[must_use]
pub fn ledger_record(call: &CallKey, of: LedgerMove) -> Key {
    Key::new(format!("{CALLS}{call}"), format!("ENTRY#{}", of.name()))
}

/// What the buyer has to do to pay the quote of a call.
#[must_use]
pub fn requirements(call: &CallKey) -> Key {
    Key::new(format!("{CALLS}{call}"), "PAY")
}

/// A part of a stored response.
#[must_use]
pub fn answer(id: CallId, attempt: u32, part: usize) -> Key {
    Key::new(format!("ANSWER#{id}#{attempt}#{part}"), "ANSWER")
}

/// What is stored under a buyer's name for a call. A key is the caller's text and is stored as a hash.
#[must_use]
pub fn idempotency(buyer: ProfileId, name: &CallName) -> Key {
    let sk = match name {
        CallName::Key(key) => format!("IDEMPOTENCY#{}", sha256_hex(key)),
        CallName::Body { listing, sha256 } => format!("BODY#{listing}#{sha256}"),
    };
    Key::new(format!("BUYER#{buyer}"), sk)
}

/// A buyer's open quotes, for the limit on them.
#[must_use]
pub fn open_quotes(buyer: ProfileId) -> Key {
    Key::new(format!("BUYER#{buyer}"), "OPEN")
}

/// The time at which a call needs attention.
#[must_use]
pub fn due(call: CallId, at: OffsetDateTime) -> IndexKey {
    IndexKey::new(GSI3, due_partition(shard(&call.to_string())), format!("{}{call}", changed_since(unix_ms(at))))
}

/// The partition of [`due`] with this number.
#[must_use]
pub fn due_partition(shard: u8) -> String {
    format!("DUE#{shard}")
}

/// The log of calls that have ended, in order of their end.
#[must_use]
pub fn ended(call: CallId, at: OffsetDateTime) -> IndexKey {
    IndexKey::new(GSI3, ended_partition(shard(&call.to_string())), format!("{}{call}", changed_since(unix_ms(at))))
}

/// The partition of [`ended`] with this number.
#[must_use]
pub fn ended_partition(shard: u8) -> String {
    format!("ENDED#{shard}")
}

/// The shard of what has this id.
pub(super) fn shard(id: &str) -> u8 {
    let digest = sha256_hex(id);
    u8::from_str_radix(&digest[..2], 16).unwrap_or(0) % DUE_SHARDS
}

/// Number of partitions that share the calls that need attention, and of those that share the calls that have ended.
pub const DUE_SHARDS: u8 = 8;
