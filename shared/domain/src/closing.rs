//! Closing a call because its buyer asks for it. Only money that was not needed is closed: a payment whose call was delivered with
//! another one. Everything else is still the seller's to deliver.

use crate::call::view::{Fact, Payout};
use crate::call::{CONFIRMED_FOR_MS, Call, CallState, PaymentState};

/// Everything that is known about a call that its buyer wants to close.
#[derive(Debug, Clone, Copy)]
pub struct ClosingView<'a> {
    /// The call.
    pub call: &'a Call,
    /// Whether what it was wanted for was delivered with another payment, or for free.
    pub is_unused: bool,
    /// What the payment provider says about its payment; `None` if it was not asked yet.
    pub fact: Option<&'a Fact>,
    /// The current time (Unix milliseconds).
    pub now_ms: i64,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosingStep {
    /// Ask the payment provider about the payment.
    AskProvider,
    /// Store the settlement.
    Settle,
    /// Store that the payment was refunded after its settlement.
    Reverse,
    /// Close the call.
    Close,
    /// Reply that it is closed.
    Done,
    /// Reply 202: the payment has not settled.
    Wait,
    /// Reply with an error.
    Refuse(NotClosable),
}

/// Why a call is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotClosable {
    /// It is being delivered.
    InProgress,
    /// The seller can still deliver it.
    Deliverable,
    /// It was delivered.
    Delivered,
    /// Nothing was paid for it, or it was refunded.
    NotPaid,
    /// The provider does not respond.
    ProviderUnavailable,
    /// The payment differs from its quote. An operator must look.
    PaymentMismatch,
}

/// Decides the next step.
#[must_use]
pub fn decide(view: &ClosingView<'_>) -> ClosingStep {
    let ClosingView { call, is_unused, fact, now_ms } = *view;
    match &call.state {
        CallState::Undelivered => ClosingStep::Done,
        CallState::Delivered { .. } => ClosingStep::Refuse(NotClosable::Delivered),
        _ if call.payment.is_none() => ClosingStep::Refuse(NotClosable::NotPaid),
        CallState::Delivering { lease_until_ms, .. } if now_ms < *lease_until_ms => ClosingStep::Refuse(NotClosable::InProgress),
        CallState::Settled | CallState::Delivering { .. } if is_unused || call.is_overdue(now_ms) => close(view),
        CallState::Settled | CallState::Delivering { .. } => ClosingStep::Refuse(NotClosable::Deliverable),
        // It was settled and reversed.
        CallState::Expired if call.settled_ms.is_some() => ClosingStep::Refuse(NotClosable::NotPaid),
        CallState::Quoted | CallState::Pending | CallState::Expired => match fact {
            None => ClosingStep::AskProvider,
            Some(fact) => unsettled(view, fact),
        },
    }
}

/// A settlement that is old is asked about once more. It may have been refunded.
fn close(view: &ClosingView<'_>) -> ClosingStep {
    let is_old = view.call.settled_ms.is_some_and(|settled| view.now_ms >= settled + CONFIRMED_FOR_MS);
    match view.fact {
        None if is_old => ClosingStep::AskProvider,
        Some(Fact::Over { how: PaymentState::Refunded, .. }) if is_old => ClosingStep::Reverse,
        // It may have been refunded, and is then owed by nobody.
        Some(Fact::Unreachable) if is_old => ClosingStep::Refuse(NotClosable::ProviderUnavailable),
        _ => ClosingStep::Close,
    }
}

