//! Linking a wallet: who it belongs to, and the profile's next version over the one that was read, in one write.

use super::counter::n;
use super::profile::WalletOwner;
use super::table::{Transacted, record};
use super::write::{Condition, Putting};
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
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn link_wallet(&self, profile: &Profile, wallet: &Wallet) -> Result<Linked, StoreError> {
        let owner = WalletOwner { profile: profile.id };
        let operations = vec![
            Putting::new(&keys::wallet(&wallet.address), "wallet", &owner)?
                .when(Condition::absent())
                .in_transaction(&self.table)?,
            Putting::new(&keys::profile(profile.id), "profile", profile)?
                .when(Condition::equals("version", n(profile.version.saturating_sub(1))))
                .in_transaction(&self.table)?,
        ];
        Ok(match self.table.transact(operations).await? {
            Transacted::Done => Linked::Done,
            Transacted::Refused { index: 0, found } => {
                let owner = found.map(record::<WalletOwner>).transpose()?;
                if owner.is_some_and(|owner| owner.profile != profile.id) { Linked::Taken } else { Linked::ReadAgain }
            }
            Transacted::Refused { .. } | Transacted::Conflict => Linked::ReadAgain,
        })
    }
}
