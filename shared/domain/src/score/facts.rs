//! What was counted: sums by listing and payer, and the ids of the events in them.

use std::collections::{BTreeMap, BTreeSet};

use super::call_facts::Facts;
use super::event::{Event, EventId};
use crate::ids::{ListingId, ProfileId};

mod pack;

pub use pack::NotFacts;

/// Facts by listing and payer. Who has none, such as a buyer of free calls, has no row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayerFacts(BTreeMap<(ListingId, ProfileId), Facts>);

impl PayerFacts {
    /// Adds the difference of an event.
    pub fn add(&mut self, event: &Event) {
        self.add_to((event.listing, event.buyer), event.facts);
    }

    fn add_to(&mut self, of: (ListingId, ProfileId), facts: Facts) {
        let sum = self.0.get(&of).copied().unwrap_or_default() + facts;
        if sum == Facts::default() {
            self.0.remove(&of);
        } else {
            self.0.insert(of, sum);
        }
    }

    /// Adds other facts.
    pub fn merge(&mut self, other: &Self) {
        for (of, facts) in &other.0 {
            self.add_to(*of, *facts);
        }
    }

    /// Listing, payer and facts, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (ListingId, ProfileId, Facts)> {
        self.0.iter().map(|((listing, payer), facts)| (*listing, *payer, *facts))
    }

    /// Those of one listing.
    #[must_use]
    pub fn only(&self, listing: ListingId) -> Self {
        Self(self.0.iter().filter(|((of, _), _)| *of == listing).map(|(of, facts)| (*of, *facts)).collect())
    }

    /// Whether there is nothing in them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Facts, and the events that are in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// The facts.
    pub payers: PayerFacts,
    /// The ids of the events that were added.
    pub seen: BTreeSet<EventId>,
}

impl Counted {
    /// Adds an event, unless it is in there. Whether it was added.
    pub fn count(&mut self, event: &Event) -> bool {
        let is_new = self.seen.insert(event.id);
        if is_new {
            self.payers.add(event);
        }
        is_new
    }
}
