//! API keys: looked up by id, authenticated by hash.

use serde::{Deserialize, Serialize};

use super::write::{Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::api_key::{ApiKey, KeyHash, KeyId, Scope};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Role;
use crochet_domain::suspension::SuspendedReason;

/// An API key as it is stored. It repeats the profile's id, role and suspension, so that a request with it needs no read of the profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKeyRecord {
    /// The key's id, which is part of its text.
    pub id: KeyId,
    /// SHA-256 of the key.
    pub hash: KeyHash,
    /// The profile it belongs to.
    pub profile: ProfileId,
    /// Whether that profile buys, sells, or both.
    pub role: Role,
    /// Why the operator has suspended that profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<SuspendedReason>,
    /// The key's name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was created (Unix milliseconds).
    pub created_ms: i64,
    /// When it was last used (Unix milliseconds), to within [`LAST_USE_PRECISION_MS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<i64>,
    /// When it expires (Unix milliseconds).
    pub expires_ms: Option<i64>,
}

/// Minimum interval between two writes of a key's last use, in milliseconds: one hour.
pub const LAST_USE_PRECISION_MS: i64 = 3_600_000;

impl ApiKeyRecord {
    /// Whether the stored time of its last use is old enough to be written again.
    #[must_use]
    pub fn is_last_use_outdated(&self, now_ms: i64) -> bool {
        self.last_used_ms.is_none_or(|last| now_ms >= last + LAST_USE_PRECISION_MS)
    }

    /// Whether `key` is this key and has not expired at `now_ms`.
    #[must_use]
    pub fn admits(&self, key: &ApiKey, now_ms: i64) -> bool {
        self.hash.matches(key) && self.expires_ms.is_none_or(|end| now_ms < end)
    }

    /// Whether it has this scope.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// An entry in the list of a profile's API keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyPointer {
    /// The key's id.
    pub key: KeyId,
    /// When it was created (Unix milliseconds).
    pub created_ms: i64,
    /// When it expires (Unix milliseconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
}

impl ApiKeyRecord {
    pub(super) fn put(&self) -> Result<Put, StoreError> {
        Put::new(&keys::api_key(&self.id), "api_key", self)
    }

    pub(super) fn pointer_put(&self) -> Result<Put, StoreError> {
        Put::new(
            &keys::profile_api_key(self.profile, &self.id),
            "profile_api_key",
            &KeyPointer { key: self.id.clone(), created_ms: self.created_ms, expires_ms: self.expires_ms },
        )
    }
}

impl Store {
    /// The key with this id.
    pub async fn api_key(&self, id: &KeyId) -> Result<Option<ApiKeyRecord>, StoreError> {
        self.table.get(&keys::api_key(id)).await
    }

    /// Records that a key is used now, if the stored time is outdated. Of concurrent requests one writes, and a revoked key stays
    /// revoked. Failures are ignored, because no request depends on this.
    pub async fn record_key_use(&self, key: &ApiKeyRecord, now_ms: i64) {
        if !key.is_last_use_outdated(now_ms) {
            return;
        }
        let update = Update::new("SET last_used_ms = :now")
            .number(":now", now_ms)
            .number(":due", now_ms - LAST_USE_PRECISION_MS)
            .when("attribute_exists(PK) AND (attribute_not_exists(last_used_ms) OR last_used_ms <= :due)");
        let _ = self.table.update(&keys::api_key(&key.id), update).await;
    }
}
