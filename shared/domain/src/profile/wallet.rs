//! A wallet of a profile, and a change to it.

use serde::{Deserialize, Serialize};

use crate::ids::WalletId;
use crate::unknown::Unknown;
use crate::wallet::WalletAddress;

/// Maximum wallets of one profile, including disabled ones.
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
    /// Every capability. A wallet has all of them unless the request asks for fewer.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Recovery, Self::Payment, Self::Payout];
    /// The capabilities for which a wallet can be the default of its chain family.
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

    /// The same capabilities without duplicates, in the order of [`Capability::ALL`].
    #[must_use]
    pub fn in_order(requested: &[Self]) -> Vec<Self> {
        Self::ALL.into_iter().filter(|capability| requested.contains(capability)).collect()
    }
}

/// Whether a wallet is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalletStatus {
    /// In use.
    Active,
    /// Kept on the profile, but unusable until it is active again.
    Disabled,
}

impl WalletStatus {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Active, Self::Disabled];
}

/// A wallet linked to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// The wallet's id.
    pub id: WalletId,
    /// Its address on its chain.
    pub address: WalletAddress,
    /// What it may be used for.
    pub capabilities: Vec<Capability>,
    /// The capabilities for which it is the default of its chain family: `payment`, `payout`, or both.
    pub default_for: Vec<Capability>,
    /// Whether it is in use.
    pub status: WalletStatus,
    /// When it was linked (Unix milliseconds).
    pub created_ms: i64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Wallet {
    /// Whether it is active and has this capability.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.status == WalletStatus::Active && self.capabilities.contains(&capability)
    }
}

/// A change to a wallet. A field that is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalletChange {
    /// The new capabilities.
    pub capabilities: Option<Vec<Capability>>,
    /// The capabilities for which it becomes the default of its chain family. It gives up every other default.
    pub default_for: Option<Vec<Capability>>,
    /// The new status.
    pub status: Option<WalletStatus>,
}
