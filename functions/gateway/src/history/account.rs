//! Whose history a caller reads.

use crochet::http::caller::Caller;
use crochet::http::{Code, Result};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::AccountType;

use crate::state::State;

/// Whose history is read.
pub(super) struct Account {
    pub(super) id: ProfileId,
    /// Whether the operator has suspended it, so that nothing is offered to it.
    pub(super) is_suspended: bool,
}

/// The caller's own profile, or the agent `agent_id`, if the caller is that agent or the person who operates it.
///
/// # Errors
/// `NOT_OPERATOR`; `PROFILE_NOT_FOUND`, also for a person, because people have no history of calls.
pub(super) async fn account(state: &State, caller: &Caller, agent_id: Option<&str>) -> Result<Account> {
    let own = || {
        let is_suspended = matches!(caller, Caller::Key(agent) if agent.suspended.is_some());
        Account { id: caller.profile(), is_suspended }
    };
    let Some(agent_id) = agent_id else { return Ok(own()) };
    let id: ProfileId = agent_id.parse().map_err(|_| Code::ProfileNotFound)?;
    if id == caller.profile() {
        return Ok(own());
    }
    let agent = state.app.store.profile(id).await?.filter(|profile| profile.account_type != AccountType::Human);
    let agent = agent.ok_or(Code::ProfileNotFound)?;
    if agent.operator != Some(caller.profile()) {
        return Err(Code::NotOperator.into());
    }
    Ok(Account { id, is_suspended: agent.suspended.is_some() })
}
