//! A profile: who buys and sells, and with which wallets.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{ProfileId, WalletId};
use super::wallet::{Chain, WalletAddress};

/// The score of an agent of which nothing is known yet.
pub const STARTING_SCORE: u16 = 400;
/// From this score on a profile carries the verified mark.
pub const VERIFIED_SCORE: u16 = 800;
/// Wallets that one profile may have.
pub const MAX_WALLETS: usize = 20;

/// What kind of account a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// A program with wallets.
    Agent,
    /// A program whose operator has proved control of one of its wallets.
    HumanClaimedAgent,
    /// A person.
    Human,
}

/// What a profile does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Calls the gateway.
    Buyer,
    /// Offers listings.
    #[serde(alias = "provider")]
    Seller,
    /// Both of these.
    #[default]
    Both,
}

impl Role {
    /// May call the gateway.
    #[must_use]
    pub fn buys(self) -> bool {
        self != Self::Seller
    }

    /// May offer listings.
    #[must_use]
    pub fn sells(self) -> bool {
        self != Self::Buyer
    }
}

/// What a wallet may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
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
}

/// Whether a wallet is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WalletStatus {
    /// In use.
    Active,
    /// Kept, but good for nothing until it is active again.
    Disabled,
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

/// A profile with its wallets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// What kind of account it is.
    pub account_type: AccountType,
    /// The name it shows.
    pub display_name: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// What it does here.
    pub role: Role,
    /// Its score, 0 to 1000.
    pub score: u16,
    /// Its wallets, oldest first; at most [`MAX_WALLETS`].
    pub wallets: Vec<Wallet>,
    /// The person who has claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<ProfileId>,
    /// How many listings it has, drafts and suspended ones included.
    pub listing_count: u32,
    /// How many agents it operates; only people do.
    #[serde(default)]
    pub claim_count: u32,
    /// What its listings show of it has changed, and not every one of them is known to show it yet.
    #[serde(default)]
    pub listings_behind: bool,
    /// Counts its changes; a write names the version it changed.
    pub version: u64,
    /// When it registered (Unix milliseconds).
    pub created_ms: i64,
}

impl Profile {
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

    /// Whether this wallet may recover the profile.
    #[must_use]
    pub fn recovers_with(&self, address: &WalletAddress) -> bool {
        self.wallets.iter().any(|wallet| wallet.address == *address && wallet.can(Capability::Recovery))
    }
}

/// The tier of a score.
#[must_use]
pub fn tier(score: u16) -> &'static str {
    match score {
        0..400 => "Low",
        400..700 => "Moderate",
        700..800 => "Trusted",
        800..900 => "Elite",
        _ => "Exceptional",
    }
}

/// What a listing shows of its seller; kept in the listing, so that reading one listing is one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerSummary {
    /// The seller's profile.
    pub id: ProfileId,
    /// The name it shows.
    pub display_name: String,
    /// Its score.
    pub score: u16,
    /// Whether a person has claimed it.
    pub claimed: bool,
    /// The chain families on which it can be paid.
    pub payout_chains: Vec<Chain>,
    /// The version of the profile that this was taken from: an older view never replaces a newer one.
    #[serde(default)]
    pub as_of: u64,
}

impl From<&Profile> for SellerSummary {
    fn from(profile: &Profile) -> Self {
        Self {
            id: profile.id,
            display_name: profile.display_name.clone(),
            score: profile.score,
            claimed: profile.account_type == AccountType::HumanClaimedAgent,
            payout_chains: profile.payout_chains(),
            as_of: profile.version,
        }
    }
}

impl SellerSummary {
    /// What is to be shown from this view of the profile on: what is shown already, where that is as new or says the same.
    #[must_use]
    pub fn renewed(&self, profile: &Profile) -> Self {
        let fresh = Self::from(profile);
        let says_the_same = Self { as_of: self.as_of, ..fresh.clone() } == *self;
        if self.as_of >= fresh.as_of || says_the_same { self.clone() } else { fresh }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_end_where_the_contract_says() {
        for (score, name) in [
            (0, "Low"),
            (399, "Low"),
            (400, "Moderate"),
            (699, "Moderate"),
            (700, "Trusted"),
            (799, "Trusted"),
            (800, "Elite"),
            (899, "Elite"),
            (900, "Exceptional"),
            (1000, "Exceptional"),
        ] {
            assert_eq!(tier(score), name, "{score}");
        }
    }

    #[test]
    fn roles() {
        assert!(Role::Buyer.buys() && !Role::Buyer.sells());
        assert!(Role::Seller.sells() && !Role::Seller.buys());
        assert!(Role::Both.buys() && Role::Both.sells());
        assert_eq!(serde_json::from_str::<Role>("\"provider\"").expect("an alias"), Role::Seller);
    }
}
