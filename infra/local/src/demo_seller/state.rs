//! The seller's state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crochet::clock::Clock;

use super::calls::Log;
use super::secrets::Secrets;

/// The seller's state. Clones share it.
#[derive(Clone)]
pub struct DemoSeller(Arc<Inner>);

struct Inner {
    clock: Clock,
    secrets: Mutex<Secrets>,
    log: Mutex<Log>,
}

impl DemoSeller {
    /// A seller without secrets.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, secrets: Mutex::default(), log: Mutex::default() }))
    }

    pub(super) fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.0.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }
}
