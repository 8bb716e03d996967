//! Webhooks: `X-Signature-SHA256` is the hex HMAC-SHA256 of `{X-Signature-Timestamp}.{body}` under the API key.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use super::id::is_payment_id;
use crate::payments::provider::{WebhookEvent, WebhookRefused};

const SIGNATURE: &str = "x-signature-sha256";
const TIMESTAMP: &str = "x-signature-timestamp";
/// Maximum difference between the signed time and the present, in milliseconds.
const WINDOW_MS: i64 = 300_000;
/// A timestamp below this is in seconds, one above in milliseconds: the provider's documents leave it open. As milliseconds, it is
/// in 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;

#[derive(Deserialize)]
struct Event {
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    #[serde(rename = "requestId")]
    request_id: String,
}

/// Verifies a webhook of the provider. The time is checked last, so that only who knows the key learns about our clock.
pub(super) fn verify(
    api_key: &SecretString,
    headers: &HeaderMap,
    body: &[u8],
    now_ms: i64,
) -> Result<WebhookEvent, WebhookRefused> {
    let timestamp = single(headers, TIMESTAMP).ok_or(WebhookRefused::NotSigned)?;
    let signature = single(headers, SIGNATURE).ok_or(WebhookRefused::NotSigned)?;
    let signature = hex::decode(signature).map_err(|_| WebhookRefused::NotSigned)?;
    let key = api_key.expose_secret().as_bytes();
    if key.is_empty() {
        return Err(WebhookRefused::NotSigned);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| WebhookRefused::NotSigned)?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    // In constant time.
    mac.verify_slice(&signature).map_err(|_| WebhookRefused::NotSigned)?;
    if signed_at_ms(timestamp).is_none_or(|at| now_ms.abs_diff(at) > WINDOW_MS.unsigned_abs()) {
        return Err(WebhookRefused::OutsideWindow);
    }
    let event: Event = serde_json::from_slice(body).map_err(|_| WebhookRefused::Unreadable)?;
    if !is_payment_id(&event.data.request_id) {
        return Err(WebhookRefused::Unreadable);
    }
    Ok(WebhookEvent { payment_id: event.data.request_id })
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn signed_at_ms(timestamp: &str) -> Option<i64> {
    if timestamp.len() > 15 || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time: i64 = timestamp.parse().ok()?;
    Some(if time < SECONDS_BELOW { time * 1_000 } else { time })
}

/// The headers of a body that is signed under a key at this time.
#[cfg(test)]
pub(super) fn signed(key: &str, timestamp: &str, body: &[u8]) -> HeaderMap {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(&[timestamp.as_bytes(), b".", body].concat());
    let mut headers = HeaderMap::new();
    headers.append(TIMESTAMP, timestamp.parse().expect("a header"));
    headers.append(SIGNATURE, hex::encode(mac.finalize().into_bytes()).parse().expect("a header"));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sandbox-relay-key";
    const SENT_MS: i64 = 1_774_993_296_140;
    const ID: &str = "0x92b99e6e1ee1deeb9531b5ad7f87091b3d71254b3176de9e8b5f6c6d0bd3a331";
    /// The provider's example, in its order of fields.
    const BODY: &str = r#"{"event":"request.status.updated","timestamp":1774993296140,"data":{"status":"refund","inTxHashes":["0x01"],"txHashes":[],"updatedAt":1774993296121,"originChainId":8453,"destinationChainId":42161,"depositAddress":null,"requestId":"0x92b99e6e1ee1deeb9531b5ad7f87091b3d71254b3176de9e8b5f6c6d0bd3a331","referrer":"your-referrer","details":null,"failReason":"DOUBLE_SPEND","refundFailReason":"N/A"}}"#;
    /// `printf '1774993296140.%s' "$BODY" | openssl dgst -sha256 -hmac sandbox-relay-key`
    const SIGNATURE_OF_BODY: &str = "71137d9ec2bc22b2da6ee1962462cd50014638193db8ee4674db1a95ed953317";

    fn headers(timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append(TIMESTAMP, timestamp.parse().expect("a header"));
        headers.append(SIGNATURE, signature.parse().expect("a header"));
        headers
    }

    fn signed(timestamp: &str, body: &[u8]) -> HeaderMap {
        super::signed(KEY, timestamp, body)
    }

    fn check(headers: &HeaderMap, body: &[u8], now_ms: i64) -> Result<WebhookEvent, WebhookRefused> {
        verify(&KEY.into(), headers, body, now_ms)
    }

    #[test]
    fn the_documents_example_is_accepted() {
        let event = check(&headers("1774993296140", SIGNATURE_OF_BODY), BODY.as_bytes(), SENT_MS);
        assert_eq!(event, Ok(WebhookEvent { payment_id: ID.into() }));
        // openssl's signature of a shorter text, under another key.
        let headers = headers("1774993296140", "04dab7ae827d8771682cf69fd20efacdcfc5593f49d62fc119f812e0e36d94f7");
        assert_eq!(verify(&"secret".into(), &headers, br#"{"a":1}"#, SENT_MS), Err(WebhookRefused::Unreadable));
    }

    #[test]
    fn whatever_is_changed_breaks_the_signature() {
        for at in 0..BODY.len() {
            let mut body = BODY.as_bytes().to_vec();
            body[at] ^= 1;
            assert_eq!(check(&headers("1774993296140", SIGNATURE_OF_BODY), &body, SENT_MS), Err(WebhookRefused::NotSigned), "{at}");
        }
        for at in 0..64 {
            let mut signature = SIGNATURE_OF_BODY.as_bytes().to_vec();
            signature[at] = if signature[at] == b'0' { b'1' } else { b'0' };
            let signature = String::from_utf8(signature).expect("ASCII");
            assert_eq!(
                check(&headers("1774993296140", &signature), BODY.as_bytes(), SENT_MS),
                Err(WebhookRefused::NotSigned),
                "{at}"
            );
        }
        for (timestamp, signature) in [
            ("1774993296141", SIGNATURE_OF_BODY),
            ("01774993296140", SIGNATURE_OF_BODY),
            ("", SIGNATURE_OF_BODY),
            ("1774993296140", ""),
            ("1774993296140", &SIGNATURE_OF_BODY[..62]),
            ("1774993296140", "not hex"),
        ] {
            let refused = check(&headers(timestamp, signature), BODY.as_bytes(), SENT_MS);
            assert_eq!(refused, Err(WebhookRefused::NotSigned), "{timestamp} {signature}");
        }
        // The same JSON, serialised in another way, is another body.
        let spaced = BODY.replace("\",\"", "\", \"");
        assert_eq!(check(&headers("1774993296140", SIGNATURE_OF_BODY), spaced.as_bytes(), SENT_MS), Err(WebhookRefused::NotSigned));
        let upper = SIGNATURE_OF_BODY.to_uppercase();
        assert!(check(&headers("1774993296140", &upper), BODY.as_bytes(), SENT_MS).is_ok(), "hex is hex");
    }

    #[test]
    fn missing_and_repeated_headers_are_refused() {
        let body = BODY.as_bytes();
        assert_eq!(check(&HeaderMap::new(), body, SENT_MS), Err(WebhookRefused::NotSigned));
        for name in [TIMESTAMP, SIGNATURE] {
            let mut headers = headers("1774993296140", SIGNATURE_OF_BODY);
            let again = headers[name].clone();
            headers.append(name, again);
            assert_eq!(check(&headers, body, SENT_MS), Err(WebhookRefused::NotSigned), "{name} twice");
            headers.remove(name);
            assert_eq!(check(&headers, body, SENT_MS), Err(WebhookRefused::NotSigned), "no {name}");
        }
        let empty_key = verify(&"".into(), &headers("1774993296140", SIGNATURE_OF_BODY), body, SENT_MS);
        assert_eq!(empty_key, Err(WebhookRefused::NotSigned));
    }

    #[test]
    fn the_window_is_five_minutes_both_ways() {
        let body = BODY.as_bytes();
        for (off_ms, accepted) in
            [(0, true), (300_000, true), (-300_000, true), (300_001, false), (-300_001, false), (86_400_000, false)]
        {
            let result = check(&headers("1774993296140", SIGNATURE_OF_BODY), body, SENT_MS + off_ms);
            assert_eq!(result.is_ok(), accepted, "{off_ms}: {result:?}");
            assert!(accepted || result == Err(WebhookRefused::OutsideWindow));
        }
        assert!(check(&signed("1774993296", body), body, SENT_MS).is_ok(), "seconds");
        for timestamp in ["-1774993296140", "1774993296140.5", "99999999999999999999", "now"] {
            assert_eq!(check(&signed(timestamp, body), body, SENT_MS), Err(WebhookRefused::OutsideWindow), "{timestamp}");
        }
    }

    #[test]
    fn a_signed_body_must_name_a_payment() {
        for body in ["", "{}", "[]", r#"{"data":{}}"#, r#"{"data":{"requestId":7}}"#, r#"{"data":{"requestId":"0x12"}}"#] {
            let headers = signed("1774993296140", body.as_bytes());
            assert_eq!(check(&headers, body.as_bytes(), SENT_MS), Err(WebhookRefused::Unreadable), "{body}");
        }
    }
}
