//! How a person logs in: passkeys, and the ceremonies in which browsers make and use them.

use serde::{Deserialize, Serialize};

use super::ids::{PasskeyId, ProfileId, random_bytes};

/// Passkeys that one person may have.
pub const MAX_PASSKEYS: usize = 10;
/// A ceremony can be finished for this long: 5 minutes, in milliseconds.
pub const CEREMONY_MS: i64 = 300_000;

/// A passkey, as it is stored. What authenticates is its public key: nothing here is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its id here.
    pub id: PasskeyId,
    /// What the person calls it.
    pub name: String,
    /// SHA-256 of the credential id that its authenticator gave it, in hex.
    pub credential_sha256: String,
    /// Credential id, public key, counter and flags, as the relying party writes and reads them.
    pub credential: String,
    /// When it was added (Unix milliseconds).
    pub created_ms: i64,
    /// When somebody last logged in with it (Unix milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<i64>,
}

/// A person's passkeys, oldest first, and the recovery codes that are left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkeys {
    /// At most [`MAX_PASSKEYS`].
    pub passkeys: Vec<Passkey>,
    /// SHA-256 of each code that was not used yet, in hex.
    pub recovery_codes: Vec<String>,
    /// Counts the changes; a write names the version it changed.
    pub version: u64,
}

impl Passkeys {
    /// The passkey of the credential with this hash.
    #[must_use]
    pub fn of_credential(&self, credential_sha256: &str) -> Option<&Passkey> {
        self.passkeys.iter().find(|passkey| passkey.credential_sha256 == credential_sha256)
    }

    /// These passkeys after a log-in at `now_ms`, which left the credential of one of them in this state.
    #[must_use]
    pub fn after_use(&self, id: PasskeyId, credential: &str, now_ms: i64) -> Self {
        let mut after = self.changed();
        for passkey in after.passkeys.iter_mut().filter(|passkey| passkey.id == id) {
            credential.clone_into(&mut passkey.credential);
            passkey.last_used_ms = Some(now_ms);
        }
        after
    }

    /// These passkeys and one more.
    #[must_use]
    pub fn with(&self, passkey: Passkey) -> Self {
        let mut after = self.changed();
        after.passkeys.push(passkey);
        after
    }

    /// These passkeys without one of them.
    #[must_use]
    pub fn without(&self, id: PasskeyId) -> Self {
        let mut after = self.changed();
        after.passkeys.retain(|passkey| passkey.id != id);
        after
    }

    /// The same with these recovery codes (SHA-256 in hex) instead of all that were left.
    #[must_use]
    pub fn with_codes(&self, recovery_codes: Vec<String>) -> Self {
        Self { recovery_codes, ..self.changed() }
    }

    /// The same after the use of a recovery code; none where the code with this hash is not among those that are left.
    #[must_use]
    pub fn after_code(&self, code_sha256: &str) -> Option<Self> {
        let mut after = self.changed();
        after.recovery_codes.retain(|left| left != code_sha256);
        (after.recovery_codes.len() < self.recovery_codes.len()).then_some(after)
    }

    fn changed(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

/// What a ceremony is to end in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum CeremonyPurpose {
    /// A new person with a first passkey.
    SignUp {
        /// The id that the person's profile will have; the authenticator keeps it as the user handle.
        person: ProfileId,
        /// The name that the profile will show.
        display_name: String,
    },
    /// A further passkey of somebody who is logged in.
    AddPasskey {
        /// Who that is.
        person: ProfileId,
    },
    /// A session, for whoever the passkey says.
    LogIn,
}

/// A ceremony that was begun. Whoever stores it lets it be finished once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// 128 random bits as 32 lower-case hex digits.
    pub id: String,
    /// What it is to end in.
    pub purpose: CeremonyPurpose,
    /// What the relying party must know to check the answer: the challenge and the policy.
    pub state: String,
    /// The first moment at which it no longer counts (Unix milliseconds).
    pub expires_ms: i64,
}

impl Ceremony {
    /// A ceremony that begins now.
    #[must_use]
    pub fn begin(purpose: CeremonyPurpose, state: String, now_ms: i64) -> Self {
        Self { id: hex::encode(random_bytes::<16>()), purpose, state, expires_ms: now_ms + CEREMONY_MS }
    }

    /// Whether a text can be the id of a ceremony.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Whether it can still be finished.
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
        }
    }

    #[test]
    fn every_change_counts_and_changes_nothing_else() {
        let first = Passkeys { passkeys: vec![passkey(1)], recovery_codes: vec!["a".into(), "b".into()], version: 1 };
        let two = first.with(passkey(2));
        assert_eq!((two.passkeys.len(), two.version), (2, 2));
        let used = two.after_use(two.passkeys[1].id, "after", 9);
        assert_eq!((used.passkeys[1].credential.as_str(), used.passkeys[1].last_used_ms), ("after", Some(9)));
        assert_eq!(used.passkeys[0], two.passkeys[0]);
        let one = used.without(two.passkeys[0].id);
        assert_eq!((one.passkeys.len(), one.version), (1, 4));
        assert_eq!(first.after_code("a").expect("a code").recovery_codes, ["b"]);
        assert_eq!(first.after_code("c"), None);
        assert_eq!(first.with_codes(vec!["c".into()]).recovery_codes, ["c"]);
        assert_eq!(two.of_credential("2").map(|passkey| passkey.id), Some(two.passkeys[1].id));
        assert!(two.of_credential("3").is_none());
    }

    #[test]
    fn a_ceremony_lasts_five_minutes() {
        let ceremony = Ceremony::begin(CeremonyPurpose::LogIn, String::new(), 0);
        assert!(
            Ceremony::is_id(&ceremony.id)
                && !Ceremony::is_id("x")
                && !Ceremony::is_id(&ceremony.id.to_uppercase().replace('0', "G"))
        );
        assert!(ceremony.is_open(CEREMONY_MS - 1) && !ceremony.is_open(CEREMONY_MS));
    }
}
