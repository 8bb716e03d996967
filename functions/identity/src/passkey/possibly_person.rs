//! A caller who may or may not have a session.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::caller::Anonymous;
use crochet::http::limited::{AuthLimit, count_failed_auth};
use crochet::http::session::{Person, check_same_origin, has_cookie};
use crochet::http::{ApiError, Result};

use crate::State;

/// A caller with or without a session. Requests are counted by address, and refused if another site sent them.
pub(crate) struct PossiblyPerson(Parts);

crochet::error_list!(for PossiblyPerson: Anonymous<AuthLimit>; CrossSiteRequest);

impl FromRequestParts<State> for PossiblyPerson {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        check_same_origin(&parts.method, &parts.headers, &state.app.config)?;
        Anonymous::<AuthLimit>::from_request_parts(parts, state).await?;
        Ok(Self(parts.clone()))
    }
}

impl PossiblyPerson {
    /// The person whose session cookie was sent. `None` if no cookie was sent.
    pub(crate) async fn person(mut self, state: &State) -> Result<Option<Person>> {
        if !has_cookie(&self.0.headers) {
            return Ok(None);
        }
        Person::from_request_parts(&mut self.0, state).await.map(Some)
    }

    /// Counts a failed attempt against the caller's address, unless the server is at fault.
    pub(crate) async fn count_failure(&self, app: &App, error: ApiError) -> ApiError {
        if error.code().status().is_client_error() { count_failed_auth(app, &self.0, error).await } else { error }
    }
}
