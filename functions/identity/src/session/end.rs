//! `DELETE /session`: log out, here or everywhere.

use axum::extract::State;
use axum::http::HeaderMap;
use crochet::app::App;
use crochet::http::request::Query;
use crochet::http::session::{Person, clear_cookie, has_one_cookie};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet_domain::ids::ProfileId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Other writers of one person are given way to this often: more often than they give way themselves.
const TRIES: usize = 16;

/// What is ended.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogOut {
    /// `true` ends every session of the person; `false` (default) this one.
    #[param(value_type = Option<bool>)]
    everywhere: Option<String>,
}

/// `data` of a log-out.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedOut {
    /// `true`.
    logged_out: bool,
}

crochet::error_list!(EndSessionErrors: Person, Query<LogOut>; CrossSiteRequest);

/// Log out. The cookie is taken back.
///
/// Whose session is over already is logged out: that is no error, unless the others are to be ended, too.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "end_session", tag = "People", security(("session" = [])), params(LogOut),
    responses((status = 200, body = LoggedOut, headers(("Set-Cookie" = String, description = "Takes the session's cookie back.")), description = "Logged out."), EndSessionErrors))]
pub(crate) async fn end(State(app): State<App>, person: Result<Person>, headers: HeaderMap, Query(query): Query<LogOut>) -> Result {
    let all = match query.everywhere.as_deref() {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => return Err(ApiError::field("everywhere", "must be true or false")),
    };
    match person {
        Ok(person) if all => everywhere(&app, person.profile()).await?,
        Ok(person) => here(&app, &person).await?,
        // The one session that the browser has is over, as it was to be.
        Err(error) if !all && error.code() == Code::SessionRequired && has_one_cookie(&headers) => {}
        Err(error) => return Err(error),
    }
    Ok(Reply::ok(LoggedOut { logged_out: true })?.header("set-cookie", &clear_cookie()))
}

/// Ends this session, and gives way to what is being written in its name.
async fn here(app: &App, person: &Person) -> Result<()> {
    for _ in 0..TRIES {
        match app.store.close_session(&person.session).await {
            Err(StoreError::Conflict) => {}
            done => return Ok(done?),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Ends every session that is open when the profile is read, and gives way to one that is being opened: it is ended, too.
async fn everywhere(app: &App, person: ProfileId) -> Result<()> {
    for _ in 0..TRIES {
        let profile = app.store.profile(person).await?;
        let profile = profile.ok_or_else(|| ApiError::internal("a session's person has no profile").alarm())?;
        match app.store.close_all_sessions(person, profile.version).await {
            Err(StoreError::Conflict) => {}
            done => return Ok(done?),
        }
    }
    Err(StoreError::Conflict.into())
}
