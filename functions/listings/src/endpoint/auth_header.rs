//! `auth_header`: a header that Crochet adds to every call. Only the seller receives it.

use axum::http::{HeaderName, HeaderValue, header};
use crochet::endpoint_secrets::AuthHeader;
use crochet::http::{ApiError, Result};
use crochet::seller_request::OWN_HEADERS;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

/// Maximum length of the name in bytes.
const MAX_NAME_BYTES: usize = 100;
/// Maximum length of the value in bytes.
const MAX_VALUE_BYTES: usize = 4_096;
/// Prefix of this marketplace's API keys. No seller needs one, and none must ever be sent to a seller.
const API_KEY_PREFIX: &str = "am_k_";

const NAME: &str = "auth_header.name";
const VALUE: &str = "auth_header.value";

/// A header that Crochet adds to every call to the endpoint. Only its name can be read back.
#[derive(Deserialize, ToSchema)]
#[serde(expecting = "an object with name and value")]
#[schema(as = AuthHeader)]
pub(crate) struct NewAuthHeader {
    /// Header name. Not `Host`, `Content-*`, `Accept`, `Accept-Encoding`, `User-Agent`, `Expect`, a hop-by-hop header, `webhook-*`
    /// or `X-Crochet-*`.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Header value: printable ASCII. It must not contain an API key of this marketplace.
    #[schema(value_type = String, min_length = 1, max_length = 4096)]
    value: SecretString,
}

impl NewAuthHeader {
    /// Checks that the header can be sent and does not replace one that Crochet or the connection sets.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the field. It never contains the value.
    pub(crate) fn parse(self) -> Result<AuthHeader> {
        let Self { name, value } = self;
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| name.len() <= MAX_NAME_BYTES);
        let Some(parsed) = parsed else {
            return Err(ApiError::field(NAME, "must be an HTTP header name of at most 100 characters"));
        };
        if is_reserved(&parsed) {
            return Err(ApiError::field(
                NAME,
                "must not be Host, Content-*, Accept, Accept-Encoding, User-Agent, Expect, a hop-by-hop header, webhook-* or X-Crochet-*",
            ));
        }
        let text = value.expose_secret();
        let is_printable = |b: u8| (0x20..0x7f).contains(&b);
        let is_valid = (1..=MAX_VALUE_BYTES).contains(&text.len())
            && text.bytes().all(is_printable)
            && text.trim() == text
            && HeaderValue::from_str(text).is_ok();
        if !is_valid {
            return Err(ApiError::field(VALUE, "must be 1 to 4096 printable ASCII characters, with no space at either end"));
        }
        if text.contains(API_KEY_PREFIX) {
            return Err(ApiError::field(VALUE, "must not contain an API key of this marketplace, which no seller may receive"));
        }
        Ok(AuthHeader { name, value })
    }
}

/// Whether the connection, the body or Crochet itself uses this header.
fn is_reserved(name: &HeaderName) -> bool {
    // RFC 9110 section 7.6.1, and others in common use.
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

    fn parse(name: &str, value: &str) -> Result<AuthHeader> {
        NewAuthHeader { name: name.into(), value: value.into() }.parse()
    }

    #[test]
    fn headers_with_a_sellers_secret_are_accepted_unchanged() {
        for name in ["Authorization", "X-Api-Key", "cookie", "apikey", "X-RapidAPI-Proxy-Secret", &"n".repeat(100)] {
            assert_eq!(parse(name, "Bearer s3cret").expect("a valid header").name, *name);
        }
        for value in ["v", "a b", "!~", &"v".repeat(4_096)] {
            assert!(parse("x-key", value).is_ok(), "{value}");
        }
    }

    #[test]
    fn reserved_and_invalid_names_are_rejected() {
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
            assert!(parse(name, "v").is_err(), "{name}");
        }
        for name in ["", " x", "x y", "x:y", "é", "x\n", "[x]", &"n".repeat(101)] {
            assert!(parse(name, "v").is_err(), "{name:?}");
        }
    }

    #[test]
    fn invalid_values_are_rejected_and_not_repeated() {
        let long = "v".repeat(4_097);
        for value in ["", " ", "a\r\nx-evil: 1", "a\0", "ä", " hush", "hush ", "\thush", "Bearer am_k_hush", &long] {
            let error = parse("x-key", value).err().unwrap_or_else(|| panic!("{value:?} was accepted"));
            let config = crochet::config::Config::from_lookup(|_| None).expect("defaults");
            let body = error.body(&config).to_string();
            assert!(!body.contains("hush") && !body.contains("am_k_"), "{body}");
        }
    }
}
