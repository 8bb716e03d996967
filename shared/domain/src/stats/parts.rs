//! Events in a row of parts, because an item of the database has a maximum size.
//!
//! An event goes into the last part. When that is full, the next one begins: every part but the last is full, and a full one never
//! changes. Whoever adds events writes over the last part that it has read, or makes the one behind it. So of two that add at the same
//! time one fails, reads again, and finds what the other has added.

use super::counted::Counted;
use crate::call::Call;
use crate::score::Event;
use crate::score::event::EventId;

/// Events that a part of a slice takes. Each adds 8 bytes, and at most 45 to the facts of its payer and 8 to the payers of its
/// listing: about 250 KB of the 400 KB that an item may have.
pub const SLICE_EVENTS: usize = 4_000;
/// Events that a part of a day takes: 128 KB, and a transaction takes 4 MB.
pub const DAY_EVENTS: usize = 16_000;

/// A row of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    parts: Vec<Counted>,
    most: usize,
    first_changed: usize,
}

impl Parts {
    /// The parts that were read, each of which takes `most` events. `None` if they were read while another run wrote them: a part with
    /// room for more has another one behind it.
    #[must_use]
    pub fn read(parts: Vec<Counted>, most: usize) -> Option<Self> {
        let all_but_last = parts.len().saturating_sub(1);
        let is_whole = parts.iter().take(all_but_last).all(|part| part.seen.len() >= most);
        is_whole.then_some(Self { first_changed: parts.len(), parts, most })
    }

    /// Whether an event is in one of them.
    #[must_use]
    pub fn knows(&self, id: &EventId) -> bool {
        self.parts.iter().any(|part| part.seen.contains(id))
    }

    /// Counts an event, unless it is in one of them: see [`Counted::count`].
    pub fn count(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        !self.knows(&event.id) && self.last().count(event, call, is_end)
    }

    /// Counts an event for the whole deployment, unless it is in one of them: see [`Counted::count_for_all`].
    pub fn count_for_all(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        is_end && !self.knows(&event.id) && self.last().count_for_all(event, call, is_end)
    }

    /// Notes that an event was counted elsewhere. Whether that is new.
    pub fn note(&mut self, id: EventId) -> bool {
        !self.knows(&id) && self.last().seen.insert(id)
    }

    /// All parts.
    #[must_use]
    pub fn all(&self) -> &[Counted] {
        &self.parts
    }

    /// The parts that have changed since they were read, and their places in the row.
    pub fn changed(&self) -> impl Iterator<Item = (usize, &Counted)> {
        self.parts.iter().enumerate().skip(self.first_changed)
    }

    /// The part that takes the next event.
    fn last(&mut self) -> &mut Counted {
        if self.parts.last().is_none_or(|last| last.seen.len() >= self.most) {
            self.parts.push(Counted::default());
        }
        let last = self.parts.len() - 1;
        self.first_changed = self.first_changed.min(last);
        &mut self.parts[last]
    }
}
