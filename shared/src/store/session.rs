//! People's sessions. The table holds hashes of their tokens only.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::counter::n;
use super::table::{Range, Transacted, record};
use super::write::{Condition, Putting, Updating};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;
use crochet_domain::session::{MAX_SESSIONS, Session};

/// Says that a person has a session; logging out everywhere starts here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionPointer {
    token_sha256: String,
    created_ms: i64,
}

impl Store {
    /// The session whose token has this hash. It may be over.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn session(&self, token_sha256: &str) -> Result<Option<Session>, StoreError> {
        self.table.get(&keys::session(token_sha256)).await
    }

    /// Writes down that a session is used now. One that has ended meanwhile stays so. Nothing is said of a failure: no request
    /// depends on this note.
    pub async fn note_session(&self, session: &Session, now_ms: i64) {
        let noting = Updating::new("SET seen_ms = :now").number(":now", now_ms).when("attribute_exists(PK) AND seen_ms < :now");
        let _ = self.table.update(&keys::session(&session.token_sha256), noting).await;
    }

    /// Writes in the name of a session, all or nothing. Whoever has logged out, here or everywhere, can be sure that nothing is
    /// written in that session's name any more, however long ago its request was let in.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::SessionOver`] where the session has ended.
    pub(super) async fn transact_in(
        &self,
        session: &Session,
        operations: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        let mut held = vec![self.table.present(&keys::session(&session.token_sha256))?];
        held.extend(operations);
        match self.table.transact(held).await? {
            Transacted::Refused { index: 0, .. } => Err(StoreError::SessionOver),
            Transacted::Refused { index, found } => Ok(Transacted::Refused { index: index - 1, found }),
            done_or_conflict => Ok(done_or_conflict),
        }
    }

    /// Ends one session.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where something is being written in its name.
    pub async fn close_session(&self, session: &Session) -> Result<(), StoreError> {
        self.commit(vec![
            self.table.removing(&keys::session(&session.token_sha256))?,
            self.table.removing(&keys::profile_session(session.profile, &session.token_sha256))?,
        ])
        .await
    }

    /// Ends every session of a person. `seen` is the version of the profile that was read before.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where the profile changed meanwhile.
    pub async fn close_all_sessions(&self, person: ProfileId, seen: u64) -> Result<(), StoreError> {
        let mut operations = vec![self.table.updating(&keys::profile(person), versioning(seen))?];
        for pointer in self.session_pointers(person).await? {
            operations.push(self.table.removing(&keys::session(&pointer.token_sha256))?);
            operations.push(self.table.removing(&keys::profile_session(person, &pointer.token_sha256))?);
        }
        self.commit(operations).await
    }

    /// What opens a session, as parts of a transaction: past [`MAX_SESSIONS`] the oldest ones end. `seen` is the version of the
    /// person's profile that was read before `pointers`: whoever logs out everywhere meanwhile misses no session.
    pub(super) fn opening(
        &self,
        session: &Session,
        seen: u64,
        mut pointers: Vec<SessionPointer>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        pointers.sort_by_key(|pointer| pointer.created_ms);
        let surplus = (pointers.len() + 1).saturating_sub(MAX_SESSIONS);
        let mut operations = vec![self.table.updating(&keys::profile(session.profile), versioning(seen))?];
        operations.extend(self.first_opening(session)?);
        for ended in pointers.into_iter().take(surplus) {
            operations.push(self.table.removing(&keys::session(&ended.token_sha256))?);
            operations.push(self.table.removing(&keys::profile_session(session.profile, &ended.token_sha256))?);
        }
        Ok(operations)
    }

    /// As [`Store::opening`], for somebody whose profile is made in the same transaction.
    pub(super) fn first_opening(&self, session: &Session) -> Result<Vec<TransactWriteItem>, StoreError> {
        let pointer = SessionPointer { token_sha256: session.token_sha256.clone(), created_ms: session.created_ms };
        let ends = session.last_ms() / 1_000;
        Ok(vec![
            Putting::new(&keys::session(&session.token_sha256), "session", session)?
                .expiring(ends)
                .when(Condition::absent())
                .in_transaction(&self.table)?,
            Putting::new(&keys::profile_session(session.profile, &session.token_sha256), "profile_session", &pointer)?
                .expiring(ends)
                .in_transaction(&self.table)?,
        ])
    }

    /// At most [`MAX_SESSIONS`], and as many again whose time is over and which DynamoDB has not deleted yet.
    pub(super) async fn session_pointers(&self, person: ProfileId) -> Result<Vec<SessionPointer>, StoreError> {
        let partition = keys::profile_partition(person);
        let items = self
            .table
            .query(&Range {
                index: None,
                partition: &partition,
                from: Some(keys::PROFILE_SESSION_PREFIX),
                to: Some("SESSION#~"),
                newest_first: false,
                limit: 2 * MAX_SESSIONS as i32,
            })
            .await?;
        items.into_iter().map(record).collect()
    }

    async fn commit(&self, operations: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        match self.table.transact(operations).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }
}

/// Counts a change of the profile, unless another came first.
fn versioning(seen: u64) -> Updating {
    Updating::new("SET version = version + :one").when("version = :seen").value(":one", n(1)).value(":seen", n(seen))
}
