//! How a call to a seller fails: the class of failure, and what the seller is told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a call to a seller failed. The names are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// No connection could be made, or it broke.
    Unreachable,
    /// No secure connection could be made.
    Tls,
    /// The response was not complete within the endpoint's `timeout_ms`.
    Timeout,
    /// The endpoint answered, but not with HTTP/1.1.
    MalformedHttp,
    /// The HTTP status reports a failure of the seller.
    Status,
    /// The response is neither empty nor uncompressed JSON by the rules for requests.
    NotJson,
    /// The response is larger than allowed.
    TooLarge,
    /// The URL, or an address of its host, is not allowed.
    RefusedAddress,
}

impl FailureClass {
    /// Every class.
    pub const ALL: [Self; 8] = [
        Self::Unreachable,
        Self::Tls,
        Self::Timeout,
        Self::MalformedHttp,
        Self::Status,
        Self::NotJson,
        Self::TooLarge,
        Self::RefusedAddress,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::MalformedHttp => "malformed_http",
            Self::Status => "status",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
            Self::RefusedAddress => "refused_address",
        }
    }

    /// One sentence for the seller's test report: what failed and how to fix it. It contains neither URL nor address.
    #[must_use]
    pub fn seller_message(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "Crochet could not connect to the endpoint, or the connection broke before the response was complete: check that \
                 the host resolves, that the server is running, and that its firewall allows connections from the Internet."
            }
            Self::Tls => {
                "Crochet could not open a trusted TLS connection to the endpoint: serve TLS 1.2 or 1.3 with a valid certificate \
                 from a public certificate authority for the endpoint's host, and include the intermediate certificates."
            }
            Self::Timeout => {
                "The response was not complete within `timeout_ms`, which covers name lookup, connection, request and response \
                 together: respond faster, or set a longer timeout."
            }
            Self::MalformedHttp => {
                "The endpoint answered with something that is not well-formed HTTP/1.1: check the status line, each header line \
                 (one line each, never folded), and the length or the chunks of the body."
            }
            Self::Status => {
                "The endpoint returned a status that counts as its own failure: return 2xx, or 400, 404, 409, 410, 413, 415 or 422 \
                 if the buyer's request is at fault, and never redirect (after a 401 or 403, check your signing secret and clock)."
            }
            Self::NotJson => "The response is not valid JSON: send one JSON value in UTF-8, or an empty body, without compression.",
            Self::TooLarge => {
                "The response body is larger than `max_response_bytes`, or the response has more than 100 header lines or 64 KiB \
                 of headers."
            }
            Self::RefusedAddress => {
                "Crochet does not call the endpoint's URL: its host must be a public DNS name that resolves only to public \
                 addresses."
            }
        }
    }
}

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SellerFault {
    /// The response was not complete before the deadline.
    #[error("the response was not complete before the deadline")]
    Timeout,
    /// No connection could be made, or it broke.
    #[error("no connection could be made, or it broke")]
    Unreachable,
    /// The URL, or an address of its host, is not allowed.
    #[error("the URL or an address of its host is not allowed")]
    RefusedAddress,
    /// No secure connection could be made.
    #[error("no secure connection could be made")]
    Tls,
    /// What came is not HTTP/1.1.
    #[error("the response is not well-formed HTTP")]
    Malformed {
        /// HTTP status, if it could be read.
        status: Option<u16>,
    },
    /// The body or the headers are larger than allowed.
    #[error("the response is too large")]
    TooLarge {
        /// HTTP status, if it could be read.
        status: Option<u16>,
    },
    /// The body is compressed, although the request did not accept that.
    #[error("the response is compressed")]
    Encoded {
        /// HTTP status.
        status: u16,
    },
}

impl SellerFault {
    /// The HTTP status of a response that could not be used, if it could be read.
    #[must_use]
    pub fn status(self) -> Option<u16> {
        match self {
            Self::TooLarge { status } | Self::Malformed { status } => status,
            Self::Encoded { status } => Some(status),
            Self::Timeout | Self::Unreachable | Self::RefusedAddress | Self::Tls => None,
        }
    }

    /// The class of this fault.
    #[must_use]
    pub fn class(self) -> FailureClass {
        match self {
            Self::Timeout => FailureClass::Timeout,
            Self::Unreachable => FailureClass::Unreachable,
            Self::RefusedAddress => FailureClass::RefusedAddress,
            Self::Tls => FailureClass::Tls,
            Self::Malformed { .. } => FailureClass::MalformedHttp,
            Self::TooLarge { .. } => FailureClass::TooLarge,
            Self::Encoded { .. } => FailureClass::NotJson,
        }
    }
}

/// A call to a seller that produced no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct FailedAttempt {
    /// Why it failed.
    pub fault: SellerFault,
    /// Whether the seller may have received the body, so that the body may be the cause. `true` if unknown.
    pub body_may_be_seen: bool,
}

impl From<SellerFault> for FailedAttempt {
    fn from(fault: SellerFault) -> Self {
        Self { fault, body_may_be_seen: !matches!(fault, SellerFault::RefusedAddress | SellerFault::Tls) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_one_name_and_a_message_of_one_sentence() {
        for class in FailureClass::ALL {
            assert_eq!(serde_json::to_value(class).expect("a name"), class.as_str());
            let message = class.seller_message();
            assert!(message.ends_with('.') && !message.contains(". ") && !message.contains("://"), "{message}");
        }
    }
}
