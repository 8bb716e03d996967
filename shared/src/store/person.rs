//! People: what is read before somebody is let in, and the one write that lets them in.

use serde::{Deserialize, Serialize};

use super::passkey::CredentialOwner;
use super::session::SessionPointer;
use super::table::{Transacted, record};
use super::write::{Condition, Putting};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;
use crochet_domain::passkey::Passkeys;
use crochet_domain::profile::Profile;
use crochet_domain::session::Session;

/// A person, as far as logging in goes.
#[derive(Debug, Clone)]
pub struct PersonRecord {
    /// Who it is.
    pub profile: Profile,
    /// How that person logs in.
    pub passkeys: Passkeys,
    sessions: Vec<SessionPointer>,
}

/// What came of a sign-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedUp {
    /// The person exists now, and is logged in.
    Done,
    /// The passkey belongs to somebody already.
    PasskeyTaken,
}

/// With what somebody gets in, as far as it changes how they get in next time.
#[derive(Debug, Clone, Copy)]
pub enum Admission<'a> {
    /// A passkey: this is what they are after its use.
    Passkey(&'a Passkeys),
    /// A recovery code: this is what is left after its use, and its hash.
    RecoveryCode(&'a Passkeys, &'a str),
    /// The wallet of an agent, which stays as it is.
    Wallet,
}

/// Whose recovery code it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CodeOwner {
    profile: ProfileId,
}

impl Store {
    /// The person with this id: one batch read, and the sessions at the same time.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn person(&self, id: ProfileId) -> Result<Option<PersonRecord>, StoreError> {
        // A session that opens between the two reads may be missed here: the next one to open ends what is too many.
        let (found, sessions) = tokio::join!(self.profile_and_passkeys(id), self.session_pointers(id));
        let sessions = sessions?;
        Ok(found?.map(|(profile, passkeys)| PersonRecord { profile, passkeys, sessions }))
    }

    /// A person's profile and passkeys, in one batch read.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn profile_and_passkeys(&self, id: ProfileId) -> Result<Option<(Profile, Passkeys)>, StoreError> {
        let wanted = [keys::profile(id), keys::passkeys(id)];
        let mut found = self.table.get_all(&wanted).await?;
        Ok(found.take(&wanted[0])?.zip(found.take(&wanted[1])?))
    }

    /// Whose recovery code has this hash.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn owner_of_code(&self, code_sha256: &str) -> Result<Option<ProfileId>, StoreError> {
        let owner: Option<CodeOwner> = self.table.get(&keys::recovery_code(code_sha256)).await?;
        Ok(owner.map(|owner| owner.profile))
    }

    /// Makes a person with a first passkey, recovery codes and a session, all or nothing: nobody is left with a passkey that
    /// opens nothing, or with a profile that no passkey opens.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where another transaction was in the way.
    pub async fn sign_up(&self, profile: &Profile, passkeys: &Passkeys, session: &Session) -> Result<SignedUp, StoreError> {
        let mut operations = Vec::new();
        for passkey in &passkeys.passkeys {
            operations.push(CredentialOwner::of(profile.id, passkey).putting(passkey)?.in_transaction(&self.table)?);
        }
        operations.push(
            Putting::new(&keys::profile(profile.id), "profile", profile)?.when(Condition::absent()).in_transaction(&self.table)?,
        );
        operations.push(passkeys_putting(profile.id, passkeys)?.when(Condition::absent()).in_transaction(&self.table)?);
        operations.extend(self.first_opening(session)?);
        for code in &passkeys.recovery_codes {
            operations.push(code_putting(profile.id, code)?.in_transaction(&self.table)?);
        }
        match self.table.transact(operations).await? {
            Transacted::Done => Ok(SignedUp::Done),
            Transacted::Refused { index, found } if index < passkeys.passkeys.len() => {
                // Our own write, whose reply was lost, or another person's.
                let owner = found.map(record::<CredentialOwner>).transpose()?;
                Ok(if owner.is_some_and(|owner| owner.profile == profile.id) { SignedUp::Done } else { SignedUp::PasskeyTaken })
            }
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }

    /// Opens a session for a person and writes down with what, all or nothing: a recovery code is used up if, and only if, there
    /// is a session for it.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where the person was changed since `person` was read.
    pub async fn let_in(&self, person: &PersonRecord, with: Admission<'_>, session: &Session) -> Result<(), StoreError> {
        let mut operations = self.opening(session, person.profile.version, person.sessions.clone())?;
        if let Admission::Passkey(after) | Admission::RecoveryCode(after, _) = with {
            let putting = passkeys_putting(person.profile.id, after)?.when(unchanged(&person.passkeys));
            operations.push(putting.in_transaction(&self.table)?);
        }
        if let Admission::RecoveryCode(_, code) = with {
            operations.push(self.table.removing(&keys::recovery_code(code))?);
        }
        if let Transacted::Done = self.table.transact(operations).await? {
            return Ok(());
        }
        // A reply that was lost looks like a conflict, too: then the session is there.
        if self.session(&session.token_sha256).await?.is_some() { Ok(()) } else { Err(StoreError::Conflict) }
    }

    /// Gives the session's person the recovery codes (SHA-256 in hex) of `after` instead of the ones that are left in `seen`.
    ///
    /// # Errors
    /// As [`Store::add_passkey`].
    pub async fn replace_codes(&self, session: &Session, seen: &Passkeys, after: &Passkeys) -> Result<(), StoreError> {
        let person = session.profile;
        let mut operations = vec![passkeys_putting(person, after)?.when(unchanged(seen)).in_transaction(&self.table)?];
        for old in &seen.recovery_codes {
            operations.push(self.table.removing(&keys::recovery_code(old))?);
        }
        for new in &after.recovery_codes {
            operations.push(code_putting(person, new)?.in_transaction(&self.table)?);
        }
        match self.transact_in(session, operations).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }
}

pub(super) fn passkeys_putting(person: ProfileId, passkeys: &Passkeys) -> Result<Putting, StoreError> {
    Putting::new(&keys::passkeys(person), "passkeys", passkeys)
}

/// Holds while nobody has changed the passkeys.
pub(super) fn unchanged(seen: &Passkeys) -> Condition {
    Condition::equals("version", super::counter::n(seen.version))
}

fn code_putting(person: ProfileId, code_sha256: &str) -> Result<Putting, StoreError> {
    Putting::new(&keys::recovery_code(code_sha256), "recovery_code", &CodeOwner { profile: person })
}
