//! Verifies wallets' signatures: those of keys here, those of contracts through a node of the chain if the operator set one.

use crate::config::Config;
use crate::evm_node::{EvmNode, NodeFault};
use crochet_domain::wallet::contract::{MAX_CONTRACT_SIGNATURE_CHARS, Question, Verdict};
use crochet_domain::wallet::proof::{self, MAX_SIGNATURE_CHARS};
use crochet_domain::wallet::{ProofError, WalletAddress};

/// Verifies wallets' signatures. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct WalletProofs {
    /// Without a node, contracts' signatures are not accepted.
    node: Option<EvmNode>,
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletProofError {
    /// It is not valid.
    #[error(transparent)]
    Refused(#[from] ProofError),
    /// The wallet's chain gave no answer; the text is for the operator.
    #[error("the wallet's chain did not answer: {0}")]
    ChainUnavailable(String),
}

impl WalletProofs {
    /// The verifier that `config` asks for.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { node: config.evm_rpc_url.clone().map(EvmNode::new) }
    }

    /// Maximum length of a signature, in characters.
    #[must_use]
    pub fn max_signature_chars(&self) -> usize {
        if self.node.is_some() { MAX_CONTRACT_SIGNATURE_CHARS } else { MAX_SIGNATURE_CHARS }
    }

    /// Verifies that the holder of `address` signed exactly `message`.
    ///
    /// In the order of ERC-6492: a wrapped signature, a contract's answer, a key's own signature. A key's signature counts where there
    /// is no contract, or only a delegation of that key (EIP-7702). It also counts where the chain does not answer: a key controls its
    /// own address, whatever code is there.
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
                    // No request is at fault, and one that succeeds would hide the problem.
                    tracing::error!(alarm = true, cause = %fault, "the chain cannot be asked");
                }
                by_key().map_err(|_| WalletProofError::ChainUnavailable(fault.to_string()))
            }
        }
    }
}
