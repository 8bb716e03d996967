//! Rate limits in replies: the error beyond a limit, and the `RateLimit` fields.

use axum::http::{HeaderMap, HeaderValue};

use super::codes::Code;
use super::error::ApiError;
use crate::limits::LimitStatus;

impl LimitStatus {
    /// Fails if the limit is exceeded.
    ///
    /// # Errors
    /// `code`, with the seconds until the window ends.
    pub fn check(self, code: Code) -> Result<(), ApiError> {
        if self.used <= self.quota {
            return Ok(());
        }
        let wait = u64::try_from(self.resets_in.max(1)).unwrap_or(1);
        Err(ApiError::new(code).retry_after(wait).detail("limit", self.quota).detail("window_seconds", self.limit.window_seconds))
    }

    /// Writes the `RateLimit` and `RateLimit-Policy` fields.
    pub fn describe(self, headers: &mut HeaderMap) {
        let Self { limit, quota, used, resets_in } = self;
        let policy = format!("\"{}\";q={quota};w={}", limit.name, limit.window_seconds);
        let status = format!("\"{}\";r={};t={resets_in}", limit.name, quota.saturating_sub(used));
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", status)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}
