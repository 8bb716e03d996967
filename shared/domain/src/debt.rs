//! What a seller owes a buyer for a call that was paid and never delivered.
//!
//! The ledger records who owes what. A [`Debt`] is open for as long as it exists: it is removed when it is paid back. The operator's
//! part is not among them.

use serde::{Deserialize, Serialize};

use crate::call::ledger::Settlement;
use crate::call::{Call, CallKey};
use crate::ids::{CallId, ProfileId};
use crate::money::Micros;
use crate::unknown::Unknown;

/// Time in which a debt must be paid back: 7 days.
pub const REFUND_WITHIN_MS: i64 = 7 * 24 * 3_600_000;
/// Time after which an overdue debt is looked at again: 1 day.
const LOOKED_AT_AGAIN_MS: i64 = 24 * 3_600_000;

/// An open debt of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// The seller, who owes.
    pub seller: ProfileId,
    /// The buyer, who is owed.
    pub buyer: ProfileId,
    /// The call.
    pub id: CallId,
    /// The call's key.
    pub call: CallKey,
    /// The amount: what the seller received.
    pub amount: Micros,
    /// When the call closed (Unix milliseconds).
    pub since_ms: i64,
    /// When the debt needs attention next (Unix milliseconds).
    pub due_ms: i64,
    /// Whether it was not paid in time although it could be.
    pub overdue: bool,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What a seller owes altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The sum of the open debts.
    pub owes: Micros,
    /// Whether one of them is overdue.
    pub overdue: bool,
}

impl Debt {
    /// The debt of an undelivered call; `None` if its seller received nothing, or owes nothing any more.
    ///
    /// It is due at once, so that the seller's profile and listings are made to show it.
    #[must_use]
    pub fn of(call: &Call, now_ms: i64) -> Option<Self> {
        let amount = call.split.seller_receives;
        let is_owed = call.payment.is_some() && amount > Micros::ZERO && call.debts.seller == Settlement::Open;
        is_owed.then(|| Self {
            seller: call.seller,
            buyer: call.buyer,
            id: call.id,
            call: call.key(),
            amount,
            since_ms: now_ms,
            due_ms: now_ms,
            overdue: false,
            unknown: Unknown::default(),
        })
    }

    /// Whether it has been open for longer than it may be.
    #[must_use]
    pub fn is_late(&self, now_ms: i64) -> bool {
        now_ms >= self.since_ms + REFUND_WITHIN_MS
    }

    /// The debt after it was looked at. `has_route` says whether a payment route carries it to the buyer: what nothing carries never
    /// becomes overdue, and is looked at again.
    #[must_use]
    pub fn looked_at(mut self, has_route: bool, now_ms: i64) -> Self {
        if !self.is_late(now_ms) {
            self.due_ms = self.since_ms + REFUND_WITHIN_MS;
        } else if has_route {
            self.overdue = true;
            self.due_ms = now_ms + LOOKED_AT_AGAIN_MS;
        } else {
            self.overdue = false;
            self.due_ms = now_ms + REFUND_WITHIN_MS;
        }
        self
    }
}

/// What a seller with these open debts owes altogether.
#[must_use]
pub fn standing(debts: &[Debt]) -> Standing {
    Standing { owes: debts.iter().map(|debt| debt.amount).sum(), overdue: debts.iter().any(|debt| debt.overdue) }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn debt(amount: i64) -> Debt {
        let now = OffsetDateTime::UNIX_EPOCH;
        let id = CallId::generate(now);
        Debt {
            seller: ProfileId::generate(now),
            buyer: ProfileId::generate(now),
            id,
            call: CallKey::of_payment("rail", "0x1"),
            amount: Micros(amount),
            since_ms: 1_000,
            due_ms: 1_000,
            overdue: false,
            unknown: Unknown::default(),
        }
    }

    #[test]
    fn a_debt_is_overdue_after_seven_days_if_it_can_be_paid() {
        let late = 1_000 + REFUND_WITHIN_MS;
        let announced = debt(5).looked_at(true, 2_000);
        assert_eq!((announced.due_ms, announced.overdue), (late, false), "first it is only shown");
        let overdue = announced.clone().looked_at(true, late);
        assert_eq!((overdue.due_ms, overdue.overdue), (late + LOOKED_AT_AGAIN_MS, true));
        let unpayable = announced.looked_at(false, late);
        assert_eq!((unpayable.due_ms, unpayable.overdue), (late + REFUND_WITHIN_MS, false));
        assert!(!overdue.looked_at(false, late + 1).overdue, "the route is gone");
        assert!(unpayable.looked_at(true, late + REFUND_WITHIN_MS).overdue, "the route is back");
    }

    #[test]
    fn a_standing_is_the_sum_and_the_worst() {
        assert_eq!(standing(&[]), Standing { owes: Micros::ZERO, overdue: false });
        let late = Debt { overdue: true, ..debt(7) };
        assert_eq!(standing(&[debt(5), late]), Standing { owes: Micros(12), overdue: true });
    }
}
