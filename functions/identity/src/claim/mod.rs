//! Claims: a person becomes the operator of an agent, or releases it.

pub(crate) mod create;
pub(crate) mod release;

use crochet::http::{ApiError, Code};
use crochet::wire;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{AccountType, Profile};
use serde::Serialize;
use utoipa::ToSchema;

/// The claimed or released agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimedAgent {
    /// The agent's public profile.
    profile: wire::profile::Profile,
}

/// Parses the agent's id in a path.
///
/// # Errors
/// `PROFILE_NOT_FOUND`.
pub(crate) fn agent_id(text: &str) -> Result<ProfileId, ApiError> {
    text.parse().map_err(|_| Code::ProfileNotFound.into())
}

/// The profile, if it exists and is an agent's.
///
/// # Errors
/// `PROFILE_NOT_FOUND`.
pub(crate) fn agent(profile: Option<Profile>) -> Result<Profile, ApiError> {
    profile.filter(|profile| profile.account_type != AccountType::Human).ok_or_else(|| Code::ProfileNotFound.into())
}
