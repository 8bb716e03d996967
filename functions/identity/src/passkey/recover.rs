//! `POST /auth/passkey/recover`: log in without a passkey.

use axum::extract::State;
use crochet::app::App;
use crochet::http::fields::{FieldProblems, Place};
use crochet::http::request::Json;
use crochet::http::{ApiError, Code, Result};
use crochet::store::person::SignInMethod;
use crochet::store::retry::retry_on_conflict;
use crochet::wire::person::LoggedIn;
use crochet_domain::challenge::Binding;
use crochet_domain::ids::ProfileId;
use crochet_domain::recovery_code::RecoveryCode;
use crochet_domain::session::SignIn;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::possibly_person::PossiblyPerson;
use super::session::{logged_in, start_session};
use crate::attempt::AttemptError;
use crate::field;
use crate::proof::{Proof, SignedAnswer, after_use};

/// Either a recovery code alone, or all other fields: a signed challenge of purpose `operator_login`.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PersonRecovery {
    /// One of the person's recovery codes. Case, hyphens and spaces do not matter.
    recovery_code: Option<String>,
    /// The agent that the wallet belongs to.
    #[schema(format = "uuid")]
    profile_id: Option<String>,
    /// The person who operates that agent.
    #[schema(format = "uuid")]
    operator_id: Option<String>,
    /// An active recovery wallet of the agent.
    #[schema(pattern = "^(0x[0-9A-Fa-f]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$")]
    wallet_address: Option<String>,
    /// Its signature over the challenge's message: of an EVM wallet in hex, of a Solana wallet in base58 or hex, over the message or
    /// its off-chain envelope. At most 200 characters, unless the deployment supports contract wallets.
    #[schema(min_length = 1, max_length = 16_384)]
    signature: Option<String>,
    /// The nonce of the challenge.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    nonce: Option<String>,
    /// The solution of the proof of work.
    #[schema(min_length = 1, max_length = 64, pattern = "^[!-~ ]{1,64}$")]
    pow_nonce: Option<String>,
}

crochet::error_list!(RecoverPersonErrors: PossiblyPerson, Json<PersonRecovery>, SignedAnswer; PowInvalid, RecoveryCodeInvalid, NotOperator);

/// Log in without a passkey: with a recovery code, or with a wallet of an agent that you operate.
///
/// A recovery code works once. A 21st session ends your oldest one. Add a passkey next, and get new codes when few are left.
#[utoipa::path(post, path = "/api/v1/auth/passkey/recover", operation_id = "recover_person", tag = "People", request_body = PersonRecovery,
    responses((status = 200, body = LoggedIn, headers(("Set-Cookie" = String, description = "The session cookie.")), description = "The person and the session. The response sets the session cookie."), RecoverPersonErrors))]
pub(crate) async fn recover(
    State(state): State<crate::State>,
    caller: PossiblyPerson,
    Json(request): Json<PersonRecovery>,
) -> Result {
    let now = state.app.clock.now();
    let attempt = match request.read()? {
        Method::Code(text) => with_code(&state.app, &text, now).await,
        Method::Wallet(agent, person, proof) => with_wallet(&state, agent, person, proof, now).await,
    };
    match attempt {
        Ok(reply) => Ok(reply),
        // A malformed request is not an attempt.
        Err(error) if matches!(error.code(), Code::InvalidRequest | Code::InvalidWalletAddress) => Err(error),
        Err(error) => Err(caller.count_failure(&state.app, error).await),
    }
}

enum Method {
    Code(String),
    Wallet(ProfileId, ProfileId, Proof),
}

