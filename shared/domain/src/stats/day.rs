//! Days that are over.

use super::counted::Book;
use super::parts::Parts;
use crate::call::Call;
use crate::score::Event;

/// A day that is over: what was counted, and the events that are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// What was counted.
    pub book: Book,
    /// The ids of the events.
    pub seen: Parts,
}

impl Day {
    /// As [`Counted::count`](super::Counted::count).
    pub fn count(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        let is_new = self.seen.note(event.id);
        if is_new {
            self.book.add(event, call, is_end);
        }
        is_new
    }

    /// As [`Counted::count_for_all`](super::Counted::count_for_all).
    pub fn count_for_all(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        let is_new = is_end && self.seen.note(event.id);
        if is_new {
            self.book.add_for_all(call);
        }
        is_new
    }
}
