//! Statistics of listings: what is counted of a call that has ended, and the figures that listings show.
//!
//! Counters are integers, and merging them is adding: no order of calls can change a figure.

mod counters;
mod figures;
mod pack;
mod parts;
mod place;
mod sketch;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use counters::Counters;
pub use figures::{DayFigures, Figures, Report, figures, report, volume};
pub use pack::NotCounters;
pub use parts::{DAY_EVENTS, Parts, SLICE_EVENTS};
pub use place::{Place, place, slice_start_ms};
pub use sketch::Sketch;

use crate::call::Call;
use crate::ids::ListingId;
use crate::score::Event;
use crate::score::event::EventId;
use crate::score::facts::PayerFacts;

/// Days that figures are about, today included.
pub const WINDOW_DAYS: i32 = 30;

/// What was counted of one time, such as a day: for figures by listing, and for scores by listing and payer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    /// For figures.
    pub listings: BTreeMap<ListingId, Counters>,
    /// For scores.
    pub payers: PayerFacts,
}

impl Book {
    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        for (listing, counters) in &other.listings {
            self.listings.entry(*listing).or_default().merge(counters);
        }
        self.payers.merge(&other.payers);
    }

    fn add(&mut self, event: &Event, call: &Call, is_end: bool) {
        self.payers.add(event);
        if is_end {
            self.listings.entry(event.listing).or_default().add(call);
        }
    }

    fn add_for_all(&mut self, call: &Call) {
        self.listings.entry(ListingId::from_bytes([0; 16])).or_default().add(call);
    }
}

/// What was counted, and the events that are in it: each counts once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// What was counted.
    pub book: Book,
    /// The ids of the events.
    pub seen: BTreeSet<EventId>,
}

impl Counted {
    /// Counts an event of this call for its seller, unless it has been counted. `is_end` says that the event is the end of the
    /// call: figures are about ends.
    pub fn count(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        let is_new = self.seen.insert(event.id);
        if is_new {
            self.book.add(event, call, is_end);
        }
        is_new
    }

    /// As [`Counted::count`], for the whole deployment, of which no listings and payers are told apart.
    pub fn count_for_all(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        let is_new = is_end && self.seen.insert(event.id);
        if is_new {
            self.book.add_for_all(call);
        }
        is_new
    }
}

/// A day that is over: what was counted, and the events that are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// What was counted.
    pub book: Book,
    /// The ids of the events.
    pub seen: Parts,
}

impl Day {
    /// As [`Counted::count`].
    pub fn count(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        let is_new = self.seen.note(event.id);
        if is_new {
            self.book.add(event, call, is_end);
        }
        is_new
    }

    /// As [`Counted::count_for_all`].
    pub fn count_for_all(&mut self, event: &Event, call: &Call, is_end: bool) -> bool {
        let is_new = is_end && self.seen.note(event.id);
        if is_new {
            self.book.add_for_all(call);
        }
        is_new
    }
}
