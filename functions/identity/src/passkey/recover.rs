//! `POST /auth/passkey/recover`: the way back in without a passkey.

use axum::extract::State;
use crochet::app::App;
use crochet::http::request::Json;
use crochet::http::{ApiError, Code, Result};
use crochet::store::StoreError;
use crochet::store::person::Admission;
use crochet::wire::person::LoggedIn;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::ProfileId;
use crochet_domain::recovery_code::RecoveryCode;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{TRIES, Visitor, begin_session, welcome};
use crate::challenge::answer::{Answer, Proof, after_use};
use crate::field;

/// A recovery code; or, instead, everything else: the answer to a challenge for `operator_login`.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PersonRecovery {
    /// One of the person's recovery codes. Case, hyphens and spaces do not matter.
    recovery_code: Option<String>,
    /// The agent whose wallet signs.
    #[schema(format = "uuid")]
    profile_id: Option<String>,
    /// The person who operates that agent.
    #[schema(format = "uuid")]
    operator_id: Option<String>,
    /// An active recovery wallet of the agent.
    wallet_address: Option<String>,
    /// Its signature over the challenge's message: at most 200 characters, unless the deployment asks contracts' wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    signature: Option<String>,
    /// The challenge's nonce.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: Option<String>,
    /// The answer to the proof of work.
    #[schema(min_length = 1, max_length = 64)]
    pow_nonce: Option<String>,
}

crochet::error_list!(RecoverPersonErrors: Visitor, Json<PersonRecovery>, Answer; PowInvalid, RecoveryCodeInvalid, NotOperator);

/// Get back in without a passkey: with a recovery code, or with the wallet of an agent that the person operates.
///
/// A recovery code is used up by the session that it opens. A 21st session ends the person's oldest one. Add a passkey next, and ask for new codes when few are left.
#[utoipa::path(post, path = "/api/v1/auth/passkey/recover", operation_id = "recover_person", tag = "People", request_body = PersonRecovery,
    responses((status = 200, body = LoggedIn, headers(("Set-Cookie" = String, description = "The session's cookie.")), description = "The person and the session, whose cookie comes with the answer."), RecoverPersonErrors))]
pub(crate) async fn recover(State(state): State<crate::State>, visitor: Visitor, Json(request): Json<PersonRecovery>) -> Result {
    let now = state.app.clock.now();
    let attempt = match request.read()? {
        Way::Code(text) => with_code(&state.app, &text, now).await,
        Way::Wallet(agent, person, proof) => with_wallet(&state, agent, person, proof, now).await,
    };
    match attempt {
        Ok(reply) => Ok(reply),
        // A request that cannot mean anything is no attempt.
        Err(error) if matches!(error.code(), Code::InvalidRequest | Code::InvalidWalletAddress) => Err(error),
        Err(error) => Err(visitor.failed(&state.app, error).await),
    }
}

enum Way {
    Code(String),
    Wallet(ProfileId, ProfileId, Proof),
}

impl PersonRecovery {
    fn read(self) -> Result<Way> {
        let Self { recovery_code, profile_id, operator_id, wallet_address, signature, nonce, pow_nonce } = self;
        if let Some(code) = recovery_code {
            let rest = [profile_id, operator_id, wallet_address, signature, nonce, pow_nonce];
            return if rest.iter().all(Option::is_none) {
                Ok(Way::Code(code))
            } else {
                Err(ApiError::field("recovery_code", "must stand alone: send a code or a wallet's proof, not both"))
            };
        }
        let needed = |field: &str, value: Option<String>| {
            value.ok_or_else(|| ApiError::field(field, "is missing: send a recovery_code alone, or all of the other fields"))
        };
        let proof = Proof {
            wallet_address: needed("wallet_address", wallet_address)?,
            signature: needed("signature", signature)?,
            nonce: needed("nonce", nonce)?,
            pow_nonce: Some(needed("pow_nonce", pow_nonce)?),
        };
        let agent = field::uuid("profile_id", &needed("profile_id", profile_id)?)?;
        let person = field::uuid("operator_id", &needed("operator_id", operator_id)?)?;
        Ok(Way::Wallet(agent, person, proof))
    }
}

/// The code is used up in the same write that opens the session: whoever is not let in still has it.
async fn with_code(app: &App, text: &str, now: OffsetDateTime) -> Result {
    let code = RecoveryCode::parse(text).ok_or(Code::RecoveryCodeInvalid)?.sha256();
    for _ in 0..TRIES {
        let person = app.store.owner_of_code(&code).await?.ok_or(Code::RecoveryCodeInvalid)?;
        let known = app.store.person(person).await?.ok_or(Code::RecoveryCodeInvalid)?;
        let left = known.passkeys.after_code(&code).ok_or(Code::RecoveryCodeInvalid)?;
        let (token, session) = begin_session(&known.profile, now);
        match app.store.let_in(&known, Admission::RecoveryCode(&left, &code), &session).await {
            Ok(()) => return welcome(&known.profile, &session, &token, left.recovery_codes.len()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

async fn with_wallet(state: &crate::State, agent: ProfileId, person: ProfileId, proof: Proof, now: OffsetDateTime) -> Result {
    let crate::State { app, proofs, .. } = state;
    let answer = Answer::read(proof, proofs.max_signature_chars())?;
    let binding = Binding::OperatorLogin { profile_id: agent, operator_id: person };
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    // Nothing of agent or person is told, nor read, before the answer is judged: a chain's node may take seconds.
    answer.judge(proofs, challenge.as_ref(), &binding, now).await?;
    for _ in 0..TRIES {
        // The person first: a release, and logging out everywhere, count as changes of the person, and so the session is opened
        // over what the agent said after them, or not at all.
        let known = app.store.person(person).await.map_err(after_use)?;
        let agent = app.store.profile(agent).await.map_err(after_use)?;
        let vouches = agent.is_some_and(|agent| agent.operator == Some(person) && agent.recovers_with(&answer.wallet));
        let known = known.filter(|_| vouches).ok_or_else(not_operator)?;
        let (token, session) = begin_session(&known.profile, now);
        match app.store.let_in(&known, Admission::Wallet, &session).await {
            Ok(()) => return welcome(&known.profile, &session, &token, known.passkeys.recovery_codes.len()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(after_use(error)),
        }
    }
    Err(after_use(StoreError::Conflict))
}

/// One error for every reason: whether an agent, a person or a claim exists is not told to strangers.
fn not_operator() -> ApiError {
    ApiError::new(Code::NotOperator)
        .message("This wallet is no active recovery wallet of an agent that this person operates.")
        .recovery("next_action", "use_recovery_wallet")
        .recovery("summary", "Sign with an active recovery wallet of an agent that the person has claimed, or use a recovery code.")
}
