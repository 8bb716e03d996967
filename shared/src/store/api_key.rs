//! API keys: found by their id, known by their hash.

use serde::{Deserialize, Serialize};

use super::write::{Putting, Updating};
use super::{Store, StoreError, keys};
use crochet_domain::api_key::{ApiKey, KeyHash, KeyId, Scope};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Role;

/// An API key, as it is stored. It repeats its profile's id and role, so that a call needs no look-up of the profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKeyRecord {
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
    /// When it was last used (Unix milliseconds), to within [`USE_NOTED_MS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<i64>,
    /// When it ends (Unix milliseconds).
    pub expires_ms: Option<i64>,
}

/// That a key is used is written down this often: once an hour, in milliseconds.
pub const USE_NOTED_MS: i64 = 3_600_000;

impl ApiKeyRecord {
    /// Whether its use is to be written down again.
    #[must_use]
    pub fn is_due_to_be_noted(&self, now_ms: i64) -> bool {
        self.last_used_ms.is_none_or(|last| now_ms >= last + USE_NOTED_MS)
    }

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
    /// When it ends (Unix milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
}

impl ApiKeyRecord {
    pub(super) fn putting(&self) -> Result<Putting, StoreError> {
        Putting::new(&keys::api_key(&self.id), "api_key", self)
    }

    pub(super) fn putting_pointer(&self) -> Result<Putting, StoreError> {
        Putting::new(
            &keys::profile_api_key(self.profile, &self.id),
            "profile_api_key",
            &KeyPointer { key: self.id.clone(), created_ms: self.created_ms, expires_ms: self.expires_ms },
        )
    }
}

impl Store {
    /// The key with this id.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn api_key(&self, id: &KeyId) -> Result<Option<ApiKeyRecord>, StoreError> {
        self.table.get(&keys::api_key(id)).await
    }

    /// Writes down that a key is used now, where that is due. Of many requests at the same moment one writes; a key that was
    /// revoked meanwhile stays so. Nothing is said of a failure: no request depends on this note.
    pub async fn note_key_use(&self, key: &ApiKeyRecord, now_ms: i64) {
        if !key.is_due_to_be_noted(now_ms) {
            return;
        }
        let noting = Updating::new("SET last_used_ms = :now")
            .number(":now", now_ms)
            .number(":due", now_ms - USE_NOTED_MS)
            .when("attribute_exists(PK) AND (attribute_not_exists(last_used_ms) OR last_used_ms <= :due)");
        let _ = self.table.update(&keys::api_key(&key.id), noting).await;
    }
}
