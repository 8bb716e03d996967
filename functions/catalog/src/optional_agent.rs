//! The caller of a public route, who may or may not send an API key.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::Result;
use crochet::http::caller::{Agent, Anonymous};
use crochet::http::limited::ReadLimit;

/// A caller who may send an API key. Extracting it checks nothing yet, so that the check can run beside the read of the data.
pub(crate) struct OptionalAgent {
    app: App,
    parts: Parts,
}

impl OptionalAgent {
    /// Authenticates the caller and counts the request. A key that is sent must be valid, so that a caller who mistypes it notices.
    ///
    /// # Errors
    /// `INVALID_API_KEY`, `UNAUTHORIZED` or `RATE_LIMITED`.
    pub(crate) async fn identify(mut self) -> Result<Option<Agent>> {
        if self.parts.headers.contains_key(header::AUTHORIZATION) {
            return Agent::from_request_parts(&mut self.parts, &self.app).await.map(Some);
        }
        Anonymous::<ReadLimit>::from_request_parts(&mut self.parts, &self.app).await.map(|_| None)
    }

    /// Authenticates the caller while `load` runs. If the caller is refused, what was loaded is dropped.
    ///
    /// # Errors
    /// Those of [`OptionalAgent::identify`], then those of `load`.
    pub(crate) async fn identify_while<T>(self, load: impl Future<Output = Result<T>>) -> Result<(Option<Agent>, T)> {
        let (agent, loaded) = tokio::join!(self.identify(), load);
        Ok((agent?, loaded?))
    }
}

crochet::error_list!(for OptionalAgent: Agent, Anonymous<ReadLimit>;);

impl<S: Send + Sync> FromRequestParts<S> for OptionalAgent
where
    App: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Self::Rejection> {
        Ok(Self { app: App::from_ref(state), parts: parts.clone() })
    }
}
