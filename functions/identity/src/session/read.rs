//! `GET /session`: the person who is logged in.

use axum::extract::State;
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{ApiError, Reply, Result};
use crochet::wire::person::LoggedIn;

crochet::error_list!(GetSessionErrors: Person;);

/// Get the person who is logged in.
///
/// With the expiry of the session, and the number of unused recovery codes.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "get_session", tag = "People", security(("session" = [])),
    responses((status = 200, body = LoggedIn, description = "The person and the session."), GetSessionErrors))]
pub(crate) async fn read(State(app): State<App>, person: Person) -> Result {
    let known = app.store.profile_and_passkeys(person.profile()).await?;
    let (profile, passkeys) = known.ok_or_else(|| ApiError::internal("a session's person has no profile").alarm())?;
    Reply::ok(LoggedIn::new(&profile, &person.session, passkeys.recovery_codes.len()))
}
