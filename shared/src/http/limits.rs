//! Rate limits: exact counts in the table, and a memory of exhausted windows so that a refusal costs no write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue};

use super::codes::Code;
use super::error::ApiError;
use crate::store::{Store, StoreError};

/// One limit: so many events of a subject in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Its name in the `RateLimit` fields, and part of the counter's key.
    pub name: &'static str,
    /// Events allowed in a window, before the local factor.
    pub quota: u32,
    /// Length of the window in seconds.
    pub window_seconds: u32,
}

/// Requests with a key, all routes but the gateway.
pub const PER_KEY: Limit = Limit { name: "key", quota: 300, window_seconds: 60 };
/// Gateway calls of one key.
pub const GATEWAY_PER_KEY: Limit = Limit { name: "gateway", quota: 600, window_seconds: 60 };
/// Reads without a key, per IP address.
pub const READS_PER_IP: Limit = Limit { name: "reads", quota: 300, window_seconds: 60 };
/// Challenges, registrations, recoveries and steps of passkey ceremonies, per IP address.
pub const AUTH_PER_IP: Limit = Limit { name: "auth", quota: 30, window_seconds: 300 };
/// Failed authentications, per IP address.
pub const FAILED_AUTH_PER_IP: Limit = Limit { name: "failed-auth", quota: 30, window_seconds: 300 };
/// Quotes asked of the payment provider, per buyer.
pub const QUOTES_PER_BUYER: Limit = Limit { name: "quotes", quota: 10, window_seconds: 60 };
/// Changes of what a profile says, new keys and changes of wallets, per profile. Each of them moves the profile's version, and who
/// recovers a profile writes over a version: nobody's key may keep it moving. To end a key is not counted: there are no more to be
/// ended than were made, and a key in wrong hands must not keep its owner from ending it.
pub const PROFILE_WRITES: Limit = Limit { name: "profile-writes", quota: 30, window_seconds: 60 };
/// Changes of listings, per profile.
pub const LISTING_WRITES: Limit = Limit { name: "listing-writes", quota: 60, window_seconds: 3_600 };
/// Changes of one listing's endpoint: AWS refuses a secret more than 100 versions a day.
pub const ENDPOINT_EDITS: Limit = Limit { name: "endpoint-edits", quota: 20, window_seconds: 86_400 };
/// Test calls of one listing's endpoint.
pub const ENDPOINT_TESTS: Limit = Limit { name: "endpoint-tests", quota: 10, window_seconds: 60 };

/// Every limit, for the API reference.
pub const ALL: &[Limit] = &[
    PER_KEY,
    GATEWAY_PER_KEY,
    READS_PER_IP,
    AUTH_PER_IP,
    FAILED_AUTH_PER_IP,
    QUOTES_PER_BUYER,
    PROFILE_WRITES,
    LISTING_WRITES,
    ENDPOINT_EDITS,
    ENDPOINT_TESTS,
];

/// Where a subject stands within a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitStatus {
    limit: Limit,
    quota: u32,
    used: u32,
    resets_in: i64,
}

impl LimitStatus {
    /// Fails where the limit is passed.
    ///
    /// # Errors
    /// 429 with this code.
    pub fn check(self, code: Code) -> Result<Self, ApiError> {
        if self.used <= self.quota {
            return Ok(self);
        }
        let wait = u64::try_from(self.resets_in.max(1)).unwrap_or(1);
        Err(ApiError::new(code).retry_after(wait).detail("limit", self.quota).detail("window_seconds", self.limit.window_seconds))
    }

    /// Writes the `RateLimit` and `RateLimit-Policy` fields.
    pub fn describe(self, headers: &mut HeaderMap) {
        let Self { limit, quota, used, resets_in } = self;
        let policy = format!("\"{}\";q={quota};w={}", limit.name, limit.window_seconds);
        let standing = format!("\"{}\";r={};t={resets_in}", limit.name, quota.saturating_sub(used));
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", standing)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Counts against limits.
#[derive(Clone, Debug)]
pub struct Limiter {
    store: Store,
    factor: u32,
    exhausted: Arc<Mutex<HashMap<String, i64>>>,
}

/// So many exhausted windows are remembered; past it the memory is emptied, and the table decides again.
const REMEMBERED: usize = 10_000;

impl Limiter {
    /// A limiter over the store; `factor` multiplies every quota (1, or 100 in local mode).
    #[must_use]
    pub fn new(store: Store, factor: u32) -> Self {
        Self { store, factor, exhausted: Arc::default() }
    }

    /// Counts one event and tells where the subject stands.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn count(&self, limit: Limit, subject: &str, now: time::OffsetDateTime) -> Result<LimitStatus, StoreError> {
        let window = i64::from(limit.window_seconds);
        let start = now.unix_timestamp().div_euclid(window) * window;
        let quota = limit.quota.saturating_mul(self.factor);
        let standing = |used| LimitStatus { limit, quota, used, resets_in: start + window - now.unix_timestamp() };
        let subject = format!("{}:{subject}", limit.name);
        if self.is_exhausted(&subject, start) {
            return Ok(standing(quota.saturating_add(1)));
        }
        let used = self.store.count(&subject, start, window).await?;
        if used > quota {
            self.remember(subject, start);
        }
        Ok(standing(used))
    }

    /// Whether the subject is known to have passed the limit: no counting, no request.
    #[must_use]
    pub fn is_known_exhausted(&self, limit: Limit, subject: &str, now: time::OffsetDateTime) -> Option<LimitStatus> {
        let window = i64::from(limit.window_seconds);
        let start = now.unix_timestamp().div_euclid(window) * window;
        let quota = limit.quota.saturating_mul(self.factor);
        self.is_exhausted(&format!("{}:{subject}", limit.name), start).then_some(LimitStatus {
            limit,
            quota,
            used: quota.saturating_add(1),
            resets_in: start + window - now.unix_timestamp(),
        })
    }

    fn is_exhausted(&self, subject: &str, start: i64) -> bool {
        self.exhausted.lock().unwrap_or_else(PoisonError::into_inner).get(subject) == Some(&start)
    }

    fn remember(&self, subject: String, start: i64) {
        let mut exhausted = self.exhausted.lock().unwrap_or_else(PoisonError::into_inner);
        if exhausted.len() >= REMEMBERED {
            exhausted.clear();
        }
        exhausted.insert(subject, start);
    }
}
