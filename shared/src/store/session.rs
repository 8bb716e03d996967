//! People's sessions. The table holds only the hashes of their tokens.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::item::record;
use super::passkey::{put_passkeys, unchanged};
use super::read::Range;
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;
use crochet_domain::passkey::Passkeys;
use crochet_domain::session::{MAX_SESSIONS, Session};

/// An entry in the list of a person's sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionPointer {
    token_sha256: String,
    created_ms: i64,
}

impl Store {
    /// The session whose token has this hash. It may have expired.
    pub async fn session(&self, token_sha256: &str) -> Result<Option<Session>, StoreError> {
        self.table.get(&keys::session(token_sha256)).await
    }

    /// Records that a session is used now. A session that has ended stays ended. Failures are ignored, because no request depends
    /// on this.
    pub async fn record_session_use(&self, session: &Session, now_ms: i64) {
        let update = Update::new("SET seen_ms = :now").number(":now", now_ms).when("attribute_exists(PK) AND seen_ms < :now");
        let _ = self.table.update(&keys::session(&session.token_sha256), update).await;
    }

    /// Runs a transaction on the condition that the session still exists. After a logout nothing more is written for that session,
    /// even by a request that was authenticated before.
    ///
    /// # Errors
    /// [`StoreError::SessionOver`] if the session has ended.
    pub(super) async fn transact_with_session(
        &self,
        session: &Session,
        operations: Vec<TransactWriteItem>,
    ) -> Result<(), TransactError> {
        let mut all = vec![self.table.transact_exists(&keys::session(&session.token_sha256))?];
        all.extend(operations);
        match self.table.transact(all).await {
            Err(TransactError::ConditionFailed { index: 0, .. }) => Err(StoreError::SessionOver.into()),
            Err(TransactError::ConditionFailed { index, found }) => Err(TransactError::ConditionFailed { index: index - 1, found }),
            done_or_failed => done_or_failed,
        }
    }

    /// A person's sessions, in no particular order: one query and one batch read. Some may have expired.
    pub async fn sessions_of(&self, person: ProfileId) -> Result<Vec<Session>, StoreError> {
        let wanted: Vec<_> =
            self.session_pointers(person).await?.iter().map(|pointer| keys::session(&pointer.token_sha256)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.table.get_all(&wanted).await?;
        wanted.iter().filter_map(|key| found.take(key).transpose()).collect()
    }

    /// Records that the session's person has proved at `now_ms` who they are, with a passkey. `before` are the passkeys that were
    /// read, `after` those after its use.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the passkeys have changed; [`StoreError::SessionOver`].
    pub async fn reauthenticate(
        &self,
        session: &Session,
        before: &Passkeys,
        after: &Passkeys,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let key = keys::session(&session.token_sha256);
        let update = Update::new("SET authenticated_ms = :now").number(":now", now_ms).when("attribute_exists(PK)");
        let operations = vec![
            self.table.transact_update(&key, update)?,
            put_passkeys(session.profile, after)?.when(unchanged(before)).into_transact_item(&self.table)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, .. }) => Err(StoreError::SessionOver),
            Err(error) => {
                // If the time is ours, the reply to our own write was lost.
                let stored = self.session(&session.token_sha256).await?;
                if stored.is_some_and(|stored| stored.authenticated_ms == now_ms) { Ok(()) } else { Err(error.into()) }
            }
        }
    }

    /// Ends one session.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another transaction holds the session.
    pub async fn close_session(&self, session: &Session) -> Result<(), StoreError> {
        self.commit(vec![
            self.table.transact_delete(&keys::session(&session.token_sha256))?,
            self.table.transact_delete(&keys::profile_session(session.profile, &session.token_sha256))?,
        ])
        .await
    }

    /// Ends every session of a person. `version` is the version of the profile that was read before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the profile has changed.
    pub async fn close_all_sessions(&self, person: ProfileId, version: u64) -> Result<(), StoreError> {
        let mut operations = vec![self.table.transact_update(&keys::profile(person), Update::next_version(version))?];
        for pointer in self.session_pointers(person).await? {
            operations.push(self.table.transact_delete(&keys::session(&pointer.token_sha256))?);
            operations.push(self.table.transact_delete(&keys::profile_session(person, &pointer.token_sha256))?);
        }
        self.commit(operations).await
    }

    /// The operations that open a session and end the oldest sessions beyond [`MAX_SESSIONS`]. `version` is the version of the
    /// person's profile that was read before `pointers`, so that a concurrent logout from all sessions misses none.
    pub(super) fn open_session_ops(
        &self,
        session: &Session,
        version: u64,
        mut pointers: Vec<SessionPointer>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        pointers.sort_by_key(|pointer| pointer.created_ms);
        let surplus = (pointers.len() + 1).saturating_sub(MAX_SESSIONS);
        let mut operations = vec![self.table.transact_update(&keys::profile(session.profile), Update::next_version(version))?];
        operations.extend(self.create_session_ops(session)?);
        for ended in pointers.into_iter().take(surplus) {
            operations.push(self.table.transact_delete(&keys::session(&ended.token_sha256))?);
            operations.push(self.table.transact_delete(&keys::profile_session(session.profile, &ended.token_sha256))?);
        }
        Ok(operations)
    }

    /// The operations that create a session, for a person who is created in the same transaction.
    pub(super) fn create_session_ops(&self, session: &Session) -> Result<Vec<TransactWriteItem>, StoreError> {
        let pointer = SessionPointer { token_sha256: session.token_sha256.clone(), created_ms: session.created_ms };
        let expires = session.latest_expiry_ms() / 1_000;
        Ok(vec![
            Put::new(&keys::session(&session.token_sha256), "session", session)?
                .expiring(expires)
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
            Put::new(&keys::profile_session(session.profile, &session.token_sha256), "profile_session", &pointer)?
                .expiring(expires)
                .into_transact_item(&self.table)?,
        ])
    }

    /// A person's sessions: at most [`MAX_SESSIONS`], and as many expired ones that DynamoDB has not deleted yet.
    pub(super) async fn session_pointers(&self, person: ProfileId) -> Result<Vec<SessionPointer>, StoreError> {
        let items = self.table.query(&Range::of(&keys::profile_sessions(person), 2 * MAX_SESSIONS as i32)).await?;
        items.into_iter().map(record).collect()
    }

    async fn commit(&self, operations: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        Ok(self.table.transact(operations).await?)
    }
}
