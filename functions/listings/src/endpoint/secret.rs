//! A first endpoint with its secret, and the end of a secret.

use crochet::endpoint_secrets::{AuthHeader, EndpointSecret, SecretStoreError, SigningKey, WriteSecrets, fresh_version};
use crochet::outbound::EndpointUrl;
use crochet_domain::ids::ListingId;
use crochet_domain::listing::{Endpoint, EndpointStatus, RESPONSE_BYTES, TIMEOUT_MS};
use crochet_domain::webhook_signature::SigningSecret;

/// A first endpoint: what the listing's item says of it, and the signing secret, to be shown once.
pub(crate) struct First {
    /// Without anything secret.
    pub(crate) endpoint: Endpoint,
    /// Everything secret.
    pub(crate) secret: EndpointSecret,
    /// `whsec_…`
    pub(crate) shown: String,
}

impl First {
    /// An endpoint at `url` with a fresh signing secret.
    pub(crate) fn at(url: &EndpointUrl, header: Option<AuthHeader>, now_ms: i64) -> Self {
        let signing = SigningSecret::generate();
        Self {
            shown: signing.reveal(),
            endpoint: Endpoint {
                status: EndpointStatus::Active,
                timeout_ms: TIMEOUT_MS.2,
                max_response_bytes: RESPONSE_BYTES.2,
                rate_limit_per_minute: None,
                auth_header_names: header.iter().map(|header| header.name.clone()).collect(),
                secret_version: fresh_version(),
                secret_created_ms: now_ms,
                previous_secret_expires_ms: None,
                last_test: None,
                claim: None,
            },
            secret: EndpointSecret {
                url: url.reveal().to_owned(),
                header,
                keys: vec![SigningKey { secret: signing, not_after_ms: None }],
            },
        }
    }

    /// Creates the secret of a new listing.
    ///
    /// # Errors
    /// Where Secrets Manager does not do it.
    pub(crate) async fn create(&self, secrets: &dyn WriteSecrets, listing: ListingId) -> Result<(), SecretStoreError> {
        secrets.create(listing, &self.endpoint.secret_version, &self.secret).await
    }
}

/// Creates the secret of a listing that has none; or takes over one that an earlier attempt left behind.
///
/// # Errors
/// Where Secrets Manager does neither.
pub(crate) async fn create_or_adopt(
    secrets: &dyn WriteSecrets,
    listing: ListingId,
    version: &str,
    secret: &EndpointSecret,
) -> Result<(), SecretStoreError> {
    match secrets.create(listing, version, secret).await {
        Err(error) if error.is_taken() => secrets.add_version(listing, version, secret).await,
        created => created,
    }
}

/// Deletes a listing's secret if that is possible now; a secret that stays behind harms nobody, but costs. `false` where it is
/// not known to be gone: the deletion may still land.
pub(crate) async fn discard(secrets: &dyn WriteSecrets, listing: ListingId) -> bool {
    let deleted = secrets.delete(listing).await;
    if let Err(error) = &deleted {
        tracing::warn!(%listing, %error, "an endpoint secret was left behind");
    }
    deleted.is_ok()
}
