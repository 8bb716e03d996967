//! `POST /auth/passkey/register/start` and `…/finish`: a new person with a first passkey, or a further passkey.

use axum::extract::State;
use crochet::app::App;
use crochet::http::request::{Json, Text};
use crochet::http::session::{Person, set_cookie};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::passkey::Added;
use crochet::store::person::SignedUp;
use crochet::wire;
use crochet::wire::person::RecoveryCodes;
use crochet_domain::ids::{PasskeyId, ProfileId};
use crochet_domain::passkey::{CeremonyPurpose, MAX_PASSKEYS, Passkey, Passkeys};
use crochet_domain::profile::{AccountType, Profile, Role, STARTING_SCORE};
use crochet_domain::recovery_code::RecoveryCode;
use crochet_domain::timestamp::unix_ms;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::relying_party::{Made, NewCredential};
use super::{CeremonyBegun, TRIES, Visitor, after_use, begin, begin_session, ceremony_id, codes, open};

/// Who wants a passkey.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPasskey {
    /// The name that a new person's profile will show, in one line. Leave it out, with a session, for a further passkey.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 80)]
    display_name: Option<Text<1, 80>>,
}

crochet::error_list!(StartRegistrationErrors: Visitor, Json<NewPasskey>; SessionRequired, PasskeyLimit, PasskeysUnavailable);

/// Begin to sign up, or to add a passkey to those of the person who is logged in.
///
/// Give `public_key` to `PublicKeyCredential.parseCreationOptionsFromJSON` and the result to `navigator.credentials.create`.
#[utoipa::path(post, path = "/api/v1/auth/passkey/register/start", operation_id = "start_passkey_registration", tag = "People",
    request_body = NewPasskey, security((), ("session" = [])),
    responses((status = 200, body = CeremonyBegun, description = "The ceremony; it can be finished once, within five minutes."), StartRegistrationErrors))]
pub(crate) async fn start(State(state): State<crate::State>, visitor: Visitor, Json(request): Json<NewPasskey>) -> Result {
    let crate::State { app, party, .. } = &state;
    let now = app.clock.now();
    if let Some(name) = request.display_name {
        let display_name = one_line("display_name", name)?;
        let person = ProfileId::generate(now);
        let begun = party.begin_registration(person, &display_name, None)?;
        return begin(app, CeremonyPurpose::SignUp { person, display_name }, begun, now).await;
    }
    let missing = || ApiError::field("display_name", "is missing: a new person needs a name (a further passkey needs a session)");
    let person = visitor.person(&state).await?.ok_or_else(missing)?.profile();
    let known = app.store.profile_and_passkeys(person).await?;
    let (profile, passkeys) = known.ok_or_else(|| ApiError::internal("a session's person has no passkeys").alarm())?;
    if passkeys.passkeys.len() >= MAX_PASSKEYS {
        return Err(Code::PasskeyLimit.into());
    }
    let begun = party.begin_registration(person, &profile.display_name, Some(&passkeys))?;
    begin(app, CeremonyPurpose::AddPasskey { person }, begun, now).await
}

/// What the browser made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MadePasskey {
    /// Which ceremony this finishes.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    ceremony_id: String,
    /// What `toJSON()` of the `PublicKeyCredential` gave, unchanged.
    #[schema(value_type = Object)]
    credential: Value,
    /// What the person calls the passkey, in one line; "Passkey 1" and so on by default.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 80)]
    name: Option<Text<1, 80>>,
}

/// What a finished registration gives.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes two replies as one shape")]
pub(crate) enum Registered {
    /// A new person.
    SignedUp(SignedUpPerson),
    /// A further passkey.
    Added(AddedPasskey),
}

/// A new person, who is logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedUpPerson {
    /// Who it is, and the session.
    #[serde(flatten)]
    logged_in: wire::person::LoggedIn,
    /// Ten codes, shown once.
    #[serde(flatten)]
    codes: RecoveryCodes,
}

/// A further passkey.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedPasskey {
    /// The passkey.
    passkey: wire::person::Passkey,
}

crochet::error_list!(
    FinishRegistrationErrors: Visitor, Json<MadePasskey>;
    SessionRequired, CeremonyInvalid, PasskeyRefused, PasskeyAlreadyRegistered, PasskeyLimit, PasskeysUnavailable
);

/// Finish signing up, or adding a passkey.
///
/// The ceremony is used up by the first well-formed attempt, good or bad. Signing up logs in: the cookie of the session comes with
/// the answer. A person has at most 20 sessions: a 21st ends the oldest one. The recovery codes are shown this once.
#[utoipa::path(post, path = "/api/v1/auth/passkey/register/finish", operation_id = "finish_passkey_registration", tag = "People",
    request_body = MadePasskey, security((), ("session" = [])),
    responses((status = 201, body = Registered, headers(("Set-Cookie" = String, description = "The session's cookie, for a new person.")), description = "A new person's profile, session and recovery codes; or the further passkey."), FinishRegistrationErrors))]
