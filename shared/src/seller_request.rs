//! What a seller is sent: a body byte for byte, signed, with ids and the seller's own header. Gateway and test call share it.

use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use time::OffsetDateTime;

use crate::endpoint_secrets::EndpointSecret;
use crate::outbound::{EndpointUrl, FailedAttempt, Outbound, SellerAnswer, SellerFault, SellerRequest};
use crate::store::meter::trip;
use crochet_domain::ids::{CallId, ListingId, ProfileId};
use crochet_domain::listing::Endpoint;
use crochet_domain::timestamp::unix_ms;
use crochet_domain::webhook_signature::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, sign};

/// Header names that a forwarded request sets itself, beside those that begin with `webhook-`, `x-crochet-` or `content-`.
pub const OWN_HEADERS: [HeaderName; 3] = [header::ACCEPT, header::ACCEPT_ENCODING, header::USER_AGENT];

/// One call on its way to a seller.
#[derive(Debug)]
pub struct SellerCall<'a> {
    /// `webhook-id`: the same on every attempt.
    pub id: CallId,
    /// What is called.
    pub listing: ListingId,
    /// Who calls.
    pub buyer: ProfileId,
    /// 1, 2, 3 …
    pub attempt: u32,
    /// The seller itself has asked for it: `X-Crochet-Test: 1`.
    pub is_test: bool,
    /// What is sent, byte for byte.
    pub body: &'a Bytes,
}

/// A header of the seller's own cannot be sent. Such a header is refused when it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsendableHeader;

impl std::fmt::Display for UnsendableHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a header for the seller cannot be sent")
    }
}

impl std::error::Error for UnsendableHeader {}

impl SellerCall<'_> {
    /// Sends it, signed with every secret that is live at `now`, and reads the answer within the endpoint's time and size.
    ///
    /// # Errors
    /// [`UnsendableHeader`]. What goes wrong at the seller's is the inner result.
    pub async fn send(
        &self,
        outbound: &Outbound,
        endpoint: &Endpoint,
        secret: &EndpointSecret,
        now: OffsetDateTime,
    ) -> Result<Result<SellerAnswer, SellerFault>, UnsendableHeader> {
        let timeout = Duration::from_millis(endpoint.timeout_ms.into());
        Ok(self.attempt(outbound, endpoint, secret, now, timeout).await?.map_err(|failed| failed.fault))
    }

    /// The same within another time than the endpoint's; a failure also says whether the seller may have seen the body.
    ///
    /// # Errors
    /// As [`SellerCall::send`].
    pub async fn attempt(
        &self,
        outbound: &Outbound,
        endpoint: &Endpoint,
        secret: &EndpointSecret,
        now: OffsetDateTime,
        timeout: Duration,
    ) -> Result<Result<SellerAnswer, FailedAttempt>, UnsendableHeader> {
        let headers = self.headers(secret, now)?;
        // The rules may have become stricter since the URL was taken.
        let Ok(url) = EndpointUrl::parse(&secret.url, outbound.rules()) else { return Ok(Err(SellerFault::RefusedAddress.into())) };
        let request =
            SellerRequest { url: &url, headers, body: self.body.clone(), timeout, max_bytes: endpoint.max_response_bytes as usize };
        Ok(trip("seller", outbound.attempt(request)).await)
    }

    /// Built from nothing but ids, the body and what the seller set: no header of the buyer's request travels.
    fn headers(&self, secret: &EndpointSecret, now: OffsetDateTime) -> Result<HeaderMap, UnsendableHeader> {
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
        let own = secret.header.iter().map(|header| (header.name.as_str(), header.value.as_str()));
        let test = self.is_test.then_some(("x-crochet-test", "1"));
        for (name, value) in own.chain(fixed).chain(test) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| UnsendableHeader)?;
            let mut value = HeaderValue::from_str(value).map_err(|_| UnsendableHeader)?;
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
        let key = |end: &Option<i64>| SigningKey { secret: SigningSecret::generate(), not_after_ms: *end };
        EndpointSecret {
            url: "https://example.com/".into(),
            header: header.map(|(name, value)| AuthHeader { name: name.into(), value: value.into() }),
            keys: ends.iter().map(key).collect(),
        }
    }

    fn headers(secret: &EndpointSecret, is_test: bool, now: OffsetDateTime) -> HeaderMap {
        let body = Bytes::from_static(b"{}");
        let forward = SellerCall {
            id: CallId::generate(now),
            listing: ListingId::generate(now),
            buyer: ProfileId::generate(now),
            attempt: 1,
            is_test,
            body: &body,
        };
        forward.headers(secret, now).expect("headers that can be sent")
    }

    #[test]
    fn live_secrets_sign_and_only_a_test_says_so() {
        let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).expect("a date");
        let now_ms = unix_ms(now);
        let secret = secret(None, &[None, Some(now_ms + 1), Some(now_ms)]);
        let real = headers(&secret, false, now);
        let signatures = real[WEBHOOK_SIGNATURE].to_str().expect("text").split(' ').count();
        assert_eq!((signatures, real.contains_key("x-crochet-test")), (2, false));
        assert_eq!(headers(&secret, true, now)["x-crochet-test"], "1");
    }

    #[test]
    fn the_sellers_header_cannot_replace_ours_and_prints_nowhere() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for name in ["webhook-id", "content-type", "user-agent", "x-crochet-signature"] {
            assert_ne!(headers(&secret(Some((name, "mine")), &[None]), false, now)[name], "mine", "{name}");
        }
        let with_key = headers(&secret(Some(("x-key", "hush")), &[None]), false, now);
        assert_eq!(with_key["x-key"], "hush");
        assert!(!format!("{with_key:?}").contains("hush"), "sensitive values do not print");
    }
}
