//! Wallets: parsing an address, and verifying that its owner holds the key.

pub mod address;
pub mod contract;
mod offchain;
pub mod proof;

pub use address::{AddressError, Chain, WalletAddress};
pub use proof::ProofError;

#[cfg(test)]
mod tests;
