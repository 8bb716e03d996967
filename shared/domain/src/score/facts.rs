//! What was counted: sums by listing and payer, and the ids of the events in them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Add, AddAssign, Neg};

use super::event::{Event, EventId};
use crate::ids::{ListingId, ProfileId};

mod pack;

pub use pack::NotFacts;

/// What is counted of the calls of one day. Sums are in milli where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Delivered with a 2xx status.
    pub kept: i64,
    /// Half of what was delivered after a failure, and of what was not delivered and is not owed.
    pub lost: i64,
    /// Undelivered calls that were not paid back. Three days after their end they are owed; until then `open_half` is lost.
    pub open: i64,
    /// Half of each of these calls, rounded down.
    pub open_half: i64,
    /// Everything that was delivered, including responses about the request, such as 404.
    pub bought: i64,
    /// The fees of what was delivered, in micro-dollars.
    pub fees: i64,
    /// Number of undelivered calls that were presented.
    pub unserved: i64,
}

impl Facts {
    fn array(self) -> [i64; 7] {
        [self.kept, self.lost, self.open, self.open_half, self.bought, self.fees, self.unserved]
    }

    fn from_array([kept, lost, open, open_half, bought, fees, unserved]: [i64; 7]) -> Self {
        Self { kept, lost, open, open_half, bought, fees, unserved }
    }
}

impl Add for Facts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (mut sum, other) = (self.array(), other.array());
        for (sum, more) in sum.iter_mut().zip(other) {
            *sum += more;
        }
        Self::from_array(sum)
    }
}

impl AddAssign for Facts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Neg for Facts {
    type Output = Self;

    fn neg(self) -> Self {
        Self::from_array(self.array().map(Neg::neg))
    }
}

/// Facts by listing and payer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayerFacts(BTreeMap<(ListingId, ProfileId), Facts>);

impl PayerFacts {
    /// Adds the difference of an event. A payer that was never heard of is remembered even if the difference is nothing.
    pub fn add(&mut self, event: &Event) {
        *self.0.entry((event.listing, event.buyer)).or_default() += event.facts;
    }

    /// Adds other facts.
    pub fn merge(&mut self, other: &Self) {
        for (of, facts) in &other.0 {
            *self.0.entry(*of).or_default() += *facts;
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
