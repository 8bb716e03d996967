//! The answer to a challenge: first whether it is well-formed, which uses nothing up; then whether it is right.

use crochet::domain::challenge::{Binding, Challenge, ChallengeError, PowNonce};
use crochet::domain::wallet::WalletAddress;
use crochet::domain::wallet::proof::MAX_SIGNATURE_CHARS;
use crochet::http::{ApiError, Code};
use crochet::store::StoreError;
use serde_json::json;
use time::OffsetDateTime;

use crate::field;

const NONCE_CHARS: usize = 32;

/// A well-formed answer. Whether it is right, [`Answer::judge`] says.
pub(crate) struct Answer {
    /// The wallet that is said to have signed.
    pub(crate) wallet: WalletAddress,
    /// Which challenge is answered.
    pub(crate) nonce: String,
    signature: String,
    pow_nonce: PowNonce,
}

impl Answer {
    /// Reads the four fields of a proof.
    ///
    /// # Errors
    /// `INVALID_WALLET_ADDRESS` or `INVALID_REQUEST`, naming the field.
    pub(crate) fn read(wallet_address: &str, signature: &str, nonce: &str, pow_nonce: &str) -> Result<Self, ApiError> {
        let wallet = field::wallet_address("wallet_address", wallet_address)?;
        if signature.is_empty() || signature.len() > MAX_SIGNATURE_CHARS {
            return Err(ApiError::field("signature", &format!("must be 1 to {MAX_SIGNATURE_CHARS} characters long")));
        }
        if nonce.len() != NONCE_CHARS || !nonce.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ApiError::field("nonce", "must be the 32 lower-case hex digits that the challenge came with"));
        }
        let pow_nonce =
            PowNonce::parse(pow_nonce).map_err(|_| ApiError::field("pow_nonce", "must be 1 to 64 printable ASCII characters"))?;
        Ok(Self { wallet, nonce: nonce.to_owned(), signature: signature.to_owned(), pow_nonce })
    }

    /// Whether this is the right answer to `challenge`, and authorises `request`.
    ///
    /// # Errors
    /// `CHALLENGE_INVALID` for a challenge that is unknown, expired or for something else, then `POW_INVALID`, then
    /// `SIGNATURE_INVALID`; each with its reason.
    pub(crate) fn judge(&self, challenge: Option<&Challenge>, request: &Binding, now: OffsetDateTime) -> Result<(), ApiError> {
        let challenge = challenge.ok_or(Code::ChallengeInvalid)?;
        let verdict = challenge.check(&self.wallet, request, &self.signature, now);
        if let Err(reason @ (ChallengeError::Expired | ChallengeError::OtherWallet | ChallengeError::OtherBinding)) = verdict {
            return Err(ApiError::new(Code::ChallengeInvalid).message(reason.to_string()));
        }
        if challenge.pow.as_ref().is_some_and(|pow| !pow.accepts(self.pow_nonce.as_str())) {
            return Err(Code::PowInvalid.into());
        }
        verdict.map_err(|reason| ApiError::new(Code::SignatureInvalid).message(reason.to_string()))
    }
}

/// The error for a store that failed when the challenge was, or may have been, used up: the same request would not do again.
pub(crate) fn after_use(error: StoreError) -> ApiError {
    let advice = Code::ChallengeInvalid.advice();
    ApiError::from(error)
        .recovery("next_action", advice.next_action)
        .recovery("summary", advice.summary)
        .recovery("preserve", json!(advice.preserve))
        .recovery("discard", json!(advice.discard))
}

#[cfg(test)]
mod tests;
