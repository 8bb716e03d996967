//! A seller's endpoint and its test calls, as the API shows them. The only secret here is a signing secret that is shown once.

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::listing::moment;
use super::schema;
use crate::outbound::FailureClass;
use crochet_domain::listing::{Endpoint, EndpointStatus, EndpointTest, EndpointTestFailure, Listing};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::webhook_signature::SigningSecret;

/// The endpoint of a listing. Its URL and header value are never shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GatewayEndpointView {
    /// Id of the listing.
    pub listing_id: String,
    /// Whether the endpoint accepts calls.
    #[schema(value_type = schema::EndpointStatus)]
    pub status: EndpointStatus,
    /// Maximum time for a complete response, in milliseconds.
    pub timeout_ms: u32,
    /// Maximum size of a response body, in bytes.
    pub max_response_bytes: u32,
    /// Maximum number of calls per minute; null if the seller set no limit.
    #[schema(required)]
    pub rate_limit_per_minute: Option<u32>,
    /// Names of the headers that Crochet adds to every call.
    pub auth_header_names: Vec<String>,
    /// Version of the secret configuration. It changes with every change of URL, header or signing secret.
    pub secret_version: String,
    /// When the signing secret was created.
    #[schema(format = DateTime)]
    pub secret_created_at: String,
    /// When the last of the previous signing secrets stops signing; null if only the current secret signs.
    #[schema(required, format = DateTime)]
    pub previous_secret_expires_at: Option<String>,
    /// Result of the last test call with this `secret_version`; null if there was none.
    #[schema(required)]
    pub last_test: Option<LastTestView>,
    /// `whsec_…`. Shown once: when the endpoint is created and after a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub signing_secret: Option<SigningSecret>,
}

impl GatewayEndpointView {
    /// The endpoint as of `now`. Pass `signing_secret` only if it is new, to show it once.
    #[must_use]
    pub fn new(listing: &Listing, endpoint: &Endpoint, signing_secret: Option<SigningSecret>, now: OffsetDateTime) -> Self {
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

/// Result of a test call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointTestView {
    /// Id of the test call, sent as `webhook-id`.
    pub request_id: String,
    /// Whether the endpoint returned 2xx with JSON or an empty body.
    pub ok: bool,
    /// HTTP status of the response; null if there was none.
    #[schema(required)]
    pub seller_status_code: Option<u16>,
    /// Duration of the call, in milliseconds.
    pub latency_ms: i64,
    /// Size of the response body, in bytes; null if the response was not complete.
    #[schema(required)]
    pub response_bytes: Option<u64>,
    /// Why the test failed; null if it succeeded.
    #[schema(required)]
    pub failure: Option<EndpointTestFailureView>,
}

/// Why a test call failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointTestFailureView {
    /// Class of the failure.
    #[schema(value_type = FailureClass)]
    pub class: String,
    /// One sentence that says what failed and how to fix it.
    pub message: String,
}

/// The last test call and its time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LastTestView {
    /// Result of the test call.
    #[serde(flatten)]
    pub test: EndpointTestView,
    /// When the test call was made.
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
