//! The shapes of people's passkeys and sessions.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use super::profile::Profile;
use crochet_domain::ids::PasskeyId;
use crochet_domain::passkey;
use crochet_domain::recovery_code::RecoveryCode;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use crochet_domain::{profile, session};

/// A session, as its person sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Session {
    /// When the person logged in.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used, to within five minutes.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
    /// When it ends if it is not used again: 12 hours after the last use, 7 days after logging in at the latest.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Recovery codes that were not used yet.
    #[schema(maximum = 10)]
    pub recovery_codes_left: usize,
}

impl Session {
    /// A session of somebody who has so many recovery codes left.
    #[must_use]
    pub fn of(session: &session::Session, recovery_codes_left: usize) -> Self {
        Self {
            created_at: moment(session.created_ms),
            last_seen_at: moment(session.seen_ms),
            expires_at: moment(session.expires_ms()),
            recovery_codes_left,
        }
    }
}

/// A passkey, as its person sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Passkey {
    /// Its id here.
    #[schema(value_type = String, format = "uuid")]
    pub id: PasskeyId,
    /// What the person calls it.
    pub name: String,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When somebody last logged in with it.
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
    /// Who it is.
    pub profile: Profile,
    /// The session; its token is in the cookie alone.
    pub session: Session,
}

impl LoggedIn {
    /// A person with a session and so many recovery codes left.
    #[must_use]
    pub fn new(person: &profile::Profile, session: &session::Session, recovery_codes_left: usize) -> Self {
        Self { profile: Profile::of(person, None), session: Session::of(session, recovery_codes_left) }
    }
}

/// Recovery codes, shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each lets the person in once, when every passkey is lost.
    #[schema(min_items = 10, max_items = 10)]
    pub recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    /// These codes, to be shown once.
    #[must_use]
    pub fn of(codes: &[RecoveryCode]) -> Self {
        Self { recovery_codes: codes.iter().map(RecoveryCode::reveal).collect() }
    }
}

/// The codes do not print.
impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCodes(…)")
    }
}

fn moment(ms: i64) -> String {
    rfc3339(from_unix_ms(ms))
}
