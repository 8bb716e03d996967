//! A profile as it is stored.

use serde::{Deserialize, Serialize};

use super::wallet::Wallet;
use crate::debt::Standing;
use crate::ids::ProfileId;
use crate::suspension::SuspendedReason;
use crate::unknown::Unknown;

/// What kind of account a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// A program with wallets.
    Agent,
    /// A program operated by a person, who has proved control of one of its wallets.
    HumanClaimedAgent,
    /// A person.
    Human,
}

impl AccountType {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Agent, Self::HumanClaimedAgent, Self::Human];
}

/// Whether a profile buys, sells, or both.
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

    /// Whether it may call the gateway.
    #[must_use]
    pub fn buys(self) -> bool {
        self != Self::Seller
    }

    /// Whether it may offer listings.
    #[must_use]
    pub fn sells(self) -> bool {
        self != Self::Buyer
    }
}

/// A profile with its wallets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The profile's id.
    pub id: ProfileId,
    /// What kind of account it is.
    pub account_type: AccountType,
    /// Its public name.
    pub display_name: String,
    /// How it describes itself.
    pub description: Option<String>,
    /// Whether it buys, sells, or both.
    pub role: Role,
    /// Its score, 0 to 1000.
    pub score: u16,
    /// Its wallets, oldest first; at most [`MAX_WALLETS`](super::MAX_WALLETS).
    pub wallets: Vec<Wallet>,
    /// The person who operates this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<ProfileId>,
    /// How many listings it has, including drafts and suspended listings.
    pub listing_count: u32,
    /// How many agents it operates. Zero unless it is a person.
    #[serde(default)]
    pub claim_count: u32,
    /// What it owes buyers, as [`Profile::with_standing`] last saw it.
    #[serde(default)]
    pub standing: Standing,
    /// Why the operator has suspended it. It gets no quotes and puts nothing on offer; what is paid is delivered, and what it owes can
    /// be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<SuspendedReason>,
    /// Whether some of its listings may still carry an outdated [`SellerSummary`](super::SellerSummary).
    #[serde(default)]
    pub summaries_stale: bool,
    /// The version, incremented by every change. A write is conditional on the version that was read.
    pub version: u64,
    /// When it was created (Unix milliseconds).
    pub created_ms: i64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Stands for the names of who was erased, and of what they sold.
pub const ERASED: &str = "Erased";

impl Profile {
    /// Sets or removes the agent's operator.
    pub fn set_operator(&mut self, operator: Option<ProfileId>) {
        self.account_type = if operator.is_some() { AccountType::HumanClaimedAgent } else { AccountType::Agent };
        self.operator = operator;
    }

    /// The next version, suspended by the operator for a reason, or suspended no more.
    #[must_use]
    pub fn with_suspension(mut self, suspended: Option<SuspendedReason>) -> Self {
        self.summaries_stale |= self.listing_count > 0 && self.suspended != suspended;
        self.suspended = suspended;
        self.version += 1;
        self
    }

    /// The next version, without anything personal. It stays suspended, because nobody can act for it any more: for the reason that it
    /// has, if it has one.
    #[must_use]
    pub fn erased(mut self) -> Self {
        let reason = self.suspended.unwrap_or(SuspendedReason::Other);
        self = self.with_suspension(Some(reason));
        ERASED.clone_into(&mut self.display_name);
        (self.description, self.wallets, self.unknown) = (None, Vec::new(), Unknown::default());
        if self.account_type != AccountType::Human {
            self.set_operator(None);
        }
        self.summaries_stale = self.listing_count > 0;
        self
    }

    /// The next version, with what the profile owes. It is a new version even if nothing has changed, so that a writer that read the
    /// debts before this one cannot be the last.
    #[must_use]
    pub fn with_standing(mut self, standing: Standing) -> Self {
        self.summaries_stale |= self.listing_count > 0 && self.standing != standing;
        self.standing = standing;
        self.version += 1;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        assert!(Role::Buyer.buys() && !Role::Buyer.sells());
        assert!(Role::Seller.sells() && !Role::Seller.buys());
        assert!(Role::Both.buys() && Role::Both.sells());
        assert_eq!(serde_json::from_str::<Role>("\"provider\"").expect("an alias"), Role::Seller);
    }
}
