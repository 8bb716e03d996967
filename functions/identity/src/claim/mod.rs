//! Claims: a person becomes the operator of an agent, and stops being it.

pub(crate) mod create;
pub(crate) mod release;

use crochet::http::{ApiError, Code};
use crochet::wire;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{AccountType, Profile};
use serde::Serialize;
use utoipa::ToSchema;

/// Another writer of the agent's profile is given way to this often.
const TRIES: usize = 6;

/// An agent, as everybody may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimedAgent {
    /// The agent's profile.
    profile: wire::profile::Profile,
}

/// An agent's id, as a path has it.
///
/// # Errors
/// `PROFILE_NOT_FOUND`.
pub(crate) fn agent_id(text: &str) -> Result<ProfileId, ApiError> {
    text.parse().map_err(|_| Code::ProfileNotFound.into())
}

/// The agent, where there is one: people are none.
///
/// # Errors
/// `PROFILE_NOT_FOUND`.
pub(crate) fn agent(profile: Option<Profile>) -> Result<Profile, ApiError> {
    profile.filter(|profile| profile.account_type != AccountType::Human).ok_or_else(|| Code::ProfileNotFound.into())
}
