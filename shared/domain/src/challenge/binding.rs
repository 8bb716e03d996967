//! What a challenge authorizes, and the sentence that tells the signer so.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{ProfileId, WalletId};
use crate::wallet::WalletAddress;

/// The purpose of a challenge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Create a profile for the wallet.
    #[default]
    Register,
    /// Issue a new API key for the wallet's profile.
    Recover,
    /// Add another wallet to a profile.
    LinkWallet,
    /// Change a wallet of a profile.
    UpdateWallet,
    /// Make a person the operator of the wallet's agent.
    ClaimAgent,
    /// Log in the operator of the wallet's agent without a passkey.
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

    /// Whether it requires a proof of work: it does if callers have no API key that could be rate-limited.
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

/// Everything that a signature authorizes. A signature is valid for a request if and only if their bindings are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Binding {
    /// Create a profile for the signing wallet.
    Register,
    /// Issue a new API key for the profile of the signing wallet.
    Recover,
    /// Add a wallet to a profile.
    LinkWallet {
        /// The profile that the wallet is added to.
        profile_id: ProfileId,
        /// The wallet to add.
        new_wallet_address: WalletAddress,
    },
    /// Change a wallet of a profile.
    UpdateWallet {
        /// The profile that owns the wallet.
        profile_id: ProfileId,
        /// The wallet to change. Another wallet of the profile may sign.
        wallet_id: WalletId,
        /// The change as canonical JSON (RFC 8785): the fields of the request without its proof. It is canonical because bindings
        /// are compared as text.
        change: String,
    },
    /// Make a person the operator of an agent.
    ClaimAgent {
        /// The agent's profile.
        profile_id: ProfileId,
        /// The person's profile.
        operator_id: ProfileId,
    },
    /// Log in the person who operates an agent.
    OperatorLogin {
        /// The agent's profile.
        profile_id: ProfileId,
        /// The person's profile.
        operator_id: ProfileId,
    },
}

impl Binding {
    /// Its purpose.
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

    /// One line that tells the signer everything it authorizes, in the characters that EIP-4361 allows in a statement.
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

/// Encodes JSON in the characters of an EIP-4361 statement, which allows neither quotation marks nor braces: `"` becomes `'`, `{}`
/// become `()`, and every byte that is not allowed or would be ambiguous becomes `~` and two hex digits. Different texts stay
/// different.
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
