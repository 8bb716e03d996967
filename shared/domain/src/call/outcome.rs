//! What a seller's response means.

use serde::{Deserialize, Serialize};

/// Outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The seller responded to the buyer's request.
    #[serde(rename = "delivered")]
    Delivered,
    /// No response in time.
    #[serde(rename = "SELLER_TIMEOUT")]
    SellerTimeout,
    /// No connection, or the address was refused.
    #[serde(rename = "SELLER_UNREACHABLE")]
    SellerUnreachable,
    /// No secure connection.
    #[serde(rename = "SELLER_TLS")]
    SellerTls,
    /// A 5xx status.
    #[serde(rename = "SELLER_ERROR")]
    SellerError,
    /// Any other status that is not about the buyer's request.
    #[serde(rename = "SELLER_REFUSED")]
    SellerRefused,
    /// A body that is neither empty nor JSON.
    #[serde(rename = "SELLER_INVALID_JSON")]
    SellerInvalidJson,
    /// A body larger than the endpoint's limit.
    #[serde(rename = "SELLER_RESPONSE_TOO_LARGE")]
    SellerResponseTooLarge,
}

impl Outcome {
    /// Every value.
    pub const ALL: &'static [Self] = &[
        Self::Delivered,
        Self::SellerTimeout,
        Self::SellerUnreachable,
        Self::SellerTls,
        Self::SellerError,
        Self::SellerRefused,
        Self::SellerInvalidJson,
        Self::SellerResponseTooLarge,
    ];
}

/// Classifies a complete response. `attempt` counts from 1.
///
/// 2xx, and the statuses that are about the buyer's request, count as delivered. 409 does so on the first attempt only: on a later
/// one, it may come from the seller's own deduplication. A 5xx is a failure whatever its body says.
#[must_use]
pub fn classify_response(status: u16, attempt: u32, body: &[u8]) -> Outcome {
    let delivered = match status {
        200..=299 | 400 | 404 | 410 | 413 | 415 | 422 => true,
        409 => attempt == 1,
        _ => false,
    };
    if delivered {
        if body.is_empty() || is_json(body) { Outcome::Delivered } else { Outcome::SellerInvalidJson }
    } else if status >= 500 {
        Outcome::SellerError
    } else {
        Outcome::SellerRefused
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_what_the_contract_says() {
        for status in 100..600_u16 {
            let expected = match status {
                200..=299 | 400 | 404 | 409 | 410 | 413 | 415 | 422 => Outcome::Delivered,
                500..=599 => Outcome::SellerError,
                _ => Outcome::SellerRefused,
            };
            assert_eq!(classify_response(status, 1, b"{}"), expected, "{status}");
        }
        assert_eq!(classify_response(409, 2, b"{}"), Outcome::SellerRefused);
        assert_eq!(classify_response(204, 1, b""), Outcome::Delivered);
        assert_eq!(classify_response(200, 1, b"<html>"), Outcome::SellerInvalidJson);
        assert_eq!(classify_response(200, 1, b" 1 "), Outcome::Delivered);
        assert_eq!(classify_response(200, 1, b"\"\xff\""), Outcome::SellerInvalidJson);
        assert_eq!(classify_response(500, 1, b"<html>"), Outcome::SellerError);
    }
}
