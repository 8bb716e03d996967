//! The signed webhook `request.status.updated`, as the provider sends it.
//!
//! `X-Signature-SHA256` is the hex HMAC-SHA256 of `{timestamp}.{body}` under the API key.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The API key that the sandbox accepts and signs its webhooks with, until others are set.
pub const API_KEY: &str = "sandbox-relay-key";

/// Maximum attempts. The provider makes ten; three are enough to bridge a restart.
const TRIES: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where webhooks go.
#[derive(Clone)]
pub(super) struct Webhook {
    url: String,
    http: reqwest::Client,
}

impl Webhook {
    pub(super) fn new(url: String) -> Self {
        Self { url, http: crochet_client::plain_http(TIMEOUT) }
    }

    /// Sends one event. Returns the last status, or the error.
    ///
    /// `now_ms` is the stack's clock: receivers check the timestamp against it.
    pub(super) async fn send(&self, key: &str, body: String, now_ms: i64) -> Result<u16, String> {
        let mut outcome = Err("not sent".to_owned());
        for attempt in 0..TRIES {
            // A pause between attempts, as with the provider.
            tokio::time::sleep(Duration::from_millis(100) * attempt).await;
            outcome = self.send_once(key, body.clone(), now_ms).await;
            // A receiver without the route does not get one by waiting.
            if matches!(outcome, Ok(200..=299 | 404)) {
                break;
            }
        }
        outcome
    }

    async fn send_once(&self, key: &str, body: String, now_ms: i64) -> Result<u16, String> {
        let timestamp = now_ms.to_string();
        let signature = sign(key, &timestamp, &body);
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("x-signature-timestamp", timestamp)
            .header("x-signature-sha256", signature)
            .body(body);
        let reply = request.send().await.map_err(|error| error.without_url().to_string())?;
        Ok(reply.status().as_u16())
    }
}

/// The signature of a webhook: hex HMAC-SHA256 of `{timestamp}.{body}`.
#[must_use]
pub fn sign(key: &str, timestamp: &str, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{timestamp}.{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_that_of_the_documents_example() {
        // printf '1774993296140.{"a":1}' | openssl dgst -sha256 -hmac secret
        let signature = super::sign("secret", "1774993296140", r#"{"a":1}"#);
        assert_eq!(signature, "04dab7ae827d8771682cf69fd20efacdcfc5593f49d62fc119f812e0e36d94f7");
    }
}
