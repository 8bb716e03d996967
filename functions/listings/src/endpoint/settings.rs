//! The settings of an endpoint that are not secret. They are part of the listing's item, so a change of them is one write.

use crochet::http::{ApiError, Result};
use crochet_domain::listing::{CALLS_PER_MINUTE, Endpoint, EndpointStatus, RESPONSE_BYTES, TIMEOUT_MS};

/// A change of settings. `None` leaves a setting as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EndpointSettings {
    pub(crate) status: Option<EndpointStatus>,
    pub(crate) timeout_ms: Option<u32>,
    pub(crate) max_response_bytes: Option<u32>,
    pub(crate) rate_limit_per_minute: Option<Option<u32>>,
}

impl EndpointSettings {
    /// The endpoint with this change applied.
    pub(crate) fn apply_to(&self, endpoint: &Endpoint) -> Endpoint {
        Endpoint {
            status: self.status.unwrap_or(endpoint.status),
            timeout_ms: self.timeout_ms.unwrap_or(endpoint.timeout_ms),
            max_response_bytes: self.max_response_bytes.unwrap_or(endpoint.max_response_bytes),
            rate_limit_per_minute: self.rate_limit_per_minute.unwrap_or(endpoint.rate_limit_per_minute),
            ..endpoint.clone()
        }
    }
}

/// The timeout in milliseconds. `None` stands for the default.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn timeout_ms(requested: Option<u64>) -> Result<u32> {
    in_range("timeout_ms", requested.unwrap_or(TIMEOUT_MS.2.into()), (TIMEOUT_MS.0, TIMEOUT_MS.1))
}

/// The maximum response size in bytes. `None` stands for the default.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn max_response_bytes(requested: Option<u64>) -> Result<u32> {
    in_range("max_response_bytes", requested.unwrap_or(RESPONSE_BYTES.2.into()), (RESPONSE_BYTES.0, RESPONSE_BYTES.1))
}

/// The maximum number of calls per minute. `None` stands for no limit.
///
/// # Errors
/// `INVALID_REQUEST`, naming the field.
pub(crate) fn rate_limit_per_minute(requested: Option<u64>) -> Result<Option<u32>> {
    requested.map(|calls| in_range("rate_limit_per_minute", calls, CALLS_PER_MINUTE)).transpose()
}

fn in_range(field: &str, requested: u64, (min, max): (u32, u32)) -> Result<u32> {
    match u32::try_from(requested) {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(ApiError::field(field, &format!("must be a whole number from {min} to {max}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_must_be_in_range() {
        assert!([1_000, 25_000].iter().all(|&ms| timeout_ms(Some(ms)).is_ok()));
        assert!([0, 999, 25_001].iter().all(|&ms| timeout_ms(Some(ms)).is_err()));
        assert!([1_024, 1_048_576].iter().all(|&bytes| max_response_bytes(Some(bytes)).is_ok()));
        assert!([0, 1_023, 1_048_577, u64::MAX].iter().all(|&bytes| max_response_bytes(Some(bytes)).is_err()));
        assert!([1, 100_000].iter().all(|&calls| rate_limit_per_minute(Some(calls)).is_ok()));
        assert!([0, 100_001, 1 << 32].iter().all(|&calls| rate_limit_per_minute(Some(calls)).is_err()));
    }

    #[test]
    fn none_restores_the_default() {
        assert_eq!(timeout_ms(None).expect("the default"), 15_000);
        assert_eq!(max_response_bytes(None).expect("the default"), 262_144);
        assert_eq!(rate_limit_per_minute(None).expect("no limit"), None);
    }
}
