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
    /// The part that Secrets Manager holds.
    pub(crate) secret: EndpointSecret,
    /// The signing secret in `secret`.
    pub(crate) signing_secret: SigningSecret,
}

impl NewEndpoint {
    /// An endpoint with default settings and a new signing secret.
    pub(crate) fn new(url: &EndpointUrl, header: Option<AuthHeader>, now_ms: i64) -> Self {
        let signing_secret = SigningSecret::generate();
        Self {
            endpoint: Endpoint {
                status: EndpointStatus::Active,
                timeout_ms: TIMEOUT_MS.2,
                max_response_bytes: RESPONSE_BYTES.2,
                rate_limit_per_minute: None,
                auth_header_names: header.iter().map(|header| header.name.clone()).collect(),
                secret_version: new_version(),
                secret_created_ms: now_ms,
                previous_secret_expires_ms: None,
                last_test: None,
                tested_ms: None,
                claim: None,
                unknown: Unknown::default(),
            },
            secret: EndpointSecret {
                url: url.reveal().into(),
                header,
                keys: vec![SigningKey { secret: signing_secret.clone(), not_after_ms: None }],
            },
            signing_secret,
        }
    }
}
