//! Callers, as extractors: a handler's signature says who may call it.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::codes::Code;
use super::error::ApiError;
use super::limited::{LimitedCaller, RequestLimit, count_failed_auth, count_failed_key, count_request, ip_subject};
use super::session::{self, Person};
use super::trace::{RequestTrace, source_ip};
use crate::app::App;
use crate::limits;
use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{API_KEY_PREFIX, ApiKey, KeyId, Scope};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Role;
use crochet_domain::suspension::SuspendedReason;
use crochet_domain::timestamp::unix_ms;

/// Headers in which some clients send a key.
const OTHER_KEY_HEADERS: [&str; 6] = ["x-api-key", "api-key", "apikey", "x-auth-token", "x-crochet-api-key", "x-authorization"];

/// An agent with a valid API key.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The profile that the key belongs to.
    pub profile: ProfileId,
    /// The role of that profile.
    pub role: Role,
    /// Why the operator has suspended that profile.
    pub suspended: Option<SuspendedReason>,
    /// The key.
    pub key: KeyId,
    /// The scopes of the key.
    pub scopes: Vec<Scope>,
    /// When the key expires (Unix milliseconds).
    pub expires_ms: Option<i64>,
}

impl Agent {
    /// The agent behind a stored key.
    #[must_use]
    pub fn of(key: ApiKeyRecord) -> Self {
        let ApiKeyRecord { id: key, profile, role, suspended, scopes, expires_ms, .. } = key;
        Self { profile, role, suspended, key, scopes, expires_ms }
    }

    /// Fails for a key without this scope. A key with `write` alone cannot read.
    ///
    /// # Errors
    /// `INSUFFICIENT_SCOPE`.
    pub fn may(&self, scope: Scope) -> Result<(), ApiError> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(ApiError::new(Code::InsufficientScope)
                .message(format!("This API key lacks the scope {scope}, which this request needs; use one that has it."))
                .detail("required_scope", scope.as_str()))
        }
    }

    /// Fails if the profile does not sell.
    ///
    /// # Errors
    /// `ROLE_REQUIRED`.
    pub fn sells(&self) -> Result<(), ApiError> {
        if self.role.sells() { Ok(()) } else { Err(ApiError::new(Code::RoleRequired).detail("required_role", "seller")) }
    }

    /// Fails if the profile does not buy.
    ///
    /// # Errors
    /// `ROLE_REQUIRED`.
    pub fn buys(&self) -> Result<(), ApiError> {
        if self.role.buys() { Ok(()) } else { Err(ApiError::new(Code::RoleRequired).detail("required_role", "buyer")) }
    }
}

/// The API key in the `Authorization` header, not looked up yet.
///
/// # Errors
/// `UNAUTHORIZED` without a key, `INVALID_API_KEY` for a malformed one.
pub fn presented_key(headers: &HeaderMap) -> Result<ApiKey, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Err(without_key(headers)) };
    let text = value.to_str().map_err(|_| Code::Unauthorized)?.trim();
    let (scheme, token) = text.split_once(' ').unwrap_or(("", text));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(match token.starts_with(API_KEY_PREFIX) || scheme.is_empty() {
            true => ApiError::new(Code::Unauthorized)
                .message("Write `Bearer` and a space before the key: Authorization: Bearer am_k_….")
                .recovery("summary", "Send the same key again, with `Bearer` and a space before it, in the header Authorization."),
            false => ApiError::new(Code::Unauthorized).message("Use the scheme Bearer: Authorization: Bearer am_k_…."),
        });
    }
    ApiKey::parse(token.trim()).map_err(|_| Code::InvalidApiKey.into())
}

/// The error for a request without `Authorization`. Some clients put the key into another header.
fn without_key(headers: &HeaderMap) -> ApiError {
    match OTHER_KEY_HEADERS.iter().find(|name| headers.contains_key(**name)) {
        Some(name) => ApiError::new(Code::Unauthorized)
            .message(format!("The key belongs into the header Authorization: Bearer am_k_…, not into `{name}`."))
            .detail("header", *name)
            .detail("did_you_mean", "Authorization")
            .recovery(
                "summary",
                format!("Send the value of `{name}` in the header Authorization, with `Bearer` and a space before it."),
            ),
        None => Code::Unauthorized.into(),
    }
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
        app.store.record_key_use(&stored, unix_ms(now)).await;
        let agent = Self::of(stored);
        let trace = RequestTrace::of(parts);
        trace.caller(agent.profile);
        trace.limit(status?)?;
        Ok(agent)
    }
}

/// An agent with a valid API key, or a person with a session.
#[derive(Debug, Clone)]
pub enum Caller {
    /// With an API key. A person's own key, which may only read, is one too.
    Key(Agent),
    /// With a session.
    Session(Person),
}

impl Caller {
    /// The profile of the caller.
    #[must_use]
    pub fn profile(&self) -> ProfileId {
        match self {
            Self::Key(agent) => agent.profile,
            Self::Session(person) => person.profile(),
        }
    }

    /// Fails for a key without this scope. A session has no scopes: it may use every route that accepts one.
    ///
    /// # Errors
    /// `INSUFFICIENT_SCOPE`.
    pub fn may(&self, scope: Scope) -> Result<(), ApiError> {
        match self {
            Self::Key(agent) => agent.may(scope),
            Self::Session(_) => Ok(()),
        }
    }

    /// Fails for a person who last proved over five minutes ago who they are. A key proves it with every request.
    ///
    /// # Errors
    /// `REAUTHENTICATION_REQUIRED`.
    pub fn may_change_ways_in(&self, app: &App) -> Result<(), ApiError> {
        match self {
            Self::Key(_) => Ok(()),
            Self::Session(person) => person.may_change_ways_in(app),
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

    /// An API key takes precedence over a cookie, which browsers send by themselves.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.headers.contains_key(header::AUTHORIZATION) || !session::has_cookie(&parts.headers) {
            Agent::from_request_parts(parts, state).await.map(Self::Key)
        } else {
            Person::from_request_parts(parts, state).await.map(Self::Session)
        }
    }
}

/// A caller without a key, counted per address against `L`.
#[derive(Debug, Clone, Copy)]
pub struct Anonymous<L>(pub IpAddr, PhantomData<L>);

impl<S: Send + Sync, L: RequestLimit + Send + Sync> FromRequestParts<S> for Anonymous<L>
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        let ip = source_ip(parts, &app.config.edge);
        count_request(&app, &RequestTrace::of(parts), L::LIMIT, &ip_subject(ip)).await?;
        Ok(Self(ip, PhantomData))
    }
}
