//! Wallet addresses. A [`WalletAddress`] is always well-formed and belongs to a wallet that can sign.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey as SolanaKey;
use k256::ecdsa::VerifyingKey as EvmKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha3::{Digest, Keccak256};

/// Maximum length of 32 bytes in base58.
const SOLANA_MAX_CHARS: usize = 44;

/// A family of chains that share a format of addresses and signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Chain {
    /// Ethereum and compatible chains, such as Base: secp256k1 keys, 20-byte addresses.
    Evm,
    /// Solana: ed25519 keys. The address is the public key.
    Solana,
}

impl Chain {
    /// The name used in JSON and in the table: `evm` or `solana`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Solana => "solana",
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not a wallet address. The message is meant for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither `0x` and 40 hex digits nor base58 of 32 bytes.
    #[error("A wallet address is 0x followed by 40 hex digits (EVM) or the base58 form of a 32-byte public key (Solana).")]
    Malformed,
    /// Mixed-case hex whose case does not match the EIP-55 checksum, most likely a typing error.
    #[error(
        "The upper and lower case of this EVM address does not match its EIP-55 checksum. Check it for typing errors, or send it \
         in lower case."
    )]
    Checksum,
    /// `0x000…0`. Nobody holds its key.
    #[error("Nobody holds the key of the EVM zero address. Send the address of a wallet that can sign.")]
    ZeroAddress,
    /// 32 bytes of base58 that are not a usable ed25519 public key: off the curve (a program or derived account), of small order
    /// (such as the System Program) or not canonical. No signature could ever be valid for it.
    #[error(
        "This Solana address cannot sign: it is a program, a derived account or a weak key. Send the address of a wallet whose \
         key you hold."
    )]
    NotASigningKey,
}

/// The address of an EVM or Solana wallet that can sign.
///
/// Addresses are equal if they name the same wallet, however they were written. They are shown, logged and serialized in canonical
/// form: EIP-55 for EVM, base58 for Solana.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WalletAddress {
    bytes: AddressBytes,
    /// Derived from `bytes`, so the derived comparisons depend on `bytes` alone.
    canonical: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum AddressBytes {
    Evm([u8; 20]),
    Solana([u8; 32]),
}

impl WalletAddress {
    /// Parses an address without trimming. Its form tells the chain.
    ///
    /// EVM addresses may be all lower case, all upper case (after `0x`) or carry the right EIP-55 checksum.
    ///
    /// # Errors
    /// [`AddressError`] if the text is not an address, or names something that can never sign.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix("0x") {
            Some(digits) => Self::parse_evm(digits),
            None => Self::parse_solana(text),
        }
    }

    /// The address of a secp256k1 key: the last 20 bytes of the Keccak-256 of its uncompressed point.
    #[must_use]
    pub fn of_evm_key(key: &EvmKey) -> Self {
        Self::from_evm_bytes(evm_address(key))
    }

    /// The address of an ed25519 key.
    ///
    /// # Errors
    /// [`AddressError::NotASigningKey`] for a weak key.
    pub fn of_solana_key(key: &SolanaKey) -> Result<Self, AddressError> {
        Self::from_solana_bytes(key.to_bytes())
    }

    /// The wallet's chain family.
    #[must_use]
    pub const fn chain(&self) -> Chain {
        match self.bytes {
            AddressBytes::Evm(_) => Chain::Evm,
            AddressBytes::Solana(_) => Chain::Solana,
        }
    }

    /// The canonical form: EIP-55 for EVM, base58 for Solana.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.canonical
    }

    /// The form used in keys of the table: lower-case hex with `0x` for EVM, base58 for Solana.
    ///
    /// Each wallet has exactly one such key, and keys of the two chains never collide, because base58 has no `0`.
    #[must_use]
    pub fn key(&self) -> String {
        match self.bytes {
            AddressBytes::Evm(_) => self.canonical.to_ascii_lowercase(),
            AddressBytes::Solana(_) => self.canonical.clone(),
        }
    }

    pub(super) const fn bytes(&self) -> AddressBytes {
        self.bytes
    }

    fn parse_evm(digits: &str) -> Result<Self, AddressError> {
        let mut bytes = [0_u8; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| AddressError::Malformed)?;
        if bytes == [0; 20] {
            return Err(AddressError::ZeroAddress);
        }
        let address = Self::from_evm_bytes(bytes);
        let one_case = !digits.bytes().any(|b| b.is_ascii_uppercase()) || !digits.bytes().any(|b| b.is_ascii_lowercase());
        if one_case || address.canonical[2..] == *digits { Ok(address) } else { Err(AddressError::Checksum) }
    }

    fn parse_solana(text: &str) -> Result<Self, AddressError> {
        // Decoding base58 takes quadratic time, so the length is checked first.
        if text.len() > SOLANA_MAX_CHARS {
            return Err(AddressError::Malformed);
        }
        let mut bytes = [0_u8; 32];
        let length = bs58::decode(text).onto(&mut bytes).map_err(|_| AddressError::Malformed)?;
        if length != bytes.len() {
            return Err(AddressError::Malformed);
        }
        Self::from_solana_bytes(bytes)
    }

    fn from_evm_bytes(bytes: [u8; 20]) -> Self {
        Self { bytes: AddressBytes::Evm(bytes), canonical: eip55(&bytes) }
    }

    fn from_solana_bytes(bytes: [u8; 32]) -> Result<Self, AddressError> {
        let key = SolanaKey::from_bytes(&bytes).map_err(|_| AddressError::NotASigningKey)?;
        // Decompression reduces y modulo p, so a point may have two encodings. Only the canonical one is an address.
        let canonical = key.to_edwards().compress().to_bytes() == bytes;
        if key.is_weak() || !canonical {
            return Err(AddressError::NotASigningKey);
        }
        Ok(Self { bytes: AddressBytes::Solana(bytes), canonical: bs58::encode(bytes).into_string() })
    }
}

/// The last 20 bytes of the Keccak-256 of the uncompressed point without its tag byte.
pub(super) fn evm_address(key: &EvmKey) -> [u8; 20] {
    let point = key.to_sec1_point(false);
    let hash = Keccak256::digest(&point.as_bytes()[1..]);
    let mut address = [0_u8; 20];
    address.copy_from_slice(&hash[12..]);
    address
}

/// EIP-55: a letter is upper case if the same nibble of the Keccak-256 of the lower-case digits is 8 or more.
fn eip55(bytes: &[u8; 20]) -> String {
    let lower = hex::encode(bytes);
    let hash = Keccak256::digest(lower.as_bytes());
    let mut text = String::with_capacity(42);
    text.push_str("0x");
    for (i, digit) in lower.chars().enumerate() {
        let nibble = if i % 2 == 0 { hash[i / 2] >> 4 } else { hash[i / 2] & 0x0f };
        text.push(if nibble >= 8 { digit.to_ascii_uppercase() } else { digit });
    }
    text
}

impl fmt::Display for WalletAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical)
    }
}

impl fmt::Debug for WalletAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical)
    }
}

impl FromStr for WalletAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl Serialize for WalletAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.canonical)
    }
}

impl<'de> Deserialize<'de> for WalletAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
