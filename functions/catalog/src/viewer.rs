//! Who looks: anyone, or an agent with a key.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::Result;
use crochet::http::caller::{Agent, Anonymous};
use crochet::http::limited::ReadLimit;

/// A caller of a public route, not looked at yet: that is done while the answer is read, not before it.
pub(crate) struct Viewer {
    app: App,
    parts: Parts,
}

impl Viewer {
    /// Finds out who looks. A key that is sent must be good: an agent that mistypes it should learn so.
    ///
    /// # Errors
    /// As a wrong key's, or `RATE_LIMITED`.
    pub(crate) async fn identify(mut self) -> Result<Option<Agent>> {
        if self.parts.headers.contains_key(header::AUTHORIZATION) {
            return Agent::from_request_parts(&mut self.parts, &self.app).await.map(Some);
        }
        Anonymous::<ReadLimit>::from_request_parts(&mut self.parts, &self.app).await.map(|_| None)
    }

    /// Finds out who looks while `load` reads what is looked at. Who may not look learns nothing of what was read.
    ///
    /// # Errors
    /// As [`Viewer::identify`], then as `load`'s own.
    pub(crate) async fn while_loading<T>(self, load: impl Future<Output = Result<T>>) -> Result<(Option<Agent>, T)> {
        let (agent, loaded) = tokio::join!(self.identify(), load);
        Ok((agent?, loaded?))
    }
}

crochet::error_list!(for Viewer: Agent, Anonymous<ReadLimit>;);

impl<S: Send + Sync> FromRequestParts<S> for Viewer
where
    App: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Self::Rejection> {
        Ok(Self { app: App::from_ref(state), parts: parts.clone() })
    }
}
