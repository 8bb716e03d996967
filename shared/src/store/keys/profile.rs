//! Keys of profiles, their wallets and their API keys.

use super::key::{Key, KeyRange};
use crochet_domain::api_key::KeyId;
use crochet_domain::ids::ProfileId;
use crochet_domain::wallet::WalletAddress;

/// Prefix of the sort keys of pointers to API keys.
const API_KEYS: &str = "KEY#";

/// A profile with its wallets.
#[must_use]
pub fn profile(id: ProfileId) -> Key {
    Key::new(profile_partition(id), "PROFILE")
}

/// The profile's partition: the profile, and pointers to its keys and listings.
#[must_use]
pub fn profile_partition(id: ProfileId) -> String {
    format!("PROFILE#{id}")
}

/// The owner of a wallet: one wallet, one profile.
#[must_use]
pub fn wallet(address: &WalletAddress) -> Key {
    Key::new(format!("WALLET#{}#{}", address.chain(), address.key()), "WALLET")
}

/// An API key.
#[must_use]
pub fn api_key(id: &KeyId) -> Key {
    Key::new(format!("KEY#{id}"), "KEY")
}

/// A key at which no API key is ever stored.
#[must_use]
pub fn no_api_key() -> Key {
    Key::new("KEY#!".to_owned(), "KEY")
}

/// Pointer from a profile to an API key.
#[must_use]
pub fn profile_api_key(id: ProfileId, key: &KeyId) -> Key {
    Key::new(profile_partition(id), format!("{API_KEYS}{key}"))
}

/// A signing challenge.
#[must_use]
pub fn challenge(nonce: &str) -> Key {
    Key::new(format!("CHALLENGE#{nonce}"), "CHALLENGE")
}

/// The pointers of a profile to its API keys.
#[must_use]
pub fn profile_api_keys(id: ProfileId) -> KeyRange {
    KeyRange::starting_with(profile_partition(id), API_KEYS)
}
