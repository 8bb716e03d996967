//! A challenge: a text that a wallet signs to authorize exactly one action, once, within five minutes.
//!
//! The text follows EIP-4361 (Sign-In with Ethereum) and its Solana counterpart, both generalized by CAIP-122. The fields are in
//! the same order: URI, version, chain id, nonce, issued at, expiration time. Crochet writes the text and stores it; nobody parses
//! it. The authorized action appears twice: in the statement for the signer, and in the [`Binding`] for the program. A signature is
//! valid only for a request with the same binding.

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

/// Lifetime of a challenge: 300 seconds.
pub const CHALLENGE_TTL: Duration = Duration::seconds(300);

/// The chain id in the text for an EVM wallet: Base, the EVM chain on which Crochet takes and makes payments. A key is the same
/// on every EVM chain, so the wallet does not have to switch to Base.
pub const EVM_CHAIN_ID: u64 = 8453;

/// The chain id in the text for a Solana wallet.
pub const SOLANA_CHAIN_ID: &str = "mainnet";

/// Why a signature does not authorize a request. The message is meant for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// More than [`CHALLENGE_TTL`] has passed.
    #[error("This challenge has expired. Request a new one and sign it within five minutes.")]
    Expired,
    /// The challenge was issued for another wallet.
    #[error("This challenge was issued for another wallet. Request one for this wallet.")]
    OtherWallet,
    /// The challenge authorizes something else: another purpose, profile, wallet, operator or change.
    #[error("This challenge authorizes something else. Request one for exactly what this request does.")]
    OtherBinding,
}

/// A challenge as it is issued and stored. The store lets its nonce be used once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The wallet that requested it, named in the text as the account.
    pub wallet: WalletAddress,
    /// What a signature over it authorizes.
    pub binding: Binding,
    /// 128 random bits as 32 lower-case hex digits. It identifies the challenge.
    pub nonce: String,
    /// The text to sign, byte for byte. Lines are separated by LF; there is none at the end.
    pub message: String,
    /// The proof of work that is required with the signature, if [`Purpose::needs_pow`].
    pub pow: Option<ProofOfWork>,
    /// When it was issued (stored as Unix milliseconds).
    #[serde(with = "unix_ms")]
    pub issued_at: OffsetDateTime,
    /// When it expires (stored as Unix milliseconds). It is no longer valid at this moment.
    #[serde(with = "unix_ms")]
    pub expires_at: OffsetDateTime,
}

impl Challenge {
    /// Creates a challenge with a new nonce.
    ///
    /// `public_url` is the URL of this deployment. Its authority is the domain in the text: a wallet warns its user if that is not
    /// the site that asks. `difficulty` applies to the purposes that need a proof of work.
    #[must_use]
    pub fn issue(wallet: WalletAddress, binding: Binding, public_url: &Url, now: OffsetDateTime, difficulty: u8) -> Self {
        // Rounded to milliseconds, so that the stored challenge equals the issued one.
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

    /// Its purpose.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.binding.purpose()
    }

    /// Whether it has expired at `now`.
    #[must_use]
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        now >= self.expires_at
    }

    /// Whether `signer` may sign this text: the wallet it was issued for or, to link a wallet, the new wallet. The text names both.
    #[must_use]
    pub fn may_be_signed_by(&self, signer: &WalletAddress) -> bool {
        match &self.binding {
            Binding::LinkWallet { new_wallet_address, .. } => signer == &self.wallet || signer == new_wallet_address,
            _ => signer == &self.wallet,
        }
    }

    /// Checks that a signature of `signer` over this text authorizes `request`, the action of the current request.
    ///
    /// The caller still has to verify the signature, the proof of work, the single use of the nonce and the capabilities of the
    /// signing wallet.
    ///
    /// # Errors
    /// The first [`ChallengeError`] that applies, in the order of its variants.
    pub fn authorizes(&self, signer: &WalletAddress, request: &Binding, now: OffsetDateTime) -> Result<(), ChallengeError> {
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

/// `host`, or `host:port` if the port is not the scheme's default.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Stores times as Unix milliseconds.
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
