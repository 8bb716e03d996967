//! Cursors of histories: opaque, bound to their query, and rejected if altered.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::codes::Code;
use super::error::ApiError;

/// The key that signs cursors, from the operator's secret.
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
