//! Whether a wallet signed a text. A key's own signature is checked here and now; where the operator named a node of the chain,
//! a contract is asked.

use std::fmt;

use crate::config::Config;
use crate::evm_node::{EvmNode, NodeFault};
use crochet_domain::wallet::contract::{MAX_CONTRACT_SIGNATURE_CHARS, Question, Verdict};
use crochet_domain::wallet::proof::{self, MAX_SIGNATURE_CHARS};
use crochet_domain::wallet::{ProofError, WalletAddress};

/// Checks wallets' signatures. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct WalletProofs {
    /// None: contracts' signatures are not accepted.
    node: Option<EvmNode>,
}

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
    pub fn of(config: &Config) -> Self {
        Self { node: config.evm_rpc_url.as_ref().map(EvmNode::new) }
    }

    /// The longest signature, in characters, that is worth reading.
    #[must_use]
    pub fn max_signature_chars(&self) -> usize {
        if self.node.is_some() { MAX_CONTRACT_SIGNATURE_CHARS } else { MAX_SIGNATURE_CHARS }
    }

    /// Checks that the holder of `address` signed `message`, byte for byte.
    ///
    /// In the order of ERC-6492: a wrapped signature, a contract's word, a key's own signature. A key's signature counts where no
    /// contract stands, or only a delegation of that key (EIP-7702); and where the chain does not answer, since an address that
    /// is a key's is controlled by it whatever stands there.
    ///
    /// # Errors
    /// [`WalletProofError`].
    pub async fn verify(&self, address: &WalletAddress, message: &str, signature: &str) -> Result<(), WalletProofError> {
        let by_key = || proof::verify(address, message, signature);
        let Some(node) = &self.node else { return Ok(by_key()?) };
        let Some(question) = Question::of(address, message, signature)? else { return Ok(by_key()?) };
        let answer = node.run(&question.program()).await;
        let verdict = answer
            .and_then(|answer| question.verdict(&answer).ok_or(NodeFault::Unavailable("it did not run what it was asked to run")));
        match verdict {
            Ok(Verdict::Confirmed) => Ok(()),
            Ok(Verdict::Denied) => Err(ProofError::ContractDenied.into()),
            Ok(Verdict::KeyDecides) if !question.may_be_a_keys() => Err(ProofError::NoContract.into()),
            Ok(Verdict::KeyDecides) => Ok(by_key()?),
            Err(fault) => {
                if let NodeFault::OtherChain(_) = fault {
                    // Nobody's request is at fault, and one that succeeds would tell nobody.
                    tracing::error!(alarm = true, cause = %fault, "the chain cannot be asked");
                }
                by_key().map_err(|_| WalletProofError::ChainUnavailable(fault.to_string()))
            }
        }
    }
}
