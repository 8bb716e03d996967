//! API keys in replies.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema;
use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{API_KEY_PREFIX, ApiKey, KeyId, Scope};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// The prefix of a key's id in replies and paths. The ten characters of the id follow.
pub const KEY_ID_PREFIX: &str = "key_";

/// An API key without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Key {
    /// The key's id: `key_` and ten characters.
    pub id: String,
    /// The key's name.
    pub name: String,
    /// The key's prefix and id, which are not secret.
    pub prefix: String,
    /// What the key may do. The scopes are independent: a key with `write` alone cannot read.
    #[schema(value_type = Vec<schema::Scope>)]
    pub scopes: Vec<Scope>,
    /// When the key was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the key was last used, to within an hour.
    #[schema(required, format = DateTime)]
    pub last_used_at: Option<String>,
    /// When the key expires; null if it does not.
    #[schema(required, format = DateTime)]
    pub expires_at: Option<String>,
}

impl From<&ApiKeyRecord> for Key {
    fn from(key: &ApiKeyRecord) -> Self {
        let moment = |ms| rfc3339(from_unix_ms(ms));
        Self {
            id: key_id(&key.id),
            name: key.name.clone(),
            prefix: format!("{API_KEY_PREFIX}{}", key.id),
            scopes: key.scopes.clone(),
            created_at: moment(key.created_ms),
            last_used_at: key.last_used_ms.map(moment),
            expires_at: key.expires_ms.map(moment),
        }
    }
}

/// The id of a key in replies and paths.
#[must_use]
pub fn key_id(id: &KeyId) -> String {
    format!("{KEY_ID_PREFIX}{id}")
}

/// Parses the id in a path. `None` if it does not have the form of one.
#[must_use]
pub fn parse_key_id(text: &str) -> Option<KeyId> {
    KeyId::parse(text.strip_prefix(KEY_ID_PREFIX)?).ok()
}

/// The value for the `Authorization` header.
pub(super) fn authorization(key: &ApiKey) -> String {
    format!("Bearer {}", key.reveal())
}

/// A new key. This is the only reply that shows it whole.
#[derive(Serialize, ToSchema)]
pub struct IssuedKey {
    /// The key without its secret.
    pub key: Key,
    /// The whole key, shown only once.
    pub api_key: String,
    /// The exact value for the `Authorization` header.
    pub authorization_header: String,
}

impl IssuedKey {
    /// The reply that issues `key`.
    #[must_use]
    pub fn new(key: &ApiKey, stored: &ApiKeyRecord) -> Self {
        Self { key: stored.into(), api_key: key.reveal().to_owned(), authorization_header: authorization(key) }
    }
}
