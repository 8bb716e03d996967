//! The API keys of a profile: listing, issuing and revoking them. Each change increments the profile's version, so that concurrent
//! changes conflict and revoking all keys misses none.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::api_key::{ApiKeyRecord, KeyPointer};
use super::item::{n, record, s};
use super::read::Range;
use super::retry::retry_on_conflict;
use super::transaction::TransactError;
use super::write::{Condition, Update};
use super::{Store, StoreError, keys};
use crochet_domain::api_key::KeyId;
use crochet_domain::ids::ProfileId;
use crochet_domain::session::Session;

/// Maximum API keys of one profile: as many as one transaction can revoke.
pub const MAX_KEYS: usize = 45;

/// Who issues a key.
#[derive(Debug, Clone, Copy)]
pub enum IssuedBy<'a> {
    /// A key of the same profile.
    Key(&'a KeyId),
    /// A session of the same profile.
    Session(&'a Session),
}

/// Why a key was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddKeyError {
    /// The profile has [`MAX_KEYS`] keys that have not expired.
    #[error("the profile has the maximum number of API keys")]
    LimitReached,
    /// The key that issues it has been revoked.
    #[error("the issuing API key is revoked")]
    IssuerRevoked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// The keys of a profile, oldest first. Expired keys stay in the list until new ones take their place.
    pub async fn keys_of(&self, profile: ProfileId) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let wanted: Vec<_> = self.key_pointers(profile).await?.iter().map(|pointer| keys::api_key(&pointer.key)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.table.get_all(&wanted).await?;
        wanted.iter().filter_map(|key| found.take(key).transpose()).collect()
    }

    /// Adds a key to a profile. `version` is the version of the profile that was read before. A revoked key cannot issue another
    /// one, nor can a session that has ended. Expired keys make room.
    ///
    /// # Errors
    /// [`AddKeyError`]; [`StoreError::Conflict`] if the profile or its keys have changed; [`StoreError::SessionOver`].
    pub async fn add_key(&self, key: &ApiKeyRecord, version: u64, issued_by: IssuedBy<'_>) -> Result<(), AddKeyError> {
        let pointers = self.key_pointers(key.profile).await?;
        let session = match issued_by {
            IssuedBy::Key(issuer) if pointers.iter().all(|pointer| pointer.key != *issuer) => {
                return Err(AddKeyError::IssuerRevoked);
            }
            IssuedBy::Key(_) => None,
            IssuedBy::Session(session) => Some(session),
        };
        let (expired, valid): (Vec<_>, Vec<_>) = pointers.into_iter().partition(|pointer| pointer.is_expired(key.created_ms));
        if valid.len() >= MAX_KEYS {
            return Err(AddKeyError::LimitReached);
        }
        Ok(self.replace_keys(key, version, expired, session).await?)
    }

    /// Adds a key by recovery. With `revoke_others` every other key is revoked in the same transaction. At the limit the oldest keys
    /// make room. `version` as in [`Store::add_key`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the profile or its keys have changed.
    pub async fn issue_key(&self, key: &ApiKeyRecord, version: u64, revoke_others: bool) -> Result<(), StoreError> {
        let mut pointers = self.key_pointers(key.profile).await?;
        // Expired keys go first.
        pointers.sort_by_key(|pointer| !pointer.is_expired(key.created_ms));
        let surplus = (pointers.len() + 1).saturating_sub(MAX_KEYS);
        pointers.truncate(if revoke_others { pointers.len() } else { surplus });
        self.replace_keys(key, version, pointers, None).await
    }

    /// Revokes a key, effective with the next request. `false` if it is revoked already.
    pub async fn revoke_key(&self, key: &ApiKeyRecord) -> Result<bool, StoreError> {
        retry_on_conflict(|| async {
            let next_version = Update::new("SET version = version + :one").when("attribute_exists(PK)").value(":one", n(1));
            let operations = vec![
                self.table.transact_delete_when(
                    &keys::api_key(&key.id),
                    "#profile = :owner",
                    ("#profile", "profile"),
                    [(":owner", s(key.profile.to_string()))],
                )?,
                self.table.transact_delete(&keys::profile_api_key(key.profile, &key.id))?,
                self.table.transact_update(&keys::profile(key.profile), next_version)?,
            ];
            match self.table.transact(operations).await {
                Ok(()) => Ok(true),
                Err(TransactError::ConditionFailed { index: 0, .. }) => Ok(false),
                Err(TransactError::ConditionFailed { .. }) => Err(StoreError::Defect("a key has no profile".into())),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Revokes every key of a profile in one transaction. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after too many concurrent changes.
    pub async fn revoke_all_keys(&self, profile: ProfileId) -> Result<usize, StoreError> {
        retry_on_conflict(|| async {
            let version = self.profile(profile).await?.ok_or_else(|| StoreError::Defect("a caller has no profile".into()))?.version;
            let pointers = self.key_pointers(profile).await?;
            if pointers.is_empty() {
                return Ok(0);
            }
            let mut operations = vec![self.table.transact_update(&keys::profile(profile), Update::next_version(version))?];
            for pointer in &pointers {
                operations.push(self.table.transact_delete(&keys::api_key(&pointer.key))?);
                operations.push(self.table.transact_delete(&keys::profile_api_key(profile, &pointer.key))?);
            }
            self.table.transact(operations).await?;
            Ok(pointers.len())
        })
        .await
    }

    /// The list of a profile's keys, oldest first.
    pub(super) async fn key_pointers(&self, profile: ProfileId) -> Result<Vec<KeyPointer>, StoreError> {
        let pointers = self.table.query(&Range::of(&keys::profile_api_keys(profile), MAX_KEYS as i32 + 1)).await?;
        let mut pointers = pointers.into_iter().map(record::<KeyPointer>).collect::<Result<Vec<_>, _>>()?;
        pointers.sort_by_key(|pointer| pointer.created_ms);
        Ok(pointers)
    }

    /// Adds one key and revokes others, if the profile is still at `version` and `session`, if any, still exists.
    async fn replace_keys(
        &self,
        key: &ApiKeyRecord,
        version: u64,
        revoked: Vec<KeyPointer>,
        session: Option<&Session>,
    ) -> Result<(), StoreError> {
        let mut operations: Vec<TransactWriteItem> = vec![
            self.table.transact_update(&keys::profile(key.profile), Update::next_version(version))?,
            key.put()?.when(Condition::absent()).into_transact_item(&self.table)?,
            key.pointer_put()?.into_transact_item(&self.table)?,
        ];
        for pointer in revoked {
            operations.push(self.table.transact_delete(&keys::api_key(&pointer.key))?);
            operations.push(self.table.transact_delete(&keys::profile_api_key(key.profile, &pointer.key))?);
        }
        let transacted = match session {
            Some(session) => self.transact_with_session(session, operations).await,
            None => self.table.transact(operations).await,
        };
        Ok(transacted?)
    }
}

impl KeyPointer {
    fn is_expired(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|end| end <= now_ms)
    }
}
