//! The secret with the keys of this deployment's own.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

/// The deployment's own keys: those that sign cursors.
#[derive(Debug, Clone, Deserialize)]
pub struct OwnKeys {
    /// The current key.
    pub cursor_key: SecretString,
    /// The key before. Its cursors stay valid. Empty before the first rotation.
    #[serde(default)]
    pub previous_cursor_key: SecretString,
    /// From when the current key signs (Unix milliseconds). Until then, the one before does.
    #[serde(default)]
    pub cursor_key_from_ms: i64,
}

impl OwnKeys {
    /// The secret with another key for cursors, as the text to be stored.
    #[must_use]
    pub fn rotated(&self, key: &str, from_ms: i64) -> SecretString {
        let previous = self.cursor_key.expose_secret();
        json!({ "cursor_key": key, "previous_cursor_key": previous, "cursor_key_from_ms": from_ms }).to_string().into()
    }
}
