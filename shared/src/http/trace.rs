//! Where a request came from, and what is learnt about it while it is handled.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use crochet_domain::ids::ProfileId;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use super::codes::Code;
use super::error::ApiError;
use crate::config::Edge;
use crate::limits::LimitStatus;

/// The address of the socket that a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceIp(pub IpAddr);

/// What is learnt about a request while it is handled, for its log line and the `RateLimit` fields of its response.
#[derive(Debug, Clone, Default)]
pub struct RequestTrace(Arc<Mutex<TraceNotes>>);

#[derive(Debug, Clone, Default)]
struct TraceNotes {
    profile: Option<ProfileId>,
    limit: Option<LimitStatus>,
}

impl RequestTrace {
    /// The request's trace; a new one if no layer has made it.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Records who calls.
    pub fn caller(&self, profile: ProfileId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).profile = Some(profile);
    }

    /// Records the caller's status within a limit, and fails if the limit is exceeded.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn limit(&self, status: LimitStatus) -> Result<(), ApiError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).limit = Some(status);
        status.check(Code::RateLimited)
    }

    pub(super) fn notes(&self) -> (Option<ProfileId>, Option<LimitStatus>) {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (notes.profile, notes.limit)
    }
}

/// The address that the request came from, according to the deployment's edge, API Gateway or, without them, the socket.
#[must_use]
pub fn source_ip(parts: &Parts, edge: &Edge) -> IpAddr {
    if let Some(address) = edge.address(&parts.headers) {
        return address;
    }
    let stated = match parts.extensions.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
        _ => None,
    };
    stated.or_else(|| parts.extensions.get::<SourceIp>().map(|ip| ip.0)).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
