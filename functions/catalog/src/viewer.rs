//! Who looks: anyone, or an agent with a key.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::ApiError;
use crochet::http::caller::{Agent, Anyone, Reading};

/// A caller of a public route. A key that is sent must be good: an agent that mistypes it should learn so.
#[derive(Debug)]
pub(crate) struct Viewer(pub(crate) Option<Agent>);

impl<S: Send + Sync> FromRequestParts<S> for Viewer
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Agent::from_request_parts(parts, state).await.map(|agent| Self(Some(agent)));
        }
        Anyone::<Reading>::from_request_parts(parts, state).await.map(|_| Self(None))
    }
}
