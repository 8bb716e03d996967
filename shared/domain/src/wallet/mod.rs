//! Wallets: how an address is read, and how its owner proves to hold its key.

pub mod address;
pub mod contract;
pub mod proof;

pub use address::{AddressError, Chain, WalletAddress};
pub use proof::ProofError;

#[cfg(test)]
mod tests;
