//! A challenge: the text that a wallet signs to authorise exactly one thing, once, within five minutes.
//!
//! The text has the form of EIP-4361 (Sign-In with Ethereum) and of its Solana sibling, which CAIP-122 generalises. Both are
//! spelt in the same order: URI, version, chain id, nonce, issued at, expiration time. Crochet writes the whole text and keeps
//! it; nobody parses one. What is authorised stands twice: for the signer in the statement, for the program in the
//! [`Binding`], and a signature counts only for a request with the same binding.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use url::Url;

use super::ids::random_bytes;
use super::wallet::{Chain, WalletAddress};
use crate::timestamp;

mod binding;
mod pow;
#[cfg(test)]
mod tests;

pub use binding::{Binding, Purpose};
pub use pow::{InvalidPowNonce, POW_ALGORITHM, POW_RULE, PowNonce, ProofOfWork};

/// How long a challenge can be answered: 300 seconds from its issue.
pub const CHALLENGE_TTL: Duration = Duration::seconds(300);

/// The chain id in a text for an EVM wallet: Base, the EVM chain on which Crochet takes and makes payments.
/// A key is the same on every EVM chain, so the wallet need not be switched to it.
pub const EVM_CHAIN_ID: u64 = 8453;

/// The chain id in a text for a Solana wallet.
pub const SOLANA_CHAIN_ID: &str = "mainnet";

/// Why a signature does not authorise a request. Its `Display` is a sentence for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeError {
    /// More than [`CHALLENGE_TTL`] has passed.
    Expired,
    /// The challenge was issued for another wallet.
    OtherWallet,
    /// The challenge authorises something else: another purpose, profile, wallet, operator or change.
    OtherBinding,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("This challenge has expired: ask for a new one and sign it within five minutes."),
            Self::OtherWallet => f.write_str("This challenge was issued for another wallet: ask for one for this wallet."),
            Self::OtherBinding => {
                f.write_str("This challenge authorises something else: ask for one that names exactly what this request does.")
            }
        }
    }
}

impl std::error::Error for ChallengeError {}

/// An open challenge, as it is issued and kept. Whoever stores it lets its nonce be used once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The wallet that asked, named in the text as the account.
    pub wallet: WalletAddress,
    /// What its signature authorises.
    pub binding: Binding,
    /// 128 random bits as 32 lower-case hex digits; also the name of this challenge.
    pub nonce: String,
    /// The text to be signed as it is. Lines end in LF, the last one in nothing.
    pub message: String,
    /// The proof of work that goes with the signature, for [`Purpose::Register`] and [`Purpose::Recover`].
    pub pow: Option<ProofOfWork>,
    /// When it was issued (stored as Unix milliseconds).
    #[serde(with = "unix_ms")]
    pub issued_at: OffsetDateTime,
    /// The first moment at which it no longer counts (stored as Unix milliseconds).
    #[serde(with = "unix_ms")]
    pub expires_at: OffsetDateTime,
}

impl Challenge {
    /// Makes a challenge with a fresh nonce.
    ///
    /// `public_url` is where this deployment is reached: its authority is the domain in the text, and wallets warn a person
    /// when that is not the site they are on. `difficulty` counts for the purposes that need a proof of work.
    #[must_use]
    pub fn issue(wallet: WalletAddress, binding: Binding, public_url: &Url, now: OffsetDateTime, difficulty: u8) -> Self {
        // Whole milliseconds: a challenge read back from the store equals the one that was issued.
        let issued_at = timestamp::from_unix_ms(timestamp::unix_ms(now));
        let mut challenge = Self {
            pow: binding.purpose().needs_pow().then(|| ProofOfWork::issue(difficulty)),
            wallet,
            binding,
            nonce: hex::encode(random_bytes::<16>()),
            message: String::new(),
            issued_at,
            expires_at: issued_at + CHALLENGE_TTL,
        };
        challenge.message = challenge.text(public_url);
        challenge
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.binding.purpose()
    }

    /// Whether it is too late to answer at `now`.
    #[must_use]
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        now >= self.expires_at
    }

    /// Whether a signature of `signer` over this text can mean anything: the wallet it was issued for and, where a wallet is
    /// to be linked, that wallet too, since the text names both.
    #[must_use]
    pub fn may_be_signed_by(&self, signer: &WalletAddress) -> bool {
        match &self.binding {
            Binding::LinkWallet { new_wallet_address, .. } => signer == &self.wallet || signer == new_wallet_address,
            _ => signer == &self.wallet,
        }
    }

    /// Checks that a signature of `signer` over this text would be consent to `request`: what the request at hand would do.
    ///
    /// The signature itself, the proof of work, the single use of the nonce and what the signing wallet may do are the
    /// caller's to check.
    ///
    /// # Errors
    /// The first [`ChallengeError`] in the order of its variants.
    pub fn authorises(&self, signer: &WalletAddress, request: &Binding, now: OffsetDateTime) -> Result<(), ChallengeError> {
        if self.is_expired(now) {
            return Err(ChallengeError::Expired);
        }
        if !self.may_be_signed_by(signer) {
            return Err(ChallengeError::OtherWallet);
        }
        if &self.binding != request {
            return Err(ChallengeError::OtherBinding);
        }
        Ok(())
    }

    fn text(&self, public_url: &Url) -> String {
        let (blockchain, chain_id) = match self.wallet.chain() {
            Chain::Evm => ("Ethereum", EVM_CHAIN_ID.to_string()),
            Chain::Solana => ("Solana", SOLANA_CHAIN_ID.to_owned()),
        };
        format!(
            "{domain} wants you to sign in with your {blockchain} account:\n\
             {address}\n\
             \n\
             {statement}\n\
             \n\
             URI: {uri}\n\
             Version: 1\n\
             Chain ID: {chain_id}\n\
             Nonce: {nonce}\n\
             Issued At: {issued_at}\n\
             Expiration Time: {expires_at}",
            domain = authority(public_url),
            address = self.wallet,
            statement = self.binding.statement(),
            uri = public_url.as_str().trim_end_matches('/'),
            nonce = self.nonce,
            issued_at = timestamp::rfc3339(self.issued_at),
            expires_at = timestamp::rfc3339(self.expires_at),
        )
    }
}

/// `host` or, where the port is not the scheme's own, `host:port`.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Times in the table are Unix milliseconds.
mod unix_ms {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::OffsetDateTime;

    use crate::timestamp;

    pub(super) fn serialize<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(timestamp::unix_ms(*at))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
        i64::deserialize(deserializer).map(timestamp::from_unix_ms)
    }
}
