//! The answer to a listing's proof of work.

use crochet::app::App;
use crochet::http::{ApiError, Code};
use crochet_domain::challenge::PowNonce;
use crochet_domain::ids::ProfileId;
use time::OffsetDateTime;

/// Maximum length of `pow_challenge` in characters.
const MAX_CHALLENGE_CHARS: usize = 64;

/// A well-formed answer, not yet checked.
#[derive(Debug)]
pub(crate) struct PowAnswer {
    nonce: PowNonce,
    challenge: Option<String>,
}

impl PowAnswer {
    /// Parses the two fields. This does not use up the challenge.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the field.
    pub(crate) fn parse(pow_nonce: &str, pow_challenge: Option<String>) -> Result<Self, ApiError> {
        let nonce =
            PowNonce::parse(pow_nonce).map_err(|_| ApiError::field("pow_nonce", "must be 1 to 64 printable ASCII characters"))?;
        let is_challenge =
            |text: &String| (1..=MAX_CHALLENGE_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if pow_challenge.as_ref().is_some_and(|text| !is_challenge(text)) {
            return Err(ApiError::field("pow_challenge", "must be the pow.challenge that POST /listings/challenge returned"));
        }
        Ok(Self { nonce, challenge: pow_challenge })
    }

    /// Uses up the challenge and checks the answer.
    ///
    /// # Errors
    /// `CHALLENGE_INVALID` if the seller has no such challenge open, `POW_INVALID` if the answer is wrong.
    pub(crate) async fn redeem(&self, app: &App, seller: ProfileId, now: OffsetDateTime) -> Result<(), ApiError> {
        let taken = app.store.take_listing_pow(seller, self.challenge.as_deref(), now).await;
        let work =
            taken.map_err(|error| challenge_spent(error.into()))?.ok_or_else(|| challenge_spent(Code::ChallengeInvalid.into()))?;
        if work.pow.accepts(self.nonce.as_str()) { Ok(()) } else { Err(challenge_spent(Code::PowInvalid.into())) }
    }
}

/// Adds the advice to request a new challenge: the challenge is used up, or may be, so the same request cannot succeed.
pub(crate) fn challenge_spent(error: ApiError) -> ApiError {
    error
        .recovery("next_action", Code::ChallengeInvalid.recovery().next_action)
        .recovery(
            "summary",
            "Call POST /listings/challenge again, find a pow_nonce for the new challenge, and send the listing with it within five minutes.",
        )
        .recovery("preserve", vec!["body"])
        .recovery("discard", vec!["pow_nonce", "pow_challenge"])
}
