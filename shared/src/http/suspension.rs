//! What a suspended profile may not do: nothing new begins for it, and it publishes nothing. It can read, present what is paid, and pay
//! what it owes.

use super::codes::Code;
use super::error::ApiError;
use crochet_domain::suspension::SuspendedReason;

/// Fails if the operator has suspended a profile for this reason.
///
/// # Errors
/// `PROFILE_SUSPENDED`.
pub fn refuse_suspended(reason: Option<SuspendedReason>) -> Result<(), ApiError> {
    reason.map_or(Ok(()), |reason| Err(suspended(reason)))
}

/// The error for a profile that the operator has suspended for this reason.
#[must_use]
pub fn suspended(reason: SuspendedReason) -> ApiError {
    ApiError::new(Code::ProfileSuspended).detail("suspended_reason", reason.as_str())
}
