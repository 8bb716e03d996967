//! Wallets that are contracts: what to ask a chain's node, and what its answer means (ERC-1271, ERC-6492, EIP-7702).
//!
//! One `eth_call` answers everything. It has no `to`: its input is a small program, assembled here, that deploys a wallet that
//! is wrapped but not there yet, asks it, and returns six words. Nothing of it stays on the chain.

mod call;

use super::address::AddressBytes;
use super::proof::personal_sign_hash;
use super::{ProofError, WalletAddress};

pub use call::ANSWER_BYTES;

/// The longest signature of a contract, in characters; 8,192 bytes in hex. Passkey wallets' have about 1,500, a wrapper adds
/// what its factory is told.
pub const MAX_CONTRACT_SIGNATURE_CHARS: usize = 16_384;

/// What `isValidSignature(bytes32,bytes)` returns for yes; also its selector (ERC-1271).
const MAGIC: [u8; 4] = [0x16, 0x26, 0xba, 0x7e];
/// The last 32 bytes of a signature by a wallet that may not be deployed yet (ERC-6492): `6492` sixteen times.
const WRAPPED: [u8; 32] = [
    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64,
    0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
];
/// What the code of an account begins with whose key delegated it (EIP-7702); 20 bytes of address follow.
const DELEGATED: [u8; 3] = [0xef, 0x01, 0x00];
const DELEGATED_BYTES: u64 = 23;

/// A question to a chain: did the account at this address sign this?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    account: [u8; 20],
    hash: [u8; 32],
    signature: Vec<u8>,
    deployment: Option<Deployment>,
}

/// How a wallet that is not there yet comes to be (ERC-6492).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Deployment {
    factory: [u8; 20],
    calldata: Vec<u8>,
}

/// What the chain knows of an account and its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A contract stands there and confirms the signature.
    Confirmed,
    /// A contract stands there, or was said to come, and does not confirm it.
    Denied,
    /// No contract: the account's own key decides.
    KeyDecides,
}

impl Question {
    /// The question whether `account` signed `message` (EIP-191, as `personal_sign` hashes it). `None` for a wallet of another
    /// chain, which no node is asked about.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] for a signature that is no hex, is too long, or is wrapped otherwise than ERC-6492 says.
    pub fn of(account: &WalletAddress, message: &str, signature: &str) -> Result<Option<Self>, ProofError> {
        let AddressBytes::Evm(account) = account.bytes() else { return Ok(None) };
        if signature.len() > MAX_CONTRACT_SIGNATURE_CHARS {
            return Err(ProofError::Malformed("The signature is longer than any signature can be."));
        }
        let digits = signature.strip_prefix("0x").unwrap_or(signature);
        let bytes = hex::decode(digits).map_err(|_| ProofError::Malformed("The signature of an EVM wallet is written in hex."))?;
        let hash = personal_sign_hash(message);
        let Some(wrapped) = bytes.strip_suffix(&WRAPPED) else {
            return Ok(Some(Self { account, hash, signature: bytes, deployment: None }));
        };
        let (deployment, signature) = unwrap(wrapped).ok_or(ProofError::Malformed(
            "A signature that ends in the mark of ERC-6492 is abi.encode(address factory, bytes calldata, bytes signature) and \
             the mark, and nothing else.",
        ))?;
        Ok(Some(Self { account, hash, signature, deployment: Some(deployment) }))
    }

    /// Whether the signature has the length of a key's own.
    #[must_use]
    pub fn may_be_a_keys(&self) -> bool {
        self.deployment.is_none() && self.signature.len() == 65
    }

    /// The program to be run, as the input of a call that has no `to`.
    #[must_use]
    pub fn program(&self) -> Vec<u8> {
        call::assemble(self)
    }

    /// What the program's answer means. `None` where it is no answer of the program.
    #[must_use]
    pub fn verdict(&self, answer: &[u8]) -> Option<Verdict> {
        let answer = call::Answer::read(answer)?;
        // A delegated account is its key's still, which can end the delegation at any time.
        let delegated = answer.code_bytes == DELEGATED_BYTES && answer.code_head.starts_with(&DELEGATED);
        Some(if answer.code_bytes > 0 && !delegated {
            if answer.confirms() { Verdict::Confirmed } else { Verdict::Denied }
        } else if self.deployment.is_some() && !delegated {
            // The wallet that was promised did not come.
            Verdict::Denied
        } else {
            Verdict::KeyDecides
        })
    }
}

/// Reads `abi.encode(address, bytes, bytes)` in the one form that encoders write: offsets in order, padding of zeros, no gaps.
fn unwrap(bytes: &[u8]) -> Option<(Deployment, Vec<u8>)> {
    let (head, tail) = bytes.split_at_checked(3 * 32)?;
    let (padding, factory) = head[..32].split_at(12);
    if padding.iter().any(|byte| *byte != 0) || word_as_length(&head[32..64])? != 3 * 32 {
        return None;
    }
    let (calldata, rest) = take_bytes(tail)?;
    if word_as_length(&head[64..])? != bytes.len() - rest.len() {
        return None;
    }
    let (signature, rest) = take_bytes(rest)?;
    rest.is_empty().then(|| {
        let deployment = Deployment { factory: factory.try_into().unwrap_or_default(), calldata: calldata.to_vec() };
        (deployment, signature.to_vec())
    })
}

/// A length, the bytes of that length, and zeros up to the next multiple of 32.
fn take_bytes(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, data) = data.split_at_checked(32)?;
    let length = word_as_length(length)?;
    let (bytes, data) = data.split_at_checked(length)?;
    let (padding, data) = data.split_at_checked(length.next_multiple_of(32) - length)?;
    padding.iter().all(|byte| *byte == 0).then_some((bytes, data))
}

/// A word that must be small enough to be a length here.
fn word_as_length(word: &[u8]) -> Option<usize> {
    let (high, low) = word.split_last_chunk::<2>().map(|(high, low)| (high, u16::from_be_bytes(*low)))?;
    high.iter().all(|byte| *byte == 0).then_some(usize::from(low))
}

#[cfg(test)]
mod tests;
