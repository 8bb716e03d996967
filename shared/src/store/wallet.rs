//! Linking a wallet: who it belongs to, and the profile's next version over the one that was read, in one write.

use super::item::{n, record};
use super::profile::WalletOwner;
use super::transaction::TransactError;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crochet_domain::profile::{Profile, Wallet};

/// What came of linking a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// It belongs to the profile now.
    Done,
    /// Another profile has it.
    Taken,
    /// Nothing is written, or it was written and the reply was lost: the profile as it stands now tells.
    ReadAgain,
}

impl Store {
    /// Gives `profile`, already counting one version more, the wallet that was added to it, all or nothing: of racing links of
    /// one wallet one wins.
    pub async fn link_wallet(&self, profile: &Profile, wallet: &Wallet) -> Result<Linked, StoreError> {
        let owner = WalletOwner { profile: profile.id };
        let operations = vec![
            Put::new(&keys::wallet(&wallet.address), "wallet", &owner)?
                .when(Condition::absent())
                .into_transact_item(&self.table)?,
            Put::new(&keys::profile(profile.id), "profile", profile)?
                .when(Condition::equals("version", n(profile.version.saturating_sub(1))))
                .into_transact_item(&self.table)?,
        ];
        Ok(match self.table.transact(operations).await {
            Ok(()) => Linked::Done,
            Err(TransactError::ConditionFailed { index: 0, found }) => {
                let owner = found.map(record::<WalletOwner>).transpose()?;
                if owner.is_some_and(|owner| owner.profile != profile.id) { Linked::Taken } else { Linked::ReadAgain }
            }
            Err(TransactError::ConditionFailed { .. } | TransactError::Conflict) => Linked::ReadAgain,
            Err(TransactError::Store(error)) => return Err(error),
        })
    }
}
