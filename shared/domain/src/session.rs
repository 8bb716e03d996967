//! A person's session: a random token in a cookie, of which only the hash is kept.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::ids::{ProfileId, random_bytes, sha256_hex};

/// The cookie's name. `__Host-` makes browsers insist on `Secure`, on `Path=/` and on no other host.
pub const COOKIE: &str = "__Host-crochet";
/// A session that was not used for this long is over: 12 hours, in milliseconds.
pub const IDLE_MS: i64 = 12 * 3_600_000;
/// A session is over after this long in any case: 7 days, in milliseconds.
pub const LIFETIME_MS: i64 = 7 * 24 * 3_600_000;
/// That a session is used is written down this often: 5 minutes, in milliseconds.
pub const NOTED_MS: i64 = 300_000;
/// Sessions that one person may have; a further one ends the oldest.
pub const MAX_SESSIONS: usize = 20;

const TOKEN_BYTES: usize = 32;
const TOKEN_CHARS: usize = 43;

/// The secret in the cookie: 256 random bits in base64url, 43 characters. It does not print.
#[derive(Clone)]
pub struct SessionToken(String);

impl SessionToken {
    /// A fresh token of the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()))
    }

    /// Reads a cookie's value; `None` where it cannot be a token, so that nothing is looked up for it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_token = text.len() == TOKEN_CHARS && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == TOKEN_BYTES);
        is_token.then(|| Self(text.to_owned()))
    }

    /// What the session is found by: the token's SHA-256 in hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256_hex(&self.0)
    }

    /// The token itself. For the one cookie that hands it over.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// A session, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of its token, in hex.
    pub token_sha256: String,
    /// Whose it is.
    pub profile: ProfileId,
    /// When the person logged in (Unix milliseconds).
    pub created_ms: i64,
    /// When it was last used (Unix milliseconds), to within [`NOTED_MS`].
    pub seen_ms: i64,
}

impl Session {
    /// A session that begins now.
    #[must_use]
    pub fn begin(token: &SessionToken, profile: ProfileId, now_ms: i64) -> Self {
        Self { token_sha256: token.sha256(), profile, created_ms: now_ms, seen_ms: now_ms }
    }

    /// When it ends if it is not used again (Unix milliseconds).
    #[must_use]
    pub fn ends_ms(&self) -> i64 {
        (self.seen_ms + IDLE_MS).min(self.last_ms())
    }

    /// When it ends in any case (Unix milliseconds).
    #[must_use]
    pub fn last_ms(&self) -> i64 {
        self.created_ms + LIFETIME_MS
    }

    /// Whether it still counts.
    #[must_use]
    pub fn is_open(&self, now_ms: i64) -> bool {
        now_ms < self.ends_ms()
    }

    /// Whether its use is to be written down again.
    #[must_use]
    pub fn is_due_to_be_noted(&self, now_ms: i64) -> bool {
        now_ms >= self.seen_ms + NOTED_MS
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn tokens_are_long_random_and_do_not_print() {
        let (one, other) = (SessionToken::generate(), SessionToken::generate());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(SessionToken::parse(one.reveal()).expect("a token").sha256(), one.sha256());
        assert_eq!(format!("{one:?}"), "SessionToken(…)");
        for bad in ["", "x", &one.reveal()[1..], &format!("{}A", one.reveal()), &"!".repeat(43)] {
            assert!(SessionToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn twelve_idle_hours_or_seven_days() {
        let profile = ProfileId::generate(OffsetDateTime::UNIX_EPOCH);
        let mut session = Session::begin(&SessionToken::generate(), profile, 0);
        assert!(session.is_open(IDLE_MS - 1) && !session.is_open(IDLE_MS));
        assert!(!session.is_due_to_be_noted(NOTED_MS - 1) && session.is_due_to_be_noted(NOTED_MS));
        session.seen_ms = LIFETIME_MS - 1;
        assert!(session.is_open(LIFETIME_MS - 1) && !session.is_open(LIFETIME_MS));
    }
}
