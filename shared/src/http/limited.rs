//! Requests counted against a limit: one mechanism counts, records the status for the `RateLimit` fields, and checks.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use crochet_domain::ids::ProfileId;

use super::codes::Code;
use super::error::ApiError;
use super::trace::{RequestTrace, source_ip};
use crate::app::App;
use crate::limits::{self, Limit};

/// Counts a request of `subject` against `limit`.
///
/// # Errors
/// `RATE_LIMITED`, or those of the store.
pub async fn count_request(app: &App, trace: &RequestTrace, limit: Limit, subject: &str) -> Result<(), ApiError> {
    trace.limit(app.limiter.count(limit, subject, app.clock.now()).await?)
}

/// A limit as a type, so that an extractor can name it.
pub trait RequestLimit {
    /// The limit.
    const LIMIT: Limit;
}

macro_rules! request_limits {
    ($($(#[$doc:meta])* $name:ident = $limit:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub enum $name {}

            impl RequestLimit for $name {
                const LIMIT: Limit = $limit;
            }
        )*
    };
}

request_limits! {
    /// Public reads, per address.
    ReadLimit = limits::READS_PER_IP;
    /// Challenges, registration and recovery, per address.
    AuthLimit = limits::AUTH_PER_IP;
    /// Changes of a profile.
    ProfileWrites = limits::PROFILE_WRITES;
    /// Changes of a profile's listings.
    ListingWrites = limits::LISTING_WRITES;
    /// Reviews and answers to reviews.
    ReviewWrites = limits::REVIEW_WRITES;
    /// Refunds and closed calls of a profile.
    Refunds = limits::REFUNDS;
}

/// A caller who can be counted by profile.
pub trait LimitedCaller {
    /// The profile that is counted.
    fn profile(&self) -> ProfileId;

    /// Fails if this caller may not write. That is checked before the request is counted.
    ///
    /// # Errors
    /// Those of the caller's kind.
    fn may_write(&self) -> Result<(), ApiError>;
}

/// A caller that may write, counted against `L` by its profile.
#[derive(Debug, Clone, Copy)]
pub struct Limited<C, L> {
    /// The caller.
    pub caller: C,
    limit: PhantomData<L>,
}

impl<S, C, L> FromRequestParts<S> for Limited<C, L>
where
    S: Send + Sync,
    C: FromRequestParts<S, Rejection = ApiError> + LimitedCaller + Send + Sync,
    L: RequestLimit,
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = C::from_request_parts(parts, state).await?;
        caller.may_write()?;
        count_request(&App::from_ref(state), &RequestTrace::of(parts), L::LIMIT, &caller.profile().to_string()).await?;
        Ok(Self { caller, limit: PhantomData })
    }
}

/// Counts a failed authentication against the address that it came from. Beyond the limit, the error is `RATE_LIMITED`.
pub async fn count_failed_auth(app: &App, parts: &Parts, error: ApiError) -> ApiError {
    match app.limiter.count(limits::FAILED_AUTH_PER_IP, &ip_subject(source_ip(parts, &app.config.edge)), app.clock.now()).await {
        Ok(status) => status.check(Code::RateLimited).err().unwrap_or(error),
        Err(_) => error,
    }
}

/// Like [`count_failed_auth`], for a key that cannot be one. A caller without a key has not failed and is not counted.
pub async fn count_failed_key(app: &App, parts: &Parts, error: ApiError) -> ApiError {
    if parts.headers.contains_key(header::AUTHORIZATION) { count_failed_auth(app, parts, error).await } else { error }
}

/// The subject that an address is counted as. In IPv6, a whole /64 counts as one, because the holder of one address has all of it.
pub(super) fn ip_subject(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
