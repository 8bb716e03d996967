//! Starting a session and replying with its cookie.

use crochet::http::session::set_cookie;
use crochet::http::{Reply, Result};
use crochet::wire::person::LoggedIn;
use crochet_domain::profile::Profile;
use crochet_domain::session::{Session, SessionToken, SignIn};
use crochet_domain::timestamp::unix_ms;
use time::OffsetDateTime;

/// A new session of this person, and its token.
pub(super) fn start_session(person: &Profile, opened_with: SignIn, now: OffsetDateTime) -> (SessionToken, Session) {
    let token = SessionToken::generate();
    let session = Session::start(&token, person.id, opened_with, unix_ms(now));
    (token, session)
}

/// The reply to a login: the person and the session, with its cookie.
pub(super) fn logged_in(person: &Profile, session: &Session, token: &SessionToken, codes_left: usize) -> Result {
    Ok(Reply::ok(LoggedIn::new(person, session, codes_left))?.header("set-cookie", &set_cookie(token)))
}
