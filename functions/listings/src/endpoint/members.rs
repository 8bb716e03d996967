//! The members of an endpoint that are no secret: they stand in the listing's item, and a change of them is one write.

use crochet::http::{ApiError, Result};
use crochet_domain::listing::{CALLS_PER_MINUTE, Endpoint, EndpointStatus, RESPONSE_BYTES, TIMEOUT_MS};

/// What is to be set; what is `None` stays.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) status: Option<EndpointStatus>,
    pub(crate) timeout_ms: Option<u32>,
    pub(crate) max_response_bytes: Option<u32>,
    pub(crate) rate_limit_per_minute: Option<Option<u32>>,
}

impl Members {
    /// The endpoint with everything set.
    pub(crate) fn set(&self, endpoint: &Endpoint) -> Endpoint {
        Endpoint {
            status: self.status.unwrap_or(endpoint.status),
            timeout_ms: self.timeout_ms.unwrap_or(endpoint.timeout_ms),
            max_response_bytes: self.max_response_bytes.unwrap_or(endpoint.max_response_bytes),
            rate_limit_per_minute: self.rate_limit_per_minute.unwrap_or(endpoint.rate_limit_per_minute),
            ..endpoint.clone()
        }
    }
}

/// How long the seller may take; none brings the usual time back.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn timeout_ms(asked: Option<u64>) -> Result<u32> {
    within("timeout_ms", asked.unwrap_or(TIMEOUT_MS.2.into()), (TIMEOUT_MS.0, TIMEOUT_MS.1))
}

/// How long an answer may be; none brings the usual length back.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn max_response_bytes(asked: Option<u64>) -> Result<u32> {
    within("max_response_bytes", asked.unwrap_or(RESPONSE_BYTES.2.into()), (RESPONSE_BYTES.0, RESPONSE_BYTES.1))
}

/// How many calls a minute the seller takes; none lifts the limit.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn rate_limit_per_minute(asked: Option<u64>) -> Result<Option<u32>> {
    asked.map(|calls| within("rate_limit_per_minute", calls, CALLS_PER_MINUTE)).transpose()
}

fn within(field: &str, asked: u64, (least, most): (u32, u32)) -> Result<u32> {
    match u32::try_from(asked) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(ApiError::field(field, &format!("must be a whole number from {least} to {most}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_to_their_bounds() {
        assert!([1_000, 25_000].iter().all(|&ms| timeout_ms(Some(ms)).is_ok()));
        assert!([0, 999, 25_001].iter().all(|&ms| timeout_ms(Some(ms)).is_err()));
        assert!([1_024, 1_048_576].iter().all(|&bytes| max_response_bytes(Some(bytes)).is_ok()));
        assert!([0, 1_023, 1_048_577, u64::MAX].iter().all(|&bytes| max_response_bytes(Some(bytes)).is_err()));
        assert!([1, 100_000].iter().all(|&calls| rate_limit_per_minute(Some(calls)).is_ok()));
        assert!([0, 100_001, 1 << 32].iter().all(|&calls| rate_limit_per_minute(Some(calls)).is_err()));
    }

    #[test]
    fn none_brings_the_usual_back() {
        assert_eq!(timeout_ms(None).expect("the default"), 15_000);
        assert_eq!(max_response_bytes(None).expect("the default"), 262_144);
        assert_eq!(rate_limit_per_minute(None).expect("no limit"), None);
    }
}
