//! `POST /auth/passkey/reauthenticate/start` and `…/finish`: use a passkey again in an open session.

use axum::extract::State;
use crochet::http::request::{Json, JsonOrNothing};
use crochet::http::session::Person;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::retry::Attempts;
use crochet::wire::person::LoggedIn;
use crochet_domain::passkey::CeremonyPurpose;
use crochet_domain::timestamp::unix_ms;

use super::ceremony::{CeremonyStarted, after_use, ceremony_id, open, start as start_ceremony};
use super::login::{NewLogin, PasskeyLogin};
use crate::relying_party::Assertion;

crochet::error_list!(StartReauthenticationErrors: Person, JsonOrNothing<NewLogin>; CrossSiteRequest, PasskeysUnavailable);

/// Start using your passkey again, in the session that you have.
///
/// What adds or ends a way in (passkeys, recovery codes, claims, API keys) asks for this if you last used your passkey over five
/// minutes ago. Pass `public_key` to `PublicKeyCredential.parseRequestOptionsFromJSON` and the result to
/// `navigator.credentials.get`.
#[utoipa::path(post, path = "/api/v1/auth/passkey/reauthenticate/start", operation_id = "start_reauthentication", tag = "People",
    security(("session" = [])), request_body(content = Option<NewLogin>, description = "`{}`, or nothing."),
    responses((status = 200, body = CeremonyStarted, description = "The ceremony. It can be finished once, in this session, within five minutes."), StartReauthenticationErrors))]
pub(crate) async fn start(
    State(state): State<crate::State>,
    person: Person,
    JsonOrNothing(NewLogin {}): JsonOrNothing<NewLogin>,
) -> Result {
    let started = state.party.start_login()?;
    let purpose = CeremonyPurpose::Reauthenticate { session_sha256: person.session.token_sha256 };
    start_ceremony(&state.app, purpose, started, state.app.clock.now()).await
}

crochet::error_list!(
    FinishReauthenticationErrors: Person, Json<PasskeyLogin>;
    CrossSiteRequest, CeremonyInvalid, PasskeyRefused, PasskeysUnavailable
);

/// Finish using your passkey again. For five minutes, nothing asks for it.
///
/// The session stays the same. The first well-formed attempt uses up the ceremony, whether it succeeds or not.
#[utoipa::path(post, path = "/api/v1/auth/passkey/reauthenticate/finish", operation_id = "finish_reauthentication", tag = "People",
    security(("session" = [])), request_body = PasskeyLogin,
    responses((status = 200, body = LoggedIn, description = "The person and the session."), FinishReauthenticationErrors))]
pub(crate) async fn finish(State(state): State<crate::State>, person: Person, Json(request): Json<PasskeyLogin>) -> Result {
    let crate::State { app, party, .. } = &state;
    let now = app.clock.now();
    let assertion = Assertion::read(request.credential)?;
    let ceremony = open(app.store.take_ceremony(ceremony_id(&request.ceremony_id)?).await, now)?;
    let mut session = person.session;
    if ceremony.purpose != (CeremonyPurpose::Reauthenticate { session_sha256: session.token_sha256.clone() }) {
        return Err(Code::CeremonyInvalid.into());
    }
    if assertion.person != session.profile {
        return Err(ApiError::new(Code::PasskeyRefused).cause("the passkey is another person's"));
    }
    let mut attempts = Attempts::default();
    loop {
        let known = app.store.profile_and_passkeys(session.profile).await.map_err(after_use)?;
        let (profile, known) = known.ok_or_else(|| ApiError::internal("a session's person has no passkeys").alarm())?;
        let after = party.finish_login(&assertion, &ceremony.state, &known, unix_ms(now))?;
        match app.store.reauthenticate(&session, &known, &after, unix_ms(now)).await {
            Ok(()) => {
                session.authenticated_ms = unix_ms(now);
                return Reply::ok(LoggedIn::new(&profile, &session, after.recovery_codes.len()));
            }
            Err(StoreError::Conflict) => attempts.next_or(StoreError::Conflict).await.map_err(after_use)?,
            Err(error) => return Err(after_use(error)),
        }
    }
}
