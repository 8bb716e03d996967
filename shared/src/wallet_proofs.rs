//! Whether a wallet signed a text. A key's own signature is checked here and now.

use std::fmt;

use crate::config::Config;
use crate::domain::wallet::proof::{self, MAX_SIGNATURE_CHARS};
use crate::domain::wallet::{ProofError, WalletAddress};

/// Checks wallets' signatures. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct WalletProofs {}

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletProofError {
    /// It proves nothing.
    Refused(ProofError),
    /// The wallet's chain could not be asked; what the operator must know.
    ChainUnavailable(String),
}

impl From<ProofError> for WalletProofError {
    fn from(error: ProofError) -> Self {
        Self::Refused(error)
    }
}

impl fmt::Display for WalletProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::ChainUnavailable(why) => write!(f, "the wallet's chain did not answer: {why}"),
        }
    }
}

impl std::error::Error for WalletProofError {}

impl WalletProofs {
    /// As `config` has it.
    #[must_use]
    pub fn of(_config: &Config) -> Self {
        Self {}
    }

    /// The longest signature, in characters, that is worth reading.
    #[must_use]
    pub fn max_signature_chars(&self) -> usize {
        MAX_SIGNATURE_CHARS
    }

    /// Checks that the holder of `address` signed `message`, byte for byte.
    ///
    /// # Errors
    /// [`WalletProofError`].
    #[expect(clippy::unused_async, reason = "a contract's wallet is asked over the network")]
    pub async fn verify(&self, address: &WalletAddress, message: &str, signature: &str) -> Result<(), WalletProofError> {
        Ok(proof::verify(address, message, signature)?)
    }
}
