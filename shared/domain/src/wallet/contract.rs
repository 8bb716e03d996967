//! Contract wallets: what to ask a chain's node, and what its answer means (ERC-1271, ERC-6492, EIP-7702).
//!
//! A single `eth_call` is enough. It has no `to`. Its input is a small program that deploys the wallet if it does not exist yet,
//! calls it, and returns six words. Nothing is written to the chain.

mod program;

use super::address::{AddressBytes, WalletAddress};
use super::proof::{ProofError, personal_sign_hash};
use program::{Deployment, ProgramResult, WalletCall};

pub use program::RESULT_BYTES;

/// Maximum length of a contract's signature in characters: 8,192 bytes in hex. Signatures of passkey wallets have about 1,500. An
/// ERC-6492 wrapper adds the factory's calldata.
pub const MAX_CONTRACT_SIGNATURE_CHARS: usize = 16_384;

/// The suffix of a signature by a wallet that may not be deployed yet (ERC-6492): `6492` sixteen times.
const WRAPPED: [u8; 32] = [
    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64,
    0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
];
/// The prefix of the code of a delegated account (EIP-7702). A 20-byte address follows.
const DELEGATED: [u8; 3] = [0xef, 0x01, 0x00];
const DELEGATED_BYTES: u64 = 23;

/// A query to a chain: did the account at this address sign this message?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureQuery(WalletCall);

/// What the chain says about an account and its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is a contract, and it confirms the signature.
    Confirmed,
    /// There is a contract, or one should have been deployed, and it does not confirm the signature.
    Denied,
    /// There is no contract. The account's own key decides.
    KeyDecides,
}

impl SignatureQuery {
    /// The query whether `account` signed `message` (EIP-191, as `personal_sign` hashes it). `None` for a wallet of another chain
    /// family, which needs no query.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] for a signature that is not hex, is too long, or does not follow ERC-6492.
    pub fn new(account: &WalletAddress, message: &str, signature: &str) -> Result<Option<Self>, ProofError> {
        let AddressBytes::Evm(account) = account.bytes() else { return Ok(None) };
        if signature.len() > MAX_CONTRACT_SIGNATURE_CHARS {
            return Err(ProofError::Malformed("The signature is longer than any signature can be."));
        }
        let digits = signature.strip_prefix("0x").unwrap_or(signature);
        let bytes = hex::decode(digits).map_err(|_| ProofError::Malformed("The signature of an EVM wallet must be hex."))?;
        let hash = personal_sign_hash(message);
        let Some(wrapped) = bytes.strip_suffix(&WRAPPED) else {
            return Ok(Some(Self(WalletCall { account, hash, signature: bytes, deployment: None })));
        };
        let (deployment, signature) = unwrap(wrapped).ok_or(ProofError::Malformed(
            "A signature with the ERC-6492 suffix must be abi.encode(address factory, bytes calldata, bytes signature) followed by \
             that suffix.",
        ))?;
        Ok(Some(Self(WalletCall { account, hash, signature, deployment: Some(deployment) })))
    }

    /// Whether the signature could have been made by a key instead of a contract: it has 65 bytes and is not wrapped.
    #[must_use]
    pub fn may_be_by_key(&self) -> bool {
        self.0.deployment.is_none() && self.0.signature.len() == 65
    }

    /// The program to run, as the input of an `eth_call` without `to`.
    #[must_use]
    pub fn program(&self) -> Vec<u8> {
        self.0.assemble()
    }

    /// What the program's result means. `None` if the bytes are not a result of the program.
    #[must_use]
    pub fn verdict(&self, result: &[u8]) -> Option<Verdict> {
        let result = ProgramResult::parse(result)?;
        // A delegated account still belongs to its key, which can end the delegation at any time.
        let delegated = result.code_bytes == DELEGATED_BYTES && result.code_head.starts_with(&DELEGATED);
        Some(if result.code_bytes > 0 && !delegated {
            if result.confirms() { Verdict::Confirmed } else { Verdict::Denied }
        } else if self.0.deployment.is_some() && !delegated {
            // The factory did not deploy the wallet.
            Verdict::Denied
        } else {
            Verdict::KeyDecides
        })
    }
}

/// Decodes `abi.encode(address, bytes, bytes)` in its canonical form only: offsets in order, zero padding, no gaps.
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

/// Takes a length, that many bytes, and zeros up to the next multiple of 32.
fn take_bytes(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, data) = data.split_at_checked(32)?;
    let length = word_as_length(length)?;
    let (bytes, data) = data.split_at_checked(length)?;
    let (padding, data) = data.split_at_checked(length.next_multiple_of(32) - length)?;
    padding.iter().all(|byte| *byte == 0).then_some((bytes, data))
}

/// Reads a word as a length below 65,536.
fn word_as_length(word: &[u8]) -> Option<usize> {
    let (high, low) = word.split_last_chunk::<2>().map(|(high, low)| (high, u16::from_be_bytes(*low)))?;
    high.iter().all(|byte| *byte == 0).then_some(usize::from(low))
}

#[cfg(test)]
mod tests;
