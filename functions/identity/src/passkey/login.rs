//! `POST /auth/passkey/login/start` and `…/finish`: a session for whoever the passkey says.

use axum::body::Body;
use axum::extract::{Request, State};
use crochet::http::request::{Json, MAX_BODY_BYTES, parse_json, read_body};
use crochet::http::{ApiError, Code, Result};
use crochet::store::StoreError;
use crochet::store::person::{Admission, PersonRecord};
use crochet::wire::person::LoggedIn;
use crochet_domain::passkey::{Ceremony, CeremonyPurpose};
use crochet_domain::timestamp::unix_ms;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::relying_party::Assertion;
use super::{CeremonyBegun, TRIES, Visitor, after_use, begin, begin_session, ceremony_id, open, welcome};

/// Nothing is asked of who wants to log in.
#[derive(Deserialize, ToSchema)]
struct NewLogin {}

crochet::error_list!(
    StartLoginErrors: Visitor;
    InvalidJson, UnknownField, InvalidRequest, PayloadTooLarge, PasskeysUnavailable
);

/// Begin to log in. Nobody says who they are: the passkey does.
///
/// Give `public_key` to `PublicKeyCredential.parseRequestOptionsFromJSON` and the result to `navigator.credentials.get`.
#[utoipa::path(post, path = "/api/v1/auth/passkey/login/start", operation_id = "start_passkey_login", tag = "People",
    request_body(content = Option<NewLogin>, description = "`{}`, or nothing."),
    responses((status = 200, body = CeremonyBegun, description = "The ceremony; it can be finished once, within five minutes."), StartLoginErrors))]
pub(crate) async fn start(State(state): State<crate::State>, _: Visitor, request: Request<Body>) -> Result {
    let body = read_body(request.into_body(), MAX_BODY_BYTES).await?;
    if !body.is_empty() {
        let NewLogin {} = parse_json(&body)?;
    }
    let begun = state.party.begin_login()?;
    begin(&state.app, CeremonyPurpose::LogIn, begun, state.app.clock.now()).await
}

/// What the browser answered.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PasskeyLogin {
    /// Which ceremony this finishes.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    ceremony_id: String,
    /// What `toJSON()` of the `PublicKeyCredential` gave, unchanged.
    #[schema(value_type = Object)]
    credential: Value,
}

crochet::error_list!(FinishLoginErrors: Visitor, Json<PasskeyLogin>; CeremonyInvalid, PasskeyRefused, PasskeysUnavailable);

/// Finish logging in. The cookie of the session comes with the answer.
///
/// The ceremony is used up by the first well-formed attempt, good or bad. A 21st session ends the person's oldest one.
#[utoipa::path(post, path = "/api/v1/auth/passkey/login/finish", operation_id = "finish_passkey_login", tag = "People",
    request_body = PasskeyLogin,
    responses((status = 200, body = LoggedIn, headers(("Set-Cookie" = String, description = "The session's cookie.")), description = "The person and the session."), FinishLoginErrors))]
pub(crate) async fn finish(State(state): State<crate::State>, visitor: Visitor, Json(request): Json<PasskeyLogin>) -> Result {
    let app = &state.app;
    let now = app.clock.now();
    let answer = Assertion::read(request.credential)?;
    let id = ceremony_id(&request.ceremony_id)?;
    let (ceremony, person) = tokio::join!(app.store.take_ceremony(id), app.store.person(answer.person));
    let ceremony = open(ceremony, now).and_then(|ceremony| match ceremony.purpose {
        CeremonyPurpose::LogIn => Ok(ceremony),
        _ => Err(Code::CeremonyInvalid.into()),
    });
    let attempt = async { log_in(&state, &answer, &ceremony?, person.map_err(after_use)?, now).await };
    match attempt.await {
        Ok(reply) => Ok(reply),
        Err(error) => Err(visitor.failed(app, error).await),
    }
}

/// Checks the answer against the passkeys as they are now, and opens a session over exactly these.
async fn log_in(
    state: &crate::State,
    answer: &Assertion,
    ceremony: &Ceremony,
    mut person: Option<PersonRecord>,
    now: OffsetDateTime,
) -> Result {
    for _ in 0..TRIES {
        let known = person.ok_or_else(|| ApiError::new(Code::PasskeyRefused).cause("nobody has this user handle"))?;
        let passkeys = state.party.finish_login(answer, &ceremony.state, &known.passkeys, unix_ms(now))?;
        let (token, session) = begin_session(&known.profile, now);
        match state.app.store.let_in(&known, Admission::Passkey(&passkeys), &session).await {
            Ok(()) => return welcome(&known.profile, &session, &token, passkeys.recovery_codes.len()),
            Err(StoreError::Conflict) => person = state.app.store.person(answer.person).await.map_err(after_use)?,
            Err(error) => return Err(after_use(error)),
        }
    }
    Err(after_use(StoreError::Conflict))
}
