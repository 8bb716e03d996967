//! `DELETE /session`: log out from this session or from all of them. `DELETE /sessions/{id}`: end one of them.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use crochet::app::App;
use crochet::http::request::Query;
use crochet::http::session::{Person, clear_cookie, has_one_cookie};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::retry::retry_on_conflict;
use crochet::wire::person::SessionEntry;
use crochet_domain::ids::ProfileId;
use crochet_domain::session::Session;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::attempt::AttemptError;
use crate::caller::own_profile;
use crate::session::list::open_sessions;

/// Which sessions to end.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogOut {
    /// `true` ends all of your sessions. `false` (default) ends only this one.
    #[param(value_type = Option<bool>)]
    everywhere: Option<String>,
    /// With `everywhere`, `true` also ends all of your API keys: sessions made them.
    #[param(value_type = Option<bool>)]
    keys: Option<String>,
}

/// The confirmation of a logout.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedOut {
    /// Always `true`.
    logged_out: bool,
}

crochet::error_list!(EndSessionErrors: Person, Query<LogOut>; CrossSiteRequest, ReauthenticationRequired);

/// Log out. The response clears the session cookie.
///
/// If the session has ended already, this succeeds, unless you ask to end all sessions.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "end_session", tag = "People", security(("session" = [])), params(LogOut),
    responses((status = 200, body = LoggedOut, headers(("Set-Cookie" = String, description = "Clears the session cookie.")), description = "Logged out."), EndSessionErrors))]
pub(crate) async fn end(State(app): State<App>, person: Result<Person>, headers: HeaderMap, Query(query): Query<LogOut>) -> Result {
    let all = is_true("everywhere", query.everywhere.as_deref())?;
    let keys = is_true("keys", query.keys.as_deref())?;
    if keys && !all {
        return Err(ApiError::unexpected("keys", "unless everywhere is true"));
    }
    match person {
        Ok(person) if keys => everywhere_with_keys(&app, &person).await?,
        Ok(person) if all => everywhere(&app, person.profile()).await?,
        Ok(person) => here(&app, &person).await?,
        // The session has ended already, which is what was asked for.
        Err(error) if !all && error.code() == Code::SessionRequired && has_one_cookie(&headers) => {}
        Err(error) => return Err(error),
    }
    Ok(Reply::ok(LoggedOut { logged_out: true })?.header("set-cookie", &clear_cookie()))
}

fn is_true(field: &str, text: Option<&str>) -> Result<bool> {
    match text {
        Some("true") => Ok(true),
        None | Some("false") => Ok(false),
        Some(_) => Err(ApiError::field(field, "must be true or false")),
    }
}

/// Ends this session.
async fn here(app: &App, person: &Person) -> Result<()> {
    close(app, &person.session).await
}

async fn close(app: &App, session: &Session) -> Result<()> {
    Ok(retry_on_conflict(|| app.store.close_session(session)).await?)
}

/// Ends every session of the person, including one that is opened at the same time.
async fn everywhere(app: &App, person: ProfileId) -> Result<()> {
    let ended = retry_on_conflict(|| async {
        let profile = own_profile(app, person).await?;
        Ok::<_, AttemptError>(app.store.close_all_sessions(person, profile.version).await?)
    });
    Ok(ended.await?)
}

/// Ends every session and every API key of the person. The keys go first, so that a request that failed midway can be sent again;
/// then those that another session made in the meantime.
async fn everywhere_with_keys(app: &App, person: &Person) -> Result<()> {
    person.may_change_ways_in(app)?;
    app.store.revoke_all_keys(person.profile()).await?;
    everywhere(app, person.profile()).await?;
    app.store.revoke_all_keys(person.profile()).await?;
    Ok(())
}

/// The session that ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionEnded {
    /// The session that ended.
    session: SessionEntry,
}

crochet::error_list!(EndOneSessionErrors: Person, Path<String>; CrossSiteRequest, SessionNotFound);

/// End one of your sessions.
///
/// If it is the session of this request, the response clears the session cookie.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", operation_id = "end_one_session", tag = "People", security(("session" = [])),
    params(("id" = String, Path, description = "The session's id.", pattern = "^ses_[0-9a-f]{20}$")),
    responses((status = 200, body = SessionEnded, headers(("Set-Cookie" = String, description = "Clears the session cookie, if this session has ended.")), description = "The session that ended."), EndOneSessionErrors))]
pub(crate) async fn end_one(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result {
    let session = open_sessions(&app, &person).await?.into_iter().find(|session| session.id() == id);
    let session = session.ok_or(Code::SessionNotFound)?;
    close(&app, &session).await?;
    let ended = SessionEntry::of(&session, &person.session);
    let is_own = ended.current;
    let reply = Reply::ok(SessionEnded { session: ended })?;
    Ok(if is_own { reply.header("set-cookie", &clear_cookie()) } else { reply })
}
