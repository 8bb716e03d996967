//! Profiles, and which profile a wallet belongs to.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::api_key::ApiKeyRecord;
use super::item::{n, record, s};
use super::transaction::TransactError;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{Profile, Wallet};
use crochet_domain::wallet::WalletAddress;

/// The profile that a wallet belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WalletOwner {
    pub(super) profile: ProfileId,
}

/// Why a profile was not created.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The wallet belongs to another profile.
    #[error("the wallet belongs to another profile")]
    WalletTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// The profile with this id.
    pub async fn profile(&self, id: ProfileId) -> Result<Option<Profile>, StoreError> {
        self.table.get(&keys::profile(id)).await
    }

    /// The profile of the person who operates this agent. It takes a read only if the agent has an operator.
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

    /// Creates a profile with its first wallet and API key in one transaction. If two requests register the same wallet, one fails.
    ///
    /// # Errors
    /// [`RegisterError::WalletTaken`].
    pub async fn register(&self, profile: &Profile, wallet: &Wallet, key: &ApiKeyRecord) -> Result<(), RegisterError> {
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
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                let owner = found.map(record::<WalletOwner>).transpose()?;
                // If the wallet is ours, the reply to our own write was lost.
                if owner.is_some_and(|owner| owner.profile == profile.id) { Ok(()) } else { Err(RegisterError::WalletTaken) }
            }
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    /// Replaces version `profile.version - 1` of a profile. The records of its API keys repeat its role and suspension: with `and_keys`
    /// they are updated in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the profile or its keys have changed.
    pub async fn save_profile(&self, profile: &Profile, and_keys: bool) -> Result<(), StoreError> {
        let before = Condition::equals("version", n(profile.version.saturating_sub(1)));
        let put = Put::new(&keys::profile(profile.id), "profile", profile)?.when(before);
        let found = if and_keys {
            let role: AttributeValue = serde_dynamo::to_attribute_value(profile.role).map_err(StoreError::defect)?;
            let mut operations = vec![put.into_transact_item(&self.table)?];
            for pointer in self.key_pointers(profile.id).await? {
                let update = match profile.suspended {
                    Some(reason) => {
                        Update::new("SET #role = :role, suspended = :suspended").value(":suspended", s(reason.as_str()))
                    }
                    None => Update::new("SET #role = :role REMOVE suspended"),
                };
                let update = update.name("#role", "role").value(":role", role.clone()).when("attribute_exists(PK)");
                operations.push(self.table.transact_update(&keys::api_key(&pointer.key), update)?);
            }
            match self.table.transact(operations).await {
                Ok(()) => return Ok(()),
                Err(TransactError::ConditionFailed { index: 0, found }) => found,
                Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => None,
                Err(TransactError::Store(error)) => return Err(error),
            }
        } else {
            match self.table.put(put).await {
                Ok(()) => return Ok(()),
                Err(error) => error.found()?,
            }
        };
        // If the stored profile equals ours, the reply to our own write was lost.
        let is_ours = found.map(record::<Profile>).transpose()?.is_some_and(|found| found == *profile);
        if is_ours { Ok(()) } else { Err(StoreError::Conflict) }
    }
}
