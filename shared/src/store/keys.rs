//! The only place that spells a key of the table. ARCHITECTURE.md has the access patterns that these serve.

use time::OffsetDateTime;
use time::macros::format_description;

use crochet_domain::api_key::KeyId;
use crochet_domain::ids::{CallId, ListingId, ProfileId, sha256_hex};
use crochet_domain::timestamp::{from_unix_ms, unix_ms};
use crochet_domain::wallet::WalletAddress;

/// Name of the partition key attribute.
pub const PK: &str = "PK";
/// Name of the sort key attribute.
pub const SK: &str = "SK";
/// Seconds since the epoch after which DynamoDB may delete an item. It deletes late: conditions compare times themselves.
pub const TTL: &str = "ttl";
/// What kind of item this is; the indexes carry it.
pub const KIND: &str = "kind";
/// Buyers' history and accounts.
pub const GSI1: &str = "gsi1";
/// Sellers' history and accounts, by day: a busy seller does not write to one partition for ever.
pub const GSI2: &str = "gsi2";
/// Work that falls due, and the catalogue's changes.
pub const GSI3: &str = "gsi3";

/// How many partitions share the due work.
pub const DUE_SHARDS: u8 = 8;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Partition.
    pub pk: String,
    /// Place in the partition.
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }
}

/// A place in one of the indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// [`GSI1`], [`GSI2`] or [`GSI3`].
    pub index: &'static str,
    /// Partition in the index.
    pub pk: String,
    /// Place in that partition.
    pub sk: String,
}

impl IndexKey {
    fn new(index: &'static str, pk: String, sk: impl Into<String>) -> Self {
        Self { index, pk, sk: sk.into() }
    }
}

/// A profile with its wallets.
#[must_use]
pub fn profile(id: ProfileId) -> Key {
    Key::new(profile_partition(id), "PROFILE")
}

/// The profile's partition: the profile, pointers to its keys and to its listings.
#[must_use]
pub fn profile_partition(id: ProfileId) -> String {
    format!("PROFILE#{id}")
}

/// Says that the profile has this API key.
#[must_use]
pub fn profile_api_key(id: ProfileId, key: &KeyId) -> Key {
    Key::new(profile_partition(id), format!("KEY#{key}"))
}

/// Says that the profile has this listing.
#[must_use]
pub fn profile_listing(id: ProfileId, listing: ListingId) -> Key {
    Key::new(profile_partition(id), format!("{PROFILE_LISTING_PREFIX}{listing}"))
}

/// What the pointers to a profile's listings begin with.
pub const PROFILE_LISTING_PREFIX: &str = "LISTING#";

/// Says that the person has this session, named by the hash of its token.
#[must_use]
pub fn profile_session(id: ProfileId, token_sha256: &str) -> Key {
    Key::new(profile_partition(id), format!("{PROFILE_SESSION_PREFIX}{token_sha256}"))
}

/// What the pointers to a person's sessions begin with.
pub const PROFILE_SESSION_PREFIX: &str = "SESSION#";

/// Says that the person operates this agent.
#[must_use]
pub fn profile_claim(person: ProfileId, agent: ProfileId) -> Key {
    Key::new(profile_partition(person), format!("{PROFILE_CLAIM_PREFIX}{agent}"))
}

/// What the pointers to a person's agents begin with.
pub const PROFILE_CLAIM_PREFIX: &str = "CLAIM#";

/// How a person logs in: passkeys, and the hashes of the recovery codes that are left.
#[must_use]
pub fn passkeys(person: ProfileId) -> Key {
    Key::new(profile_partition(person), "PASSKEYS")
}

/// Whose passkey has the credential id with this hash: one credential, one person.
#[must_use]
pub fn credential(id_sha256: &str) -> Key {
    Key::new(format!("CREDENTIAL#{id_sha256}"), "CREDENTIAL")
}

/// A passkey ceremony that was begun.
#[must_use]
pub fn ceremony(id: &str) -> Key {
    Key::new(format!("CEREMONY#{id}"), "CEREMONY")
}

