//! Profiles: who buys and sells, and with which wallets.

mod record;
mod score;
mod seller_summary;
mod wallet;
mod wallets;

pub use record::{AccountType, ERASED, Profile, Role};
pub use score::{SCORE_STEP, STARTING_SCORE, VERIFIED_SCORE, tier};
pub use seller_summary::SellerSummary;
pub use wallet::{Capability, MAX_WALLETS, Wallet, WalletChange, WalletStatus};
pub use wallets::{ChangeWalletError, LinkError};
