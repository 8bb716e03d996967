//! Rate limits: exact counts in the table, and a cache of exhausted windows, so that a refusal costs no write.

use std::sync::Arc;

use quick_cache::sync::Cache;
use time::OffsetDateTime;

use crate::store::{Store, StoreError};

/// A limit: the number of events of one subject in a window.
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
/// Quotes requested from the payment provider, per buyer.
pub const QUOTES_PER_BUYER: Limit = Limit { name: "quotes", quota: 10, window_seconds: 60 };
/// Refunds that are asked for, and calls that are closed, per profile. Each may ask the payment provider.
pub const REFUNDS: Limit = Limit { name: "refunds", quota: 30, window_seconds: 60 };
/// Changes of a profile's text, new keys and changes of wallets, per profile. Each increments the profile's version, and a recovery
/// is written over one version: no key may be able to keep a recovery from succeeding. Revoking a key is not counted, so that a
/// stolen key cannot keep its owner from revoking it.
pub const PROFILE_WRITES: Limit = Limit { name: "profile-writes", quota: 30, window_seconds: 60 };
/// Changes of listings, per profile.
pub const LISTING_WRITES: Limit = Limit { name: "listing-writes", quota: 60, window_seconds: 3_600 };
/// Changes of one listing's endpoint. AWS refuses more than 100 versions of a secret per day.
pub const ENDPOINT_EDITS: Limit = Limit { name: "endpoint-edits", quota: 20, window_seconds: 86_400 };
/// Secrets that are created in Secrets Manager, per profile. What all may create in a day is capped, too.
pub const NEW_SECRETS: Limit = Limit { name: "new-secrets", quota: 40, window_seconds: 86_400 };
/// Test calls of one listing's endpoint.
pub const ENDPOINT_TESTS: Limit = Limit { name: "endpoint-tests", quota: 10, window_seconds: 60 };

/// Reviews and answers to reviews, per profile.
pub const REVIEW_WRITES: Limit = Limit { name: "review-writes", quota: 30, window_seconds: 3_600 };

/// Every limit, for the API reference.
pub const ALL: &[Limit] = &[
    PER_KEY,
    GATEWAY_PER_KEY,
    READS_PER_IP,
    AUTH_PER_IP,
    FAILED_AUTH_PER_IP,
    QUOTES_PER_BUYER,
    REFUNDS,
    PROFILE_WRITES,
    LISTING_WRITES,
    ENDPOINT_EDITS,
    NEW_SECRETS,
    ENDPOINT_TESTS,
    REVIEW_WRITES,
];

/// A subject's use of a limit in the current window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitStatus {
    pub(crate) limit: Limit,
    /// Events allowed in the window, including the factor of relaxed limits.
    pub(crate) quota: u32,
    pub(crate) used: u32,
    /// Seconds until the window ends.
    pub(crate) resets_in: i64,
}

/// Counts against limits.
#[derive(Clone, Debug)]
pub struct Limiter {
    store: Store,
    factor: u32,
    /// The start of the window that a subject has exhausted. A refusal then costs no write.
    exhausted: Arc<Cache<String, i64>>,
}

/// Maximum number of cached windows. A window that is not cached is counted in the table again.
const REMEMBERED: usize = 10_000;

impl Limiter {
    /// A limiter over the store. `factor` multiplies every quota (1, or 100 in local mode).
    #[must_use]
    pub fn new(store: Store, factor: u32) -> Self {
        Self { store, factor, exhausted: Arc::new(Cache::new(REMEMBERED)) }
    }

    /// Counts one event of the subject.
    pub async fn count(&self, limit: Limit, subject: &str, now: OffsetDateTime) -> Result<LimitStatus, StoreError> {
        if let Some(status) = self.is_known_exhausted(limit, subject, now) {
            return Ok(status);
        }
        let (subject, start) = (counter_name(limit, subject), window_start(limit, now));
        let used = self.store.count(&subject, start, i64::from(limit.window_seconds), 1).await?;
        let status = self.status(limit, used, now);
        if status.used > status.quota {
            self.exhausted.insert(subject, start);
        }
        Ok(status)
    }

    /// Takes back an event that was counted at `now`: what it was counted for has not happened.
    pub async fn give_back(&self, limit: Limit, subject: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        let (subject, start) = (counter_name(limit, subject), window_start(limit, now));
        self.store.count(&subject, start, i64::from(limit.window_seconds), -1).await.map(drop)
    }

    /// The subject's status, if this instance knows that the limit is exceeded. Nothing is counted.
    #[must_use]
    pub fn is_known_exhausted(&self, limit: Limit, subject: &str, now: OffsetDateTime) -> Option<LimitStatus> {
        let known = self.exhausted.get(&counter_name(limit, subject)) == Some(window_start(limit, now));
        known.then(|| self.status(limit, u32::MAX, now))
    }

    fn status(&self, limit: Limit, used: u32, now: OffsetDateTime) -> LimitStatus {
        let ends = window_start(limit, now) + i64::from(limit.window_seconds);
        LimitStatus { limit, quota: limit.quota.saturating_mul(self.factor), used, resets_in: ends - now.unix_timestamp() }
    }
}

fn counter_name(limit: Limit, subject: &str) -> String {
    format!("{}:{subject}", limit.name)
}

/// Unix seconds.
fn window_start(limit: Limit, now: OffsetDateTime) -> i64 {
    let window = i64::from(limit.window_seconds);
    now.unix_timestamp().div_euclid(window) * window
}
