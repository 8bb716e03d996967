//! `POST /agents/{id}/claim`: become the operator of an agent.

use axum::extract::{Path, State};
use crochet::http::request::Json;
use crochet::http::session::Person;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::claim::Claimed;
use crochet::wire;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{Capability, Profile};
use serde_json::json;

use super::{ClaimedAgent, TRIES, agent, agent_id};
use crate::challenge::answer::{Answer, Proof, after_use};

crochet::error_list!(
    ClaimAgentErrors: Person, Path<String>, Json<Proof>, Answer;
    CrossSiteRequest, ProfileNotFound, ProofWalletNotAllowed, AlreadyClaimed, ClaimLimit, EditConflict
);

/// Claim an agent
///
/// A person who is logged in proves control of one of the agent's wallets, by its answer to a challenge of purpose `claim_agent`
/// that names both. The agent becomes `human_claimed_agent` and shows its operator; its score, listings, ledger and wallets stay
/// its own. An agent has one operator; who claims it again changes nothing.
///
/// From then on the agent's recovery wallets can log its operator in (`POST /auth/passkey/recover`), until the agent is released:
/// claim only agents whose wallets you trust with your account.
#[utoipa::path(post, path = "/api/v1/agents/{id}/claim", operation_id = "claim_agent", tag = "Identity", security(("session" = [])),
    params(("id" = String, Path, description = "The agent's id.")), request_body = Proof,
    responses((status = 200, body = ClaimedAgent, description = "The agent."), ClaimAgentErrors))]
pub(crate) async fn claim(
    State(state): State<crate::State>,
    person: Person,
    Path(id): Path<String>,
    Json(proof): Json<Proof>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    let (id, operator_id) = (agent_id(&id)?, person.profile());
    let answer = Answer::read(proof, proofs.max_signature_chars())?;
    let binding = Binding::ClaimAgent { profile_id: id, operator_id };
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.judge(proofs, challenge.as_ref(), &binding, app.clock.now()).await?;
    for _ in 0..TRIES {
        // Both are read after the challenge is used up: what counts is what the agent is when it is claimed. Whether the session
        // still is one, the write itself asks.
        let (found, operator) = tokio::join!(app.store.profile(id), app.store.profile(operator_id));
        let found = agent(found.map_err(after_use)?).map_err(used_up)?;
        let operator = operator.map_err(after_use)?.ok_or(Code::SessionRequired)?;
        if !found.wallets.iter().any(|wallet| wallet.address == answer.wallet && wallet.can(Capability::Auth)) {
            return Err(not_a_signer());
        }
        match found.operator {
            Some(present) if present == operator_id => return shown(&found, &operator),
            Some(_) => return Err(Code::AlreadyClaimed.into()),
            None => {}
        }
        let claimed = operated_by(found, Some(operator_id));
        match app.store.claim(&claimed, &person.session).await.map_err(after_use)? {
            Claimed::Done => {
                app.store.bring_listings_up(&claimed, app.clock.now()).await;
                return shown(&claimed, &operator);
            }
            Claimed::LimitReached => return Err(Code::ClaimLimit.into()),
            Claimed::Conflict => {}
        }
    }
    Err(used_up(Code::EditConflict.into()))
}

/// What is said where the wallet that signed may not speak for the agent: to a person, who has no wallets here.
fn not_a_signer() -> ApiError {
    ApiError::new(Code::ProofWalletNotAllowed)
        .detail("required_capability", "auth")
        .recovery("next_action", "use_auth_wallet")
        .recovery("summary", "Sign a new challenge with an active wallet of the agent that has the capability auth; GET /me/wallets, with the agent's own API key, lists them.")
}

/// A refusal that comes when the challenge is used up: the same proof would not do again.
fn used_up(error: ApiError) -> ApiError {
    let recovery = Code::ChallengeInvalid.recovery();
    let summary = match error.code() {
        Code::ProfileNotFound => "Check the agent's id, then ask for a new challenge that names it and sign that.",
        _ => "Ask for a new challenge, sign it, and claim again.",
    };
    error
        .recovery("next_action", recovery.next_action)
        .recovery("summary", summary)
        .recovery("preserve", json!([]))
        .recovery("discard", json!(recovery.discard))
}

/// The agent with this operator or none, as its next version.
pub(super) fn operated_by(mut agent: Profile, operator: Option<ProfileId>) -> Profile {
    agent.set_operator(operator);
    agent.version += 1;
    agent.listings_behind = agent.listing_count > 0;
    agent
}

pub(super) fn shown(agent: &Profile, operator: &Profile) -> Result {
    Reply::ok(ClaimedAgent { profile: wire::profile::Profile::of(agent, Some(operator)) })
}
