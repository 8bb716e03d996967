//! Passkeys, recovery codes, and the ceremonies that create and use passkeys.

use serde::{Deserialize, Serialize};

use super::item::{n, record};
use super::transaction::TransactError;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crochet_domain::ids::{PasskeyId, ProfileId};
use crochet_domain::passkey::{Ceremony, Passkey, Passkeys};
use crochet_domain::session::Session;

/// The passkey and the person that a WebAuthn credential belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CredentialOwner {
    pub(super) profile: ProfileId,
    passkey: PasskeyId,
}

/// The person that a recovery code belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RecoveryCodeOwner {
    profile: ProfileId,
}

/// Why a passkey was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddPasskeyError {
    /// The credential is registered already.
    #[error("the credential is registered already")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Stores a ceremony until it is finished or expires.
    pub async fn save_ceremony(&self, ceremony: &Ceremony) -> Result<(), StoreError> {
        let put = Put::new(&keys::ceremony(&ceremony.id), "ceremony", ceremony)?.expiring(ceremony.expires_ms / 1_000);
        Ok(self.table.put(put).await?)
    }

    /// Takes a ceremony, so that nobody can take it again. It may have expired.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after too many concurrent attempts.
    pub async fn take_ceremony(&self, id: &str) -> Result<Option<Ceremony>, StoreError> {
        self.take_once(&keys::ceremony(id)).await
    }

    /// A person's passkeys. `None` if the profile is not a person's.
    pub async fn passkeys(&self, person: ProfileId) -> Result<Option<Passkeys>, StoreError> {
        self.table.get(&keys::passkeys(person)).await
    }

    /// Adds a passkey to those of the session's person. `before` is what was read.
    ///
    /// # Errors
    /// [`AddPasskeyError::Taken`]; [`StoreError::Conflict`] if the passkeys have changed; [`StoreError::SessionOver`].
    pub async fn add_passkey(&self, session: &Session, before: &Passkeys, passkey: &Passkey) -> Result<(), AddPasskeyError> {
        let person = session.profile;
        let operations = vec![
            put_credential(person, passkey)?.into_transact_item(&self.table)?,
            put_passkeys(person, &before.with(passkey.clone()))?.when(unchanged(before)).into_transact_item(&self.table)?,
        ];
        match self.transact_with_session(session, operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                let owner = found.map(record::<CredentialOwner>).transpose()?;
                // If the passkey is ours, the reply to our own write was lost.
                if owner.is_some_and(|owner| owner.passkey == passkey.id) { Ok(()) } else { Err(AddPasskeyError::Taken) }
            }
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    /// Removes a passkey from those of the session's person. Its credential may be registered again. `before` is what was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the passkeys have changed; [`StoreError::SessionOver`].
    pub async fn remove_passkey(&self, session: &Session, before: &Passkeys, passkey: &Passkey) -> Result<(), StoreError> {
        let operations = vec![
            put_passkeys(session.profile, &before.without(passkey.id))?.when(unchanged(before)).into_transact_item(&self.table)?,
            self.table.transact_delete(&keys::credential(&passkey.credential_sha256))?,
        ];
        Ok(self.transact_with_session(session, operations).await?)
    }

    /// The person that the recovery code with this hash belongs to.
    pub async fn recovery_code_owner(&self, code_sha256: &str) -> Result<Option<ProfileId>, StoreError> {
        let owner: Option<RecoveryCodeOwner> = self.table.get(&keys::recovery_code(code_sha256)).await?;
        Ok(owner.map(|owner| owner.profile))
    }

    /// Replaces the unused recovery codes of the session's person by those of `after`. `before` is what was read.
    ///
    /// # Errors
    /// As [`Store::remove_passkey`].
    pub async fn replace_recovery_codes(&self, session: &Session, before: &Passkeys, after: &Passkeys) -> Result<(), StoreError> {
        let person = session.profile;
        let mut operations = vec![put_passkeys(person, after)?.when(unchanged(before)).into_transact_item(&self.table)?];
        for old in &before.recovery_codes {
            operations.push(self.table.transact_delete(&keys::recovery_code(old))?);
        }
        for new in &after.recovery_codes {
            operations.push(put_recovery_code(person, new)?.into_transact_item(&self.table)?);
        }
        Ok(self.transact_with_session(session, operations).await?)
    }
}

/// Writes the owner of a passkey's credential, unless the credential has one.
pub(super) fn put_credential(person: ProfileId, passkey: &Passkey) -> Result<Put, StoreError> {
    let owner = CredentialOwner { profile: person, passkey: passkey.id };
    let put = Put::new(&keys::credential(&passkey.credential_sha256), "credential", &owner)?;
    Ok(put.when(Condition::absent()))
}

pub(super) fn put_passkeys(person: ProfileId, passkeys: &Passkeys) -> Result<Put, StoreError> {
    Put::new(&keys::passkeys(person), "passkeys", passkeys)
}

pub(super) fn put_recovery_code(person: ProfileId, code_sha256: &str) -> Result<Put, StoreError> {
    Put::new(&keys::recovery_code(code_sha256), "recovery_code", &RecoveryCodeOwner { profile: person })
}

/// The condition that the passkeys are still at the version that was read.
pub(super) fn unchanged(before: &Passkeys) -> Condition {
    Condition::equals("version", n(before.version))
}
