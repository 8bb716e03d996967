//! Who calls: an extractor in the handler's signature, so that it cannot be forgotten.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::codes::Code;
use super::error::ApiError;
use super::limited::{LimitedCaller, RequestLimit, count_failed_auth, count_failed_key, count_request, ip_subject};
use super::limits;
use super::session::{self, Person};
use super::trace::{RequestTrace, source_ip};
use crate::app::App;
use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{ApiKey, KeyId, Scope};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Role;
use crochet_domain::timestamp::unix_ms;

/// An agent with a good API key.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Whose key it is.
    pub profile: ProfileId,
    /// What that profile does here.
    pub role: Role,
    /// The key.
    pub key: KeyId,
    /// What the key may do.
    pub scopes: Vec<Scope>,
    /// When the key ends (Unix milliseconds).
    pub expires_ms: Option<i64>,
}

impl Agent {
    /// The agent behind a stored key.
    #[must_use]
    pub fn of(key: ApiKeyRecord) -> Self {
        Self { profile: key.profile, role: key.role, key: key.id, scopes: key.scopes, expires_ms: key.expires_ms }
    }

    /// Fails for a key without this scope. Each stands for itself: a key with `write` alone cannot read.
    ///
    /// # Errors
    /// `INSUFFICIENT_SCOPE`.
    pub fn may(&self, scope: Scope) -> Result<(), ApiError> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(ApiError::new(Code::InsufficientScope)
                .message(format!("This API key does not have the scope {scope}, which this needs."))
                .detail("required_scope", scope.as_str()))
        }
    }

    /// Fails where the profile does not sell.
    ///
    /// # Errors
    /// `ROLE_REQUIRED`.
    pub fn sells(&self) -> Result<(), ApiError> {
        if self.role.sells() { Ok(()) } else { Err(ApiError::new(Code::RoleRequired).detail("required_role", "seller")) }
    }

    /// Fails where the profile does not buy.
    ///
    /// # Errors
    /// `ROLE_REQUIRED`.
    pub fn buys(&self) -> Result<(), ApiError> {
        if self.role.buys() { Ok(()) } else { Err(ApiError::new(Code::RoleRequired).detail("required_role", "buyer")) }
    }
}

/// The API key of a request, checked as far as that needs no look-up.
///
/// # Errors
/// `UNAUTHORIZED` where there is none, `INVALID_API_KEY` where it cannot be one.
pub fn presented_key(headers: &HeaderMap) -> Result<ApiKey, ApiError> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Code::Unauthorized)?;
    let text = value.to_str().map_err(|_| Code::Unauthorized)?;
    let (scheme, token) = text.trim().split_once(' ').ok_or(Code::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Code::Unauthorized.into());
    }
    ApiKey::parse(token.trim()).map_err(|_| Code::InvalidApiKey.into())
}

impl<S: Send + Sync> FromRequestParts<S> for Agent
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        let now = app.clock.now();
        let key = match presented_key(&parts.headers) {
            Ok(key) => key,
            Err(e) => return Err(count_failed_key(&app, parts, e).await),
        };
        // The request is counted while the key is read.
        let counter = key.counter_name();
        let (stored, status) = tokio::join!(app.store.api_key(key.id()), app.limiter.count(limits::PER_KEY, &counter, now));
        let Some(stored) = stored?.filter(|stored| stored.admits(&key, unix_ms(now))) else {
            return Err(count_failed_auth(&app, parts, Code::InvalidApiKey.into()).await);
        };
        app.store.note_key_use(&stored, unix_ms(now)).await;
        let agent = Self::of(stored);
        let trace = RequestTrace::of(parts);
        trace.caller(agent.profile);
        trace.limit(status?)?;
        Ok(agent)
    }
}

/// An agent with a good API key, or a person with a session.
#[derive(Debug, Clone)]
pub enum Caller {
    /// By an API key. A person's own key counts here, too: it may read.
    Key(Agent),
    /// By a session.
    Session(Person),
}

impl Caller {
    /// Whose profile it is.
    #[must_use]
    pub fn profile(&self) -> ProfileId {
        match self {
            Self::Key(agent) => agent.profile,
            Self::Session(person) => person.profile(),
        }
    }

    /// Fails for a key that may not do this. A session may do whatever its routes offer.
    ///
    /// # Errors
    /// `INSUFFICIENT_SCOPE`.
    pub fn may(&self, scope: Scope) -> Result<(), ApiError> {
        match self {
            Self::Key(agent) => agent.may(scope),
            Self::Session(_) => Ok(()),
        }
    }
}

impl LimitedCaller for Agent {
    fn profile(&self) -> ProfileId {
        self.profile
    }

    fn may_write(&self) -> Result<(), ApiError> {
        self.may(Scope::Write)
    }
}

impl LimitedCaller for Caller {
    fn profile(&self) -> ProfileId {
        self.profile()
    }

    fn may_write(&self) -> Result<(), ApiError> {
        self.may(Scope::Write)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    /// A key that is sent counts before a cookie: it was put there on purpose.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.headers.contains_key(header::AUTHORIZATION) || !session::has_cookie(&parts.headers) {
            Agent::from_request_parts(parts, state).await.map(Self::Key)
        } else {
            Person::from_request_parts(parts, state).await.map(Self::Session)
        }
    }
}

/// A caller without a key, counted per address. `LIMIT` names which limit.
#[derive(Debug, Clone, Copy)]
pub struct Anonymous<L>(pub IpAddr, PhantomData<L>);

impl<S: Send + Sync, L: RequestLimit + Send + Sync> FromRequestParts<S> for Anonymous<L>
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        let ip = source_ip(parts);
        count_request(&app, &RequestTrace::of(parts), L::LIMIT, &ip_subject(ip)).await?;
        Ok(Self(ip, PhantomData))
    }
}
