//! How a person logs in: passkeys, and the WebAuthn ceremonies that create and use them.

use serde::{Deserialize, Serialize};

use super::ids::{PasskeyId, ProfileId, random_bytes};
use crate::unknown::Unknown;

/// Maximum passkeys of one person.
pub const MAX_PASSKEYS: usize = 10;
/// Lifetime of a ceremony in milliseconds: 5 minutes.
pub const CEREMONY_MS: i64 = 300_000;

/// A passkey as it is stored. It holds a public key and nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// The passkey's id.
    pub id: PasskeyId,
    /// The name that the person gave it.
    pub name: String,
    /// SHA-256 of the WebAuthn credential id, in hex.
    pub credential_sha256: String,
    /// The WebAuthn credential (id, public key, counter and flags), serialized by the relying party.
    pub credential: String,
    /// When it was added (Unix milliseconds).
    pub created_ms: i64,
    /// When it was last used to log in (Unix milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<i64>,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A person's passkeys and unused recovery codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkeys {
    /// The passkeys, oldest first; at most [`MAX_PASSKEYS`].
    pub passkeys: Vec<Passkey>,
    /// SHA-256 of each unused recovery code, in hex.
    pub recovery_codes: Vec<String>,
    /// The version, incremented by every change. A write is conditional on the version that was read.
    pub version: u64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Passkeys {
    /// The passkey whose credential id has this hash.
    #[must_use]
    pub fn of_credential(&self, credential_sha256: &str) -> Option<&Passkey> {
        self.passkeys.iter().find(|passkey| passkey.credential_sha256 == credential_sha256)
    }

    /// The next version, after a login with one passkey at `now_ms` that left its credential in this state.
    #[must_use]
    pub fn after_login(&self, id: PasskeyId, credential: &str, now_ms: i64) -> Self {
        let mut after = self.next_version();
        for passkey in after.passkeys.iter_mut().filter(|passkey| passkey.id == id) {
            credential.clone_into(&mut passkey.credential);
            passkey.last_used_ms = Some(now_ms);
        }
        after
    }

    /// The next version, with one more passkey.
    #[must_use]
    pub fn with(&self, passkey: Passkey) -> Self {
        let mut after = self.next_version();
        after.passkeys.push(passkey);
        after
    }

    /// The next version, without this passkey.
    #[must_use]
    pub fn without(&self, id: PasskeyId) -> Self {
        let mut after = self.next_version();
        after.passkeys.retain(|passkey| passkey.id != id);
        after
    }

    /// The next version, with these recovery codes (SHA-256 in hex) instead of the old ones.
    #[must_use]
    pub fn with_recovery_codes(&self, recovery_codes: Vec<String>) -> Self {
        Self { recovery_codes, ..self.next_version() }
    }

    /// The next version, without the recovery code that has this hash. `None` if it is not among the unused codes.
    #[must_use]
    pub fn after_recovery_code(&self, code_sha256: &str) -> Option<Self> {
        let mut after = self.next_version();
        after.recovery_codes.retain(|left| left != code_sha256);
        (after.recovery_codes.len() < self.recovery_codes.len()).then_some(after)
    }

    fn next_version(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

/// What a ceremony is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum CeremonyPurpose {
    /// Sign up a new person with a first passkey.
    SignUp {
        /// The id of the future profile. The authenticator stores it as the user handle.
        person: ProfileId,
        /// The public name of the future profile.
        display_name: String,
    },
    /// Add a passkey for a person who is logged in.
    AddPasskey {
        /// The person.
        person: ProfileId,
    },
    /// Log in the person whom the passkey identifies.
    LogIn,
    /// Confirm that the person of an open session is still there.
    Reauthenticate {
        /// SHA-256 of the session's token, in hex.
        session_sha256: String,
    },
}

/// A WebAuthn ceremony in progress. The store lets it be finished once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// 128 random bits as 32 lower-case hex digits.
    pub id: String,
    /// What it is for.
    pub purpose: CeremonyPurpose,
    /// What the relying party needs to verify the response: challenge and policy.
    pub state: String,
    /// When it expires (Unix milliseconds). It is no longer valid at this moment.
    pub expires_ms: i64,
}

impl Ceremony {
    /// Starts a ceremony with a new id.
    #[must_use]
    pub fn start(purpose: CeremonyPurpose, state: String, now_ms: i64) -> Self {
        Self { id: hex::encode(random_bytes::<16>()), purpose, state, expires_ms: now_ms + CEREMONY_MS }
    }

    /// Whether a text has the form of a ceremony id.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Whether it can be finished at `now_ms`.
    #[must_use]
    pub fn is_open(&self, now_ms: i64) -> bool {
        now_ms < self.expires_ms
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn passkey(n: u8) -> Passkey {
        Passkey {
            id: PasskeyId::generate(OffsetDateTime::UNIX_EPOCH),
            name: format!("Key {n}"),
            credential_sha256: format!("{n}"),
            credential: "{}".into(),
            created_ms: 0,
            last_used_ms: None,
            unknown: Unknown::default(),
        }
    }

    #[test]
    fn every_change_counts_and_changes_nothing_else() {
        let first = Passkeys {
            passkeys: vec![passkey(1)],
            recovery_codes: vec!["a".into(), "b".into()],
            version: 1,
            unknown: Unknown::default(),
        };
        let two = first.with(passkey(2));
        assert_eq!((two.passkeys.len(), two.version), (2, 2));
        let used = two.after_login(two.passkeys[1].id, "after", 9);
        assert_eq!((used.passkeys[1].credential.as_str(), used.passkeys[1].last_used_ms), ("after", Some(9)));
        assert_eq!(used.passkeys[0], two.passkeys[0]);
        let one = used.without(two.passkeys[0].id);
        assert_eq!((one.passkeys.len(), one.version), (1, 4));
        assert_eq!(first.after_recovery_code("a").expect("a code").recovery_codes, ["b"]);
        assert_eq!(first.after_recovery_code("c"), None);
        assert_eq!(first.with_recovery_codes(vec!["c".into()]).recovery_codes, ["c"]);
        assert_eq!(two.of_credential("2").map(|passkey| passkey.id), Some(two.passkeys[1].id));
        assert!(two.of_credential("3").is_none());
    }

    #[test]
    fn a_ceremony_lasts_five_minutes() {
        let ceremony = Ceremony::start(CeremonyPurpose::LogIn, String::new(), 0);
        assert!(
            Ceremony::is_id(&ceremony.id)
                && !Ceremony::is_id("x")
                && !Ceremony::is_id(&ceremony.id.to_uppercase().replace('0', "G"))
        );
        assert!(ceremony.is_open(CEREMONY_MS - 1) && !ceremony.is_open(CEREMONY_MS));
    }
}
