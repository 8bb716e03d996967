//! What a suspended profile may not do: nothing new begins for it, and it publishes nothing. It can read, present what is paid, and pay
//! what it owes.

use super::codes::Code;
use super::error::ApiError;
use crochet_domain::profile::Profile;
use crochet_domain::suspension::SuspendedReason;

/// Fails for a profile that the operator has suspended.
///
/// # Errors
/// `PROFILE_SUSPENDED`.
pub fn refuse_suspended(profile: &Profile) -> Result<(), ApiError> {
    profile.suspended.map_or(Ok(()), |reason| Err(suspended(reason)))
}

/// The error for a profile that the operator has suspended for this reason.
#[must_use]
pub fn suspended(reason: SuspendedReason) -> ApiError {
    ApiError::new(Code::ProfileSuspended).detail("suspended_reason", reason.as_str())
}
