//! The only source of time. Handlers read it once and hand the value down; `domain` never asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

/// The system's clock plus an offset.
///
/// The offset is zero in a deployed system. Local stacks move it (`CROCHET_CLOCK=movable`), so that leases, overlaps and
/// expiry can be tried without waiting. Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that tells the system's time.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// The present moment in UTC, at millisecond precision: what is stored and shown never differs by a fraction.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc() + Duration::milliseconds(self.offset_ms());
        now.replace_millisecond(now.millisecond()).unwrap_or(now)
    }

    /// How far this clock is ahead of the system's, in milliseconds.
    #[must_use]
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Sets the offset, in milliseconds.
    pub fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }

    /// Moves the clock by `ms` and tells the new offset.
    pub fn advance_ms(&self, ms: i64) -> i64 {
        self.offset_ms.fetch_add(ms, Ordering::Relaxed) + ms
    }
}
