//! Who calls: an extractor in the handler's signature, so that it cannot be forgotten.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use super::codes::Code;
use super::error::ApiError;
use super::limits::{self, Limit, LimitStatus};
use super::session::{self, Person};
use crate::app::App;
use crate::store::api_key::ApiKeyRecord;
use crochet_domain::api_key::{ApiKey, KeyId, Scope};
use crochet_domain::ids::ProfileId;
use crochet_domain::profile::Role;
use crochet_domain::timestamp::unix_ms;

/// The address a request came from. Never taken from a header that a client can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceIp(pub IpAddr);

/// What is learnt of a request on its way, for the log line and the limit fields of its answer.
#[derive(Debug, Clone, Default)]
pub struct RequestTrace(Arc<Mutex<TraceNotes>>);

#[derive(Debug, Clone, Default)]
struct TraceNotes {
    profile: Option<ProfileId>,
    standing: Option<LimitStatus>,
}

impl RequestTrace {
    /// Notes who calls.
    pub fn caller(&self, profile: ProfileId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).profile = Some(profile);
    }

    /// Notes where the caller stands within its limit.
    pub fn standing(&self, standing: LimitStatus) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).standing = Some(standing);
    }

    pub(super) fn notes(&self) -> (Option<ProfileId>, Option<LimitStatus>) {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (notes.profile, notes.standing)
    }
}

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
        // The counter is moved while the key is read, not after it.
        let counter = key.counter_name();
        let (stored, standing) = tokio::join!(app.store.api_key(key.id()), app.limiter.count(limits::PER_KEY, &counter, now));
        let Some(stored) = stored?.filter(|stored| stored.admits(&key, unix_ms(now))) else {
            return Err(count_failed_auth(&app, parts, Code::InvalidApiKey.into()).await);
        };
        app.store.note_key_use(&stored, unix_ms(now)).await;
        let agent = Self::of(stored);
        let trace = trace(parts);
        trace.caller(agent.profile);
        let standing = standing?;
        trace.standing(standing);
        standing.check(Code::RateLimited)?;
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

/// Counts a failed authentication against the address it came from; past the limit the answer is 429.
pub async fn count_failed_auth(app: &App, parts: &Parts, error: ApiError) -> ApiError {
    let now = app.clock.now();
    match app.limiter.count(limits::FAILED_AUTH_PER_IP, &counted_as(source_ip(parts)), now).await {
        Ok(standing) => standing.check(Code::RateLimited).err().unwrap_or(error),
        Err(_) => error,
    }
}

/// As [`count_failed_auth`], for what [`presented_key`] said. Who sends no key has not failed, and is not counted.
pub async fn count_failed_key(app: &App, parts: &Parts, error: ApiError) -> ApiError {
    if parts.headers.contains_key(header::AUTHORIZATION) { count_failed_auth(&app, parts, error).await } else { error }
}

/// A caller without a key, counted per address. `LIMIT` names which limit.
#[derive(Debug, Clone, Copy)]
pub struct Anonymous<L>(pub IpAddr, std::marker::PhantomData<L>);

/// Which limit callers without a key are counted against.
pub trait IpLimit {
    /// The limit.
    const LIMIT: Limit;
}

/// Public reads.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit;
/// Challenges, registration, recovery.
#[derive(Debug, Clone, Copy)]
pub struct AuthLimit;

impl IpLimit for ReadLimit {
    const LIMIT: Limit = limits::READS_PER_IP;
}

impl IpLimit for AuthLimit {
    const LIMIT: Limit = limits::AUTH_PER_IP;
}

impl<S: Send + Sync, L: IpLimit + Send + Sync> FromRequestParts<S> for Anonymous<L>
where
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        let ip = source_ip(parts);
        let standing = app.limiter.count(L::LIMIT, &counted_as(ip), app.clock.now()).await?;
        trace(parts).standing(standing);
        standing.check(Code::RateLimited)?;
        Ok(Self(ip, std::marker::PhantomData))
    }
}

/// What an address is called where it is counted: whoever has an IPv6 address has a whole /64 of them.
fn counted_as(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The request's trail; a fresh one where no layer has laid it.
#[must_use]
pub fn trace(parts: &Parts) -> RequestTrace {
    parts.extensions.get::<RequestTrace>().cloned().unwrap_or_default()
}

/// The address the request came from: API Gateway's own statement, or the socket's.
#[must_use]
pub fn source_ip(parts: &Parts) -> IpAddr {
    let stated = match parts.extensions.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
        _ => None,
    };
    stated.or_else(|| parts.extensions.get::<SourceIp>().map(|ip| ip.0)).unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
}
