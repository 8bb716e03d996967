//! The wallets of a profile: linking, changing, and which one is the default for what.

use super::record::Profile;
use super::wallet::{Capability, MAX_WALLETS, Wallet, WalletChange};
use crate::ids::WalletId;
use crate::wallet::{Chain, WalletAddress};

#[cfg(test)]
mod tests;

/// Why a wallet cannot be linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The profile has this wallet already, under this id.
    #[error("the wallet is linked already")]
    AlreadyLinked(WalletId),
    /// The profile has [`MAX_WALLETS`] wallets.
    #[error("the profile has the maximum number of wallets")]
    TooMany,
}

/// Why a wallet cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeWalletError {
    /// The profile has no wallet with this id.
    #[error("the profile has no such wallet")]
    NotFound,
    /// After the change the wallet could not do this, so it cannot be the default for it.
    #[error("the wallet cannot be the default for {}", .0.as_str())]
    CannotBeDefault(Capability),
    /// The profile would be left without an active recovery wallet.
    #[error("the profile would have no active recovery wallet")]
    WouldStrand,
}

/// How a change affects one default.
#[derive(Clone, Copy)]
enum DefaultChange {
    Keep,
    Take(WalletId),
    GiveUp(WalletId),
}

impl Profile {
    /// The profile's wallet with this id.
    #[must_use]
    pub fn wallet(&self, id: WalletId) -> Option<&Wallet> {
        self.wallets.iter().find(|wallet| wallet.id == id)
    }

    /// The wallet of this chain family to use for `capability`: the default, or else the oldest that can.
    #[must_use]
    pub fn wallet_for(&self, capability: Capability, chain: Chain) -> Option<&Wallet> {
        let fit = |wallet: &&Wallet| wallet.address.chain() == chain && wallet.can(capability);
        self.wallets
            .iter()
            .filter(fit)
            .find(|wallet| wallet.default_for.contains(&capability))
            .or_else(|| self.wallets.iter().find(fit))
    }

    /// The chain families on which the profile can be paid.
    #[must_use]
    pub fn payout_chains(&self) -> Vec<Chain> {
        [Chain::Solana, Chain::Evm].into_iter().filter(|chain| self.wallet_for(Capability::Payout, *chain).is_some()).collect()
    }

    /// The chain family on which the profile pays by default. Solana comes first.
    #[must_use]
    pub fn payment_chain(&self) -> Option<Chain> {
        [Chain::Solana, Chain::Evm].into_iter().find(|chain| self.wallet_for(Capability::Payment, *chain).is_some())
    }

    /// Whether this wallet may recover the profile, and therefore authorize changes to it.
    #[must_use]
    pub fn recovers_with(&self, address: &WalletAddress) -> bool {
        self.wallets.iter().any(|wallet| wallet.address == *address && wallet.can(Capability::Recovery))
    }

    /// The next version of the profile, with one more wallet. The wallet becomes the default wherever no other wallet of its
    /// chain family can be.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn link(&self, wallet: Wallet) -> Result<Self, LinkError> {
        if let Some(known) = self.wallets.iter().find(|known| known.address == wallet.address) {
            return Err(LinkError::AlreadyLinked(known.id));
        }
        if self.wallets.len() >= MAX_WALLETS {
            return Err(LinkError::TooMany);
        }
        let mut after = self.clone();
        after.wallets.push(Wallet { default_for: Vec::new(), ..wallet });
        after.assign_defaults(|_, _| DefaultChange::Keep);
        Ok(after.into_next_version_of(self))
    }

    /// The next version of the profile, with one wallet changed; the same version if nothing changes.
    ///
    /// A wallet that becomes the default replaces the previous one. A default that can no longer serve, or gives up the role,
    /// passes it to the oldest wallet that can. If there is none, it remains the default.
    ///
    /// # Errors
    /// The first [`ChangeWalletError`] that applies, in the order of its variants.
    pub fn change_wallet(&self, id: WalletId, change: &WalletChange) -> Result<Self, ChangeWalletError> {
        let mut after = self.clone();
        let wallet = after.wallets.iter_mut().find(|wallet| wallet.id == id).ok_or(ChangeWalletError::NotFound)?;
        if let Some(capabilities) = &change.capabilities {
            wallet.capabilities = Capability::in_order(capabilities);
        }
        wallet.status = change.status.unwrap_or(wallet.status);
        let unfit = |capability: &&Capability| !Capability::WITH_DEFAULT.contains(capability) || !wallet.can(**capability);
        if let Some(capability) = change.default_for.iter().flatten().find(unfit) {
            return Err(ChangeWalletError::CannotBeDefault(*capability));
        }
        let family = wallet.address.chain();
        if !after.wallets.iter().any(|wallet| wallet.can(Capability::Recovery)) {
            return Err(ChangeWalletError::WouldStrand);
        }
        after.assign_defaults(|capability, chain| match &change.default_for {
            Some(wanted) if chain == family && wanted.contains(&capability) => DefaultChange::Take(id),
            Some(_) if chain == family => DefaultChange::GiveUp(id),
            _ => DefaultChange::Keep,
        });
        Ok(if after == *self { after } else { after.into_next_version_of(self) })
    }

    /// Recomputes `default_for` of every wallet: one default per chain family and capability, if any wallet can serve.
    fn assign_defaults(&mut self, change: impl Fn(Capability, Chain) -> DefaultChange) {
        let mut defaults = Vec::new();
        for chain in [Chain::Solana, Chain::Evm] {
            for capability in Capability::WITH_DEFAULT {
                let wallet = self.default_wallet(capability, chain, change(capability, chain));
                defaults.extend(wallet.map(|wallet| (wallet.id, capability)));
            }
        }
        for wallet in &mut self.wallets {
            wallet.default_for = defaults.iter().filter(|(id, _)| *id == wallet.id).map(|(_, capability)| *capability).collect();
        }
    }

    /// The requested wallet, or else the current default, or else the oldest wallet that can serve.
    fn default_wallet(&self, capability: Capability, chain: Chain, change: DefaultChange) -> Option<&Wallet> {
        let fit = || self.wallets.iter().filter(move |wallet| wallet.address.chain() == chain && wallet.can(capability));
        let current = fit().find(|wallet| wallet.default_for.contains(&capability));
        let chosen = match change {
            DefaultChange::Keep => current,
            DefaultChange::Take(id) => fit().find(|wallet| wallet.id == id),
            DefaultChange::GiveUp(id) => current.into_iter().chain(fit()).find(|wallet| wallet.id != id),
        };
        chosen.or_else(|| fit().next())
    }

    /// Increments the version, and marks the summaries stale if the listings must show other payout chains.
    fn into_next_version_of(mut self, before: &Self) -> Self {
        self.version = before.version + 1;
        self.summaries_stale |= self.listing_count > 0 && self.payout_chains() != before.payout_chains();
        self
    }
}
