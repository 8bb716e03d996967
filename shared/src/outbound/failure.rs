//! How a seller fails: in which class, and what the seller is told about it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a call to a seller brought no answer for the buyer. The wire names are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// No connection, or it broke.
    Unreachable,
    /// No secure connection.
    Tls,
    /// Not within the endpoint's `timeout_ms`.
    Timeout,
    /// A status that speaks of the seller's failure.
    Status,
    /// An answer that is neither empty nor plain JSON.
    NotJson,
    /// An answer longer than allowed.
    TooLarge,
    /// The URL or an address that its name leads to may not be called.
    RefusedAddress,
}

impl FailureClass {
    /// Every class.
    pub const ALL: [Self; 7] =
        [Self::Unreachable, Self::Tls, Self::Timeout, Self::Status, Self::NotJson, Self::TooLarge, Self::RefusedAddress];

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
            Self::RefusedAddress => "refused_address",
        }
    }

    /// One sentence for the seller's own test report. It says what to mend, and names neither URL nor address.
    #[must_use]
    pub fn seller_message(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "No connection to the endpoint could be made, or it broke before the whole answer had come: check that the host \
                 resolves, that the server runs, and that its firewall lets the Internet in."
            }
            Self::Tls => {
                "The endpoint offered no TLS connection that can be trusted: serve TLS 1.2 or 1.3 with a valid certificate of a \
                 public authority for the endpoint's host, and send its intermediate certificates."
            }
            Self::Timeout => {
                "The whole answer did not come within `timeout_ms`, which covers name look-up, connection, request and answer \
                 together: answer sooner, or set a longer one."
            }
            Self::Status => {
                "The endpoint answered with a status that counts as its own failure: answer 2xx, or 400, 404, 409, 410, 413, 415 \
                 or 422 where the buyer's request is at fault, and never with a redirect (after a 401 or 403 check its signing secret \
                 and its clock)."
            }
            Self::NotJson => {
                "The endpoint's answer cannot be read as JSON: send one JSON value in UTF-8, or nothing, without compression."
            }
            Self::TooLarge => {
                "The endpoint's answer is longer than `max_response_bytes`, or has more than 100 header lines or 64 KiB of them."
            }
            Self::RefusedAddress => {
                "The endpoint's URL may not be called: its host must be a public DNS name whose addresses are all public."
            }
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SellerFault {
    /// Not within the deadline.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// The URL, or an address that the name leads to, may not be called.
    RefusedAddress,
    /// No secure connection.
    Tls,
    /// The body or the header block is longer than allowed.
    TooLarge {
        /// Its status, where that could be read.
        status: Option<u16>,
    },
    /// The body is compressed, though nobody asked for that.
    Encoded {
        /// Its status.
        status: u16,
    },
}

impl SellerFault {
    /// The class that it belongs to.
    #[must_use]
    pub fn class(self) -> FailureClass {
        match self {
            Self::Timeout => FailureClass::Timeout,
            Self::Unreachable => FailureClass::Unreachable,
            Self::RefusedAddress => FailureClass::RefusedAddress,
            Self::Tls => FailureClass::Tls,
            Self::TooLarge { .. } => FailureClass::TooLarge,
            Self::Encoded { .. } => FailureClass::NotJson,
        }
    }
}

/// A call to a seller that brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Why.
    pub fault: SellerFault,
    /// Whether the seller may have seen the body, so that the body may be why. Where that is not known, it may.
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
    fn each_class_is_spelled_one_way_and_told_in_one_sentence() {
        for class in FailureClass::ALL {
            assert_eq!(serde_json::to_value(class).expect("a name"), class.as_str());
            let message = class.seller_message();
            assert!(message.ends_with('.') && !message.contains(". ") && !message.contains("://"), "{message}");
        }
    }
}
