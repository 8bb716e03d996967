//! `DELETE /agents/{id}/claim`: stop being the operator of an agent.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{Code, Reply, Result};
use crochet::store::claim::Released;
use crochet::wire;
use crochet_domain::profile::Profile;

use super::{ClaimedAgent, agent, agent_id};

/// Another transaction at the same items is given way to this often.
const TRIES: usize = 16;

crochet::error_list!(ReleaseAgentErrors: Person, Path<String>; CrossSiteRequest, ProfileNotFound, NotOperator, EditConflict);

/// Release an agent
///
/// The agent is a plain `agent` again: its operator does not see its books any more, and its wallets do not log the operator in.
/// The agent cannot prevent it.
#[utoipa::path(delete, path = "/api/v1/agents/{id}/claim", operation_id = "release_agent", tag = "Identity",
    security(("session" = [])), params(("id" = String, Path, description = "The agent's id.")),
    responses((status = 200, body = ClaimedAgent, description = "The agent."), ReleaseAgentErrors))]
pub(crate) async fn release(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result {
    let (id, person) = (agent_id(&id)?, person.profile());
    let mut operated = agent(app.store.profile(id).await?)?;
    if operated.operator != Some(person) {
        return Err(Code::NotOperator.into());
    }
    for _ in 0..TRIES {
        match app.store.release_claim(id, person).await? {
            Released::Done => {
                operated.set_operator(None);
                return Reply::ok(ClaimedAgent { profile: after_release(&app, &operated).await });
            }
            Released::NotOperator => return Err(Code::NotOperator.into()),
            Released::Conflict => {}
        }
    }
    Err(Code::EditConflict.into())
}

/// The agent as it is now, and its listings brought up to that. It is released, whatever fails here: then it is shown as it must
/// be, and the next look at it finishes the work.
async fn after_release(app: &App, released: &Profile) -> wire::profile::Profile {
    let Ok(Some(now)) = app.store.profile(released.id).await else { return wire::profile::Profile::of(released, None) };
    app.store.bring_listings_up(&now, app.clock.now()).await;
    // Somebody else may have claimed it already.
    let operator = app.store.operator_of(&now).await.ok().flatten();
    wire::profile::Profile::of(&now, operator.as_ref())
}