/// Whose recovery code has this hash.
#[must_use]
pub fn recovery_code(sha256: &str) -> Key {
    Key::new(format!("RECOVERY#{sha256}"), "RECOVERY")
}

/// A person's session, named by the hash of its token.
#[must_use]
pub fn session(token_sha256: &str) -> Key {
    Key::new(format!("SESSION#{token_sha256}"), "SESSION")
}

/// Who a wallet belongs to: one wallet, one profile.
#[must_use]
pub fn wallet(address: &WalletAddress) -> Key {
    Key::new(format!("WALLET#{}#{}", address.chain(), address.key()), "WALLET")
}

/// An API key.
#[must_use]
pub fn api_key(id: &KeyId) -> Key {
    Key::new(format!("KEY#{id}"), "KEY")
}

/// A signing challenge.
#[must_use]
pub fn challenge(nonce: &str) -> Key {
    Key::new(format!("CHALLENGE#{nonce}"), "CHALLENGE")
}

/// One proof of work that a seller asked for.
#[must_use]
pub fn listing_work(profile: ProfileId, challenge: &str) -> Key {
    Key::new(listing_work_partition(profile), challenge)
}

/// A seller's open proofs of work; challenges made later sort later.
#[must_use]
pub fn listing_work_partition(profile: ProfileId) -> String {
    format!("WORK#{profile}")
}

/// A listing.
#[must_use]
pub fn listing(id: ListingId) -> Key {
    Key::new(format!("LISTING#{id}"), "LISTING")
}

/// Which listing has a slug.
#[must_use]
pub fn slug(slug: &str) -> Key {
    Key::new(format!("SLUG#{slug}"), "SLUG")
}

/// Where a listing stands in the catalogue's order of change.
#[must_use]
pub fn listing_change(id: ListingId, updated_ms: i64) -> IndexKey {
    IndexKey::new(GSI3, CATALOGUE.to_owned(), format!("{}{id}", changed_since(updated_ms)))
}

/// The index partition that holds every listing in order of change.
pub const CATALOGUE: &str = "CATALOGUE";

/// The head of the catalogue's snapshot.
#[must_use]
pub fn snapshot() -> Key {
    Key::new("SNAPSHOT#CATALOGUE".to_owned(), "HEAD")
}

/// A part of a snapshot.
#[must_use]
pub fn snapshot_part(generation: &str, n: usize) -> Key {
    Key::new(format!("SNAPSHOT#{generation}#{n}"), "PART")
}

/// The least sort key of a change at `ms` or later.
#[must_use]
pub fn changed_since(ms: i64) -> String {
    format!("{:015}#", ms.max(0))
}

/// A call and its ledger entries. `home` is the call's payment, or its own id where nothing is paid.
#[must_use]
pub fn call(home: &str) -> Key {
    Key::new(format!("CALL#{home}"), "CALL")
}

/// A ledger entry of a call.
#[must_use]
pub fn entry(home: &str, kind: &str) -> Key {
    Key::new(format!("CALL#{home}"), format!("ENTRY#{kind}"))
}

/// Where a paid call lives, by its own id.
#[must_use]
pub fn call_home(id: CallId) -> Key {
    Key::new(format!("REQUEST#{id}"), "REQUEST")
}

/// A part of a stored answer.
#[must_use]
pub fn answer(id: CallId, attempt: u32, part: usize) -> Key {
    Key::new(format!("ANSWER#{id}#{attempt}#{part}"), "ANSWER")
}

/// What a buyer's Idempotency-Key names. The key itself is the caller's text and is stored as a hash.
#[must_use]
pub fn idempotency(buyer: ProfileId, key: &str) -> Key {
    Key::new(format!("BUYER#{buyer}"), format!("IDEMPOTENCY#{}", sha256_hex(key)))
}

/// The quotes of a buyer for one listing and body, without an Idempotency-Key.
#[must_use]
pub fn anonymous_quotes(buyer: ProfileId, listing: ListingId, body_sha256: &str) -> Key {
    Key::new(format!("BUYER#{buyer}"), format!("QUOTES#{listing}#{body_sha256}"))
}

