//! The wallets of a profile: what each may do, which is the first choice for what, and how they are linked and changed.

use serde::{Deserialize, Serialize};

use super::Profile;
use crate::ids::WalletId;
use crate::wallet::{Chain, WalletAddress};

#[cfg(test)]
mod tests;

/// Wallets that one profile may have, disabled ones included.
pub const MAX_WALLETS: usize = 20;

/// What a wallet may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Signs challenges.
    Auth,
    /// Recovers the profile's API key.
    Recovery,
    /// Pays for calls.
    Payment,
    /// Receives what calls earn.
    Payout,
}

impl Capability {
    /// All four: what a wallet may do unless fewer are asked for.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Recovery, Self::Payment, Self::Payout];
    /// Those for which a wallet can be the first choice within its chain family.
    pub const WITH_DEFAULT: [Self; 2] = [Self::Payment, Self::Payout];

    /// The name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Recovery => "recovery",
            Self::Payment => "payment",
            Self::Payout => "payout",
        }
    }

    /// These, each once and in one order.
    #[must_use]
    pub fn in_order(asked: &[Self]) -> Vec<Self> {
        Self::ALL.into_iter().filter(|capability| asked.contains(capability)).collect()
    }
}

/// Whether a wallet is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalletStatus {
    /// In use.
    Active,
    /// Kept, but good for nothing until it is active again.
    Disabled,
}

impl WalletStatus {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Active, Self::Disabled];
}

/// A wallet linked to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Its id here.
    pub id: WalletId,
    /// Its address on its chain.
    pub address: WalletAddress,
    /// What it may be used for.
    pub capabilities: Vec<Capability>,
    /// For which of `payment` and `payout` it is the first choice within its chain family.
    pub default_for: Vec<Capability>,
    /// Whether it is in use.
    pub status: WalletStatus,
    /// When it was linked (Unix milliseconds).
    pub created_ms: i64,
}

impl Wallet {
    /// Active and capable.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.status == WalletStatus::Active && self.capabilities.contains(&capability)
    }
}

/// A change of a wallet. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalletChange {
    /// What it may be used for from now on.
    pub capabilities: Option<Vec<Capability>>,
    /// For what it is to be the first choice within its chain family, and for nothing else.
    pub default_for: Option<Vec<Capability>>,
    /// Whether it is in use.
    pub status: Option<WalletStatus>,
}

/// Why a wallet is not linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRefused {
    /// The profile has it already, under this id.
    AlreadyLinked(WalletId),
    /// The profile has [`MAX_WALLETS`].
    TooMany,
}

/// Why a wallet is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeRefused {
    /// The profile has no such wallet.
    NotFound,
    /// After the change the wallet could not do this, so it cannot be the first choice for it.
    CannotBeDefault(Capability),
    /// No active recovery wallet would be left.
    WouldStrand,
}

/// What a change says about being the first choice.
#[derive(Clone, Copy)]
enum Wish {
    Nothing,
    Take(WalletId),
    GiveUp(WalletId),
}

impl Profile {
    /// The profile's wallet with this id.
    #[must_use]
    pub fn wallet(&self, id: WalletId) -> Option<&Wallet> {
        self.wallets.iter().find(|wallet| wallet.id == id)
    }

    /// The wallet of this family that serves `capability`: the default one, else the oldest.
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

    /// The chain family in which the profile pays when nothing is said: Solana first.
    #[must_use]
    pub fn payment_chain(&self) -> Option<Chain> {
        [Chain::Solana, Chain::Evm].into_iter().find(|chain| self.wallet_for(Capability::Payment, *chain).is_some())
    }

    /// Whether this wallet may recover the profile, and so prove that a change is wanted.
    #[must_use]
    pub fn recovers_with(&self, address: &WalletAddress) -> bool {
        self.wallets.iter().any(|wallet| wallet.address == *address && wallet.can(Capability::Recovery))
    }

