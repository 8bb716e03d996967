//! Profiles and who a wallet belongs to.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::api_key::ApiKeyRecord;
use super::counter::n;
use super::table::{Transacted, Written, record};
use super::write::{Condition, Putting, Updating};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{Profile, Wallet};
use crochet_domain::wallet::WalletAddress;

/// Who a wallet belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WalletOwner {
    pub(super) profile: ProfileId,
}

/// What came of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The profile exists now.
    Done,
    /// The wallet belongs to a profile already.
    WalletTaken,
}

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
    pub async fn register(&self, profile: &Profile, wallet: &Wallet, key: &ApiKeyRecord) -> Result<Registered, StoreError> {
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

    /// Writes a changed profile over the version that was read (`profile.version - 1`). Its keys repeat its role: with
    /// `new_role` they are written, too, all or nothing. `false` where the profile or its keys changed meanwhile.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn save_profile(&self, profile: &Profile, new_role: bool) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(profile.version.saturating_sub(1)));
        let putting = Putting::new(&keys::profile(profile.id), "profile", profile)?.when(before);
        let refused = if new_role {
            let role: AttributeValue = serde_dynamo::to_attribute_value(profile.role).map_err(StoreError::defect)?;
            let mut operations = vec![putting.in_transaction(&self.table)?];
            for pointer in self.key_pointers(profile.id).await? {
                let repeating = Updating::new("SET #role = :role").name("#role", "role").value(":role", role.clone());
                operations.push(self.table.updating(&keys::api_key(&pointer.key), repeating.when("attribute_exists(PK)"))?);
            }
            match self.table.transact(operations).await? {
                Transacted::Done => return Ok(true),
                Transacted::Refused { index: 0, found } => found,
                Transacted::Refused { .. } | Transacted::Conflict => None,
            }
        } else {
            match self.table.put(putting).await? {
                Written::Done => return Ok(true),
                Written::Refused(found) => found,
            }
        };
        // The reply to our own write was lost and the SDK tried again: what stands there is what we wrote.
        Ok(refused.map(record::<Profile>).transpose()?.is_some_and(|found| found == *profile))
    }
}
