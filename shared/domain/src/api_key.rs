//! API keys: `am_k_`, 10 characters of id, 32 of secret, 6 of checksum, all Base62.
//!
//! The id finds the key in the table, the secret (190 bits) proves it, and the checksum lets a typing error, a cut-off or an
//! invented key be refused, and a leaked one be recognised by scanners, without any look-up. Only a hash is stored: with 190
//! random bits a plain SHA-256 is enough, as there is nothing to guess.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::ids::random_bytes;

/// What every key starts with. The underscore lets a double click select the whole key.
pub const API_KEY_PREFIX: &str = "am_k_";

/// A key has exactly this many characters.
pub const API_KEY_CHARS: usize = API_KEY_PREFIX.len() + ID_CHARS + SECRET_CHARS + CHECKSUM_CHARS;

const ID_CHARS: usize = 10;
const SECRET_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking.
    Read,
    /// Doing: buying, selling, changing.
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

/// The text is not an API key. Says nothing about which part is wrong: nobody needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyError;

impl fmt::Display for ApiKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "This is not an API key: a key is am_k_ and 48 letters and digits whose last six are a checksum, so check that it \
             was copied whole.",
        )
    }
}

impl std::error::Error for ApiKeyError {}

/// The public part of a key: 10 Base62 characters, by which it is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Reads the id alone.
    ///
    /// # Errors
    /// [`ApiKeyError`] where it is not exactly 10 Base62 characters.
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

/// A whole key, with its secret. It exists while a request is looked at and once when it is issued; it is never stored, and
/// neither printed nor serialised by accident: `Debug` shows the prefix only.
#[derive(Clone)]
pub struct ApiKey {
    text: String,
    id: KeyId,
}

impl ApiKey {
    /// A fresh key of the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        let id = KeyId(random_base62(ID_CHARS));
        let secret = random_base62(SECRET_CHARS);
        let mut text = format!("{API_KEY_PREFIX}{id}{secret}");
        text.push_str(&checksum(&text));
        Self { text, id }
    }

    /// Reads a key and tests its checksum; looks nothing up.
    ///
    /// # Errors
    /// [`ApiKeyError`] where the form or the checksum is wrong.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let rest = text.strip_prefix(API_KEY_PREFIX).ok_or(ApiKeyError)?;
        if text.len() != API_KEY_CHARS || !is_base62(rest) {
            return Err(ApiKeyError);
        }
        let (body, sum) = text.split_at(API_KEY_CHARS - CHECKSUM_CHARS);
        if checksum(body) != sum {
            return Err(ApiKeyError);
        }
        Ok(Self { text: text.to_owned(), id: KeyId(rest[..ID_CHARS].to_owned()) })
    }

    /// The part by which the key is found.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// What is stored of the key: SHA-256 of the whole text.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(&self.text).into())
    }

    /// The first 20 hex digits of its hash: what a counter of its requests is called. Somebody who knows the id alone, which
    /// is no secret, counts elsewhere.
    #[must_use]
    pub fn counter_name(&self) -> String {
        super::ids::sha256_hex(&self.text)[..20].to_owned()
    }

    /// The whole key. For the one reply that issues it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// `am_k_` and the id: what people and logs may see.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{API_KEY_PREFIX}{}", self.id)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({API_KEY_PREFIX}{}…)", self.id)
    }
}

/// SHA-256 of a key, stored as 64 lower-case hex digits. It has no `==`: comparing takes the same time wherever the first
/// difference lies ([`KeyHash::matches`]).
#[derive(Clone)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Whether `key` is the one this is the hash of, in constant time.
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
    // 248 is the largest multiple of 62 in a byte: what lies above is thrown away, or the first digits would come up more often.
    std::iter::repeat_with(random_bytes::<64>)
        .flatten()
        .filter(|byte| *byte < 248)
        .map(|byte| char::from(BASE62[usize::from(byte % 62)]))
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests;
