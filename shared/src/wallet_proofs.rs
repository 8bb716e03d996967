//! Verifies wallet signatures. Signatures of keys are verified locally; contracts are asked through the chain node that the
//! operator configured.

use std::sync::Arc;

use crate::app::App;
use crate::evm_node::{EvmNode, NodeFault, NodeSecret};
use crochet_domain::wallet::contract::{MAX_CONTRACT_SIGNATURE_CHARS, SignatureQuery, Verdict};
use crochet_domain::wallet::proof::{self, MAX_SIGNATURE_CHARS};
use crochet_domain::wallet::{ProofError, WalletAddress};

/// Verifies wallet signatures. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct WalletProofs {
    /// Without a node, signatures of contracts are not accepted.
    node: Option<Node>,
}

/// Where the node's URL is.
#[derive(Clone, Debug)]
enum Node {
    Known(EvmNode),
    InSecret(Arc<NodeSecret>),
}

impl Node {
    /// Whether there is one.
    async fn exists(&self) -> Result<bool, NodeFault> {
        match self {
            Self::Known(_) => Ok(true),
            Self::InSecret(secret) => secret.names_a_node().await,
        }
    }

    /// Runs a program; `None` without a node.
    async fn run(&self, program: &[u8]) -> Result<Option<Vec<u8>>, NodeFault> {
        match self {
            Self::Known(node) => node.run(program).await.map(Some),
            Self::InSecret(secret) => secret.run(program).await,
        }
    }
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletProofError {
    /// It is not a valid signature.
    #[error(transparent)]
    Refused(#[from] ProofError),
    /// The wallet's chain could not be queried. The text is meant for the operator.
    #[error("the wallet's chain could not be queried: {0}")]
    ChainUnavailable(String),
}

impl WalletProofs {
    /// With the node that the configuration of `app` names, if any.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let known = app.config.evm_rpc_url.clone().map(|url| Node::Known(EvmNode::new(url)));
        Self { node: known.or_else(|| NodeSecret::of(app).map(|secret| Node::InSecret(Arc::new(secret)))) }
    }

    /// Without a node.
    #[must_use]
    pub fn of_keys() -> Self {
        Self { node: None }
    }

    /// Maximum length of a signature in characters.
    pub async fn max_signature_chars(&self) -> usize {
        let has_node = match &self.node {
            // A node that cannot be found out about is a fault, which `verify` reports.
            Some(node) => node.exists().await.unwrap_or(true),
            None => false,
        };
        if has_node { MAX_CONTRACT_SIGNATURE_CHARS } else { MAX_SIGNATURE_CHARS }
    }

    /// Verifies that the holder of `address` signed `message`, byte for byte.
    ///
    /// The order is that of ERC-6492: a wrapped signature, then the contract, then the key. A key's signature is valid if there is
    /// no contract or only a delegation (EIP-7702). It is also valid if the chain does not respond, because a key controls its
    /// address whatever code is there.
    ///
    /// # Errors
    /// [`WalletProofError`].
    pub async fn verify(&self, address: &WalletAddress, message: &str, signature: &str) -> Result<(), WalletProofError> {
        let by_key = || proof::verify(address, message, signature);
        let Some(node) = &self.node else { return Ok(by_key()?) };
        let Some(query) = SignatureQuery::new(address, message, signature)? else { return Ok(by_key()?) };
        let answer = match node.run(&query.program()).await {
            Ok(None) => return Ok(by_key()?),
            Ok(Some(answer)) => Ok(answer),
            Err(fault) => Err(fault),
        };
        let verdict = answer.and_then(|answer| query.verdict(&answer).ok_or(NodeFault::Unavailable("it did not run the program")));
        match verdict {
            Ok(Verdict::Confirmed) => Ok(()),
            Ok(Verdict::Denied) => Err(ProofError::ContractDenied.into()),
            Ok(Verdict::KeyDecides) if !query.may_be_by_key() => Err(ProofError::NoContract.into()),
            Ok(Verdict::KeyDecides) => Ok(by_key()?),
            Err(fault) => {
                if let NodeFault::OtherChain(_) | NodeFault::Misconfigured(_) | NodeFault::Refused = fault {
                    // Only the operator can mend it. The request may still succeed by key, so nothing else would report it.
                    tracing::error!(alarm = true, cause = %fault, "the chain cannot be queried");
                }
                by_key().map_err(|_| WalletProofError::ChainUnavailable(fault.to_string()))
            }
        }
    }
}
