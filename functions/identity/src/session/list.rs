//! `GET /sessions`: the sessions of the person who is logged in.

use axum::extract::State;
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{Reply, Result};
use crochet::wire::person::SessionEntry;
use crochet_domain::session::Session;
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;
use utoipa::ToSchema;

/// A person's sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sessions {
    /// The open sessions, the one that was used last first.
    #[schema(max_items = 40)]
    sessions: Vec<SessionEntry>,
}

crochet::error_list!(ListSessionsErrors: Person;);

/// List your open sessions.
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "list_sessions", tag = "People", security(("session" = [])),
    responses((status = 200, body = Sessions, description = "The sessions."), ListSessionsErrors))]
pub(crate) async fn list(State(app): State<App>, person: Person) -> Result {
    let mut open = open_sessions(&app, &person).await?;
    open.sort_by_key(|session| std::cmp::Reverse((session.seen_ms, session.created_ms)));
    Reply::ok(Sessions { sessions: open.iter().map(|session| SessionEntry::of(session, &person.session)).collect() })
}

/// The person's sessions that have not expired.
pub(super) async fn open_sessions(app: &App, person: &Person) -> Result<Vec<Session>> {
    let mut sessions = app.store.sessions_of(person.profile()).await?;
    sessions.retain(|session| session.is_open(unix_ms(app.clock.now())));
    Ok(sessions)
}
