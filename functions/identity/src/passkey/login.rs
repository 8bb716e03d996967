//! `POST /auth/passkey/login/start` and `…/finish`: log in with a passkey.

use axum::extract::State;
use crochet::http::request::{Json, JsonOrNothing};
use crochet::http::{ApiError, Code, Result};
use crochet::store::StoreError;
use crochet::store::person::{PersonRecord, SignInMethod};
use crochet::store::retry::Attempts;
use crochet::wire::person::LoggedIn;
use crochet_domain::passkey::{Ceremony, CeremonyPurpose};
use crochet_domain::session::SignIn;
use crochet_domain::timestamp::unix_ms;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::ceremony::{CeremonyStarted, after_use, ceremony_id, open, start as start_ceremony};
use super::possibly_person::PossiblyPerson;
use super::session::{logged_in, start_session};
use crate::relying_party::Assertion;

/// An empty object.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct NewLogin {}

crochet::error_list!(StartLoginErrors: PossiblyPerson, JsonOrNothing<NewLogin>; PasskeysUnavailable);

/// Start logging in. The passkey identifies the person, so no user name is needed.
///
/// Pass `public_key` to `PublicKeyCredential.parseRequestOptionsFromJSON` and the result to `navigator.credentials.get`.
#[utoipa::path(post, path = "/api/v1/auth/passkey/login/start", operation_id = "start_passkey_login", tag = "People",
    request_body(content = Option<NewLogin>, description = "`{}`, or nothing."),
    responses((status = 200, body = CeremonyStarted, description = "The ceremony. It can be finished once, within five minutes."), StartLoginErrors))]
pub(crate) async fn start(
    State(state): State<crate::State>,
    _: PossiblyPerson,
    JsonOrNothing(NewLogin {}): JsonOrNothing<NewLogin>,
) -> Result {
    let started = state.party.start_login()?;
    start_ceremony(&state.app, CeremonyPurpose::LogIn, started, state.app.clock.now()).await
}

/// The browser's response.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PasskeyLogin {
    /// The id of the ceremony to finish.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub(super) ceremony_id: String,
    /// The unchanged result of `toJSON()` of the `PublicKeyCredential`.
    #[schema(value_type = Object)]
    pub(super) credential: Value,
}

crochet::error_list!(FinishLoginErrors: PossiblyPerson, Json<PasskeyLogin>; CeremonyInvalid, PasskeyRefused, PasskeysUnavailable);

/// Finish logging in. The response sets the session cookie.
///
/// The first well-formed attempt uses up the ceremony, whether it succeeds or not. A 21st session ends the person's oldest one.
#[utoipa::path(post, path = "/api/v1/auth/passkey/login/finish", operation_id = "finish_passkey_login", tag = "People",
    request_body = PasskeyLogin,
    responses((status = 200, body = LoggedIn, headers(("Set-Cookie" = String, description = "The session cookie.")), description = "The person and the session."), FinishLoginErrors))]
pub(crate) async fn finish(State(state): State<crate::State>, caller: PossiblyPerson, Json(request): Json<PasskeyLogin>) -> Result {
    let app = &state.app;
    let now = app.clock.now();
    let assertion = Assertion::read(request.credential)?;
    let id = ceremony_id(&request.ceremony_id)?;
    let (ceremony, person) = tokio::join!(app.store.take_ceremony(id), app.store.person(assertion.person));
    let ceremony = open(ceremony, now).and_then(|ceremony| match ceremony.purpose {
        CeremonyPurpose::LogIn => Ok(ceremony),
        _ => Err(Code::CeremonyInvalid.into()),
    });
    let attempt = async { log_in(&state, &assertion, &ceremony?, person.map_err(after_use)?, now).await };
    match attempt.await {
        Ok(reply) => Ok(reply),
        Err(error) => Err(caller.count_failure(app, error).await),
    }
}

/// Verifies the response against the present passkeys and opens a session, on the condition that they have not changed.
async fn log_in(
    state: &crate::State,
    assertion: &Assertion,
    ceremony: &Ceremony,
    mut person: Option<PersonRecord>,
    now: OffsetDateTime,
) -> Result {
    let mut attempts = Attempts::default();
    loop {
        let known = person.ok_or_else(|| ApiError::new(Code::PasskeyRefused).cause("unknown user handle"))?;
        let passkeys = state.party.finish_login(assertion, &ceremony.state, &known.passkeys, unix_ms(now))?;
        let (token, session) = start_session(&known.profile, SignIn::Passkey, now);
        match state.app.store.sign_in(&known, SignInMethod::Passkey(&passkeys), &session).await {
            Ok(()) => return logged_in(&known.profile, &session, &token, passkeys.recovery_codes.len()),
            Err(StoreError::Conflict) => attempts.next_or(StoreError::Conflict).await.map_err(after_use)?,
            Err(error) => return Err(after_use(error)),
        }
        person = state.app.store.person(assertion.person).await.map_err(after_use)?;
    }
}
