//! Proof that a caller holds a wallet's key: a signature over a text, verified more strictly than libraries do by default.
//!
//! - EVM: EIP-191 `personal_sign`. Libraries also recover a key from signatures that no wallet produces (high s, unusual v), so one
//!   signature could be presented in several forms. Here only one is valid: low s, and v of 0, 1, 27 or 28.
//! - Solana: ed25519 with `verify_strict`. The plain check accepts constant signatures for weak keys. Hardware wallets sign no plain
//!   text, but an envelope of it ([`super::offchain`]).

use ed25519_dalek::{Signature as SolanaSignature, VerifyingKey as SolanaKey};
use k256::ecdsa::{RecoveryId, Signature as EvmSignature, VerifyingKey as EvmKey};
use sha3::{Digest, Keccak256};

use super::address::{AddressBytes, WalletAddress, evm_address};
use super::offchain;

/// Maximum length of a signature in characters, checked before decoding. The longest valid one has 132 (EVM, with `0x`).
pub const MAX_SIGNATURE_CHARS: usize = 200;

/// Maximum length of 64 bytes in base58.
const SOLANA_MAX_BASE58: usize = 88;

/// Why a signature is not valid. The message is meant for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The text is not a signature in the format of this chain. The sentence describes the format.
    #[error("{0}")]
    Malformed(&'static str),
    /// A well-formed signature, but not by this wallet over this message.
    #[error(
        "The signature was not made by this wallet over exactly this message. Sign the message byte for byte with the key of this \
         address."
    )]
    WrongSigner,
    /// The wallet is a contract, or would be deployed as one, and did not confirm the signature (ERC-1271, ERC-6492).
    #[error(
        "The contract at this address did not confirm the signature (isValidSignature, ERC-1271). Sign the message as given with \
         this wallet, on the chain that the message names. If the wallet is not deployed there yet, wrap its signature (ERC-6492)."
    )]
    ContractDenied,
    /// The signature is not that of a key, and there is no contract at the address.
    #[error(
        "There is no contract at this address on the chain that the message names, so the signature must be 65 bytes in hex, as \
         personal_sign returns them. If the wallet is not deployed there yet, wrap its signature (ERC-6492)."
    )]
    NoContract,
}

/// Checks that a text is encoded as signatures of this wallet are, without verifying it. Where contract wallets are accepted, a
/// signature of an EVM wallet may have any length.
///
/// # Errors
/// [`ProofError::Malformed`].
pub fn check_encoding(address: &WalletAddress, signature: &str, accepts_contracts: bool) -> Result<(), ProofError> {
    match address.bytes() {
        AddressBytes::Evm(_) if accepts_contracts => {
            let digits = signature.strip_prefix("0x").unwrap_or(signature);
            hex::decode(digits).map(drop).map_err(|_| ProofError::Malformed("The signature of an EVM wallet must be hex."))
        }
        AddressBytes::Evm(_) => evm_signature_bytes(signature).map(drop),
        AddressBytes::Solana(_) => solana_signature_bytes(signature).map(drop),
    }
}

/// Verifies that the holder of `address` signed `message`, byte for byte.
///
/// EVM: 65 bytes `r ‖ s ‖ v` in hex, with or without `0x`. Solana: 64 bytes in base58 or hex, over the message or its off-chain
/// envelope.
///
/// # Errors
/// [`ProofError::Malformed`] if `signature` does not have that format, or else [`ProofError::WrongSigner`].
pub fn verify(address: &WalletAddress, message: &str, signature: &str) -> Result<(), ProofError> {
    if signature.len() > MAX_SIGNATURE_CHARS {
        return Err(ProofError::Malformed("The signature is longer than any signature can be."));
    }
    match address.bytes() {
        AddressBytes::Evm(expected) => verify_evm(&expected, message, signature),
        AddressBytes::Solana(key) => verify_solana(&key, message, signature),
    }
}

