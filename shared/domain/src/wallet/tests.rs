//! Signatures and addresses: what is accepted, and everything near it that is not.

mod addresses;
mod evm;
mod mutations;
mod siwe;
mod solana;
mod speccheck;
mod wycheproof;

use serde::Deserialize;

use super::{ProofError, WalletAddress};

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    address: WalletAddress,
    message: String,
    signature: String,
    signature_hex: Option<String>,
}

fn vectors(json: &str) -> Vec<Vector> {
    serde_json::from_str::<File>(json).expect("the vectors are well-formed").vectors
}

fn evm_vectors() -> Vec<Vector> {
    vectors(include_str!("vectors/personal_sign.json"))
}

fn solana_vectors() -> Vec<Vector> {
    vectors(include_str!("vectors/ed25519.json"))
}

fn is_malformed(result: Result<(), ProofError>) -> bool {
    matches!(result, Err(ProofError::Malformed(sentence)) if sentence.ends_with('.'))
}

/// Small pseudo-random numbers that are the same on every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }
}
