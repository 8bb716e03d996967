//! The answer to a challenge. Its form is checked first, which does not use up the challenge; then it is verified.

use crochet::http::fields::{FieldProblems, Place};
use crochet::http::{ApiError, Code};
use crochet::store::StoreError;
use crochet::wallet_proofs::{WalletProofError, WalletProofs};
use crochet_domain::challenge::{Binding, Challenge, PowNonce, ProofOfWork};
use crochet_domain::wallet::WalletAddress;
use crochet_domain::wallet::proof::{MAX_SIGNATURE_CHARS, check_encoding};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::field;

const NONCE_CHARS: usize = 32;

/// A signed challenge.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Proof {
    /// The wallet that signed.
    #[schema(pattern = "^(0x[0-9A-Fa-f]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$")]
    pub(crate) wallet_address: String,
    /// Its signature over the challenge's message: of an EVM wallet in hex, of a Solana wallet in base58 or hex, over the message or
    /// its off-chain envelope. At most 200 characters, unless the deployment supports contract wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    pub(crate) signature: String,
    /// The nonce of the challenge.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub(crate) nonce: String,
    /// The solution of the proof of work, if the challenge came with one.
    #[schema(min_length = 1, max_length = 64, pattern = "^[!-~ ]{1,64}$")]
    pub(crate) pow_nonce: Option<String>,
}

/// A well-formed answer that is not yet verified ([`SignedAnswer::verify`]).
pub(crate) struct SignedAnswer {
    /// The wallet that claims to have signed.
    pub(crate) wallet: WalletAddress,
    /// The nonce of the challenge.
    pub(crate) nonce: String,
    signature: String,
    pow_nonce: Option<PowNonce>,
}

crochet::error_list!(for SignedAnswer: ; InvalidWalletAddress, InvalidRequest, ChallengeInvalid, SignatureInvalid, ChainUnavailable);

impl SignedAnswer {
    /// Checks the form of a proof.
    ///
    /// # Errors
    /// `INVALID_WALLET_ADDRESS` or `INVALID_REQUEST`, naming the fields.
    pub(crate) fn read(proof: Proof, max_signature_chars: usize) -> Result<Self, ApiError> {
        Self::read_fields("", proof, max_signature_chars)
    }

    /// As [`SignedAnswer::read`], for a proof in the request's field `place`.
    pub(crate) fn read_at(place: &str, proof: Proof, max_signature_chars: usize) -> Result<Self, ApiError> {
        Self::read_fields(&format!("{place}."), proof, max_signature_chars)
    }

    fn read_fields(before: &str, proof: Proof, max_signature_chars: usize) -> Result<Self, ApiError> {
        let mut problems = FieldProblems::new(Place::Body);
        match Self::read_into(&mut problems, before, proof, max_signature_chars)? {
            Some(answer) => Ok(answer),
            None => Err(problems.into_error()),
        }
    }

    /// As [`SignedAnswer::read`], for fields whose names begin with `before`. `None` if one of them is wrong, which `problems` tells.
    ///
    /// # Errors
    /// None that names a field.
    pub(crate) fn read_into(
        problems: &mut FieldProblems,
        before: &str,
        proof: Proof,
        max_signature_chars: usize,
    ) -> Result<Option<Self>, ApiError> {
        let Proof { wallet_address, signature, nonce, pow_nonce } = proof;
        let name = |field: &str| format!("{before}{field}");
        let wallet = problems.take(field::wallet_address(&name("wallet_address"), &wallet_address))?;
        let length = 1..=max_signature_chars;
        let signature = if length.contains(&signature.len()) {
            // Its form depends on the wallet.
            let accepts_contracts = max_signature_chars > MAX_SIGNATURE_CHARS;
            let checked = wallet.as_ref().map_or(Ok(()), |wallet| check_encoding(wallet, &signature, accepts_contracts));
            problems.take(checked.map(|()| signature).map_err(|reason| {
                ApiError::new(Code::InvalidRequest).message(reason.to_string()).detail("field", name("signature"))
            }))?
        } else {
            problems.wrong(&name("signature"), &format!("must be 1 to {max_signature_chars} characters long"));
            None
        };
        let is_nonce = nonce.len() == NONCE_CHARS && nonce.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_nonce {
            problems.wrong(&name("nonce"), "must be the 32 lower-case hex digits of the challenge's nonce");
        }
        let pow_nonce = pow_nonce.map(|text| PowNonce::parse(&text)).transpose();
        if pow_nonce.is_err() {
            problems.wrong(&name("pow_nonce"), "must be 1 to 64 printable ASCII characters");
        }
        let answer = wallet.zip(signature).zip(pow_nonce.ok()).filter(|_| is_nonce);
        Ok(answer.map(|((wallet, signature), pow_nonce)| Self { wallet, nonce, signature, pow_nonce }))
    }

    /// Verifies that this answers `challenge` and authorizes `request`.
    ///
    /// # Errors
    /// `CHALLENGE_INVALID` for a challenge that is unknown, expired or for something else; then `POW_INVALID`; then
    /// `SIGNATURE_INVALID` or `CHAIN_UNAVAILABLE`.
    pub(crate) async fn verify(
        &self,
        proofs: &WalletProofs,
        challenge: Option<&Challenge>,
        request: &Binding,
        now: OffsetDateTime,
    ) -> Result<(), ApiError> {
        let challenge = challenge.ok_or(Code::ChallengeInvalid)?;
        challenge
            .authorizes(&self.wallet, request, now)
            .map_err(|reason| ApiError::new(Code::ChallengeInvalid).message(reason.to_string()))?;
        let is_solved = |pow: &ProofOfWork| self.pow_nonce.as_ref().is_some_and(|nonce| pow.accepts(nonce.as_str()));
        if !challenge.pow.as_ref().is_none_or(is_solved) {
            return Err(Code::PowInvalid.into());
        }
        proofs.verify(&self.wallet, &challenge.message, &self.signature).await.map_err(|reason| match reason {
            WalletProofError::Refused(reason) => ApiError::new(Code::SignatureInvalid).message(reason.to_string()),
            WalletProofError::ChainUnavailable(_) => ApiError::new(Code::ChainUnavailable).cause(reason),
        })
    }
}

/// The error for a failure of the store after the challenge was, or may have been, used up. The same request cannot succeed again,
/// so it advises to start over. The end of a session has its own recovery.
pub(crate) fn after_use(error: StoreError) -> ApiError {
    if matches!(error, StoreError::SessionOver) {
        return error.into();
    }
    used_up(error.into())
}

/// An error after the challenge was used up, with the advice to start over.
pub(crate) fn used_up(error: ApiError) -> ApiError {
    let recovery = Code::ChallengeInvalid.recovery();
    error
        .recovery("next_action", recovery.next_action)
        .recovery("summary", recovery.summary)
        .recovery("preserve", json!(recovery.preserve))
        .recovery("discard", json!(recovery.discard))
}

#[cfg(test)]
mod tests;