    /// The profile's next version, with one wallet more. The wallet becomes the first choice for what no other wallet of its
    /// family can do.
    ///
    /// # Errors
    /// [`LinkRefused`].
    pub fn link(&self, wallet: Wallet) -> Result<Self, LinkRefused> {
        if let Some(known) = self.wallets.iter().find(|known| known.address == wallet.address) {
            return Err(LinkRefused::AlreadyLinked(known.id));
        }
        if self.wallets.len() >= MAX_WALLETS {
            return Err(LinkRefused::TooMany);
        }
        let mut after = self.clone();
        after.wallets.push(Wallet { default_for: Vec::new(), ..wallet });
        after.settle_defaults(|_, _| Wish::Nothing);
        Ok(after.succeeding(self))
    }

    /// The profile's next version, with a wallet changed; this very version where that changes nothing.
    ///
    /// A wallet that becomes the first choice takes the place of its sibling. One that can no longer be it, or is told not to,
    /// leaves it to the oldest sibling that can; where there is none, it stays what it is: the only choice.
    ///
    /// # Errors
    /// The first [`ChangeRefused`] in the order of its variants.
    pub fn change_wallet(&self, id: WalletId, change: &WalletChange) -> Result<Self, ChangeRefused> {
        let mut after = self.clone();
        let wallet = after.wallets.iter_mut().find(|wallet| wallet.id == id).ok_or(ChangeRefused::NotFound)?;
        if let Some(capabilities) = &change.capabilities {
            wallet.capabilities = Capability::in_order(capabilities);
        }
        wallet.status = change.status.unwrap_or(wallet.status);
        let refused = |capability: &&Capability| !Capability::WITH_DEFAULT.contains(capability) || !wallet.can(**capability);
        if let Some(capability) = change.default_for.iter().flatten().find(refused) {
            return Err(ChangeRefused::CannotBeDefault(*capability));
        }
        let family = wallet.address.chain();
        if !after.wallets.iter().any(|wallet| wallet.can(Capability::Recovery)) {
            return Err(ChangeRefused::WouldStrand);
        }
        after.settle_defaults(|capability, chain| match &change.default_for {
            Some(wanted) if chain == family && wanted.contains(&capability) => Wish::Take(id),
            Some(_) if chain == family => Wish::GiveUp(id),
            _ => Wish::Nothing,
        });
        Ok(if after == *self { after } else { after.succeeding(self) })
    }

    /// Lets `default_for` tell the truth: per family and capability one wallet that can, where any can, and no other.
    fn settle_defaults(&mut self, wish: impl Fn(Capability, Chain) -> Wish) {
        let mut chosen = Vec::new();
        for chain in [Chain::Solana, Chain::Evm] {
            for capability in Capability::WITH_DEFAULT {
                let wallet = self.first_choice(capability, chain, wish(capability, chain));
                chosen.extend(wallet.map(|wallet| (wallet.id, capability)));
            }
        }
        for wallet in &mut self.wallets {
            wallet.default_for = chosen.iter().filter(|(id, _)| *id == wallet.id).map(|(_, capability)| *capability).collect();
        }
    }

    /// The wished one, else the present one, else the oldest.
    fn first_choice(&self, capability: Capability, chain: Chain, wish: Wish) -> Option<&Wallet> {
        let fit = || self.wallets.iter().filter(move |wallet| wallet.address.chain() == chain && wallet.can(capability));
        let present = fit().find(|wallet| wallet.default_for.contains(&capability));
        let wished = match wish {
            Wish::Nothing => present,
            Wish::Take(id) => fit().find(|wallet| wallet.id == id),
            Wish::GiveUp(id) => present.into_iter().chain(fit()).find(|wallet| wallet.id != id),
        };
        wished.or_else(|| fit().next())
    }

    /// Counts the change from `before`, and notes where its listings show something else now.
    fn succeeding(mut self, before: &Self) -> Self {
        self.version = before.version + 1;
        self.listings_behind |= self.listing_count > 0 && self.payout_chains() != before.payout_chains();
        self
    }
}
