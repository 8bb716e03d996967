//! The sums that are kept of calls.

use std::ops::{Add, AddAssign, Neg};

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
    pub(super) fn array(self) -> [i64; 7] {
        [self.kept, self.lost, self.open, self.open_half, self.bought, self.fees, self.unserved]
    }

    pub(super) fn from_array([kept, lost, open, open_half, bought, fees, unserved]: [i64; 7]) -> Self {
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
