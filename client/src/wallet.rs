//! Wallets: a private key, an address, and signatures over texts.

use std::fmt;

use ed25519_dalek::Signer;
use k256::ecdsa::SigningKey;
use sha3::{Digest, Keccak256};

use crate::error::UnexpectedReply;
use crate::random::random_bytes;

/// The families of wallets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// Ethereum and its relatives: secp256k1, addresses `0x…`.
    Evm,
    /// Solana: ed25519, addresses in base58.
    Solana,
}

/// A wallet and its private key.
#[derive(Clone)]
pub struct Wallet {
    key: Key,
    address: String,
}

#[derive(Clone)]
enum Key {
    Evm(Box<SigningKey>),
    Solana(Box<ed25519_dalek::SigningKey>),
}

impl Wallet {
    /// Creates an EVM wallet.
    #[must_use]
    pub fn evm() -> Self {
        // A random secret lies outside the curve's order once in 2^128 times.
        loop {
            if let Ok(wallet) = Self::from_secret(Chain::Evm, random_bytes()) {
                return wallet;
            }
        }
    }

    /// Creates a Solana wallet.
    #[must_use]
    pub fn solana() -> Self {
        Self::solana_from(random_bytes())
    }

    /// The wallet of a private key.
    ///
    /// # Errors
    /// If the key is invalid on that chain: zero, or too large for secp256k1.
    pub fn from_secret(chain: Chain, secret: [u8; 32]) -> Result<Self, UnexpectedReply> {
        if chain == Chain::Solana {
            return Ok(Self::solana_from(secret));
        }
        let key =
            SigningKey::from_slice(&secret).map_err(|_| UnexpectedReply("this is not a private key of an EVM wallet".into()))?;
        let point = key.verifying_key().to_sec1_point(false);
        // The first byte marks the uncompressed form and is not hashed.
        let hash = Keccak256::digest(&point.as_bytes()[1..]);
        Ok(Self { address: checksummed(&hash[12..]), key: Key::Evm(Box::new(key)) })
    }

    fn solana_from(secret: [u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&secret);
        Self { address: bs58::encode(key.verifying_key().as_bytes()).into_string(), key: Key::Solana(Box::new(key)) }
    }

    /// The private key.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        match &self.key {
            Key::Evm(key) => key.to_bytes().into(),
            Key::Solana(key) => key.to_bytes(),
        }
    }

    /// The address: with EIP-55 capitals on EVM, base58 on Solana.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The chain family.
    #[must_use]
    pub fn chain(&self) -> Chain {
        match self.key {
            Key::Evm(_) => Chain::Evm,
            Key::Solana(_) => Chain::Solana,
        }
    }

    /// The native currency: `ETH` or `SOL`.
    #[must_use]
    pub fn currency(&self) -> &'static str {
        match self.key {
            Key::Evm(_) => "ETH",
            Key::Solana(_) => "SOL",
        }
    }

    /// Signs a text as wallets do: `personal_sign` (EIP-191, 65 bytes as `0x` hex) on EVM, base58 on Solana.
    #[must_use]
    pub fn sign(&self, message: &str) -> String {
        self.sign_bytes(message.as_bytes())
    }

    /// Signs bytes that are no text, as in [`Wallet::sign`].
    #[must_use]
    pub fn sign_bytes(&self, message: &[u8]) -> String {
        match &self.key {
            Key::Evm(key) => {
                let prefix = format!("\x19Ethereum Signed Message:\n{}", message.len());
                let prefixed = [prefix.as_bytes(), message].concat();
                let (signature, recovery) = key.sign_prehash_recoverable(&Keccak256::digest(prefixed));
                format!("0x{}{:02x}", hex::encode(signature.to_bytes()), 27 + recovery.to_byte())
            }
            Key::Solana(key) => bs58::encode(key.sign(message).to_bytes()).into_string(),
        }
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet").field("address", &self.address).finish_non_exhaustive()
    }
}

/// EIP-55: a letter is upper case where the hash of the address has a digit of eight or more.
fn checksummed(address: &[u8]) -> String {
    let lower = hex::encode(address);
    let hash = hex::encode(Keccak256::digest(&lower));
    let cased = lower.chars().zip(hash.chars()).map(|(c, digit)| if digit >= '8' { c.to_ascii_uppercase() } else { c });
    format!("0x{}", cased.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_wallets_have_their_known_addresses_and_signatures() {
        // The first account of the test mnemonic that every Ethereum tool ships, and its signature of "hello" by ethers.
        let secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let secret: [u8; 32] = hex::decode(secret).expect("hex").try_into().expect("32 bytes");
        let wallet = Wallet::from_secret(Chain::Evm, secret).expect("a secret");
        assert_eq!(wallet.address(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        assert_eq!(wallet.secret(), secret);
        let signature = wallet.sign("hello");
        assert_eq!(signature.len(), 132);
        assert!(signature.ends_with("1b") || signature.ends_with("1c"));

        // RFC 8032, test 1.
        let secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let secret: [u8; 32] = hex::decode(secret).expect("hex").try_into().expect("32 bytes");
        let wallet = Wallet::from_secret(Chain::Solana, secret).expect("a secret");
        let public = bs58::decode(wallet.address()).into_vec().expect("base58");
        assert_eq!(hex::encode(public), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }
}
