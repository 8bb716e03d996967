//! `GET /auth/passkey/credentials` and `DELETE …/{id}`: the passkeys of the person who is logged in.

use axum::extract::{Path, State};
use crochet::app::App;
use crochet::http::session::Person;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::store::StoreError;
use crochet::store::retry::Attempts;
use crochet::wire;
use crochet_domain::ids::{PasskeyId, ProfileId};
use crochet_domain::passkey::Passkeys;
use serde::Serialize;
use utoipa::ToSchema;

use crate::attempt::AttemptError;

/// A person's passkeys.
#[derive(Serialize, ToSchema)]
pub(crate) struct PasskeyList {
    /// The passkeys, oldest first; at most ten.
    #[schema(max_items = 10)]
    passkeys: Vec<wire::person::Passkey>,
}

crochet::error_list!(ListPasskeysErrors: Person;);

/// List your passkeys.
#[utoipa::path(get, path = "/api/v1/auth/passkey/credentials", operation_id = "list_passkeys", tag = "People", security(("session" = [])),
    responses((status = 200, body = PasskeyList, description = "The passkeys."), ListPasskeysErrors))]
pub(crate) async fn list(State(app): State<App>, person: Person) -> Result {
    let known = passkeys(&app, person.profile()).await?;
    Reply::ok(PasskeyList { passkeys: known.passkeys.iter().map(wire::person::Passkey::from).collect() })
}

/// The removed passkey.
#[derive(Serialize, ToSchema)]
pub(crate) struct PasskeyRemoved {
    /// The passkey that was removed.
    passkey: wire::person::Passkey,
}

crochet::error_list!(RemovePasskeyErrors: Person, Path<String>; CrossSiteRequest, ReauthenticationRequired, PasskeyNotFound, LastPasskey);

/// Remove a passkey. You cannot remove the last one. Sessions that it opened stay open: log out everywhere to end them.
#[utoipa::path(delete, path = "/api/v1/auth/passkey/credentials/{id}", operation_id = "remove_passkey", tag = "People",
    security(("session" = [])), params(("id" = String, Path, description = "The passkey's id.", format = "uuid")),
    responses((status = 200, body = PasskeyRemoved, description = "The removed passkey."), RemovePasskeyErrors))]
pub(crate) async fn remove(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result {
    person.may_change_ways_in(&app)?;
    let id: PasskeyId = id.parse().map_err(|_| Code::PasskeyNotFound)?;
    let mut removed = None;
    let mut attempts = Attempts::default();
    loop {
        let known = passkeys(&app, person.profile()).await?;
        let Some(passkey) = known.passkeys.iter().find(|passkey| passkey.id == id) else {
            // If an earlier attempt saw it, the reply to our own write was lost.
            let passkey = removed.ok_or(Code::PasskeyNotFound)?;
            return Reply::ok(PasskeyRemoved { passkey });
        };
        if known.passkeys.len() == 1 {
            return Err(Code::LastPasskey.into());
        }
        match app.store.remove_passkey(&person.session, &known, passkey).await {
            Ok(()) => return Reply::ok(PasskeyRemoved { passkey: passkey.into() }),
            Err(StoreError::Conflict) => removed = Some(passkey.into()),
            Err(error) => return Err(error.into()),
        }
        attempts.next_or(StoreError::Conflict).await?;
    }
}

/// The passkeys of a person who has a session.
pub(super) async fn passkeys(app: &App, person: ProfileId) -> std::result::Result<Passkeys, AttemptError> {
    let known = app.store.passkeys(person).await?;
    known.ok_or_else(|| ApiError::internal("a session's person has no passkeys").alarm().into())
}
