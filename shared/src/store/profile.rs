//! Profiles and who a wallet belongs to.

use serde::{Deserialize, Serialize};

use super::api_key::{KeyPointer, StoredKey};
use super::counter::n;
use super::table::{Range, Transacted, record};
use super::write::{Condition, Putting, Updating};
use super::{Store, StoreError, keys};
use crate::domain::ids::ProfileId;
use crate::domain::profile::{Profile, Wallet};
use crate::domain::wallet::WalletAddress;

/// Who a wallet belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct WalletOwner {
    profile: ProfileId,
}

/// What came of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The profile exists now.
    Done,
    /// The wallet belongs to a profile already.
    WalletTaken,
}

/// API keys that one profile may have: as many as one transaction can end.
pub const MAX_KEYS: i32 = 45;

impl Store {
    /// The profile with this id.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn profile(&self, id: ProfileId) -> Result<Option<Profile>, StoreError> {
        self.table.get(&keys::profile(id)).await
    }

    /// The profile of the person who operates this agent: a read more for the agents that somebody has claimed.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn operator_of(&self, agent: &Profile) -> Result<Option<Profile>, StoreError> {
        match agent.operator {
            Some(person) => self.profile(person).await,
            None => Ok(None),
        }
    }

    /// The profile that this wallet belongs to.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn profile_of_wallet(&self, address: &WalletAddress) -> Result<Option<Profile>, StoreError> {
        match self.table.get::<WalletOwner>(&keys::wallet(address)).await? {
            Some(owner) => self.profile(owner.profile).await,
            None => Ok(None),
        }
    }

    /// Creates a profile with its first wallet and key, all or nothing: of two racing registrations of one wallet one wins.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn register(&self, profile: &Profile, wallet: &Wallet, key: &StoredKey) -> Result<Registered, StoreError> {
        let owner = WalletOwner { profile: profile.id };
        let operations = vec![
            Putting::new(&keys::wallet(&wallet.address), "wallet", &owner)?
                .when(Condition::absent())
                .in_transaction(&self.table)?,
            Putting::new(&keys::profile(profile.id), "profile", profile)?.when(Condition::absent()).in_transaction(&self.table)?,
            key.putting()?.when(Condition::absent()).in_transaction(&self.table)?,
            key.putting_pointer()?.in_transaction(&self.table)?,
        ];
        match self.table.transact(operations).await? {
            Transacted::Done => Ok(Registered::Done),
            Transacted::Refused { index: 0, found } => {
                // Our own write, whose reply was lost, or another profile's.
                let owner = found.map(record::<WalletOwner>).transpose()?;
                Ok(if owner.is_some_and(|owner| owner.profile == profile.id) { Registered::Done } else { Registered::WalletTaken })
            }
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }

    /// Gives a profile a fresh key; with `revoke_others` every other key ends in the same write. `seen` is the profile's version
    /// that was read before: of two writers of a profile's keys one is told to read again, so that no key slips through.
    ///
    /// # Errors
    /// Where DynamoDB does not answer; [`StoreError::Conflict`] where the profile or its keys changed meanwhile.
    pub async fn issue_key(&self, key: &StoredKey, seen: u64, revoke_others: bool) -> Result<(), StoreError> {
        let partition = keys::profile_partition(key.profile);
        let pointers = self
            .table
            .query(&Range {
                index: None,
                partition: &partition,
                from: Some("KEY#"),
                to: Some("KEY#~"),
                newest_first: false,
                limit: MAX_KEYS + 1,
            })
            .await?;
        let mut pointers = pointers.into_iter().map(record::<KeyPointer>).collect::<Result<Vec<_>, _>>()?;
        pointers.sort_by_key(|pointer| pointer.created_ms);
        let versioning =
            Updating::new("SET version = version + :one").when("version = :seen").value(":one", n(1)).value(":seen", n(seen));
        let mut operations = vec![
            self.table.updating(&keys::profile(key.profile), versioning)?,
            key.putting()?.when(Condition::absent()).in_transaction(&self.table)?,
            key.putting_pointer()?.in_transaction(&self.table)?,
        ];
        // A profile at its limit gets in all the same: its oldest keys make room.
        let surplus = (pointers.len() + 1).saturating_sub(MAX_KEYS as usize);
        let ended = if revoke_others { pointers.len() } else { surplus };
        for pointer in pointers.into_iter().take(ended) {
            operations.push(self.table.removing(&keys::api_key(&pointer.key))?);
            operations.push(self.table.removing(&keys::profile_api_key(key.profile, &pointer.key))?);
        }
        match self.table.transact(operations).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused { .. } | Transacted::Conflict => Err(StoreError::Conflict),
        }
    }
}
