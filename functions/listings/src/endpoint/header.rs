//! `auth_header`: one header that Crochet adds for the seller. It reaches the seller and nobody else.

use axum::http::{HeaderName, HeaderValue, header};
use crochet::endpoint_secrets::AuthHeader;
use crochet::http::{ApiError, Result};
use crochet::seller_request::OWN_HEADERS;
use serde::Deserialize;
use utoipa::ToSchema;

/// Longest name (bytes).
const MAX_NAME_BYTES: usize = 100;
/// Longest value (bytes).
const MAX_VALUE_BYTES: usize = 4_096;
/// What API keys of this marketplace begin with: a seller has no use for one, and must never be sent one.
const API_KEY_PREFIX: &str = "am_k_";

const NAME: &str = "auth_header.name";
const VALUE: &str = "auth_header.value";

/// A header to be added to every call of the endpoint. Write-only: only its name is shown again.
#[derive(Deserialize, ToSchema)]
#[serde(expecting = "an object with name and value")]
#[schema(as = AuthHeader)]
pub(crate) struct NewAuthHeader {
    /// Its name. Not `Host`, `Content-*`, `Accept`, `Accept-Encoding`, `User-Agent`, `Expect`, a hop-by-hop header, `webhook-*`
    /// or `X-Crochet-*`.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Its value: printable ASCII, without an API key of this marketplace in it.
    #[schema(min_length = 1, max_length = 4096)]
    value: String,
}

impl NewAuthHeader {
    /// The header, where it can be sent and takes no meaning away.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the field; never with any of the value.
    pub(crate) fn read(self) -> Result<AuthHeader> {
        let Self { name, value } = self;
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| name.len() <= MAX_NAME_BYTES);
        let Some(parsed) = parsed else {
            return Err(ApiError::field(NAME, "must be the name of an HTTP header, at most 100 characters"));
        };
        if is_reserved(&parsed) {
            return Err(ApiError::field(
                NAME,
                "must not be Host, Content-*, Accept, Accept-Encoding, User-Agent, Expect, a hop-by-hop header, webhook-* or X-Crochet-*",
            ));
        }
        let printable = |b: u8| (0x20..0x7f).contains(&b);
        let sendable = (1..=MAX_VALUE_BYTES).contains(&value.len())
            && value.bytes().all(printable)
            && value.trim() == value
            && HeaderValue::from_str(&value).is_ok();
        if !sendable {
            return Err(ApiError::field(VALUE, "must be 1 to 4096 printable ASCII characters, without a space at either end"));
        }
        if value.contains(API_KEY_PREFIX) {
            return Err(ApiError::field(VALUE, "must not hold an API key of this marketplace: no seller may be sent one"));
        }
        Ok(AuthHeader { name, value })
    }
}

/// Whether the name means something to the connection, the body, or the gateway itself.
fn is_reserved(name: &HeaderName) -> bool {
    // RFC 9110 section 7.6.1, and what the wild adds to it.
    const CONNECTION: [HeaderName; 8] = [
        header::HOST,
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::EXPECT,
        HeaderName::from_static("keep-alive"),
    ];
    let text = name.as_str();
    CONNECTION.contains(name)
        || OWN_HEADERS.contains(name)
        || text == "http2-settings"
        || ["content-", "proxy-", "webhook-", "x-crochet-"].iter().any(|prefix| text.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<AuthHeader> {
        NewAuthHeader { name: name.into(), value: value.into() }.read()
    }

    #[test]
    fn headers_that_carry_a_sellers_secret_are_taken_as_written() {
        for name in ["Authorization", "X-Api-Key", "cookie", "apikey", "X-RapidAPI-Proxy-Secret", &"n".repeat(100)] {
            assert_eq!(read(name, "Bearer s3cret").expect("a good header").name, *name);
        }
        for value in ["v", "a b", "!~", &"v".repeat(4_096)] {
            assert!(read("x-key", value).is_ok(), "{value}");
        }
    }

    #[test]
    fn names_that_mean_something_else_are_refused() {
        let reserved = [
            "Host",
            "Content-Type",
            "content-length",
            "Content-Encoding",
            "Connection",
            "Keep-Alive",
            "Proxy-Authorization",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "Expect",
            "webhook-id",
            "Webhook-Signature",
            "X-Crochet-Signature",
            "x-crochet-anything",
            "User-Agent",
            "Accept",
            "Accept-Encoding",
            "HTTP2-Settings",
        ];
        for name in reserved {
            assert!(read(name, "v").is_err(), "{name}");
        }
        for name in ["", " x", "x y", "x:y", "é", "x\n", "[x]", &"n".repeat(101)] {
            assert!(read(name, "v").is_err(), "{name:?}");
        }
    }

    #[test]
    fn values_that_cannot_travel_are_refused_and_not_repeated() {
        let long = "v".repeat(4_097);
        for value in ["", " ", "a\r\nx-evil: 1", "a\0", "ä", " hush", "hush ", "\thush", "Bearer am_k_hush", &long] {
            let error = read("x-key", value).err().unwrap_or_else(|| panic!("{value:?} was taken"));
            let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
            let told = error.body(&config).to_string();
            assert!(!told.contains("hush") && !told.contains("am_k_"), "{told}");
        }
    }
}
