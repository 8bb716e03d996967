//! What a connection has received: it tells whether a kept connection died before a byte of the reply.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the bytes that a connection receives.
#[derive(Debug, Clone, Default)]
pub(super) struct Received(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    /// The bytes of the complete responses among them.
    answered: AtomicU64,
}

impl Received {
    pub(super) fn add(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::SeqCst);
    }

    /// Notes that everything received so far was complete responses.
    pub(super) fn response_complete(&self) {
        self.0.answered.store(self.0.bytes.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Whether the connection has brought a complete response before.
    pub(super) fn is_kept(&self) -> bool {
        self.0.answered.load(Ordering::SeqCst) > 0
    }

    /// Whether anything has come after the last complete response.
    pub(super) fn has_more(&self) -> bool {
        self.0.bytes.load(Ordering::SeqCst) > self.0.answered.load(Ordering::SeqCst)
    }
}
