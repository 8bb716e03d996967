//! The shapes of API keys.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ObjectBuilder, Type};

use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{API_KEY_PREFIX, ApiKey, KeyId, Scope};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};

/// What a key's id starts with in replies and paths; the ten characters of the id follow.
pub const KEY_ID_PREFIX: &str = "key_";

/// An API key without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Key {
    /// `key_` and ten characters.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What the key's own text begins with.
    pub prefix: String,
    /// What it may do. Each scope stands for itself: a key with `write` alone cannot read.
    #[schema(schema_with = scopes)]
    pub scopes: Vec<Scope>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used, to within an hour.
    #[schema(required, format = DateTime)]
    pub last_used_at: Option<String>,
    /// When it ends.
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

/// The id of a key as replies and paths spell it.
#[must_use]
pub fn key_id(id: &KeyId) -> String {
    format!("{KEY_ID_PREFIX}{id}")
}

/// The id in a path; none where it cannot be one.
#[must_use]
pub fn read_key_id(text: &str) -> Option<KeyId> {
    KeyId::parse(text.strip_prefix(KEY_ID_PREFIX)?).ok()
}

/// The value for the `Authorization` header.
pub(super) fn authorization(key: &ApiKey) -> String {
    format!("Bearer {}", key.reveal())
}

/// A key that was asked for: the only reply in which it is shown whole.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedKey {
    /// The key without its secret.
    pub key: Key,
    /// The whole key, shown once.
    pub api_key: String,
    /// The value for the `Authorization` header, to be sent exactly so.
    pub authorization_header: String,
}

impl IssuedKey {
    /// The reply that hands `key` to its owner.
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
