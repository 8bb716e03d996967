//! People: signing up and signing in.

use super::item::record;
use super::passkey::{CredentialOwner, put_credential, put_passkeys, put_recovery_code, unchanged};
use super::session::SessionPointer;
use super::transaction::TransactError;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;
use crochet_domain::passkey::Passkeys;
use crochet_domain::profile::Profile;
use crochet_domain::session::Session;

/// Everything about a person that signing in needs.
#[derive(Debug, Clone)]
pub struct PersonRecord {
    /// The person's profile.
    pub profile: Profile,
    /// The person's passkeys and recovery codes.
    pub passkeys: Passkeys,
    sessions: Vec<SessionPointer>,
}

/// Why a person was not created.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The passkey belongs to another person.
    #[error("the passkey belongs to another person")]
    PasskeyTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a person signs in, with what it changes for the next time.
#[derive(Debug, Clone, Copy)]
pub enum SignInMethod<'a> {
    /// With a passkey. These are the passkeys after its use.
    Passkey(&'a Passkeys),
    /// With a recovery code.
    RecoveryCode {
        /// The passkeys and codes after its use.
        after: &'a Passkeys,
        /// SHA-256 of the code, in hex.
        code_sha256: &'a str,
    },
    /// With a wallet of an agent that the person operates. It changes nothing.
    Wallet,
}

impl Store {
    /// The person with this id: one batch read, and a query for the sessions at the same time.
    pub async fn person(&self, id: ProfileId) -> Result<Option<PersonRecord>, StoreError> {
        // A session that is opened between the two reads may be missed. The next sign-in ends any surplus.
        let (found, sessions) = tokio::join!(self.profile_and_passkeys(id), self.session_pointers(id));
        let sessions = sessions?;
        Ok(found?.map(|(profile, passkeys)| PersonRecord { profile, passkeys, sessions }))
    }

    /// A person's profile and passkeys, in one batch read.
    pub async fn profile_and_passkeys(&self, id: ProfileId) -> Result<Option<(Profile, Passkeys)>, StoreError> {
        let wanted = [keys::profile(id), keys::passkeys(id)];
        let mut found = self.table.get_all(&wanted).await?;
        Ok(found.take(&wanted[0])?.zip(found.take(&wanted[1])?))
    }

    /// Creates a person with a first passkey, recovery codes and a session in one transaction, so that no passkey is left without
    /// a profile and no profile without a passkey.
    ///
    /// # Errors
    /// [`SignUpError::PasskeyTaken`]; [`StoreError::Conflict`] if another transaction holds one of the items.
    pub async fn sign_up(&self, profile: &Profile, passkeys: &Passkeys, session: &Session) -> Result<(), SignUpError> {
        let mut operations = Vec::new();
        for passkey in &passkeys.passkeys {
            operations.push(put_credential(profile.id, passkey)?.into_transact_item(&self.table)?);
        }
        operations.push(
            Put::new(&keys::profile(profile.id), "profile", profile)?.when(Condition::absent()).into_transact_item(&self.table)?,
        );
        operations.push(put_passkeys(profile.id, passkeys)?.when(Condition::absent()).into_transact_item(&self.table)?);
        operations.extend(self.create_session_ops(session)?);
        for code in &passkeys.recovery_codes {
            operations.push(put_recovery_code(profile.id, code)?.into_transact_item(&self.table)?);
        }
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index, found }) if index < passkeys.passkeys.len() => {
                let owner = found.map(record::<CredentialOwner>).transpose()?;
                // If the credential is ours, the reply to our own write was lost.
                if owner.is_some_and(|owner| owner.profile == profile.id) { Ok(()) } else { Err(SignUpError::PasskeyTaken) }
            }
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    /// Opens a session and records how the person signed in, in one transaction: a recovery code is used up if and only if its
    /// session exists.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the person has changed since `person` was read.
    pub async fn sign_in(&self, person: &PersonRecord, method: SignInMethod<'_>, session: &Session) -> Result<(), StoreError> {
        let mut operations = self.open_session_ops(session, person.profile.version, person.sessions.clone())?;
        if let SignInMethod::Passkey(after) | SignInMethod::RecoveryCode { after, .. } = method {
            let put = put_passkeys(person.profile.id, after)?.when(unchanged(&person.passkeys));
            operations.push(put.into_transact_item(&self.table)?);
        }
        if let SignInMethod::RecoveryCode { code_sha256, .. } = method {
            operations.push(self.table.transact_delete(&keys::recovery_code(code_sha256))?);
        }
        match self.table.transact(operations).await {
            Ok(()) => return Ok(()),
            Err(TransactError::Store(error)) => return Err(error),
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => {}
        }
        // If the session exists, the reply to our own write was lost.
        if self.session(&session.token_sha256).await?.is_some() { Ok(()) } else { Err(StoreError::Conflict) }
    }
}
