//! The JSON shapes of API keys.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ObjectBuilder, Type};

use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{API_KEY_PREFIX, ApiKey, KeyId, Scope};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// Prefix of key ids in replies and paths.
pub const KEY_ID_PREFIX: &str = "key_";

/// An API key without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Key {
    /// Key id: `key_` and ten characters.
    pub id: String,
    /// Name of the key.
    pub name: String,
    /// First characters of the key itself, to recognize it by.
    pub prefix: String,
    /// What the key may do. `write` does not include `read`: a key with `write` alone cannot read.
    #[schema(schema_with = scopes)]
    pub scopes: Vec<Scope>,
    /// Creation time.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Time of last use, accurate to an hour; null if never used.
    #[schema(required, format = DateTime)]
    pub last_used_at: Option<String>,
    /// Expiry time; null if the key does not expire.
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

/// A key id as in replies and paths.
#[must_use]
pub fn key_id(id: &KeyId) -> String {
    format!("{KEY_ID_PREFIX}{id}")
}

/// Parses a key id from a path.
#[must_use]
pub fn read_key_id(text: &str) -> Option<KeyId> {
    KeyId::parse(text.strip_prefix(KEY_ID_PREFIX)?).ok()
}

/// The value for the `Authorization` header.
pub(super) fn authorization(key: &ApiKey) -> String {
    format!("Bearer {}", key.reveal())
}

/// A new API key. This is the only reply that contains the whole key.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedKey {
    /// The key without its secret.
    pub key: Key,
    /// The whole key. It is shown only once.
    pub api_key: String,
    /// The exact value for the `Authorization` header.
    pub authorization_header: String,
}

impl IssuedKey {
    /// The reply that gives `key` to its owner.
    #[must_use]
    pub fn new(key: &ApiKey, stored: &ApiKeyRecord) -> Self {
        Self { key: stored.into(), api_key: key.reveal().to_owned(), authorization_header: authorization(key) }
    }
}

/// The key does not print.
impl fmt::Debug for IssuedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedKey").field("key", &self.key.id).finish_non_exhaustive()
    }
}

pub(super) fn scopes() -> Array {
    let names = [Scope::Read, Scope::Write].map(Scope::as_str);
    Array::new(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).build())
}
