//! The answer to the proof of work: first whether it is well-formed, which uses nothing up; then whether it is right.

use crochet::app::App;
use crochet::http::{ApiError, Code};
use crochet_domain::challenge::PowNonce;
use crochet_domain::ids::ProfileId;
use time::OffsetDateTime;

/// Longest challenge text that is looked up.
const MAX_CHALLENGE_CHARS: usize = 64;

/// A well-formed answer.
#[derive(Debug)]
pub(crate) struct Answer {
    nonce: PowNonce,
    challenge: Option<String>,
}

impl Answer {
    /// Reads the two fields.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the field.
    pub(crate) fn read(pow_nonce: &str, pow_challenge: Option<String>) -> Result<Self, ApiError> {
        let nonce =
            PowNonce::parse(pow_nonce).map_err(|_| ApiError::field("pow_nonce", "must be 1 to 64 printable ASCII characters"))?;
        let named = |text: &String| (1..=MAX_CHALLENGE_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if pow_challenge.as_ref().is_some_and(|text| !named(text)) {
            return Err(ApiError::field("pow_challenge", "must be pow.challenge as POST /listings/challenge gave it"));
        }
        Ok(Self { nonce, challenge: pow_challenge })
    }

    /// Uses the proof of work up, and tells whether this is the answer to it.
    ///
    /// # Errors
    /// `CHALLENGE_INVALID` where none is open, `POW_INVALID` for another answer.
    pub(crate) async fn present(&self, app: &App, seller: ProfileId, now: OffsetDateTime) -> Result<(), ApiError> {
        let work =
            app.store.take_listing_work(seller, self.challenge.as_deref(), now).await.map_err(|error| after_use(error.into()))?;
        let work = work.ok_or_else(|| again(ApiError::new(Code::ChallengeInvalid)))?;
        if work.pow.accepts(self.nonce.as_str()) { Ok(()) } else { Err(again(ApiError::new(Code::PowInvalid))) }
    }
}

/// The error of a part that failed when the proof of work was, or may have been, used up: the same request would not do again.
pub(crate) fn after_use(error: ApiError) -> ApiError {
    again(error).recovery("next_action", Code::ChallengeInvalid.recovery().next_action)
}

/// Listings have a challenge of their own.
fn again(error: ApiError) -> ApiError {
    error
        .recovery(
            "summary",
            "Call POST /listings/challenge again, find a pow_nonce for the new challenge, and send the listing with it within five minutes.",
        )
        .recovery("preserve", vec!["body"])
        .recovery("discard", vec!["pow_nonce", "pow_challenge"])
}
