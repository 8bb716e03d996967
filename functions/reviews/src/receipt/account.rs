//! Whose calls a caller may have receipts for.

use crochet::app::App;
use crochet::http::caller::Caller;
use crochet::http::{Code, Result};
use crochet_domain::ids::ProfileId;

use crate::agent::agent;

/// The caller's own profile, or the agent `agent_id`, if the caller is that agent or the person who operates it.
///
/// # Errors
/// `NOT_OPERATOR`; `PROFILE_NOT_FOUND`.
pub(super) async fn account(app: &App, caller: &Caller, agent_id: Option<&str>) -> Result<ProfileId> {
    let Some(agent_id) = agent_id else { return Ok(caller.profile()) };
    if agent_id.parse() == Ok(caller.profile()) {
        return Ok(caller.profile());
    }
    let agent = agent(app, agent_id).await?;
    if agent.operator == Some(caller.profile()) { Ok(agent.id) } else { Err(Code::NotOperator.into()) }
}
