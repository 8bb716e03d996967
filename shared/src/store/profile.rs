//! Profiles and who a wallet belongs to.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::api_key::ApiKeyRecord;
use super::item::{n, record};
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
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
    pub async fn profile(&self, id: ProfileId) -> Result<Option<Profile>, StoreError> {
        self.table.get(&keys::profile(id)).await
    }

    /// The profile of the person who operates this agent: a read more for the agents that somebody has claimed.
    pub async fn operator_of(&self, agent: &Profile) -> Result<Option<Profile>, StoreError> {
        match agent.operator {
            Some(person) => self.profile(person).await,
            None => Ok(None),
        }
    }

    /// The profile that this wallet belongs to.
    pub async fn profile_of_wallet(&self, address: &WalletAddress) -> Result<Option<Profile>, StoreError> {
        match self.table.get::<WalletOwner>(&keys::wallet(address)).await? {
            Some(owner) => self.profile(owner.profile).await,
            None => Ok(None),
        }
    }

    /// Creates a profile with its first wallet and key, all or nothing: of two racing registrations of one wallet one wins.
    pub async fn register(&self, profile: &Profile, wallet: &Wallet, key: &ApiKeyRecord) -> Result<Registered, StoreError> {
        let owner = WalletOwner { profile: profile.id };
        let operations = vec![
            Put::new(&keys::wallet(&wallet.address), "wallet", &owner)?
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
            Put::new(&keys::profile(profile.id), "profile", profile)?.when(Condition::absent()).into_transact_item(&self.table)?,
            key.put()?.when(Condition::absent()).into_transact_item(&self.table)?,
            key.pointer_put()?.into_transact_item(&self.table)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(Registered::Done),
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                // Our own write, whose reply was lost, or another profile's.
                let owner = found.map(record::<WalletOwner>).transpose()?;
                Ok(if owner.is_some_and(|owner| owner.profile == profile.id) { Registered::Done } else { Registered::WalletTaken })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a changed profile over the version that was read (`profile.version - 1`). Its keys repeat its role: with
    /// `new_role` they are written, too, all or nothing. `false` where the profile or its keys changed meanwhile.
    pub async fn save_profile(&self, profile: &Profile, new_role: bool) -> Result<bool, StoreError> {
        let before = Condition::equals("version", n(profile.version.saturating_sub(1)));
        let put = Put::new(&keys::profile(profile.id), "profile", profile)?.when(before);
        let refused = if new_role {
            let role: AttributeValue = serde_dynamo::to_attribute_value(profile.role).map_err(StoreError::defect)?;
            let mut operations = vec![put.into_transact_item(&self.table)?];
            for pointer in self.key_pointers(profile.id).await? {
                let repeating = Update::new("SET #role = :role").name("#role", "role").value(":role", role.clone());
                operations.push(self.table.transact_update(&keys::api_key(&pointer.key), repeating.when("attribute_exists(PK)"))?);
            }
            match self.table.transact(operations).await {
                Ok(()) => return Ok(true),
                Err(TransactError::ConditionFailed { index: 0, found }) => found,
                Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => None,
                Err(TransactError::Store(error)) => return Err(error),
            }
        } else {
            match self.table.put(put).await {
                Ok(()) => return Ok(true),
                Err(error) => error.found()?,
            }
        };
        // The reply to our own write was lost and the SDK tried again: what stands there is what we wrote.
        Ok(refused.map(record::<Profile>).transpose()?.is_some_and(|found| found == *profile))
    }
}
