//! Who is about to change a profile: counted, because each change moves the profile's version.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use crochet::app::App;
use crochet::http::caller::{Caller, trace};
use crochet::http::{ApiError, Code, limits};
use crochet_domain::api_key::Scope;

/// Somebody with a session or a key that may write, counted against [`limits::PROFILE_WRITES`] of its own profile.
#[derive(Debug, Clone)]
pub(crate) struct Writer(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Writer
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.may(Scope::Write)?;
        let app = App::from_ref(state);
        let standing = app.limiter.count(limits::PROFILE_WRITES, &caller.profile().to_string(), app.clock.now()).await?;
        trace(parts).standing(standing);
        standing.check(Code::RateLimited)?;
        Ok(Self(caller))
    }
}
