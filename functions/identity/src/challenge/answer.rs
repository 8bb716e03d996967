//! The answer to a challenge: first whether it is well-formed, which uses nothing up; then whether it is right.

use std::fmt;

use crochet::http::{ApiError, Code};
use crochet::store::StoreError;
use crochet::wallet_proofs::{WalletProofError, WalletProofs};
use crochet_domain::challenge::{Binding, Challenge, PowNonce, ProofOfWork};
use crochet_domain::wallet::WalletAddress;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::field;

const NONCE_CHARS: usize = 32;

/// An answer to a challenge, as a request carries it.
#[derive(Clone, Deserialize, ToSchema)]
pub(crate) struct Proof {
    /// The wallet that signed.
    pub(crate) wallet_address: String,
    /// Its signature over the challenge's message: at most 200 characters, unless the deployment asks contracts' wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    pub(crate) signature: String,
    /// The challenge's nonce.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub(crate) nonce: String,
    /// The answer to the proof of work, where the challenge came with one.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) pow_nonce: Option<String>,
}

/// A signature does not print.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("wallet_address", &self.wallet_address).finish_non_exhaustive()
    }
}

/// A well-formed answer. Whether it is right, [`Answer::judge`] says.
pub(crate) struct Answer {
    /// The wallet that is said to have signed.
    pub(crate) wallet: WalletAddress,
    /// Which challenge is answered.
    pub(crate) nonce: String,
    signature: String,
    pow_nonce: Option<PowNonce>,
}

crochet::error_list!(for Answer: ; InvalidWalletAddress, InvalidRequest, ChallengeInvalid, SignatureInvalid, ChainUnavailable);

impl Answer {
    /// Reads the fields of a proof; signatures may have so many characters.
    ///
    /// # Errors
    /// `INVALID_WALLET_ADDRESS` or `INVALID_REQUEST`, naming the field.
    pub(crate) fn read(proof: Proof, max_signature_chars: usize) -> Result<Self, ApiError> {
        Self::read_fields("", proof, max_signature_chars)
    }

    /// As [`Answer::read`], where the proof is the request's member `place`.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn read_at(place: &str, proof: Proof, max_signature_chars: usize) -> Result<Self, ApiError> {
        Self::read_fields(&format!("{place}."), proof, max_signature_chars)
    }

    fn read_fields(before: &str, proof: Proof, max_signature_chars: usize) -> Result<Self, ApiError> {
        let Proof { wallet_address, signature, nonce, pow_nonce } = proof;
        let wrong = |name: &str, problem: &str| ApiError::field(&format!("{before}{name}"), problem);
        let wallet = field::wallet_address(&format!("{before}wallet_address"), &wallet_address)?;
        if signature.is_empty() || signature.len() > max_signature_chars {
            return Err(wrong("signature", &format!("must be 1 to {max_signature_chars} characters long")));
        }
        if nonce.len() != NONCE_CHARS || !nonce.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong("nonce", "must be the 32 lower-case hex digits that the challenge came with"));
        }
        let pow_nonce = pow_nonce
            .map(|text| PowNonce::parse(&text))
            .transpose()
            .map_err(|_| wrong("pow_nonce", "must be 1 to 64 printable ASCII characters"))?;
        Ok(Self { wallet, nonce, signature, pow_nonce })
    }

    /// Whether this is the right answer to `challenge`, and authorises `request`.
    ///
    /// # Errors
    /// `CHALLENGE_INVALID` for a challenge that is unknown, expired or for something else, then `POW_INVALID`, then
    /// `SIGNATURE_INVALID` or `CHAIN_UNAVAILABLE`; each with its reason.
    pub(crate) async fn judge(
        &self,
        proofs: &WalletProofs,
        challenge: Option<&Challenge>,
        request: &Binding,
        now: OffsetDateTime,
    ) -> Result<(), ApiError> {
        let challenge = challenge.ok_or(Code::ChallengeInvalid)?;
        challenge
            .authorises(&self.wallet, request, now)
            .map_err(|reason| ApiError::new(Code::ChallengeInvalid).message(reason.to_string()))?;
        let solved = |pow: &ProofOfWork| self.pow_nonce.as_ref().is_some_and(|nonce| pow.accepts(nonce.as_str()));
        if !challenge.pow.as_ref().is_none_or(solved) {
            return Err(Code::PowInvalid.into());
        }
        proofs.verify(&self.wallet, &challenge.message, &self.signature).await.map_err(|reason| match reason {
            WalletProofError::Refused(reason) => ApiError::new(Code::SignatureInvalid).message(reason.to_string()),
            WalletProofError::ChainUnavailable(_) => ApiError::new(Code::ChainUnavailable).cause(reason),
        })
    }
}

/// The error for a store that failed when the challenge was, or may have been, used up: the same request would not do again.
/// A session that is over has its own way out.
pub(crate) fn after_use(error: StoreError) -> ApiError {
    if matches!(error, StoreError::SessionOver) {
        return error.into();
    }
    let recovery = Code::ChallengeInvalid.recovery();
    ApiError::from(error)
        .recovery("next_action", recovery.next_action)
        .recovery("summary", recovery.summary)
        .recovery("preserve", json!(recovery.preserve))
        .recovery("discard", json!(recovery.discard))
}

#[cfg(test)]
mod tests;
