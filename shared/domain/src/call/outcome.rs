//! What a seller's response means.

use serde::{Deserialize, Serialize};

use crate::json::{JsonFault, check_strict};
use crate::wire_enum::wire_enum;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

wire_enum! {
    /// Outcome of an attempt.
    pub enum Outcome {
        /// The seller responded to the buyer's request.
        Delivered = "delivered",
        /// No response in time.
        SellerTimeout = "SELLER_TIMEOUT",
        /// No connection, or the address was refused.
        SellerUnreachable = "SELLER_UNREACHABLE",
        /// No secure connection.
        SellerTls = "SELLER_TLS",
        /// A 5xx status, or a response that is not HTTP.
        SellerError = "SELLER_ERROR",
        /// Any other status that is not about the buyer's request.
        SellerRefused = "SELLER_REFUSED",
        /// A body that is neither empty nor JSON by the rules of our own requests.
        SellerInvalidJson = "SELLER_INVALID_JSON",
        /// A body larger than the endpoint's limit.
        SellerResponseTooLarge = "SELLER_RESPONSE_TOO_LARGE",
        /// The attempt ended with our own process. It says nothing about the seller.
        GatewayInterrupted = "GATEWAY_INTERRUPTED",
    }
}

/// Why a response could not be read. Buyers are told so beside the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// A rule of JSON is broken.
    Json(JsonFault),
    /// It is compressed, though nobody asked for that.
    Compressed,
    /// It is not HTTP.
    MalformedHttp,
}

/// A complete response, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadResponse<'a> {
    /// What it came to.
    pub outcome: Outcome,
    /// The JSON to deliver, without a byte order mark. Empty if there is nothing to deliver.
    pub json: &'a [u8],
    /// The rule that its body breaks, if that is why it is not delivered.
    pub json_fault: Option<JsonFault>,
}

/// Reads a complete response. `attempt` counts from 1.
#[must_use]
pub fn classify_response(status: u16, attempt: u32, body: &[u8]) -> ReadResponse<'_> {
    match (classify_status(status, attempt), json_of(body)) {
        (Outcome::Delivered, Ok(json)) => ReadResponse { outcome: Outcome::Delivered, json, json_fault: None },
        (Outcome::Delivered, Err(fault)) => {
            ReadResponse { outcome: Outcome::SellerInvalidJson, json: b"", json_fault: Some(fault) }
        }
        (outcome, _) => ReadResponse { outcome, json: b"", json_fault: None },
    }
}

/// What a status says, if the body under it is as it must be. `attempt` counts from 1.
///
/// 2xx, and the statuses that are about the buyer's request, count as delivered. 409 does so on the first attempt only: on a later
/// one, it may come from the seller's own deduplication. A 5xx is a failure whatever its body says.
#[must_use]
pub fn classify_status(status: u16, attempt: u32) -> Outcome {
    match status {
        200..=299 | 400 | 404 | 410 | 413 | 415 | 422 => Outcome::Delivered,
        409 if attempt == 1 => Outcome::Delivered,
        500.. => Outcome::SellerError,
        _ => Outcome::SellerRefused,
    }
}

/// The JSON of a body, held to the rules of our own requests. A byte order mark is skipped. White space alone is nothing.
fn json_of(body: &[u8]) -> Result<&[u8], JsonFault> {
    let json = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if json.iter().all(|byte| b" \t\r\n".contains(byte)) {
        return Ok(b"");
    }
    check_strict(json).map(|()| json).map_err(|invalid| invalid.fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, attempt: u32, body: &[u8]) -> Outcome {
        classify_response(status, attempt, body).outcome
    }

    #[test]
    fn statuses_mean_what_the_contract_says() {
        for status in 100..600_u16 {
            let expected = match status {
                200..=299 | 400 | 404 | 409 | 410 | 413 | 415 | 422 => Outcome::Delivered,
                500..=599 => Outcome::SellerError,
                _ => Outcome::SellerRefused,
            };
            assert_eq!(outcome(status, 1, b"{}"), expected, "{status}");
        }
        assert_eq!(outcome(409, 2, b"{}"), Outcome::SellerRefused);
        assert_eq!(outcome(204, 1, b""), Outcome::Delivered);
        assert_eq!(outcome(200, 1, b"<html>"), Outcome::SellerInvalidJson);
        assert_eq!(outcome(200, 1, b" 1 "), Outcome::Delivered);
        assert_eq!(outcome(500, 1, b"<html>"), Outcome::SellerError);
    }

    #[test]
    fn an_answer_is_held_to_the_rules_of_our_own_requests() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (body, fault) in [
            (&b"\"\xff\""[..], JsonFault::NotUtf8),
            (b"\xff\xfe{\0}\0", JsonFault::NotUtf8),
            (b"<html>", JsonFault::Syntax),
            (b"{} {}", JsonFault::Syntax),
            (b" \xef\xbb\xbf{}", JsonFault::Syntax),
            (b"\xef\xbb\xbf\xef\xbb\xbf{}", JsonFault::Syntax),
            (b"\x0c", JsonFault::Syntax),
            (nested(65).as_bytes(), JsonFault::TooDeep),
            (b"1e400", JsonFault::NumberOutOfRange),
            (br#""\ud800""#, JsonFault::LoneSurrogate),
            (br#"{"a":1,"a":2}"#, JsonFault::DuplicateKey),
        ] {
            for status in [200, 404] {
                let refused = ReadResponse { outcome: Outcome::SellerInvalidJson, json: b"", json_fault: Some(fault) };
                assert_eq!(classify_response(status, 1, body), refused, "{body:?}");
            }
            assert_eq!(classify_response(500, 1, body).json_fault, None, "{body:?}");
        }
        let fine = nested(64);
        assert_eq!(classify_response(200, 1, fine.as_bytes()).json, fine.as_bytes());
    }

    #[test]
    fn white_space_alone_is_nothing_and_a_byte_order_mark_is_skipped() {
        for (body, json) in [
            (&b""[..], &b""[..]),
            (b" \t\r\n", b""),
            (b"\xef\xbb\xbf", b""),
            (b"\xef\xbb\xbf\n", b""),
            (b"\xef\xbb\xbf {\"a\": 1}\n", b" {\"a\": 1}\n"),
        ] {
            let delivered = ReadResponse { outcome: Outcome::Delivered, json, json_fault: None };
            assert_eq!(classify_response(200, 1, body), delivered, "{body:?}");
        }
    }
}
