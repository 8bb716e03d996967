//! The API keys of a profile: which there are, one more, one less. Each change counts as a change of the profile, so that of two
//! writers of its keys one is told to read again, and no key slips through.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::api_key::{ApiKeyRecord, KeyPointer};
use super::counter::{n, s};
use super::table::{Range, Transacted, record};
use super::write::{Condition, Updating};
use super::{Store, StoreError, keys};
use crochet_domain::api_key::KeyId;
use crochet_domain::ids::ProfileId;
use crochet_domain::session::Session;

/// API keys that one profile may have: as many as one transaction can end.
pub const MAX_KEYS: usize = 45;

/// Another writer of the profile is given way to this often, where its change does not matter.
const TRIES: usize = 16;

/// Who asks for a key.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// A key of the same profile.
    Key(&'a KeyId),
    /// A session of the same profile.
    Session(&'a Session),
}

/// What came of adding a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is good from now on.
    Done,
    /// The profile has [`MAX_KEYS`] keys that have not ended.
    LimitReached,
    /// The key that asks has been revoked meanwhile.
    AskerRevoked,
}

impl Store {
    /// The keys of a profile, oldest first. Those that have ended are among them until others take their place.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn keys_of(&self, profile: ProfileId) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let wanted: Vec<_> = self.key_pointers(profile).await?.iter().map(|pointer| keys::api_key(&pointer.key)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.table.get_all(&wanted).await?;
        wanted.iter().filter_map(|key| found.take(key).transpose()).collect()
    }

    /// Gives a profile one more key. `seen` is the profile's version that was read before. Who revokes all keys is not left with
    /// one that a revoked key has made; who logs out not with one of that session. Keys that have ended make room.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where the profile or its keys changed meanwhile;
    /// [`StoreError::SessionOver`].
    pub async fn add_key(&self, key: &ApiKeyRecord, seen: u64, asker: Asker<'_>) -> Result<Added, StoreError> {
        let pointers = self.key_pointers(key.profile).await?;
        let session = match asker {
            Asker::Key(asker) if pointers.iter().all(|pointer| pointer.key != *asker) => return Ok(Added::AskerRevoked),
            Asker::Key(_) => None,
            Asker::Session(session) => Some(session),
        };
        let (ended, good): (Vec<_>, Vec<_>) = pointers.into_iter().partition(|pointer| pointer.is_over(key.created_ms));
        if good.len() >= MAX_KEYS {
            return Ok(Added::LimitReached);
        }
        self.exchange_keys(key, seen, ended, session).await.map(|()| Added::Done)
    }

    /// Gives a profile a key by recovery; with `revoke_others` every other key ends in the same write. A profile at its limit
    /// gets in all the same: its oldest keys make room. `seen` as in [`Store::add_key`].
    ///
    /// # Errors
    /// As [`Store::add_key`].
    pub async fn issue_key(&self, key: &ApiKeyRecord, seen: u64, revoke_others: bool) -> Result<(), StoreError> {
        let mut pointers = self.key_pointers(key.profile).await?;
        // What has ended goes first.
        pointers.sort_by_key(|pointer| !pointer.is_over(key.created_ms));
        let surplus = (pointers.len() + 1).saturating_sub(MAX_KEYS);
        pointers.truncate(if revoke_others { pointers.len() } else { surplus });
        self.exchange_keys(key, seen, pointers, None).await
    }

    /// Ends a key with the next request. `false` where it has ended already.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn revoke_key(&self, key: &ApiKeyRecord) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            let versioning = Updating::new("SET version = version + :one").when("attribute_exists(PK)").value(":one", n(1));
            let operations = vec![
                self.table.removing_when(
                    &keys::api_key(&key.id),
                    "#profile = :owner",
                    ("#profile", "profile"),
                    [(":owner", s(key.profile.to_string()))],
                )?,
                self.table.removing(&keys::profile_api_key(key.profile, &key.id))?,
                self.table.updating(&keys::profile(key.profile), versioning)?,
            ];
            match self.table.transact(operations).await? {
                Transacted::Done => return Ok(true),
                Transacted::Refused { index: 0, .. } => return Ok(false),
                Transacted::Refused { .. } => return Err(StoreError::Defect("a key has no profile".into())),
                Transacted::Conflict => {}
            }
        }
        Err(StoreError::Conflict)
    }

    /// What the profile's partition says of its keys, oldest first.
    pub(super) async fn key_pointers(&self, profile: ProfileId) -> Result<Vec<KeyPointer>, StoreError> {
        let partition = keys::profile_partition(profile);
        let pointers = self
            .table
            .query(&Range {
                index: None,
                partition: &partition,
                from: Some("KEY#"),
                to: Some("KEY#~"),
                newest_first: false,
                limit: MAX_KEYS as i32 + 1,
            })
            .await?;
        let mut pointers = pointers.into_iter().map(record::<KeyPointer>).collect::<Result<Vec<_>, _>>()?;
        pointers.sort_by_key(|pointer| pointer.created_ms);
        Ok(pointers)
    }

    /// Puts one key into a profile and takes others out, over the version of the profile that was read; in the name of a session,
    /// if one asks.
    async fn exchange_keys(
        &self,
        key: &ApiKeyRecord,
        seen: u64,
        ended: Vec<KeyPointer>,
        session: Option<&Session>,
    ) -> Result<(), StoreError> {
        let versioning =
            Updating::new("SET version = version + :one").when("version = :seen").value(":one", n(1)).value(":seen", n(seen));
        let mut operations: Vec<TransactWriteItem> = vec![
            self.table.updating(&keys::profile(key.profile), versioning)?,
            key.putting()?.when(Condition::absent()).in_transaction(&self.table)?,
            key.putting_pointer()?.in_transaction(&self.table)?,
        ];
        for pointer in ended {
            operations.push(self.table.removing(&keys::api_key(&pointer.key))?);
            operations.push(self.table.removing(&keys::profile_api_key(key.profile, &pointer.key))?);
        }
        let transacted = match session {
            Some(session) => self.transact_in(session, operations).await?,
            None => self.table.transact(operations).await?,
        };
        match transacted {
            Transacted::Done => Ok(()),
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }
}

impl KeyPointer {
    fn is_over(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|end| end <= now_ms)
    }
}
