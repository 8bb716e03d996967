//! Passkeys and their ceremonies. A ceremony is used up by the first finish that presents it, good or bad.

use serde::{Deserialize, Serialize};

use super::item::record;
use super::person::{passkeys_put, unchanged};
use super::transaction::TransactError;
use super::write::{Condition, Put};
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
    pub(super) fn put(&self, passkey: &Passkey) -> Result<Put, StoreError> {
        let put = Put::new(&keys::credential(&passkey.credential_sha256), "credential", self)?;
        Ok(put.when(Condition::absent()))
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
    pub async fn save_ceremony(&self, ceremony: &Ceremony) -> Result<(), StoreError> {
        let put = Put::new(&keys::ceremony(&ceremony.id), "ceremony", ceremony)?.expiring(ceremony.expires_ms / 1_000);
        Ok(self.table.put(put).await?)
    }

    /// Uses a ceremony up and gives it: nobody else can finish it again. It may have expired meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where other takers are in the way for too long.
    pub async fn take_ceremony(&self, id: &str) -> Result<Option<Ceremony>, StoreError> {
        self.take_once(&keys::ceremony(id)).await
    }

    /// A person's passkeys; none where nobody with this id logs in.
    pub async fn passkeys(&self, person: ProfileId) -> Result<Option<Passkeys>, StoreError> {
        self.table.get(&keys::passkeys(person)).await
    }

    /// Adds a passkey to those in `seen` of the session's person: of two writers one is told to read again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the passkeys changed meanwhile; [`StoreError::SessionOver`].
    pub async fn add_passkey(&self, session: &Session, seen: &Passkeys, passkey: &Passkey) -> Result<Added, StoreError> {
        let person = session.profile;
        let owner = CredentialOwner::of(person, passkey);
        let operations = vec![
            owner.put(passkey)?.into_transact_item(&self.table)?,
            passkeys_put(person, &seen.with(passkey.clone()))?.when(unchanged(seen)).into_transact_item(&self.table)?,
        ];
        match self.transact_in(session, operations).await {
            Ok(()) => Ok(Added::Done),
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                // Our own write, whose reply was lost, or another's.
                let found = found.map(record::<CredentialOwner>).transpose()?;
                Ok(if found.is_some_and(|found| found.passkey == owner.passkey) { Added::Done } else { Added::Taken })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a passkey from those in `seen` of the session's person; its credential may be registered again.
    ///
    /// # Errors
    /// As [`Store::add_passkey`].
    pub async fn remove_passkey(&self, session: &Session, seen: &Passkeys, passkey: &Passkey) -> Result<(), StoreError> {
        let operations = vec![
            passkeys_put(session.profile, &seen.without(passkey.id))?.when(unchanged(seen)).into_transact_item(&self.table)?,
            self.table.transact_delete(&keys::credential(&passkey.credential_sha256))?,
        ];
        Ok(self.transact_in(session, operations).await?)
    }
}