impl PersonRecovery {
    fn read(self) -> Result<Method> {
        let Self { recovery_code, profile_id, operator_id, wallet_address, signature, nonce, pow_nonce } = self;
        if let Some(code) = recovery_code {
            let rest = [profile_id, operator_id, wallet_address, signature, nonce, pow_nonce];
            return if rest.iter().all(Option::is_none) {
                Ok(Method::Code(code))
            } else {
                Err(ApiError::field("recovery_code", "must be the only field: send either a code or the proof of a wallet"))
            };
        }
        let mut problems = FieldProblems::new(Place::Body);
        let mut required = |field: &str, value: Option<String>| {
            if value.is_none() {
                problems.missing_for(field, "unless you send a recovery_code alone");
            }
            value
        };
        let (wallet_address, signature) = (required("wallet_address", wallet_address), required("signature", signature));
        let (nonce, pow_nonce) = (required("nonce", nonce), required("pow_nonce", pow_nonce));
        let (profile_id, operator_id) = (required("profile_id", profile_id), required("operator_id", operator_id));
        let agent = profile_id.map(|text| problems.take(field::uuid("profile_id", &text))).transpose()?.flatten();
        let person = operator_id.map(|text| problems.take(field::uuid("operator_id", &text))).transpose()?.flatten();
        problems.end()?;
        match (agent, person, wallet_address, signature, nonce) {
            (Some(agent), Some(person), Some(wallet_address), Some(signature), Some(nonce)) => {
                Ok(Method::Wallet(agent, person, Proof { wallet_address, signature, nonce, pow_nonce }))
            }
            _ => Err(ApiError::internal("a field was missing without a problem")),
        }
    }
}

/// The code is used up in the transaction that opens the session, so a failed login does not cost a code.
async fn with_code(app: &App, text: &str, now: OffsetDateTime) -> Result {
    let code = RecoveryCode::parse(text).ok_or(Code::RecoveryCodeInvalid)?.sha256();
    let signed_in = retry_on_conflict(|| async {
        let person = app.store.recovery_code_owner(&code).await?.ok_or(Code::RecoveryCodeInvalid)?;
        let known = app.store.person(person).await?.ok_or(Code::RecoveryCodeInvalid)?;
        let after = known.passkeys.after_recovery_code(&code).ok_or(Code::RecoveryCodeInvalid)?;
        let (token, session) = start_session(&known.profile, SignIn::RecoveryCode, now);
        let method = SignInMethod::RecoveryCode { after: &after, code_sha256: &code };
        app.store.sign_in(&known, method, &session).await?;
        Ok::<_, AttemptError>(logged_in(&known.profile, &session, &token, after.recovery_codes.len())?)
    });
    Ok(signed_in.await?)
}

async fn with_wallet(state: &crate::State, agent: ProfileId, person: ProfileId, proof: Proof, now: OffsetDateTime) -> Result {
    let crate::State { app, proofs, .. } = state;
    let answer = SignedAnswer::read(proof, proofs.max_signature_chars().await)?;
    let binding = Binding::OperatorLogin { profile_id: agent, operator_id: person };
    let challenge = app.store.take_challenge(&answer.nonce).await.map_err(after_use)?;
    // Agent and person are read after the verification, which may take seconds, and so that nothing about them leaks before it.
    answer.verify(proofs, challenge.as_ref(), &binding, now).await?;
    let signed_in = retry_on_conflict(|| async {
        // The person is read first. A release and a logout everywhere change the person, so if one of them comes after this read,
        // the session is not opened.
        let known = app.store.person(person).await?;
        let agent = app.store.profile(agent).await?;
        let is_allowed = agent.is_some_and(|agent| agent.operator == Some(person) && agent.recovers_with(&answer.wallet));
        let known = known.filter(|_| is_allowed).ok_or_else(not_operator)?;
        let (token, session) = start_session(&known.profile, SignIn::Wallet, now);
        app.store.sign_in(&known, SignInMethod::Wallet, &session).await?;
        Ok::<_, AttemptError>(logged_in(&known.profile, &session, &token, known.passkeys.recovery_codes.len())?)
    });
    signed_in.await.map_err(|error| error.into_api_error(after_use))
}

/// One error for every reason, so that strangers do not learn whether an agent, a person or a claim exists.
fn not_operator() -> ApiError {
    ApiError::new(Code::NotOperator)
        .message("This wallet is not an active recovery wallet of an agent that this person operates.")
        .recovery("next_action", "use_recovery_wallet")
        .recovery("summary", "Sign with an active recovery wallet of an agent that you have claimed, or use a recovery code.")
}