fn unsettled(view: &ClosingView<'_>, fact: &Fact) -> ClosingStep {
    let may_be_paid = view.call.payment.as_ref().is_some_and(|payment| view.now_ms < payment.ttl_ms);
    match fact {
        Fact::Filled(Payout::AsQuoted) if view.is_unused => ClosingStep::Settle,
        Fact::Filled(Payout::AsQuoted) => ClosingStep::Refuse(NotClosable::Deliverable),
        Fact::Filled(Payout::Differs) => ClosingStep::Refuse(NotClosable::PaymentMismatch),
        Fact::Filled(Payout::NotRecorded) | Fact::Pending => ClosingStep::Wait,
        Fact::Unreachable => ClosingStep::Refuse(NotClosable::ProviderUnavailable),
        Fact::Unknown if may_be_paid => ClosingStep::Refuse(NotClosable::ProviderUnavailable),
        Fact::Waiting | Fact::Unknown | Fact::Over { .. } => ClosingStep::Refuse(NotClosable::NotPaid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::outcome::Outcome;
    use crate::call::{AttemptReport, REDELIVER_MS};
    use crate::refund::samples::{NOW, call};

    fn step(call: &Call, is_unused: bool, fact: Option<&Fact>, now_ms: i64) -> ClosingStep {
        decide(&ClosingView { call, is_unused, fact, now_ms })
    }

    #[test]
    fn unused_money_is_closed_and_what_can_be_delivered_is_not() {
        let settled = call(1).settled(None, NOW);
        assert_eq!(step(&settled, true, None, NOW), ClosingStep::Close);
        assert_eq!(step(&settled, false, None, NOW), ClosingStep::Refuse(NotClosable::Deliverable));
        let in_vain = settled.clone().presented_in_vain(NOW);
        assert_eq!(step(&in_vain, false, None, NOW + REDELIVER_MS), ClosingStep::AskProvider);
        assert_eq!(step(&in_vain, false, Some(&Fact::Filled(Payout::AsQuoted)), NOW + REDELIVER_MS), ClosingStep::Close);
        let leased = settled.begun("token".into(), NOW + 10, 2, NOW);
        assert_eq!(step(&leased, true, None, NOW), ClosingStep::Refuse(NotClosable::InProgress));
        assert_eq!(step(&leased, true, None, NOW + 10), ClosingStep::Close);
        let report = AttemptReport {
            latency_ms: 1,
            response_bytes: None,
            seller_status_code: None,
            outcome: Outcome::Delivered,
            unreadable: None,
        };
        assert_eq!(step(&leased.ended(&report, None, NOW), true, None, NOW), ClosingStep::Refuse(NotClosable::Delivered));
    }

    #[test]
    fn an_old_settlement_is_confirmed_before_it_is_owed() {
        let settled = call(1).settled(None, NOW);
        let later = NOW + CONFIRMED_FOR_MS;
        assert_eq!(step(&settled, true, None, later), ClosingStep::AskProvider);
        let refunded = Fact::Over { how: PaymentState::Refunded, reason: None };
        assert_eq!(step(&settled, true, Some(&refunded), later), ClosingStep::Reverse);
        assert_eq!(step(&settled, true, Some(&Fact::Unreachable), later), ClosingStep::Refuse(NotClosable::ProviderUnavailable));
    }

    #[test]
    fn a_fill_that_nobody_has_seen_is_settled_first() {
        let quoted = call(1);
        assert_eq!(step(&quoted, true, None, NOW), ClosingStep::AskProvider);
        assert_eq!(step(&quoted, true, Some(&Fact::Filled(Payout::AsQuoted)), NOW), ClosingStep::Settle);
        assert_eq!(step(&quoted, true, Some(&Fact::Pending), NOW), ClosingStep::Wait);
        assert_eq!(step(&quoted, true, Some(&Fact::Waiting), NOW), ClosingStep::Refuse(NotClosable::NotPaid));
        assert_eq!(step(&quoted, true, Some(&Fact::Unknown), NOW), ClosingStep::Refuse(NotClosable::ProviderUnavailable));
        let after_ttl = quoted.payment.as_ref().expect("a payment").ttl_ms;
        assert_eq!(step(&quoted, true, Some(&Fact::Unknown), after_ttl), ClosingStep::Refuse(NotClosable::NotPaid));
    }

    #[test]
    fn a_closed_call_stays_closed() {
        let closed = call(1).settled(None, NOW).closed(NOW);
        assert_eq!(step(&closed, true, None, NOW), ClosingStep::Done);
        let reversed = call(1).settled(None, NOW).reversed(NOW);
        assert_eq!(step(&reversed, true, None, NOW), ClosingStep::Refuse(NotClosable::NotPaid));
    }
}
