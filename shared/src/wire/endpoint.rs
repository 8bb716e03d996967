//! The shapes of a seller's endpoint and of a test call. Nothing secret but a signing secret that is shown once.

use super::schema;
use std::fmt;

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::listing::moment;
use crate::outbound::FailureClass;
use crochet_domain::listing::{Endpoint, EndpointStatus, EndpointTest, EndpointTestFailure, Listing};
use crochet_domain::timestamp::unix_ms;

/// What can be told of the endpoint behind a listing: no URL and no header value, ever.
#[derive(Clone, Serialize, ToSchema)]
pub struct GatewayEndpointView {
    /// The listing.
    pub listing_id: String,
    /// Whether it takes calls.
    #[schema(value_type = schema::EndpointStatus)]
    pub status: EndpointStatus,
    /// How long the seller may take (milliseconds).
    pub timeout_ms: u32,
    /// How long an answer may be (bytes).
    pub max_response_bytes: u32,
    /// How many calls a minute the seller takes; null for no limit of its own.
    #[schema(required)]
    pub rate_limit_per_minute: Option<u32>,
    /// Names of the headers that Crochet adds for the seller.
    pub auth_header_names: Vec<String>,
    /// Names the configuration that counts: it changes with every change of URL, header or secret.
    pub secret_version: String,
    /// When the signing secret was made.
    #[schema(format = DateTime)]
    pub secret_created_at: String,
    /// Until when signing secrets before it sign too; null when it signs alone.
    #[schema(required, format = DateTime)]
    pub previous_secret_expires_at: Option<String>,
    /// What came of the last test call with this `secret_version`; null before the first.
    #[schema(required)]
    pub last_test: Option<LastTestView>,
    /// `whsec_…`: shown once, on creation, with a first endpoint and on rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
}

impl GatewayEndpointView {
    /// An endpoint as it is at `now`, with its signing secret where it is to be shown this once.
    #[must_use]
    pub fn new(listing: &Listing, endpoint: &Endpoint, signing_secret: Option<String>, now: OffsetDateTime) -> Self {
        let still_ahead = |end: &i64| unix_ms(now) < *end;
        Self {
            listing_id: listing.id.to_string(),
            status: endpoint.status,
            timeout_ms: endpoint.timeout_ms,
            max_response_bytes: endpoint.max_response_bytes,
            rate_limit_per_minute: endpoint.rate_limit_per_minute,
            auth_header_names: endpoint.auth_header_names.clone(),
            secret_version: endpoint.secret_version.clone(),
            secret_created_at: moment(endpoint.secret_created_ms),
            previous_secret_expires_at: endpoint.previous_secret_expires_ms.filter(still_ahead).map(moment),
            last_test: endpoint.last_test.as_ref().map(LastTestView::from),
            signing_secret,
        }
    }
}

impl fmt::Debug for GatewayEndpointView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayEndpointView").field("listing_id", &self.listing_id).finish_non_exhaustive()
    }
}

/// What came of a test call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointTestView {
    /// `webhook-id` of the call.
    pub request_id: String,
    /// Whether the endpoint answered 2xx with JSON, or with nothing.
    pub ok: bool,
    /// The endpoint's HTTP status; null where none came.
    #[schema(required)]
    pub seller_status_code: Option<u16>,
    /// How long it took (milliseconds).
    pub latency_ms: i64,
    /// Length of the answer; null where no whole one came.
    #[schema(required)]
    pub response_bytes: Option<u64>,
    /// Why it was no success; null where it was.
    #[schema(required)]
    pub failure: Option<EndpointTestFailureView>,
}

/// Why a test call was no success.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointTestFailureView {
    /// What kind of failure it is.
    #[schema(value_type = FailureClass)]
    pub class: String,
    /// What you can do about it, in a sentence. It names no address.
    pub message: String,
}

/// The last test call, and when it was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LastTestView {
    /// What came of it.
    #[serde(flatten)]
    pub test: EndpointTestView,
    /// When it was made.
    #[schema(format = DateTime)]
    pub tested_at: String,
}

impl From<&EndpointTest> for EndpointTestView {
    fn from(test: &EndpointTest) -> Self {
        Self {
            request_id: test.request_id.to_string(),
            ok: test.failure.is_none(),
            seller_status_code: test.seller_status_code,
            latency_ms: test.latency_ms,
            response_bytes: test.response_bytes,
            failure: test.failure.as_ref().map(EndpointTestFailureView::from),
        }
    }
}

impl From<&EndpointTestFailure> for EndpointTestFailureView {
    fn from(failure: &EndpointTestFailure) -> Self {
        Self { class: failure.class.clone(), message: failure.message.clone() }
    }
}

impl From<&EndpointTest> for LastTestView {
    fn from(test: &EndpointTest) -> Self {
        Self { test: test.into(), tested_at: moment(test.tested_ms) }
    }
}