/// The hash that `personal_sign` signs (EIP-191, version `E`): Keccak-256 of `"\x19Ethereum Signed Message:\n"`, the length
/// of the message in bytes (decimal) and the message.
#[must_use]
pub fn personal_sign_hash(message: &str) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    hasher.update(b"\x19Ethereum Signed Message:\n");
    hasher.update(message.len().to_string());
    hasher.update(message);
    hasher.finalize().into()
}

fn verify_evm(expected: &[u8; 20], message: &str, signature: &str) -> Result<(), ProofError> {
    verify_evm_hash(expected, &personal_sign_hash(message), &evm_signature_bytes(signature)?)
}

fn evm_signature_bytes(text: &str) -> Result<[u8; 65], ProofError> {
    const FORM: ProofError = ProofError::Malformed(
        "An EVM signature is 65 bytes in hex (130 digits, 0x allowed), as personal_sign returns them; the short form of \
         EIP-2098 is not accepted.",
    );
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = [0_u8; 65];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| FORM)?;
    Ok(bytes)
}

/// Verifies that the key of `expected` signed a hash: `r ‖ s ‖ v`, low s, v of 0, 1, 27 or 28.
///
/// # Errors
/// As [`verify`].
pub(super) fn verify_evm_hash(expected: &[u8; 20], hash: &[u8; 32], signature: &[u8; 65]) -> Result<(), ProofError> {
    let y_is_odd = match signature[64] {
        0 | 27 => false,
        1 | 28 => true,
        _ => {
            return Err(ProofError::Malformed("The last byte of an EVM signature (v) must be 0, 1, 27 or 28."));
        }
    };
    let signature = EvmSignature::from_slice(&signature[..64])
        .map_err(|_| ProofError::Malformed("The r and s of an EVM signature must lie between 1 and the order of the curve."))?;
    // Every signature has a twin with the negated s that recovers to the same key (EIP-2). k256 0.14 accepts both.
    if signature.normalize_s() != signature {
        return Err(ProofError::Malformed(
            "The s of an EVM signature must lie in the lower half of its range (EIP-2). Send the signature as your wallet made it.",
        ));
    }
    let key =
        EvmKey::recover_from_prehash(hash, &signature, RecoveryId::new(y_is_odd, false)).map_err(|_| ProofError::WrongSigner)?;
    if evm_address(&key) == *expected { Ok(()) } else { Err(ProofError::WrongSigner) }
}

fn verify_solana(key: &[u8; 32], message: &str, signature: &str) -> Result<(), ProofError> {
    let bytes = solana_signature_bytes(signature)?;
    verify_solana_bytes(key, message.as_bytes(), &bytes).or_else(|plain| {
        let is_signed = |envelope: &Vec<u8>| verify_solana_bytes(key, envelope, &bytes).is_ok();
        if offchain::envelopes(key, message).iter().any(is_signed) { Ok(()) } else { Err(plain) }
    })
}

/// Verifies that `key` signed these bytes.
///
/// # Errors
/// [`ProofError::WrongSigner`].
pub(super) fn verify_solana_bytes(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), ProofError> {
    let key = SolanaKey::from_bytes(key).map_err(|_| ProofError::WrongSigner)?;
    key.verify_strict(message, &SolanaSignature::from_bytes(signature)).map_err(|_| ProofError::WrongSigner)
}

/// Hex and base58 cannot be confused: 64 bytes take 128 digits in hex and at most 88 in base58.
fn solana_signature_bytes(text: &str) -> Result<[u8; 64], ProofError> {
    const FORM: ProofError = ProofError::Malformed(
        "A Solana signature is 64 bytes in base58, or in hex (128 digits, 0x allowed); other encodings, such as base64, are not \
         accepted.",
    );
    let mut bytes = [0_u8; 64];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() == 2 * bytes.len() {
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| FORM)?;
        return Ok(bytes);
    }
    if text.len() > SOLANA_MAX_BASE58 {
        return Err(FORM);
    }
    let length = bs58::decode(text).onto(&mut bytes).map_err(|_| FORM)?;
    if length == bytes.len() { Ok(bytes) } else { Err(FORM) }
}
