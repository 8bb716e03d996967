//! Decides what happens next when a seller refunds: a pure function of what is known.
//!
//! The rules are those of a call's payments, in the small. Before anything is offered, the provider is asked about every payment that
//! may still be filled; one that is filled settles. There is one open payment at a time, in whatever currency, and a new one only
//! after the one before is reported failed, or closed.

use super::{RefundPayment, RefundRecord, RefundedCall};
use crate::call::PaymentState;
use crate::call::record::{LATE_FILL_MS, MAX_FILLABLE};
use crate::call::view::{Fact, Payout};

/// Everything that is known about a refund.
#[derive(Debug, Clone)]
pub struct RefundView {
    /// The record of what it is for.
    pub record: RefundRecord,
    /// What the provider says about payments, by its ids.
    pub facts: Vec<(String, Fact)>,
    /// What may be paid back now, oldest first.
    pub owed: Vec<RefundedCall>,
    /// The current time (Unix milliseconds).
    pub now_ms: i64,
}

/// What happens next. A payment is named by the provider's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStep {
    /// Ask the payment provider about these payments.
    AskProvider(Vec<String>),
    /// Settle the calls of this payment.
    Settle(String),
    /// Store the state of this payment.
    Move(String, PaymentState),
    /// Ask the provider for a quote that pays back what is owed.
    Quote,
    /// Reply 402 with this payment.
    Offer(String),
    /// Reply 402 without requirements. Nothing is offered in place of this payment until that time (Unix milliseconds).
    Closing(String, i64),
    /// Reply 202: this payment has not settled.
    Wait(String),
    /// Reply with an error.
    Refuse(RefundRefusal),
}

/// Why a refund is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundRefusal {
    /// Nothing is owed.
    NothingOwed,
    /// The provider does not respond.
    ProviderUnavailable,
    /// This payment differs from its quote. An operator must look.
    PaymentMismatch(String),
    /// So many payments may still be filled that no other is offered before this time (Unix milliseconds).
    TooManyQuotes {
        /// When one of them can no longer be filled (Unix milliseconds).
        until_ms: i64,
    },
}

impl RefundView {
    /// What the provider says about a payment, if it was asked.
    #[must_use]
    pub fn fact(&self, id: &str) -> Option<&Fact> {
        self.facts.iter().find(|(known, _)| known == id).map(|(_, fact)| fact)
    }

    /// The payments about which the provider is asked. Fills that come later than reckoned with are settled, too.
    fn listed(&self) -> impl Iterator<Item = &RefundPayment> {
        self.record.payments.iter().filter(|offered| offered.payment.state != PaymentState::Refunded)
    }

    fn fillable(&self) -> impl Iterator<Item = &RefundPayment> {
        self.record.payments.iter().filter(|offered| offered.may_be_filled(self.now_ms))
    }

    /// The step for a payment that is paid or on its way.
    fn deposit(&self, offered: &RefundPayment) -> Option<RefundStep> {
        let payment = &offered.payment;
        let id = payment.id.clone();
        let was_seen = payment.state == PaymentState::Pending;
        // A deposit that was seen counts, even if the provider takes it back, until the quote is closed.
        let may_show_again = was_seen && self.now_ms < payment.closes_ms();
        Some(match self.fact(&id)? {
            Fact::Filled(Payout::AsQuoted) => RefundStep::Settle(id),
            Fact::Filled(_) | Fact::Pending if !was_seen => RefundStep::Move(id, PaymentState::Pending),
            Fact::Filled(Payout::Differs) => RefundStep::Refuse(RefundRefusal::PaymentMismatch(id)),
            Fact::Filled(Payout::NotRecorded) | Fact::Pending => RefundStep::Wait(id),
            Fact::Waiting if may_show_again => RefundStep::Wait(id),
            Fact::Unknown if may_show_again && self.now_ms >= payment.ttl_ms => RefundStep::Wait(id),
            Fact::Waiting | Fact::Over { .. } | Fact::Unknown | Fact::Unreachable => return None,
        })
    }

    /// Whether the provider gave no answer about a payment. After the end of its `ttl`, an id that the provider does not know was
    /// not paid.
    fn is_unanswered(&self, offered: &RefundPayment) -> bool {
        match self.fact(&offered.payment.id) {
            Some(Fact::Unreachable) | None => true,
            Some(Fact::Unknown) => self.now_ms < offered.payment.ttl_ms,
            Some(_) => false,
        }
    }

    /// How a payment ended without a fill, if that is not stored yet.
    fn over(&self, offered: &RefundPayment) -> Option<PaymentState> {
        let payment = &offered.payment;
        let how = match self.fact(&payment.id)? {
            Fact::Over { how, .. } => *how,
            Fact::Waiting | Fact::Unknown if self.now_ms >= payment.closes_ms() => PaymentState::Failed,
            _ => return None,
        };
        (payment.state != how).then_some(how)
    }
}

/// Decides the next step.
#[must_use]
pub fn decide(view: &RefundView) -> RefundStep {
    let unasked: Vec<String> =
        view.listed().map(|offered| offered.payment.id.clone()).filter(|id| view.fact(id).is_none()).collect();
    if !unasked.is_empty() {
        return RefundStep::AskProvider(unasked);
    }
    // One that is filled wins over one that is on its way.
    let mut deposits: Vec<RefundStep> = view.listed().filter_map(|offered| view.deposit(offered)).collect();
    deposits.sort_by_key(|step| !matches!(step, RefundStep::Settle(_)));
    if let Some(step) = deposits.into_iter().next() {
        return step;
    }
    if view.fillable().any(|offered| view.is_unanswered(offered)) {
        return RefundStep::Refuse(RefundRefusal::ProviderUnavailable);
    }
    if let Some((offered, how)) = view.listed().find_map(|offered| Some((offered, view.over(offered)?))) {
        return RefundStep::Move(offered.payment.id.clone(), how);
    }
    if view.owed.is_empty() {
        return RefundStep::Refuse(RefundRefusal::NothingOwed);
    }
    let is_open = |offered: &&RefundPayment| matches!(offered.payment.state, PaymentState::Waiting | PaymentState::Pending);
    match view.fillable().find(is_open) {
        Some(open) => show(view, open),
        None if view.fillable().count() >= MAX_FILLABLE => {
            let first_over = view.fillable().map(|offered| offered.payment.ttl_ms + LATE_FILL_MS).min();
            RefundStep::Refuse(RefundRefusal::TooManyQuotes { until_ms: first_over.unwrap_or(view.now_ms) })
        }
        None => RefundStep::Quote,
    }
}

/// Offers the open payment, as long as it is for something that is still owed and may still be started.
fn show(view: &RefundView, open: &RefundPayment) -> RefundStep {
    let (id, payment) = (open.payment.id.clone(), &open.payment);
    let is_all_owed = open.calls.iter().all(|paid| view.owed.iter().any(|owed| owed.id == paid.id));
    if is_all_owed && view.now_ms < payment.expires_ms {
        RefundStep::Offer(id)
    } else {
        RefundStep::Closing(id, payment.closes_ms())
    }
}
