//! A person's session: a random token in a cookie. Only its hash is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::ids::{ProfileId, random_bytes, sha256_hex};

/// Name of the session cookie. Because of `__Host-`, browsers require `Secure` and `Path=/` and send it to this host only.
pub const COOKIE: &str = "__Host-crochet";
/// A session ends after this time without use, in milliseconds: 12 hours.
pub const IDLE_MS: i64 = 12 * 3_600_000;
/// Maximum lifetime of a session in milliseconds: 7 days.
pub const LIFETIME_MS: i64 = 7 * 24 * 3_600_000;
/// Minimum interval between two writes of a session's last use, in milliseconds: 5 minutes.
pub const NOTED_MS: i64 = 300_000;
/// A person who proved themselves at most this long ago, in milliseconds, need not do so again to change how they get in: 5 minutes.
pub const RECENT_MS: i64 = 300_000;
/// Maximum sessions of one person. Another login ends the oldest one.
pub const MAX_SESSIONS: usize = 20;

const TOKEN_BYTES: usize = 32;
const TOKEN_CHARS: usize = 43;

/// The secret in the cookie: 256 random bits in base64url, 43 characters.
#[derive(Debug, Clone)]
pub struct SessionToken(SecretString);

impl SessionToken {
    /// A new random token.
    #[must_use]
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()).into())
    }

    /// Parses a cookie's value. `None` if it does not have the form of a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_token = text.len() == TOKEN_CHARS && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == TOKEN_BYTES);
        is_token.then(|| Self(text.into()))
    }

    /// SHA-256 of the token in hex: the key under which the session is stored.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256_hex(self.0.expose_secret())
    }

    /// The token itself, for the `Set-Cookie` header.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of its token, in hex.
    pub token_sha256: String,
    /// The person's profile.
    pub profile: ProfileId,
    /// When the person logged in (Unix milliseconds).
    pub created_ms: i64,
    /// When it was last used (Unix milliseconds), to within [`NOTED_MS`].
    pub seen_ms: i64,
    /// How the person logged in.
    pub opened_with: SignIn,
    /// When the person last proved in this session who they are: by logging in, or with a passkey later (Unix milliseconds).
    pub authenticated_ms: i64,
}

/// What a person logs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignIn {
    /// A passkey.
    Passkey,
    /// A recovery code.
    RecoveryCode,
    /// A wallet of an agent that the person operates.
    Wallet,
}

impl SignIn {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
            Self::Wallet => "wallet",
        }
    }
}

impl Session {
    /// Starts a session.
    #[must_use]
    pub fn start(token: &SessionToken, profile: ProfileId, opened_with: SignIn, now_ms: i64) -> Self {
        let token_sha256 = token.sha256();
        Self { token_sha256, profile, created_ms: now_ms, seen_ms: now_ms, opened_with, authenticated_ms: now_ms }
    }

    /// Its public id: `ses_` and 20 hex digits of the token's hash. Nobody can log in with it.
    #[must_use]
    pub fn id(&self) -> String {
        session_id(&self.token_sha256)
    }

    /// Whether the person has proved who they are recently enough to change how they get in.
    #[must_use]
    pub fn is_recent(&self, now_ms: i64) -> bool {
        now_ms <= self.authenticated_ms + RECENT_MS
    }

    /// When it expires unless it is used again (Unix milliseconds).
    #[must_use]
    pub fn expires_ms(&self) -> i64 {
        (self.seen_ms + IDLE_MS).min(self.latest_expiry_ms())
    }

    /// When it expires at the latest (Unix milliseconds).
    #[must_use]
    pub fn latest_expiry_ms(&self) -> i64 {
        self.created_ms + LIFETIME_MS
    }

    /// Whether it is valid at `now_ms`.
    #[must_use]
    pub fn is_open(&self, now_ms: i64) -> bool {
        now_ms < self.expires_ms()
    }

    /// Whether the stored time of its last use is old enough to be written again.
    #[must_use]
    pub fn is_last_use_outdated(&self, now_ms: i64) -> bool {
        now_ms >= self.seen_ms + NOTED_MS
    }
}

/// The public id of the session whose token has this SHA-256.
#[must_use]
pub fn session_id(token_sha256: &str) -> String {
    format!("ses_{}", token_sha256.get(..20).unwrap_or_default())
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
        assert!(!format!("{one:?}").contains(one.reveal()));
        for bad in ["", "x", &one.reveal()[1..], &format!("{}A", one.reveal()), &"!".repeat(43)] {
            assert!(SessionToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn twelve_idle_hours_or_seven_days() {
        let profile = ProfileId::generate(OffsetDateTime::UNIX_EPOCH);
        let mut session = Session::start(&SessionToken::generate(), profile, SignIn::Passkey, 0);
        assert!(session.is_open(IDLE_MS - 1) && !session.is_open(IDLE_MS));
        assert!(!session.is_last_use_outdated(NOTED_MS - 1) && session.is_last_use_outdated(NOTED_MS));
        assert!(session.is_recent(RECENT_MS) && !session.is_recent(RECENT_MS + 1));
        assert_eq!(session.id(), format!("ses_{}", &session.token_sha256[..20]));
        session.seen_ms = LIFETIME_MS - 1;
        assert!(session.is_open(LIFETIME_MS - 1) && !session.is_open(LIFETIME_MS));
    }
}
