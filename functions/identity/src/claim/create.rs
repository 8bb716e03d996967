//! `POST /agents/{id}/claim`: become the operator of an agent.

use axum::extract::{Path, State};
use crochet::http::request::Json;
use crochet::http::session::Person;
use crochet::http::suspension::refuse_suspended;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::claim::ClaimError;
use crochet::store::retry::retry_on_conflict;
use crochet::wire;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::{Capability, Profile};
use serde_json::json;

use super::{ClaimedAgent, agent, agent_id};
use crate::attempt::AttemptError;
use crate::proof::{Proof, SignedAnswer, after_use};

crochet::error_list!(
    ClaimAgentErrors: Person, Path<String>, Json<Proof>, SignedAnswer;
    CrossSiteRequest, ReauthenticationRequired, ProfileSuspended, ProfileNotFound, ProofWalletNotAllowed, AlreadyClaimed, ClaimLimit, EditConflict
);

/// Claim an agent
///
/// Log in, then prove control of one of the agent's wallets by signing a challenge of purpose `claim_agent` that names you and the
/// agent. The agent becomes a `human_claimed_agent` and shows you as its operator. It keeps its score, listings, ledger and wallets.
/// An agent has one operator. Claiming it again changes nothing.
///
/// Until you release the agent, its recovery wallets can log in as you (`POST /auth/passkey/recover`). Claim only agents whose
/// wallets you trust with your account.
#[utoipa::path(post, path = "/api/v1/agents/{id}/claim", operation_id = "claim_agent", tag = "Identity", security(("session" = [])),
    params(("id" = String, Path, description = "The agent's id.", format = "uuid")), request_body = Proof,
    responses((status = 200, body = ClaimedAgent, description = "The agent."), ClaimAgentErrors))]
pub(crate) async fn claim(
    State(state): State<crate::State>,
    person: Person,
    Path(id): Path<String>,
    Json(proof): Json<Proof>,
) -> Result {
    let crate::State { app, proofs, .. } = &state;
    person.may_change_ways_in(app)?;
    let (id, operator_id) = (agent_id(&id)?, person.profile());
    let answer = SignedAnswer::read(proof, proofs.max_signature_chars().await)?;
    let binding = Binding::ClaimAgent { profile_id: id, operator_id };
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    answer.verify(proofs, challenge.as_ref(), &binding, app.clock.now()).await?;
    let claimed = retry_on_conflict(|| async {
        // Both are read after the challenge is used up, so the decision is about the present state. The write itself checks that
        // the session still exists.
        let (found, operator) = tokio::join!(app.store.profile(id), app.store.profile(operator_id));
        let found = agent(found?).map_err(used_up)?;
        let operator = operator?.ok_or(Code::SessionRequired)?;
        refuse_suspended(operator.suspended)?;
        if !found.wallets.iter().any(|wallet| wallet.address == answer.wallet && wallet.can(Capability::Auth)) {
            return Err(wallet_not_allowed().into());
        }
        match found.operator {
            Some(current) if current == operator_id => return Ok((found, operator)),
            Some(_) => return Err(Code::AlreadyClaimed.into()),
            None => {}
        }
        let claimed = with_operator(found, operator_id);
        app.store.claim(&claimed, &person.session).await?;
        app.store.refresh_seller_summaries(&claimed, app.clock.now()).await;
        Ok::<_, AttemptError>((claimed, operator))
    });
    let (claimed, operator) = claimed.await.map_err(|error| match error {
        AttemptError::Store(StoreError::Conflict) => used_up(Code::EditConflict.into()),
        error => error.into_api_error(after_use),
    })?;
    Reply::ok(ClaimedAgent { profile: wire::profile::Profile::of(&claimed, Some(&operator)) })
}

impl From<ClaimError> for AttemptError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::LimitReached => Code::ClaimLimit.into(),
            ClaimError::Store(error) => error.into(),
        }
    }
}

/// The error for a wallet that may not authorize the claim. The caller is a person, who has no wallets of their own.
fn wallet_not_allowed() -> ApiError {
    ApiError::new(Code::ProofWalletNotAllowed)
        .detail("required_capability", "auth")
        .recovery("next_action", "use_auth_wallet")
        .recovery("summary", "Sign a new challenge with an active wallet of the agent that has the capability auth. GET /me/wallets with the agent's own API key lists them.")
}

/// A refusal after the challenge was used up: the same proof cannot be sent again.
fn used_up(error: ApiError) -> ApiError {
    let recovery = Code::ChallengeInvalid.recovery();
    let summary = match error.code() {
        Code::ProfileNotFound => "Check the agent's id, request a new challenge that names it, and sign that.",
        _ => "Request a new challenge, sign it, and claim again.",
    };
    error
        .recovery("next_action", recovery.next_action)
        .recovery("summary", summary)
        .recovery("preserve", json!([]))
        .recovery("discard", json!(recovery.discard))
}

/// The next version of the agent's profile, with this operator.
fn with_operator(mut agent: Profile, operator: ProfileId) -> Profile {
    agent.set_operator(Some(operator));
    agent.version += 1;
    agent.summaries_stale = agent.listing_count > 0;
    agent
}
