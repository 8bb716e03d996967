//! What was counted, and of what.

use std::collections::{BTreeMap, BTreeSet};

use super::counters::Counters;
use crate::call::Call;
use crate::ids::ListingId;
use crate::score::Event;
use crate::score::event::EventId;
use crate::score::facts::PayerFacts;

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

    pub(super) fn add(&mut self, event: &Event, call: &Call, is_end: bool) {
        self.payers.add(event);
        if is_end {
            self.listings.entry(event.listing).or_default().add(call);
        }
    }

    pub(super) fn add_for_all(&mut self, call: &Call) {
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
