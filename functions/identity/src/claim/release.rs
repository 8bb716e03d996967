//! `DELETE /agents/{id}/claim`: stop being the operator of an agent.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{Code, Reply, Result};
use crochet::wire;

use super::create::operated_by;
use super::{ClaimedAgent, TRIES, agent, agent_id};

/// Release an agent
///
/// The agent is a plain `agent` again, and its operator does not see its books any more.
#[utoipa::path(delete, path = "/api/v1/agents/{id}/claim", operation_id = "release_agent", tag = "Identity",
    security(("session" = [])), params(("id" = String, Path, description = "The agent's id.")),
    responses((status = 200, body = ClaimedAgent, description = "The agent. Errors: SESSION_REQUIRED, CROSS_SITE_REQUEST, \
        PROFILE_NOT_FOUND, NOT_OPERATOR, EDIT_CONFLICT, RATE_LIMITED.")))]
pub(crate) async fn release(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result {
    let id = agent_id(&id)?;
    for _ in 0..TRIES {
        let found = agent(app.store.profile(id).await?)?;
        if found.operator != Some(person.profile()) {
            return Err(Code::NotOperator.into());
        }
        let released = operated_by(found, None);
        if app.store.release_claim(&released, person.profile()).await? {
            app.store.bring_listings_up(&released, app.clock.now()).await;
            return Reply::ok(ClaimedAgent { profile: wire::profile::Profile::of(&released, None) });
        }
    }
    Err(Code::EditConflict.into())
}
