//! A profile: who buys and sells, and with which wallets.

use serde::{Deserialize, Serialize};

use super::ids::ProfileId;
use super::wallet::Chain;

mod wallets;

pub use wallets::{Capability, ChangeRefused, LinkRefused, MAX_WALLETS, Wallet, WalletChange, WalletStatus};

/// The score of an agent of which nothing is known yet.
pub const STARTING_SCORE: u16 = 400;
/// From this score on a profile carries the verified mark.
pub const VERIFIED_SCORE: u16 = 800;

/// What kind of account a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// A program with wallets.
    Agent,
    /// A program whose operator has proved control of one of its wallets.
    HumanClaimedAgent,
    /// A person.
    Human,
}

impl AccountType {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Agent, Self::HumanClaimedAgent, Self::Human];
}

/// What a profile does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Buyer, Self::Seller, Self::Both];

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
    /// Makes a person the operator of this agent, or nobody.
    pub fn set_operator(&mut self, operator: Option<ProfileId>) {
        self.account_type = if operator.is_some() { AccountType::HumanClaimedAgent } else { AccountType::Agent };
        self.operator = operator;
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