/// The open quotes of a buyer, for the limit on them.
#[must_use]
pub fn open_quotes(buyer: ProfileId) -> Key {
    Key::new(format!("BUYER#{buyer}"), "OPEN")
}

/// A counter of what `subject` did in the window that began at `window_start` (Unix seconds).
#[must_use]
pub fn counter(subject: &str, window_start: i64) -> Key {
    Key::new(format!("RATE#{subject}#{window_start}"), "RATE")
}

/// The calls at a listing that began in one minute.
#[must_use]
pub fn traffic(listing: ListingId, minute: i64) -> Key {
    Key::new(format!("TRAFFIC#{listing}#{minute}"), "TRAFFIC")
}

/// The breaker of the endpoint behind a listing.
#[must_use]
pub fn breaker(listing: ListingId) -> Key {
    Key::new(format!("BREAKER#{listing}"), "BREAKER")
}

/// A buyer's calls, by id.
#[must_use]
pub fn buyer_history(buyer: ProfileId, call: CallId) -> IndexKey {
    IndexKey::new(GSI1, buyer_history_partition(buyer), call.to_string())
}

/// The partition of [`buyer_history`].
#[must_use]
pub fn buyer_history_partition(buyer: ProfileId) -> String {
    format!("BUYER#{buyer}")
}

/// A seller's calls of one day, by id.
#[must_use]
pub fn seller_history(seller: ProfileId, call: CallId) -> IndexKey {
    IndexKey::new(GSI2, seller_history_partition(seller, from_unix_ms(call.created_ms())), call.to_string())
}

/// The partition of [`seller_history`] for the day of `at`.
#[must_use]
pub fn seller_history_partition(seller: ProfileId, at: OffsetDateTime) -> String {
    format!("SELLER#{seller}#{}", day(at))
}

/// A profile's account as a buyer, by entry id.
#[must_use]
pub fn account(profile: ProfileId, entry_id: &str) -> IndexKey {
    IndexKey::new(GSI1, account_partition(profile), entry_id)
}

/// The partition of [`account`].
#[must_use]
pub fn account_partition(profile: ProfileId) -> String {
    format!("ACCOUNT#{profile}")
}

/// A profile's account as a seller, one day of it, by entry id.
#[must_use]
pub fn earnings(profile: ProfileId, at: OffsetDateTime, entry_id: &str) -> IndexKey {
    IndexKey::new(GSI2, earnings_partition(profile, at), entry_id)
}

/// The partition of [`earnings`] for the day of `at`.
#[must_use]
pub fn earnings_partition(profile: ProfileId, at: OffsetDateTime) -> String {
    format!("EARNINGS#{profile}#{}", day(at))
}

/// When something has to be done about a call.
#[must_use]
pub fn due(call: CallId, at: OffsetDateTime) -> IndexKey {
    let digest = sha256_hex(call.to_string());
    let shard = u8::from_str_radix(&digest[..2], 16).unwrap_or(0) % DUE_SHARDS;
    IndexKey::new(GSI3, format!("DUE#{shard}"), format!("{}{call}", changed_since(unix_ms(at))))
}

/// The attribute names of an index key: (`gsi1pk`, `gsi1sk`) and so on.
#[must_use]
pub fn index_attributes(index: &str) -> (String, String) {
    (format!("{index}pk"), format!("{index}sk"))
}

fn day(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(format_description!("[year][month][day]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_sort_by_time() {
        assert!(changed_since(999) < changed_since(1_000));
        assert!(changed_since(1_790_000_000_000) < changed_since(1_790_000_000_001));
    }

    #[test]
    fn a_sellers_history_is_split_by_day() {
        let seller = ProfileId::generate(OffsetDateTime::UNIX_EPOCH);
        let call = CallId::generate(OffsetDateTime::from_unix_timestamp(86_400 * 2).expect("a date"));
        assert!(seller_history(seller, call).pk.ends_with("#19700103"));
    }
}
