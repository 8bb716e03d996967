//! `DELETE /agents/{id}/claim`: stop being the operator of an agent.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::claim::ReleaseError;
use crochet::store::retry::retry_on_conflict;
use crochet::wire;
use crochet_domain::profile::Profile;

use super::{ClaimedAgent, agent, agent_id};
use crate::attempt::AttemptError;

crochet::error_list!(ReleaseAgentErrors: Person, Path<String>; CrossSiteRequest, ReauthenticationRequired, ProfileNotFound, NotOperator, EditConflict);

/// Release an agent
///
/// The agent becomes an `agent` again. Its former operator can no longer see its ledger, and its wallets can no longer log the
/// operator in. The agent cannot prevent this.
#[utoipa::path(delete, path = "/api/v1/agents/{id}/claim", operation_id = "release_agent", tag = "Identity",
    security(("session" = [])), params(("id" = String, Path, description = "The agent's id.", format = "uuid")),
    responses((status = 200, body = ClaimedAgent, description = "The agent."), ReleaseAgentErrors))]
pub(crate) async fn release(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result {
    person.may_change_ways_in(&app)?;
    let (id, person) = (agent_id(&id)?, person.profile());
    let mut operated = agent(app.store.profile(id).await?)?;
    if operated.operator != Some(person) {
        return Err(Code::NotOperator.into());
    }
    let released = retry_on_conflict(|| async {
        app.store.release_claim(id, person).await.map_err(|error| match error {
            ReleaseError::NotOperator => Code::NotOperator.into(),
            ReleaseError::Store(error) => AttemptError::Store(error),
        })
    });
    released.await.map_err(|error| match error {
        AttemptError::Store(StoreError::Conflict) => Code::EditConflict.into(),
        error => ApiError::from(error),
    })?;
    operated.set_operator(None);
    Reply::ok(ClaimedAgent { profile: after_release(&app, &operated).await })
}

/// The agent as it is now, after a refresh of its seller summaries. The agent is released even if this fails: the reply then shows
/// `released`, and the next read of the profile finishes the work.
async fn after_release(app: &App, released: &Profile) -> wire::profile::Profile {
    let Ok(Some(now)) = app.store.profile(released.id).await else { return wire::profile::Profile::of(released, None) };
    app.store.refresh_seller_summaries(&now, app.clock.now()).await;
    // Another person may have claimed it already.
    let operator = app.store.operator_of(&now).await.ok().flatten();
    wire::profile::Profile::of(&now, operator.as_ref())
}
