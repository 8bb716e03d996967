//! Whether a call is open, and for how long at most.

use super::{ASKED_AGAIN_MS, Call, CallState};

impl Call {
    /// Whether something may still become of it. An unpaid quote that has ended is open for as long as the provider is asked about it: a
    /// fill in that time settles.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.state {
            CallState::Quoted | CallState::Pending | CallState::Settled | CallState::Delivering { .. } => true,
            CallState::Expired => self.due_ms.is_some(),
            CallState::Delivered { .. } | CallState::Undelivered => false,
        }
    }

    /// Until when it is open if nobody does anything about it (Unix milliseconds). `None` if it is not open, or if a deposit is on its
    /// way: only the provider says how long that takes.
    #[must_use]
    pub fn open_until_ms(&self) -> Option<i64> {
        match self.state {
            _ if !self.is_open() => None,
            CallState::Quoted | CallState::Expired => {
                let asked_until = ASKED_AGAIN_MS.into_iter().max()?;
                self.payment.as_ref().map(|payment| payment.ttl_ms + asked_until)
            }
            _ => self.redeliver_until_ms(),
        }
    }
}
