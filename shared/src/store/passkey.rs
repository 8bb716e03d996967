//! Passkeys and their ceremonies. A ceremony is used up by the first finish that presents it, good or bad.

use serde::{Deserialize, Serialize};

use super::person::{passkeys_putting, unchanged};
use super::table::{Transacted, record};
use super::write::{Condition, Putting};
use super::{Store, StoreError, keys};
use crochet_domain::ids::{PasskeyId, ProfileId};
use crochet_domain::passkey::{Ceremony, Passkey, Passkeys};
use crochet_domain::session::Session;

/// Whose passkey a credential is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CredentialOwner {
    pub(super) profile: ProfileId,
    passkey: PasskeyId,
}

impl CredentialOwner {
    pub(super) fn of(profile: ProfileId, passkey: &Passkey) -> Self {
        Self { profile, passkey: passkey.id }
    }

    /// Refused where the credential has an owner.
    pub(super) fn putting(&self, passkey: &Passkey) -> Result<Putting, StoreError> {
        let putting = Putting::new(&keys::credential(&passkey.credential_sha256), "credential", self)?;
        Ok(putting.when(Condition::absent()))
    }
}

/// What came of adding a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is one of the person's passkeys now.
    Done,
    /// It belongs to somebody already.
    Taken,
}

impl Store {
    /// Keeps a ceremony until it is finished or expires.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn save_ceremony(&self, ceremony: &Ceremony) -> Result<(), StoreError> {
        let putting = Putting::new(&keys::ceremony(&ceremony.id), "ceremony", ceremony)?.expiring(ceremony.expires_ms / 1_000);
        self.table.put(putting).await.map(drop)
    }

    /// Uses a ceremony up and gives it: nobody else can finish it again. It may have expired meanwhile.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where other takers are in the way for too long.
    pub async fn take_ceremony(&self, id: &str) -> Result<Option<Ceremony>, StoreError> {
        self.take_once(&keys::ceremony(id)).await
    }

    /// A person's passkeys; none where nobody with this id logs in.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn passkeys(&self, person: ProfileId) -> Result<Option<Passkeys>, StoreError> {
        self.table.get(&keys::passkeys(person)).await
    }

    /// Adds a passkey to those in `seen` of the session's person: of two writers one is told to read again.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where the passkeys changed meanwhile; [`StoreError::SessionOver`].
    pub async fn add_passkey(&self, session: &Session, seen: &Passkeys, passkey: &Passkey) -> Result<Added, StoreError> {
        let person = session.profile;
        let owner = CredentialOwner::of(person, passkey);
        let operations = vec![
            owner.putting(passkey)?.in_transaction(&self.table)?,
            passkeys_putting(person, &seen.with(passkey.clone()))?.when(unchanged(seen)).in_transaction(&self.table)?,
        ];
        match self.transact_in(session, operations).await? {
            Transacted::Done => Ok(Added::Done),
            Transacted::Refused { index: 0, found } => {
                // Our own write, whose reply was lost, or another's.
                let found = found.map(record::<CredentialOwner>).transpose()?;
                Ok(if found.is_some_and(|found| found.passkey == owner.passkey) { Added::Done } else { Added::Taken })
            }
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }

    /// Removes a passkey from those in `seen` of the session's person; its credential may be registered again.
    ///
    /// # Errors
    /// As [`Store::add_passkey`].
    pub async fn remove_passkey(&self, session: &Session, seen: &Passkeys, passkey: &Passkey) -> Result<(), StoreError> {
        let operations = vec![
            passkeys_putting(session.profile, &seen.without(passkey.id))?.when(unchanged(seen)).in_transaction(&self.table)?,
            self.table.removing(&keys::credential(&passkey.credential_sha256))?,
        ];
        match self.transact_in(session, operations).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }
}
