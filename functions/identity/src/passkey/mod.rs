//! How people sign up, log in and get back in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::{AuthLimit, count_failed_auth};
use crochet::http::session::{Person, check_same_origin, has_cookie, set_cookie};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::wire::person::LoggedIn;
use crochet_domain::passkey::{CEREMONY_MS, Ceremony, CeremonyPurpose};
use crochet_domain::profile::Profile;
use crochet_domain::session::{Session, SessionToken};
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

pub(crate) mod codes;
pub(crate) mod credentials;
pub(crate) mod login;
pub(crate) mod recover;
pub(crate) mod register;
pub(crate) mod relying_party;

use relying_party::Begun;

/// Other writers of one person are given way to this often: what was presented is used up already.
const TRIES: usize = 8;

/// Somebody at the door, with a session or without: counted by address, and refused where another site sends them.
pub(crate) struct Visitor(Parts);

crochet::error_list!(for Visitor: Anonymous<AuthLimit>; CrossSiteRequest);

impl FromRequestParts<crate::State> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &crate::State) -> Result<Self> {
        check_same_origin(&parts.method, &parts.headers, &state.app.config)?;
        Anonymous::<AuthLimit>::from_request_parts(parts, state).await?;
        Ok(Self(parts.clone()))
    }
}

impl Visitor {
    /// The person whose session's cookie came along; none where none came.
    pub(crate) async fn person(mut self, state: &crate::State) -> Result<Option<Person>> {
        if !has_cookie(&self.0.headers) {
            return Ok(None);
        }
        Person::from_request_parts(&mut self.0, state).await.map(Some)
    }

    /// Counts a failure against the address it came from. One of ours is nobody's failure.
    pub(crate) async fn failed(&self, app: &App, error: ApiError) -> ApiError {
        if error.code().status().is_client_error() { count_failed_auth(app, &self.0, error).await } else { error }
    }
}

/// A ceremony that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CeremonyBegun {
    /// Names the ceremony where it is finished, once.
    ceremony_id: String,
    /// The options of WebAuthn as JSON: for `PublicKeyCredential.parseCreationOptionsFromJSON` (register) or
    /// `parseRequestOptionsFromJSON` (login).
    #[schema(value_type = Object)]
    public_key: Value,
    /// For how many seconds it can be finished.
    expires_in: i64,
}

/// Keeps a ceremony and tells the browser what to do.
async fn begin(app: &App, purpose: CeremonyPurpose, begun: Begun, now: OffsetDateTime) -> Result {
    let ceremony = Ceremony::begin(purpose, begun.state, unix_ms(now));
    app.store.save_ceremony(&ceremony).await?;
    Reply::ok(CeremonyBegun { ceremony_id: ceremony.id, public_key: begun.public_key, expires_in: CEREMONY_MS / 1_000 })
}

/// The id of a ceremony, as a request names it.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
fn ceremony_id(text: &str) -> Result<&str> {
    let problem = "must be the 32 lower-case hex digits that the start route gave";
    if Ceremony::is_id(text) { Ok(text) } else { Err(ApiError::field("ceremony_id", problem)) }
}

/// A ceremony that was taken, if it still counts.
///
/// # Errors
/// `CEREMONY_INVALID`.
fn open(ceremony: std::result::Result<Option<Ceremony>, StoreError>, now: OffsetDateTime) -> Result<Ceremony> {
    let ceremony = ceremony.map_err(after_use)?.filter(|ceremony| ceremony.is_open(unix_ms(now)));
    ceremony.ok_or_else(|| Code::CeremonyInvalid.into())
}

/// The error for a store that failed when the ceremony was, or may have been, used up: the same request would not do again.
/// A session that is over has its own way out.
fn after_use(error: StoreError) -> ApiError {
    if matches!(error, StoreError::SessionOver) {
        return error.into();
    }
    let recovery = Code::CeremonyInvalid.recovery();
    ApiError::from(error)
        .recovery("next_action", recovery.next_action)
        .recovery("summary", recovery.summary)
        .recovery("preserve", json!(recovery.preserve))
        .recovery("discard", json!(recovery.discard))
}

/// A session that begins now, and the token that opens it.
fn begin_session(person: &Profile, now: OffsetDateTime) -> (SessionToken, Session) {
    let token = SessionToken::generate();
    let session = Session::begin(&token, person.id, unix_ms(now));
    (token, session)
}

/// Tells a person who they are, with the cookie of the session that was opened.
fn welcome(person: &Profile, session: &Session, token: &SessionToken, codes_left: usize) -> Result {
    Ok(Reply::ok(LoggedIn::new(person, session, codes_left))?.header("set-cookie", &set_cookie(token)))
}
