//! The secret with the payment provider's key.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

/// How long the key before is used after a rotation: two days, in milliseconds. By then, the last question about a payment that was
/// quoted with it has been asked, a day after its quote was over.
const PREVIOUS_USED_MS: i64 = 2 * 86_400_000;

/// The payment provider's key, and the one before.
#[derive(Debug, Clone, Deserialize)]
pub struct ProviderSecret {
    /// The key. Empty when absent.
    #[serde(rename = "relay_api_key", default)]
    pub key: SecretString,
    /// The key before. Payments that were quoted with it are listed under it, and webhooks may still be signed with it.
    #[serde(rename = "previous_relay_api_key", default)]
    pub previous: SecretString,
    /// Until when the key before is used (Unix milliseconds). A secret that does not say uses it for ever.
    #[serde(default = "forever")]
    pub previous_until_ms: i64,
}

fn forever() -> i64 {
    i64::MAX
}

impl ProviderSecret {
    /// The key before, if one is set and was in use until `ms` or later (Unix milliseconds).
    #[must_use]
    pub fn previous_at(&self, ms: i64) -> Option<&SecretString> {
        Some(&self.previous).filter(|key| !key.expose_secret().is_empty() && ms < self.previous_until_ms)
    }

    /// The keys with which a webhook may be signed at `now_ms`, the current one first.
    pub fn keys_at(&self, now_ms: i64) -> impl Iterator<Item = &SecretString> {
        let current = Some(&self.key).filter(|key| !key.expose_secret().is_empty());
        current.into_iter().chain(self.previous_at(now_ms))
    }

    /// The secret with another key from `now_ms` on, as the text to be stored.
    #[must_use]
    pub fn rotated(&self, key: &SecretString, now_ms: i64) -> SecretString {
        let (key, previous) = (key.expose_secret(), self.key.expose_secret());
        let until_ms = now_ms + PREVIOUS_USED_MS;
        json!({ "relay_api_key": key, "previous_relay_api_key": previous, "previous_until_ms": until_ms }).to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &SecretString) -> ProviderSecret {
        serde_json::from_str(text.expose_secret()).expect("a secret")
    }

    fn keys_at(secret: &ProviderSecret, ms: i64) -> Vec<&str> {
        secret.keys_at(ms).map(ExposeSecret::expose_secret).collect()
    }

    #[test]
    fn the_key_before_ends_two_days_after_a_rotation() {
        let first = read(&r#"{"relay_api_key":"a","previous_relay_api_key":""}"#.into());
        assert_eq!(keys_at(&first, 0), ["a"]);
        let second = read(&first.rotated(&"b".into(), 1_000));
        let ends = 1_000 + 2 * 86_400_000;
        assert_eq!((keys_at(&second, ends - 1), keys_at(&second, ends)), (vec!["b", "a"], vec!["b"]));
        let of_before = read(&r#"{"relay_api_key":"b","previous_relay_api_key":"a"}"#.into());
        assert_eq!(keys_at(&of_before, i64::MAX - 1), ["b", "a"], "a secret that does not say");
    }
}
