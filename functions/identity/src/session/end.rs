//! `DELETE /session`: log out from this session or from all of them.

use axum::extract::State;
use axum::http::HeaderMap;
use crochet::app::App;
use crochet::http::request::Query;
use crochet::http::session::{Person, clear_cookie, has_one_cookie};
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::retry::retry_on_conflict;
use crochet_domain::ids::ProfileId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::attempt::AttemptError;
use crate::caller::own_profile;

/// Which sessions to end.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogOut {
    /// `true` ends all of your sessions. `false` (default) ends only this one.
    #[param(value_type = Option<bool>)]
    everywhere: Option<String>,
}

/// The confirmation of a logout.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedOut {
    /// Always `true`.
    logged_out: bool,
}

crochet::error_list!(EndSessionErrors: Person, Query<LogOut>; CrossSiteRequest);

/// Log out. The response clears the session cookie.
///
/// If the session has ended already, this succeeds, unless you ask to end all sessions.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "end_session", tag = "People", security(("session" = [])), params(LogOut),
    responses((status = 200, body = LoggedOut, headers(("Set-Cookie" = String, description = "Clears the session cookie.")), description = "Logged out."), EndSessionErrors))]
pub(crate) async fn end(State(app): State<App>, person: Result<Person>, headers: HeaderMap, Query(query): Query<LogOut>) -> Result {
    let all = match query.everywhere.as_deref() {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => return Err(ApiError::field("everywhere", "must be true or false")),
    };
    match person {
        Ok(person) if all => everywhere(&app, person.profile()).await?,
        Ok(person) => here(&app, &person).await?,
        // The session has ended already, which is what was asked for.
        Err(error) if !all && error.code() == Code::SessionRequired && has_one_cookie(&headers) => {}
        Err(error) => return Err(error),
    }
    Ok(Reply::ok(LoggedOut { logged_out: true })?.header("set-cookie", &clear_cookie()))
}

/// Ends this session.
async fn here(app: &App, person: &Person) -> Result<()> {
    Ok(retry_on_conflict(|| app.store.close_session(&person.session)).await?)
}

/// Ends every session of the person, including one that is opened at the same time.
async fn everywhere(app: &App, person: ProfileId) -> Result<()> {
    let ended = retry_on_conflict(|| async {
        let profile = own_profile(app, person).await?;
        Ok::<_, AttemptError>(app.store.close_all_sessions(person, profile.version).await?)
    });
    Ok(ended.await?)
}
