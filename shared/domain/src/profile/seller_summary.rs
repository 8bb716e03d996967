//! The part of a seller's profile that its listings carry.

use serde::{Deserialize, Serialize};

use super::record::{AccountType, Profile};
use crate::debt::Standing;
use crate::ids::ProfileId;
use crate::suspension::SuspendedReason;
use crate::wallet::Chain;

/// What a listing shows of its seller. Each listing carries a copy, so that reading a listing takes one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerSummary {
    /// The seller's profile.
    pub id: ProfileId,
    /// Its public name.
    pub display_name: String,
    /// Its score.
    pub score: u16,
    /// Whether a person has claimed it.
    pub claimed: bool,
    /// The chain families on which it can be paid.
    pub payout_chains: Vec<Chain>,
    /// What the seller owes buyers, and whether it is overdue.
    #[serde(default)]
    pub standing: Standing,
    /// Why the operator has suspended the seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<SuspendedReason>,
    /// The profile version that this was copied from. An older copy never replaces a newer one.
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
            standing: profile.standing,
            suspended: profile.suspended,
            as_of: profile.version,
        }
    }
}

impl SellerSummary {
    /// Why nothing of it can be on offer: the operator has suspended it, or refunds of it are overdue.
    #[must_use]
    pub fn hold(&self) -> Option<SuspendedReason> {
        self.suspended.or(self.standing.overdue.then_some(SuspendedReason::RefundOverdue))
    }

    /// The summary of this version of the profile; unchanged if it is as recent already, or says the same.
    #[must_use]
    pub fn renewed(&self, profile: &Profile) -> Self {
        let fresh = Self::from(profile);
        let says_the_same = Self { as_of: self.as_of, ..fresh.clone() } == *self;
        if self.as_of >= fresh.as_of || says_the_same { self.clone() } else { fresh }
    }
}
