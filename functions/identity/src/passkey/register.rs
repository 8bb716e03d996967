//! `POST /auth/passkey/register/start` and `…/finish`: sign up with a first passkey, or add a passkey.

use axum::extract::State;
use crochet::app::App;
use crochet::http::gate;
use crochet::http::request::{Json, Text};
use crochet::http::session::{Person, set_cookie};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::gate::Gate;
use crochet::store::passkey::AddPasskeyError;
use crochet::store::person::SignUpError;
use crochet::store::retry::{Attempts, retry_on_conflict};
use crochet::wire;
use crochet::wire::person::RecoveryCodes;
use crochet_domain::debt::Standing;
use crochet_domain::ids::{PasskeyId, ProfileId};
use crochet_domain::passkey::{CeremonyPurpose, MAX_PASSKEYS, Passkey, Passkeys};
use crochet_domain::profile::{AccountType, Profile, Role, STARTING_SCORE};
use crochet_domain::recovery_code::RecoveryCode;
use crochet_domain::session::SignIn;
use crochet_domain::timestamp::unix_ms;
use crochet_domain::unknown::Unknown;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::ceremony::{CeremonyStarted, after_use, ceremony_id, open, start as start_ceremony, used_up};
use super::possibly_person::PossiblyPerson;
use super::recovery_codes;
use super::session::start_session;
use crate::attempt::AttemptError;
use crate::field::one_line;
use crate::relying_party::{NewCredential, VerifiedCredential};

/// The passkey to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyRequest)]
pub(crate) struct NewPasskey {
    /// The public name of a new person, in one line. To add a passkey, send a session cookie and omit this field.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 80)]
    display_name: Option<Text<1, 80>>,
}

crochet::error_list!(StartRegistrationErrors: PossiblyPerson, Json<NewPasskey>; SessionRequired, ReauthenticationRequired, PasskeyLimit, PasskeysUnavailable);

/// Start signing up, or start adding a passkey if you are logged in.
///
/// Pass `public_key` to `PublicKeyCredential.parseCreationOptionsFromJSON` and the result to `navigator.credentials.create`.
#[utoipa::path(post, path = "/api/v1/auth/passkey/register/start", operation_id = "start_passkey_registration", tag = "People",
    request_body = NewPasskey, security((), ("session" = [])),
    responses((status = 200, body = CeremonyStarted, description = "The ceremony. It can be finished once, within five minutes."), StartRegistrationErrors))]
pub(crate) async fn start(State(state): State<crate::State>, caller: PossiblyPerson, Json(request): Json<NewPasskey>) -> Result {
    let crate::State { app, party, .. } = &state;
    let now = app.clock.now();
    if let Some(name) = request.display_name {
        let display_name = one_line("display_name", name)?;
        let person = ProfileId::generate(now);
        let started = party.start_registration(person, &display_name, None)?;
        return start_ceremony(app, CeremonyPurpose::SignUp { person, display_name }, started, now).await;
    }
    let missing = || ApiError::field("display_name", "is required to sign up (to add a passkey, log in first)");
    let person = caller.person(&state).await?.ok_or_else(missing)?;
    person.may_change_ways_in(app)?;
    let person = person.profile();
    let known = app.store.profile_and_passkeys(person).await?;
    let (profile, passkeys) = known.ok_or_else(|| ApiError::internal("a session's person has no passkeys").alarm())?;
    if passkeys.passkeys.len() >= MAX_PASSKEYS {
        return Err(Code::PasskeyLimit.into());
    }
    let started = party.start_registration(person, &profile.display_name, Some(&passkeys))?;
    start_ceremony(app, CeremonyPurpose::AddPasskey { person }, started, now).await
}

/// The browser's response.
#[derive(Deserialize, ToSchema)]
pub(crate) struct FinishRegistration {
    /// The id of the ceremony to finish.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    ceremony_id: String,
    /// The unchanged result of `toJSON()` of the `PublicKeyCredential`.
    #[schema(value_type = Object)]
    credential: Value,
    /// The name of the passkey, in one line. The default is "Passkey 1" and so on.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 80)]
    name: Option<Text<1, 80>>,
}

/// The result of a registration.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "describes two replies as one schema")]
pub(crate) enum Registered {
    /// A new person.
    SignedUp(SignedUpPerson),
    /// An added passkey.
    Added(AddedPasskey),
}

/// A new person, who is logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedUpPerson {
    /// The person and the session.
    #[serde(flatten)]
    logged_in: wire::person::LoggedIn,
    /// Ten recovery codes, shown only once.
    #[serde(flatten)]
    codes: RecoveryCodes,
}

/// An added passkey.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedPasskey {
    /// The passkey.
    passkey: wire::person::Passkey,
}

crochet::error_list!(
    FinishRegistrationErrors: PossiblyPerson, Json<FinishRegistration>;
    SessionRequired, CeremonyInvalid, PasskeyRefused, PasskeyAlreadyRegistered, PasskeyLimit, PasskeysUnavailable
);

/// Finish signing up, or finish adding a passkey.
///
/// The first well-formed attempt uses up the ceremony, whether it succeeds or not. Signing up also logs in: the response sets the
/// session cookie. A person has at most 20 sessions. A 21st ends the oldest one. The recovery codes are shown only once.
#[utoipa::path(post, path = "/api/v1/auth/passkey/register/finish", operation_id = "finish_passkey_registration", tag = "People",
    request_body = FinishRegistration, security((), ("session" = [])),
    responses((status = 201, body = Registered, headers(("Set-Cookie" = String, description = "The session cookie, for a new person.")), description = "A new person's profile, session and recovery codes, or the added passkey."), FinishRegistrationErrors))]
