//! The errors of a deployment that has asked the payment provider as often as it may in this minute. Nothing is lost: the same request
//! succeeds later.

use crochet::http::{ApiError, Code};

/// No other question about a payment is asked in this minute.
pub(crate) fn out_of_questions(retry_after_seconds: u64) -> ApiError {
    ApiError::new(Code::PaymentProviderUnavailable)
        .retry_after(retry_after_seconds)
        .cause("the budget of questions to the payment provider is used up")
}

/// No other quote is asked for in this minute.
pub(crate) fn out_of_quotes(retry_after_seconds: u64) -> ApiError {
    ApiError::new(Code::QuoteLimit)
        .message("So many quotes were asked for in this minute that no other is made; wait, then try again.")
        .retry_after(retry_after_seconds)
        .recovery("next_action", "wait_and_retry")
        .recovery("summary", "Wait retry_after_seconds, then send the same request again.")
}
