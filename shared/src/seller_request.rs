//! The request to a seller: signed body, ids and the seller's own header. The gateway and the test call share it.

use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use secrecy::ExposeSecret;
use time::OffsetDateTime;

use crate::endpoint_secrets::EndpointSecret;
use crate::outbound::{EndpointUrl, FailedAttempt, Outbound, SellerFault, SellerRequest, SellerResponse};
use crate::telemetry::meter::trip;
use crochet_domain::ids::{CallId, ListingId, ProfileId};
use crochet_domain::listing::Endpoint;
use crochet_domain::timestamp::unix_ms;
use crochet_domain::webhook_signature::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, sign};

/// Headers that every request to a seller sets, besides `webhook-*`, `x-crochet-*` and `content-*`.
pub const OWN_HEADERS: [HeaderName; 3] = [header::ACCEPT, header::ACCEPT_ENCODING, header::USER_AGENT];

/// One attempt to call a seller.
#[derive(Debug)]
pub struct SellerCall<'a> {
    /// Id of the call, sent as `webhook-id`: the same on every attempt.
    pub id: CallId,
    /// The listing that is called.
    pub listing: ListingId,
    /// The caller.
    pub buyer: ProfileId,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// Whether the seller requested it as a test. Adds `X-Crochet-Test: 1`.
    pub is_test: bool,
    /// The request body, sent byte for byte.
    pub body: &'a Bytes,
}

/// Why a call to a seller produced no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SellerCallError {
    /// The seller's own header is not a valid HTTP header. The API rejects such headers, so this is a defect.
    #[error("a header for the seller is not a valid HTTP header")]
    InvalidHeader,
    /// The attempt failed.
    #[error(transparent)]
    Failed(#[from] FailedAttempt),
}

impl SellerCall<'_> {
    /// Sends the request, signed with every secret that is live at `now`, and reads the response within `timeout` and the
    /// endpoint's size limit.
    ///
    /// # Errors
    /// [`SellerCallError`].
    pub async fn send(
        &self,
        outbound: &Outbound,
        endpoint: &Endpoint,
        secret: &EndpointSecret,
        now: OffsetDateTime,
        timeout: Duration,
    ) -> Result<SellerResponse, SellerCallError> {
        let headers = self.headers(secret, now)?;
        // The rules may be stricter now than when the URL was stored.
        let url = EndpointUrl::parse(secret.url.expose_secret(), outbound.rules())
            .map_err(|_| FailedAttempt::from(SellerFault::RefusedAddress))?;
        let request =
            SellerRequest { url: &url, headers, body: self.body.clone(), timeout, max_bytes: endpoint.max_response_bytes as usize };
        Ok(trip("seller", outbound.post(request)).await?)
    }

    /// Uses only ids, the body and what the seller configured: no header of the buyer's request is passed on.
    fn headers(&self, secret: &EndpointSecret, now: OffsetDateTime) -> Result<HeaderMap, SellerCallError> {
        let id = self.id.to_string();
        let signature = sign(&secret.live_secrets(unix_ms(now)), &id, now.unix_timestamp(), self.body);
        let mut headers = HeaderMap::new();
        let fixed = [
            (header::CONTENT_TYPE.as_str(), "application/json"),
            (header::ACCEPT.as_str(), "application/json"),
            (header::ACCEPT_ENCODING.as_str(), "identity"),
            (header::USER_AGENT.as_str(), concat!("Crochet-Gateway/", env!("CARGO_PKG_VERSION"))),
            (WEBHOOK_ID, &id),
            (WEBHOOK_TIMESTAMP, &now.unix_timestamp().to_string()),
            (WEBHOOK_SIGNATURE, &signature),
            ("x-crochet-signature", &signature),
            ("x-crochet-request-id", &id),
            ("x-crochet-listing-id", &self.listing.to_string()),
            ("x-crochet-buyer-id", &self.buyer.to_string()),
            ("x-crochet-attempt", &self.attempt.to_string()),
        ];
        let own = secret.header.iter().map(|header| (header.name.as_str(), header.value.expose_secret()));
        let test = self.is_test.then_some(("x-crochet-test", "1"));
        for (name, value) in own.chain(fixed).chain(test) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| SellerCallError::InvalidHeader)?;
            let mut value = HeaderValue::from_str(value).map_err(|_| SellerCallError::InvalidHeader)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint_secrets::{AuthHeader, SigningKey};
    use crochet_domain::webhook_signature::SigningSecret;

    fn secret(header: Option<(&str, &str)>, ends: &[Option<i64>]) -> EndpointSecret {
        let key = |end: &Option<i64>| SigningKey { not_after_ms: *end, ..SigningKey::of(SigningSecret::generate()) };
        EndpointSecret {
            url: "https://example.com/".into(),
            header: header.map(|(name, value)| AuthHeader { name: name.into(), value: value.into() }),
            keys: ends.iter().map(key).collect(),
        }
    }

    fn headers(secret: &EndpointSecret, is_test: bool, now: OffsetDateTime) -> HeaderMap {
        let body = Bytes::from_static(b"{}");
        let call = SellerCall {
            id: CallId::generate(now),
            listing: ListingId::generate(now),
            buyer: ProfileId::generate(now),
            attempt: 1,
            is_test,
            body: &body,
        };
        call.headers(secret, now).expect("valid headers")
    }

    #[test]
    fn every_live_secret_signs_and_only_a_test_is_marked() {
        let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
        let now_ms = unix_ms(now);
        let secret = secret(None, &[None, Some(now_ms + 1), Some(now_ms)]);
        let real = headers(&secret, false, now);
        let signatures = real[WEBHOOK_SIGNATURE].to_str().expect("text").split(' ').count();
        assert_eq!((signatures, real.contains_key("x-crochet-test")), (2, false));
        assert_eq!(headers(&secret, true, now)["x-crochet-test"], "1");
    }

    #[test]
    fn the_sellers_header_cannot_replace_ours_and_does_not_print() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for name in ["webhook-id", "content-type", "user-agent", "x-crochet-signature"] {
            assert_ne!(headers(&secret(Some((name, "mine")), &[None]), false, now)[name], "mine", "{name}");
        }
        let with_key = headers(&secret(Some(("x-key", "hush")), &[None]), false, now);
        assert_eq!(with_key["x-key"], "hush");
        assert!(!format!("{with_key:?}").contains("hush"), "sensitive values must not print");
    }
}
