//! Linking a wallet: its owner and the next version of the profile, in one transaction.

use super::item::{n, record};
use super::profile::WalletOwner;
use super::transaction::TransactError;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crochet_domain::profile::{Profile, Wallet};

/// Why a wallet was not linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkWalletError {
    /// The wallet belongs to another profile.
    #[error("the wallet belongs to another profile")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Links `wallet` and replaces version `profile.version - 1` of the profile, which contains it already. If two profiles link
    /// the same wallet, one fails.
    ///
    /// # Errors
    /// [`LinkWalletError::Taken`]; [`StoreError::Conflict`] if the profile has changed or the reply to this write was lost. The
    /// profile as it is then tells which.
    pub async fn link_wallet(&self, profile: &Profile, wallet: &Wallet) -> Result<(), LinkWalletError> {
        let owner = WalletOwner { profile: profile.id };
        let operations = vec![
            Put::new(&keys::wallet(&wallet.address), "wallet", &owner)?
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
            Put::new(&keys::profile(profile.id), "profile", profile)?
                .when(Condition::equals("version", n(profile.version.saturating_sub(1))))
                .into_transact_item(&self.table)?,
        ];
        match self.table.transact(operations).await {
            Ok(()) => Ok(()),
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                let owner = found.map(record::<WalletOwner>).transpose()?;
                let is_taken = owner.is_some_and(|owner| owner.profile != profile.id);
                Err(if is_taken { LinkWalletError::Taken } else { StoreError::Conflict.into() })
            }
            Err(error) => Err(StoreError::from(error).into()),
        }
    }
}
