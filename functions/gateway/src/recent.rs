//! Entries of the log of ended calls that this instance has counted.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crochet::store::stats_log::LogEntry;

/// Entries that were counted, so that reading them again costs no more than the index.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<HashSet<LogEntry>>);

impl Recent {
    pub(crate) fn without_known(&self, entries: Vec<LogEntry>) -> Vec<LogEntry> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.into_iter().filter(|entry| !known.contains(entry)).collect()
    }

    /// Remembers these entries, and forgets those from before `since_ms`.
    pub(crate) fn remember(&self, entries: Vec<LogEntry>, since_ms: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|entry| entry.at_ms >= since_ms);
        known.extend(entries);
    }
}
