//! A new endpoint and its secret.

use crochet::endpoint_secrets::{AuthHeader, EndpointSecret, SigningKey, new_version};
use crochet::outbound::EndpointUrl;
use crochet_domain::listing::{Endpoint, EndpointStatus, RESPONSE_BYTES, TIMEOUT_MS};
use crochet_domain::unknown::Unknown;
use crochet_domain::webhook_signature::SigningSecret;

/// A new endpoint: its settings, its secret, and the signing secret to show once.
pub(crate) struct NewEndpoint {
    /// The part that the table holds.
    pub(crate) endpoint: Endpoint,
    /// The secret part. Writing it may yield what the endpoint has to hold.
    pub(crate) secret: EndpointSecret,
    /// The signing secret in `secret`.
    pub(crate) signing_secret: SigningSecret,
}

impl NewEndpoint {
    /// An endpoint with default settings and this signing secret.
    pub(crate) fn new(url: &EndpointUrl, header: Option<AuthHeader>, signing_key: SigningKey, now_ms: i64) -> Self {
        let signing_secret = signing_key.secret.clone();
        Self {
            endpoint: Endpoint {
                status: EndpointStatus::Active,
                timeout_ms: TIMEOUT_MS.2,
                max_response_bytes: RESPONSE_BYTES.2,
                rate_limit_per_minute: None,
                auth_header_names: header.iter().map(|header| header.name.clone()).collect(),
                secret_version: new_version(),
                sealed: None,
                secret_created_ms: now_ms,
                previous_secret_expires_ms: None,
                last_test: None,
                tested_ms: None,
                claim: None,
                unknown: Unknown::default(),
            },
            secret: EndpointSecret { url: url.reveal().into(), header, keys: vec![signing_key] },
            signing_secret,
        }
    }
}
