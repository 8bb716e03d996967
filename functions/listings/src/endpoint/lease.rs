//! The lease on an endpoint's secret: only its holder may write or delete a version.

use crochet::http::{ApiError, Code};
use crochet_domain::listing::{Endpoint, EndpointLease};

/// Duration of a lease in milliseconds: longer than a function can run, so a running holder is never overtaken.
pub(super) const LEASE_MS: i64 = 30_000;

/// The endpoint with a lease on its next secret version.
pub(super) fn with_lease(endpoint: &Endpoint, version: &str, now_ms: i64) -> Endpoint {
    let lease = EndpointLease { version: version.to_owned(), until_ms: now_ms + LEASE_MS };
    Endpoint { claim: Some(lease), ..endpoint.clone() }
}

/// Fails while another request holds a lease on the endpoint's secret.
///
/// # Errors
/// `EDIT_CONFLICT`, with the time until the lease expires.
pub(crate) fn check_lease(endpoint: &Endpoint, now_ms: i64) -> Result<(), ApiError> {
    check_until(endpoint.claim.as_ref().map(|lease| lease.until_ms), now_ms)
}

/// Fails before `until_ms`, which is when another request's exclusive access ends.
///
/// # Errors
/// `EDIT_CONFLICT`, with the remaining time.
pub(super) fn check_until(until_ms: Option<i64>, now_ms: i64) -> Result<(), ApiError> {
    match until_ms {
        Some(until_ms) if now_ms < until_ms => {
            let seconds = u64::try_from(until_ms - now_ms).unwrap_or(1).div_ceil(1_000);
            Err(ApiError::new(Code::EditConflict).retry_after(seconds))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_blocks_others_until_it_expires_and_says_how_long() {
        let error = check_until(Some(30_000), 1).expect_err("leased");
        assert_eq!((error.code(), error.retry_after_seconds()), (Code::EditConflict, Some(30)));
        assert!(check_until(Some(30_000), 30_000).is_ok(), "the holder can no longer be running");
        assert!(check_until(None, 0).is_ok());
    }
}
