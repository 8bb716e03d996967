//! API keys: found by their id, known by their hash.

use serde::{Deserialize, Serialize};

use super::write::Putting;
use super::{Store, StoreError, keys};
use crate::domain::api_key::{ApiKey, KeyHash, KeyId, Scope};
use crate::domain::ids::ProfileId;
use crate::domain::profile::Role;

/// An API key, as it is stored. It repeats its profile's id and role, so that a call needs no look-up of the profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredKey {
    /// Its id, part of the key's own text.
    pub id: KeyId,
    /// SHA-256 of the key.
    pub hash: KeyHash,
    /// Whose it is.
    pub profile: ProfileId,
    /// What that profile does here.
    pub role: Role,
    /// What the key is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made (Unix milliseconds).
    pub created_ms: i64,
    /// When it was last used (Unix milliseconds).
    pub last_used_ms: Option<i64>,
    /// When it ends (Unix milliseconds).
    pub expires_ms: Option<i64>,
}

impl StoredKey {
    /// Whether `key` is this key, and still good.
    #[must_use]
    pub fn admits(&self, key: &ApiKey, now_ms: i64) -> bool {
        self.hash.matches(key) && self.expires_ms.is_none_or(|end| now_ms < end)
    }

    /// Whether it may do this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// Says that a profile has a key; lists and revocations start here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyPointer {
    /// The key.
    pub key: KeyId,
    /// When it was made (Unix milliseconds).
    pub created_ms: i64,
}

impl StoredKey {
    pub(super) fn putting(&self) -> Result<Putting, StoreError> {
        Putting::new(&keys::api_key(&self.id), "api_key", self)
    }

    pub(super) fn putting_pointer(&self) -> Result<Putting, StoreError> {
        Putting::new(
            &keys::profile_api_key(self.profile, &self.id),
            "profile_api_key",
            &KeyPointer { key: self.id.clone(), created_ms: self.created_ms },
        )
    }
}

impl Store {
    /// The key with this id.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn api_key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.table.get(&keys::api_key(id)).await
    }
}