pub(crate) async fn finish(State(state): State<crate::State>, visitor: Visitor, Json(request): Json<MadePasskey>) -> Result {
    let crate::State { app, party, .. } = &state;
    let now = app.clock.now();
    let answer = NewCredential::read(request.credential)?;
    let name = request.name.map(|name| one_line("name", name)).transpose()?;
    let id = ceremony_id(&request.ceremony_id)?;
    let (ceremony, visitor) = tokio::join!(app.store.take_ceremony(id), visitor.person(&state));
    let ceremony = open(ceremony, now)?;
    match ceremony.purpose {
        CeremonyPurpose::SignUp { person, display_name } => {
            let made = party.finish_registration(&answer, &ceremony.state)?;
            sign_up(app, profile(person, display_name, now), passkey(made, name, 1, now), now).await
        }
        CeremonyPurpose::AddPasskey { person } => {
            let caller = visitor?.ok_or(Code::SessionRequired)?;
            // Somebody else has logged in meanwhile.
            if caller.profile() != person {
                return Err(Code::CeremonyInvalid.into());
            }
            add(app, &caller, &answer, || party.finish_registration(&answer, &ceremony.state), name, now).await
        }
        CeremonyPurpose::LogIn => Err(Code::CeremonyInvalid.into()),
    }
}

async fn sign_up(app: &App, profile: Profile, passkey: Passkey, now: OffsetDateTime) -> Result {
    let codes = codes::fresh();
    let passkeys =
        Passkeys { passkeys: vec![passkey], recovery_codes: codes.iter().map(RecoveryCode::sha256).collect(), version: 1 };
    let (token, session) = begin_session(&profile, now);
    let mut outcome = Err(StoreError::Conflict);
    for _ in 0..TRIES {
        outcome = app.store.sign_up(&profile, &passkeys, &session).await;
        if !matches!(outcome, Err(StoreError::Conflict)) {
            break;
        }
    }
    match outcome.map_err(after_use)? {
        SignedUp::Done => {}
        SignedUp::PasskeyTaken => return Err(Code::PasskeyAlreadyRegistered.into()),
    }
    let reply = SignedUpPerson {
        logged_in: wire::person::LoggedIn::new(&profile, &session, codes.len()),
        codes: RecoveryCodes::of(&codes),
    };
    Ok(Reply::created(reply)?.header("set-cookie", &set_cookie(&token)))
}

/// Adds a passkey to those that the person has by now.
async fn add(
    app: &App,
    caller: &Person,
    answer: &NewCredential,
    check: impl Fn() -> Result<Made>,
    name: Option<String>,
    now: OffsetDateTime,
) -> Result {
    let mut made = None;
    for _ in 0..TRIES {
        let known = app.store.passkeys(caller.profile()).await.map_err(after_use)?;
        let known = known.ok_or_else(|| ApiError::internal("a session's person has no passkeys").alarm())?;
        if known.of_credential(&answer.credential_sha256()).is_some() && made.is_none() {
            return Err(Code::PasskeyAlreadyRegistered.into());
        }
        if known.passkeys.len() >= MAX_PASSKEYS {
            return Err(Code::PasskeyLimit.into());
        }
        if made.is_none() {
            made = Some(passkey(check()?, name.clone(), known.passkeys.len() + 1, now));
        }
        let Some(passkey) = &made else { break };
        match app.store.add_passkey(&caller.session, &known, passkey).await {
            Ok(Added::Done) => return Reply::created(AddedPasskey { passkey: passkey.into() }),
            Ok(Added::Taken) => return Err(Code::PasskeyAlreadyRegistered.into()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(after_use(error)),
        }
    }
    Err(after_use(StoreError::Conflict))
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
        listings_behind: false,
        version: 1,
        created_ms: unix_ms(now),
    }
}

fn passkey(made: Made, name: Option<String>, number: usize, now: OffsetDateTime) -> Passkey {
    Passkey {
        id: PasskeyId::generate(now),
        name: name.unwrap_or_else(|| format!("Passkey {number}")),
        credential_sha256: made.credential_sha256,
        credential: made.credential,
        created_ms: unix_ms(now),
        last_used_ms: None,
    }
}

fn one_line<const MIN: usize, const MAX: usize>(field: &str, text: Text<MIN, MAX>) -> Result<String> {
    if text.0.chars().any(char::is_control) { Err(ApiError::field(field, "must be one line")) } else { Ok(text.0) }
}
