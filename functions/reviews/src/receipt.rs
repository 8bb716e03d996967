//! Receipts: what a call was, what it cost and what came of it, signed so that a stranger can verify it.

mod account;
mod claims;
pub(crate) mod jwks;
pub(crate) mod read;
