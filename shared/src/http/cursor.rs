//! Cursors of histories: opaque, bound to their query, and rejected if altered.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use super::codes::Code;
use super::error::ApiError;
use crate::config::OwnKeys;

/// The keys of cursors: the current one, and the one before.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "OwnKeys")]
pub struct CursorKeys {
    current: CursorKey,
    previous: Option<CursorKey>,
    from_ms: i64,
}

impl From<OwnKeys> for CursorKeys {
    fn from(keys: OwnKeys) -> Self {
        let key = |secret: &SecretString| CursorKey::new(secret.expose_secret());
        let previous = Some(&keys.previous_cursor_key).filter(|previous| !previous.expose_secret().is_empty()).map(key);
        Self { current: key(&keys.cursor_key), previous, from_ms: keys.cursor_key_from_ms }
    }
}

impl CursorKeys {
    /// As [`CursorKey::seal`]. A new key seals when every instance has read it.
    #[must_use]
    pub fn seal(&self, query: &str, position: &str, now_ms: i64) -> String {
        let sealing = self.previous.as_ref().filter(|_| now_ms < self.from_ms).unwrap_or(&self.current);
        sealing.seal(query, position)
    }

    /// As [`CursorKey::open`], with any of the keys.
    ///
    /// # Errors
    /// `INVALID_CURSOR`.
    pub fn open(&self, query: &str, cursor: &str) -> Result<String, ApiError> {
        let opened = self.current.open(query, cursor);
        match &self.previous {
            Some(previous) => opened.or_else(|_| previous.open(query, cursor)),
            None => opened,
        }
    }
}

/// A key that signs cursors.
#[derive(Clone)]
pub struct CursorKey(Vec<u8>);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

const TAG_BYTES: usize = 16;

impl CursorKey {
    /// A key of this secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.as_bytes().to_vec())
    }

    /// A cursor for `position` within the list that `query` describes.
    #[must_use]
    pub fn seal(&self, query: &str, position: &str) -> String {
        let mut sealed = self.tag(query, position);
        sealed.extend_from_slice(position.as_bytes());
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The position in a cursor. This key must have sealed it for the same query.
    ///
    /// # Errors
    /// `INVALID_CURSOR`.
    pub fn open(&self, query: &str, cursor: &str) -> Result<String, ApiError> {
        let invalid = || ApiError::new(Code::InvalidCursor);
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (tag, position) = sealed.split_at_checked(TAG_BYTES).ok_or_else(invalid)?;
        let position = String::from_utf8(position.to_vec()).map_err(|_| invalid())?;
        let expected = self.tag(query, &position);
        if bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_slice(), tag)) { Ok(position) } else { Err(invalid()) }
    }

    fn tag(&self, query: &str, position: &str) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(&(query.len() as u64).to_be_bytes());
        mac.update(query.as_bytes());
        mac.update(position.as_bytes());
        mac.finalize().into_bytes()[..TAG_BYTES].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_seals_from_its_time_on_and_the_one_before_still_opens() {
        let before = OwnKeys { cursor_key: "a".into(), previous_cursor_key: "".into(), cursor_key_from_ms: 0 };
        let after: OwnKeys = serde_json::from_str(before.rotated("b", 10).expose_secret()).expect("JSON");
        let (before, after) = (CursorKeys::from(before), CursorKeys::from(after));
        let [early, late] = [9, 10].map(|now_ms| after.seal("q", "p", now_ms));
        assert_eq!(early, before.seal("q", "p", 9), "an instance that knows the old key only opens it");
        assert_eq!(late, CursorKey::new("b").seal("q", "p"));
        assert!(after.open("q", &early).is_ok() && after.open("q", &late).is_ok() && before.open("q", &late).is_err());
    }

    #[test]
    fn altered_cursors_are_refused() {
        let key = CursorKey::new("secret");
        let cursor = key.seal("ledger|me", "led_1");
        assert_eq!(key.open("ledger|me", &cursor).expect("ours"), "led_1");
        assert!(key.open("ledger|you", &cursor).is_err());
        assert!(CursorKey::new("other").open("ledger|me", &cursor).is_err());
        for i in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).expect("ASCII");
            assert!(altered == cursor || key.open("ledger|me", &altered).is_err(), "{i}");
        }
        assert!(key.open("ledger|me", "").is_err());
    }
}