pub(crate) async fn finish(
    State(state): State<crate::State>,
    caller: PossiblyPerson,
    Json(request): Json<FinishRegistration>,
) -> Result {
    let crate::State { app, party, .. } = &state;
    let now = app.clock.now();
    let response = NewCredential::read(request.credential)?;
    let name = request.name.map(|name| one_line("name", name)).transpose()?;
    let id = ceremony_id(&request.ceremony_id)?;
    let (ceremony, caller) = tokio::join!(app.store.take_ceremony(id), caller.person(&state));
    let ceremony = open(ceremony, now)?;
    match ceremony.purpose {
        CeremonyPurpose::SignUp { person, display_name } => {
            let credential = party.finish_registration(&response, &ceremony.state)?;
            gate::pass(app, Gate::Registrations, now).await.map_err(used_up)?;
            sign_up(app, profile(person, display_name, now), passkey(credential, name, 1, now), now).await
        }
        CeremonyPurpose::AddPasskey { person } => {
            let caller = caller?.ok_or(Code::SessionRequired)?;
            // Another person has logged in since the ceremony started.
            if caller.profile() != person {
                return Err(Code::CeremonyInvalid.into());
            }
            add(app, &caller, &response, || party.finish_registration(&response, &ceremony.state), name, now).await
        }
        CeremonyPurpose::LogIn | CeremonyPurpose::Reauthenticate { .. } => Err(Code::CeremonyInvalid.into()),
    }
}

async fn sign_up(app: &App, profile: Profile, passkey: Passkey, now: OffsetDateTime) -> Result {
    let codes = recovery_codes::generate();
    let passkeys = Passkeys {
        passkeys: vec![passkey],
        recovery_codes: codes.iter().map(RecoveryCode::sha256).collect(),
        version: 1,
        unknown: Unknown::default(),
    };
    let (token, session) = start_session(&profile, SignIn::Passkey, now);
    let signed_up = retry_on_conflict(|| async {
        app.store.sign_up(&profile, &passkeys, &session).await.map_err(|error| match error {
            SignUpError::PasskeyTaken => Code::PasskeyAlreadyRegistered.into(),
            SignUpError::Store(error) => AttemptError::Store(error),
        })
    });
    signed_up.await.map_err(|error| error.into_api_error(after_use))?;
    let reply = SignedUpPerson {
        logged_in: wire::person::LoggedIn::new(&profile, &session, codes.len()),
        codes: RecoveryCodes::of(&codes),
    };
    Ok(Reply::created(reply)?.header("set-cookie", &set_cookie(&token)))
}

/// Adds a passkey to the caller's present passkeys. `verify` runs once, after the cheaper checks.
async fn add(
    app: &App,
    caller: &Person,
    response: &NewCredential,
    verify: impl Fn() -> Result<VerifiedCredential>,
    name: Option<String>,
    now: OffsetDateTime,
) -> Result {
    let mut verified = None;
    let mut attempts = Attempts::default();
    loop {
        let known = app.store.passkeys(caller.profile()).await.map_err(after_use)?;
        let known = known.ok_or_else(|| ApiError::internal("a session's person has no passkeys").alarm())?;
        if known.of_credential(&response.credential_sha256()).is_some() && verified.is_none() {
            return Err(Code::PasskeyAlreadyRegistered.into());
        }
        if known.passkeys.len() >= MAX_PASSKEYS {
            return Err(Code::PasskeyLimit.into());
        }
        let passkey = match verified.take() {
            Some(passkey) => passkey,
            None => passkey(verify()?, name.clone(), known.passkeys.len() + 1, now),
        };
        match app.store.add_passkey(&caller.session, &known, &passkey).await {
            Ok(()) => return Reply::created(AddedPasskey { passkey: (&passkey).into() }),
            Err(AddPasskeyError::Taken) => return Err(Code::PasskeyAlreadyRegistered.into()),
            Err(AddPasskeyError::Store(StoreError::Conflict)) => verified = Some(passkey),
            Err(AddPasskeyError::Store(error)) => return Err(after_use(error)),
        }
        attempts.next_or(StoreError::Conflict).await.map_err(after_use)?;
    }
}

/// The profile of a new person.
fn profile(id: ProfileId, display_name: String, now: OffsetDateTime) -> Profile {
    Profile {
        id,
        account_type: AccountType::Human,
        display_name,
        description: None,
        role: Role::Both,
        score: STARTING_SCORE,
        wallets: Vec::new(),
        operator: None,
        listing_count: 0,
        claim_count: 0,
        standing: Standing::default(),
        suspended: None,
        summaries_stale: false,
        version: 1,
        created_ms: unix_ms(now),
        unknown: Unknown::default(),
    }
}

/// A new passkey. `number` names it if `name` is missing.
fn passkey(verified: VerifiedCredential, name: Option<String>, number: usize, now: OffsetDateTime) -> Passkey {
    Passkey {
        id: PasskeyId::generate(now),
        name: name.unwrap_or_else(|| format!("Passkey {number}")),
        credential_sha256: verified.credential_sha256,
        credential: verified.credential,
        created_ms: unix_ms(now),
        last_used_ms: None,
        unknown: Unknown::default(),
    }
}
