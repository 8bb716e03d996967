//! What a challenge is for, and the sentence that tells its signer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{ProfileId, WalletId};
use crate::wallet::WalletAddress;

/// What a signature is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Make a profile for the wallet.
    #[default]
    Register,
    /// Get a fresh API key for the wallet's profile.
    Recover,
    /// Add another wallet to a profile.
    LinkWallet,
    /// Change what a wallet of a profile may do.
    UpdateWallet,
    /// Let a person become the operator of the wallet's agent.
    ClaimAgent,
    /// Let the operator of the wallet's agent back in, who has lost every passkey.
    OperatorLogin,
}

impl Purpose {
    /// The name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Recover => "recover",
            Self::LinkWallet => "link_wallet",
            Self::UpdateWallet => "update_wallet",
            Self::ClaimAgent => "claim_agent",
            Self::OperatorLogin => "operator_login",
        }
    }

    /// Whether a proof of work comes with it. It does where the caller has no key that could be limited.
    #[must_use]
    pub const fn needs_pow(self) -> bool {
        matches!(self, Self::Register | Self::Recover | Self::OperatorLogin)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything that a signature authorises. A signature fits a request if, and only if, their bindings are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Binding {
    /// Make a profile for the signing wallet.
    Register,
    /// Issue an API key for the profile of the signing wallet.
    Recover,
    /// Add a wallet to a profile.
    LinkWallet {
        /// The profile that gets the wallet.
        profile_id: ProfileId,
        /// The wallet that is added.
        new_wallet_address: WalletAddress,
    },
    /// Change a wallet of a profile.
    UpdateWallet {
        /// The profile that owns the wallet.
        profile_id: ProfileId,
        /// The wallet that is changed, which need not be the one that signs.
        wallet_id: WalletId,
        /// The change as canonical JSON (RFC 8785): the fields of the request without its proof. Canonical, because equality
        /// of texts decides here.
        change: String,
    },
    /// Let a person operate an agent.
    ClaimAgent {
        /// The agent's profile.
        profile_id: ProfileId,
        /// The person's profile.
        operator_id: ProfileId,
    },
    /// Open a session for the person who operates an agent.
    OperatorLogin {
        /// The agent's profile.
        profile_id: ProfileId,
        /// The person's profile.
        operator_id: ProfileId,
    },
}

impl Binding {
    /// The purpose that this is the content of.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Register => Purpose::Register,
            Self::Recover => Purpose::Recover,
            Self::LinkWallet { .. } => Purpose::LinkWallet,
            Self::UpdateWallet { .. } => Purpose::UpdateWallet,
            Self::ClaimAgent { .. } => Purpose::ClaimAgent,
            Self::OperatorLogin { .. } => Purpose::OperatorLogin,
        }
    }

    /// One line that tells the signer everything this authorises, in the characters that EIP-4361 allows in a statement.
    #[must_use]
    pub fn statement(&self) -> String {
        match self {
            Self::Register => "Register a new Crochet profile for this wallet and issue an API key for it.".to_owned(),
            Self::Recover => "Recover the Crochet profile of this wallet: issue a new API key and, if the request asks for \
                              it, revoke all others."
                .to_owned(),
            Self::LinkWallet { profile_id, new_wallet_address } => format!(
                "Link the wallet {new_wallet_address} to Crochet profile {profile_id}, with the capabilities auth, recovery, \
                 payment and payout unless the request asks for fewer."
            ),
            Self::UpdateWallet { profile_id, wallet_id, change } => {
                format!("Change wallet {wallet_id} of Crochet profile {profile_id}: {}", in_statement_characters(change))
            }
            Self::ClaimAgent { profile_id, operator_id } => {
                format!(
                    "Let the person with Crochet profile {operator_id} operate the agent with Crochet profile {profile_id}; its \
                     recovery wallets can then log that person in."
                )
            }
            Self::OperatorLogin { profile_id, operator_id } => format!(
                "Log in to Crochet as the person with Crochet profile {operator_id}, who operates the agent with Crochet profile \
                 {profile_id}."
            ),
        }
    }
}

/// JSON in the characters of an EIP-4361 statement, which has neither quotation marks nor braces: `"` becomes `'`, `{}`
/// become `()`, and every byte that has no place or would now be ambiguous becomes `~` and two hex digits. No two texts
/// become the same.
pub(super) fn in_statement_characters(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '"' => text.push('\''),
            '{' => text.push('('),
            '}' => text.push(')'),
            c if c.is_ascii_alphanumeric() || " -._:/?#[]@!$&*+,;=".contains(c) => text.push(c),
            c => {
                let mut utf8 = [0; 4];
                for byte in c.encode_utf8(&mut utf8).bytes() {
                    text.push_str(&format!("~{byte:02x}"));
                }
            }
        }
    }
    text
}
