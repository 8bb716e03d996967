//! The secret with the payment provider's key.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

/// The payment provider's key, and the one before.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ProviderSecret {
    /// The key. Empty when absent.
    #[serde(rename = "relay_api_key", default)]
    pub key: SecretString,
    /// The key before. Payments that were quoted with it are listed under it, and webhooks may still be signed with it.
    #[serde(rename = "previous_relay_api_key", default)]
    pub previous: SecretString,
}

impl ProviderSecret {
    /// The keys that are set, the current one first.
    pub fn keys(&self) -> impl Iterator<Item = &SecretString> {
        [&self.key, &self.previous].into_iter().filter(|key| !key.expose_secret().is_empty())
    }

    /// The secret with another key, as the text to be stored.
    #[must_use]
    pub fn rotated(&self, key: &SecretString) -> SecretString {
        json!({ "relay_api_key": key.expose_secret(), "previous_relay_api_key": self.key.expose_secret() }).to_string().into()
    }
}
