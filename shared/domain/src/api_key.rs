//! API keys: `am_k_`, 10 characters of id, 32 of secret, 6 of checksum, all Base62.
//!
//! The id finds the key in the table, and the secret (190 bits) authenticates it. With the checksum, a mistyped or truncated key
//! is rejected without a lookup, and scanners recognize a leaked one. Only a hash is stored. A plain SHA-256 is enough, because
//! 190 random bits cannot be guessed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::ids::random_bytes;

/// The prefix of every key. Underscores let a double click select the whole key.
pub const API_KEY_PREFIX: &str = "am_k_";

/// Length of a key in characters.
pub const API_KEY_CHARS: usize = API_KEY_PREFIX.len() + ID_CHARS + SECRET_CHARS + CHECKSUM_CHARS;

const ID_CHARS: usize = 10;
const SECRET_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read the profile's own data.
    Read,
    /// Buy, sell and change things.
    Write,
}

impl Scope {
    /// The name used in JSON and in the table: `read` or `write`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not an API key. It does not say which part is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "This is not an API key. A key is am_k_ followed by 48 letters and digits, the last six of which are a checksum. Check that \
     you copied all of it."
)]
pub struct ApiKeyError;

/// The public id of a key: 10 Base62 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Parses the id alone.
    ///
    /// # Errors
    /// [`ApiKeyError`] unless it is exactly 10 Base62 characters.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        if text.len() != ID_CHARS || !is_base62(text) {
            return Err(ApiKeyError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The ten characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A whole key, with its secret. It exists only while a request is authenticated and when the key is issued. It is never stored.
#[derive(Debug, Clone)]
pub struct ApiKey {
    text: SecretString,
    id: KeyId,
}

impl ApiKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        let id = KeyId(random_base62(ID_CHARS));
        let secret = random_base62(SECRET_CHARS);
        let mut text = format!("{API_KEY_PREFIX}{id}{secret}");
        text.push_str(&checksum(&text));
        Self { text: text.into(), id }
    }

    /// Parses a key and verifies its checksum. It does not look the key up.
    ///
    /// # Errors
    /// [`ApiKeyError`] if the form or the checksum is wrong.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let rest = text.strip_prefix(API_KEY_PREFIX).ok_or(ApiKeyError)?;
        if text.len() != API_KEY_CHARS || !is_base62(rest) {
            return Err(ApiKeyError);
        }
        let (body, sum) = text.split_at(API_KEY_CHARS - CHECKSUM_CHARS);
        if checksum(body) != sum {
            return Err(ApiKeyError);
        }
        Ok(Self { text: text.into(), id: KeyId(rest[..ID_CHARS].to_owned()) })
    }

    /// The key's id.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// SHA-256 of the whole key, which is what the table stores.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.reveal()).into())
    }

    /// The first 20 hex digits of its hash: the name of its rate counter. Somebody who knows only the id, which is public, cannot
    /// exhaust this counter.
    #[must_use]
    pub fn counter_name(&self) -> String {
        super::ids::sha256_hex(self.reveal())[..20].to_owned()
    }

    /// The whole key, for the reply that issues it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }

    /// `am_k_` and the id, which are not secret.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{API_KEY_PREFIX}{}", self.id)
    }
}

/// SHA-256 of a key, stored as 64 lower-case hex digits. It has no `==`, so that every comparison takes constant time
/// ([`KeyHash::matches`]).
#[derive(Clone)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Whether this is the hash of `key`. The comparison takes constant time.
    #[must_use]
    pub fn matches(&self, key: &ApiKey) -> bool {
        self.0.ct_eq(&key.hash().0).into()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut hash = [0_u8; 32];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut hash).map_err(serde::de::Error::custom)?;
        Ok(Self(hash))
    }
}

fn is_base62(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// CRC-32 (IEEE) in Base62, most significant digit first, padded with zeros: 62^6 is more than 2^32.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

fn random_base62(count: usize) -> String {
    // 248 is the largest multiple of 62 in a byte. Larger values are discarded, or the first digits would be more likely.
    std::iter::repeat_with(random_bytes::<64>)
        .flatten()
        .filter(|byte| *byte < 248)
        .map(|byte| char::from(BASE62[usize::from(byte % 62)]))
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests;
