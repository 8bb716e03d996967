//! Who may review what.

use crate::call::ledger::Settlement;
use crate::call::{Call, CallState, PaymentState};
use crate::profile::Profile;

/// How long a delivered call is evidence: 30 days.
pub const EVIDENCE_MS: i64 = 30 * 24 * 3_600_000;

/// Why a call is no evidence. Later ones come closer to being some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotEvidence {
    /// Nothing was paid for a call of this listing.
    NoPurchase,
    /// The calls were free.
    Free,
    /// Paid, but not delivered.
    NotDelivered,
    /// The payment was reversed.
    Reversed,
    /// The seller has paid it back.
    Refunded,
    /// Delivered too long ago.
    TooOld,
    /// A review is based on it already, or it is older than the review that it would change.
    Used,
}

/// Why a buyer may not review a seller at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEligible {
    /// It is the seller.
    Seller,
    /// The same person operates both, or is one of them.
    SameOperator,
    /// A wallet belongs to both.
    SharedWallet,
    /// Money has flowed in both directions.
    Circular,
}

/// Whether this buyer may review this seller. `paid_back_and_forth` says that the seller has bought from the buyer, too.
///
/// # Errors
/// The first rule that is broken.
pub fn between(buyer: &Profile, seller: &Profile, paid_back_and_forth: bool) -> Result<(), NotEligible> {
    if buyer.id == seller.id {
        return Err(NotEligible::Seller);
    }
    let person = |profile: &Profile| profile.operator.unwrap_or(profile.id);
    if person(buyer) == person(seller) {
        return Err(NotEligible::SameOperator);
    }
    if buyer.wallets.iter().any(|wallet| seller.wallets.iter().any(|other| other.address == wallet.address)) {
        return Err(NotEligible::SharedWallet);
    }
    if paid_back_and_forth { Err(NotEligible::Circular) } else { Ok(()) }
}

/// Whether this call of the author, at the listing, is evidence for a review that is written now. `after_ms` is when the author's
/// review was last written: a change needs a call that was delivered later.
///
/// # Errors
/// Why not.
pub fn judge(call: &Call, after_ms: Option<i64>, now_ms: i64) -> Result<(), NotEvidence> {
    if call.payment.is_none() {
        return Err(NotEvidence::Free);
    }
    let is_reversed = call.payment.as_ref().is_some_and(|payment| payment.state == PaymentState::Refunded);
    let why = match call.state {
        _ if is_reversed && call.settled_ms.is_some() => NotEvidence::Reversed,
        CallState::Delivered { .. } if call.debts.seller != Settlement::Open => NotEvidence::Refunded,
        CallState::Delivered { .. } if call.updated_ms < now_ms - EVIDENCE_MS => NotEvidence::TooOld,
        CallState::Delivered { .. } if after_ms.is_some_and(|after| call.updated_ms <= after) => NotEvidence::Used,
        CallState::Delivered { .. } => return Ok(()),
        CallState::Pending | CallState::Settled | CallState::Delivering { .. } | CallState::Undelivered => {
            NotEvidence::NotDelivered
        }
        CallState::Quoted | CallState::Expired => NotEvidence::NoPurchase,
    };
    Err(why)
}

/// The newest evidence among the author's calls at the listing, which come newest first.
///
/// # Errors
/// Of the reasons why no call is evidence, the one that comes closest.
pub fn evidence<'a>(
    calls: impl IntoIterator<Item = &'a Call>,
    after_ms: Option<i64>,
    now_ms: i64,
) -> Result<&'a Call, NotEvidence> {
    let mut closest = NotEvidence::NoPurchase;
    for call in calls {
        match judge(call, after_ms, now_ms) {
            Ok(()) => return Ok(call),
            Err(why) => closest = closest.max(why),
        }
    }
    Err(closest)
}
