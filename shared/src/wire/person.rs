//! People's passkeys and sessions in replies.

use serde::Serialize;
use utoipa::ToSchema;

use super::profile::Profile;
use crochet_domain::ids::PasskeyId;
use crochet_domain::passkey;
use crochet_domain::recovery_code::RecoveryCode;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use crochet_domain::{profile, session};

/// A person's session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Session {
    /// When the person logged in.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the session was last used, to within five minutes.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
    /// When the session expires if it is not used again: 12 hours after its last use, and at most 7 days after the login.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// When the person last proved in this session who they are. What adds or ends a way in needs this to be at most five minutes
    /// ago.
    #[schema(format = DateTime)]
    pub authenticated_at: String,
    /// The number of unused recovery codes.
    #[schema(maximum = 10)]
    pub recovery_codes_left: usize,
}

impl Session {
    /// A session and the number of unused recovery codes.
    #[must_use]
    pub fn of(session: &session::Session, recovery_codes_left: usize) -> Self {
        Self {
            created_at: moment(session.created_ms),
            last_seen_at: moment(session.seen_ms),
            expires_at: moment(session.expires_ms()),
            authenticated_at: moment(session.authenticated_ms),
            recovery_codes_left,
        }
    }
}

/// A session in the list of a person's sessions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionEntry {
    /// The session's id. It is no secret: nobody can log in with it.
    #[schema(pattern = "^ses_[0-9a-f]{20}$")]
    pub id: String,
    /// Whether it is the session of this request.
    pub current: bool,
    /// How the person logged in.
    #[schema(value_type = super::schema::SignIn)]
    pub opened_with: &'static str,
    /// When the person logged in.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the session was last used, to within five minutes.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
    /// When the session expires if it is not used again.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

impl SessionEntry {
    /// A session, as seen from the session `current`.
    #[must_use]
    pub fn of(session: &session::Session, current: &session::Session) -> Self {
        Self {
            id: session.id(),
            current: session.token_sha256 == current.token_sha256,
            opened_with: session.opened_with.as_str(),
            created_at: moment(session.created_ms),
            last_seen_at: moment(session.seen_ms),
            expires_at: moment(session.expires_ms()),
        }
    }
}

/// A person's passkey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Passkey {
    /// The passkey's id.
    #[schema(value_type = String, format = "uuid")]
    pub id: PasskeyId,
    /// The name that the person gave it.
    pub name: String,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used to log in.
    #[schema(required, format = DateTime)]
    pub last_used_at: Option<String>,
}

impl From<&passkey::Passkey> for Passkey {
    fn from(passkey: &passkey::Passkey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name.clone(),
            created_at: moment(passkey.created_ms),
            last_used_at: passkey.last_used_ms.map(moment),
        }
    }
}

/// A person who is logged in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoggedIn {
    /// The person's profile.
    pub profile: Profile,
    /// The session. Its token is only in the cookie.
    pub session: Session,
}

impl LoggedIn {
    /// A person with a session and the number of unused recovery codes.
    #[must_use]
    pub fn new(person: &profile::Profile, session: &session::Session, recovery_codes_left: usize) -> Self {
        Self { profile: Profile::of(person, None), session: Session::of(session, recovery_codes_left) }
    }
}

/// Recovery codes, shown only once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each code works once, to log in without a passkey.
    #[schema(min_items = 10, max_items = 10)]
    pub recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    /// The reply that issues these codes.
    #[must_use]
    pub fn of(codes: &[RecoveryCode]) -> Self {
        Self { recovery_codes: codes.iter().map(RecoveryCode::reveal).collect() }
    }
}

fn moment(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}
