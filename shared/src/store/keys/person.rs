//! Keys of people: passkeys, recovery codes, sessions, claimed agents.

use super::key::{Key, KeyRange};
use super::profile::profile_partition;
use crochet_domain::ids::ProfileId;

/// Prefix of the sort keys of pointers to sessions.
const SESSIONS: &str = "SESSION#";
/// Prefix of the sort keys of pointers to claimed agents.
const CLAIMS: &str = "CLAIM#";

/// A person's passkeys, and the hashes of the recovery codes that are left. In a partition of their own, which only one function may
/// read.
#[must_use]
pub fn passkeys(person: ProfileId) -> Key {
    Key::new(format!("PASSKEYS#{person}"), "PASSKEYS")
}

/// The owner of a passkey, by the SHA-256 of its credential id: one credential, one person.
#[must_use]
pub fn credential(id_sha256: &str) -> Key {
    Key::new(format!("CREDENTIAL#{id_sha256}"), "CREDENTIAL")
}

/// A passkey ceremony that has started.
#[must_use]
pub fn ceremony(id: &str) -> Key {
    Key::new(format!("CEREMONY#{id}"), "CEREMONY")
}

/// The owner of a recovery code, by its SHA-256.
#[must_use]
pub fn recovery_code(sha256: &str) -> Key {
    Key::new(format!("RECOVERY#{sha256}"), "RECOVERY")
}

/// A person's session, by the SHA-256 of its token.
#[must_use]
pub fn session(token_sha256: &str) -> Key {
    Key::new(format!("SESSION#{token_sha256}"), "SESSION")
}

/// Pointer from a person to a session, by the SHA-256 of its token.
#[must_use]
pub fn profile_session(id: ProfileId, token_sha256: &str) -> Key {
    Key::new(profile_partition(id), format!("{SESSIONS}{token_sha256}"))
}

/// Pointer from a person to an agent that the person operates.
#[must_use]
pub fn profile_claim(person: ProfileId, agent: ProfileId) -> Key {
    Key::new(profile_partition(person), format!("{CLAIMS}{agent}"))
}

/// The pointers of a person to their sessions.
#[must_use]
pub fn profile_sessions(person: ProfileId) -> KeyRange {
    KeyRange::starting_with(profile_partition(person), SESSIONS)
}

/// The pointers of a person to the agents that they operate.
#[must_use]
pub fn profile_claims(person: ProfileId) -> KeyRange {
    KeyRange::starting_with(profile_partition(person), CLAIMS)
}
