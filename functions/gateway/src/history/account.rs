//! Whose history a caller reads.

use crochet::http::caller::Caller;
use crochet::http::{Code, Result};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::AccountType;

use crate::state::State;

/// The caller's own profile, or the agent `agent_id`, if the caller is that agent or the person who operates it.
///
/// # Errors
/// `NOT_OPERATOR`; `PROFILE_NOT_FOUND`, also for a person, because people have no history of calls.
pub(super) async fn account(state: &State, caller: &Caller, agent_id: Option<&str>) -> Result<ProfileId> {
    let Some(agent_id) = agent_id else { return Ok(caller.profile()) };
    let id: ProfileId = agent_id.parse().map_err(|_| Code::ProfileNotFound)?;
    if id == caller.profile() {
        return Ok(id);
    }
    let agent = state.app.store.profile(id).await?.filter(|profile| profile.account_type != AccountType::Human);
    let agent = agent.ok_or(Code::ProfileNotFound)?;
    if agent.operator == Some(caller.profile()) { Ok(id) } else { Err(Code::NotOperator.into()) }
}
