//! Refunds: a seller pays a buyer back, for calls that were never delivered or, by good will, for one that was.
//!
//! A refund is one payment. What it is for has one record, which lists every payment that was offered for it and may still be
//! filled. [`decide`](decide::decide) says what happens next.

pub mod decide;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::call::ledger::{LedgerRecord, Settlement, paid_back_by_seller};
use crate::call::record::LATE_FILL_MS;
use crate::call::{Call, CallKey, CallState, Payment, PaymentState};
use crate::debt::Debt;
use crate::ids::{CallId, ProfileId, RefundId};
use crate::money::Micros;
use crate::unknown::Unknown;

/// Maximum number of calls that one payment refunds. All of them are settled in one transaction.
pub const MAX_CALLS: usize = 20;
/// Times after the end of an unpaid quote's `ttl` at which the provider is asked again: late fills exist.
const ASKED_AGAIN_MS: [i64; 2] = [LATE_FILL_MS, 24 * 3_600_000];
/// Time after which the provider is asked again about a deposit that has not settled: 1 minute.
const PENDING_ASKED_AGAIN_MS: i64 = 60_000;

/// What a refund is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RefundKey {
    /// Who pays.
    pub seller: ProfileId,
    /// Who is paid.
    pub buyer: ProfileId,
    /// A delivered call that is refunded by good will; `None` for what the seller owes the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_will: Option<CallId>,
}

/// A call that a refund pays for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundedCall {
    /// Its key.
    pub call: CallKey,
    /// Its id.
    pub id: CallId,
    /// What is paid back.
    pub amount: Micros,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A payment that was offered to a seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPayment {
    /// The refund's id.
    pub refund: RefundId,
    /// The quote, and the state of its payment. Failed is also what was never paid.
    pub payment: Payment,
    /// What it pays for.
    pub calls: Vec<RefundedCall>,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The record of what a refund is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRecord {
    /// What it is for.
    pub key: RefundKey,
    /// The payments that were offered and may still be filled, newest first.
    pub payments: Vec<RefundPayment>,
    /// Version of the record; every write increments it.
    pub version: u64,
    /// What the next version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A refund that was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidRefund {
    /// Its id.
    pub id: RefundId,
    /// What it was for.
    pub key: RefundKey,
    /// The payment provider's name.
    pub provider: String,
    /// The provider's id for the payment.
    pub payment_id: String,
    /// What was paid.
    pub amount: Micros,
    /// The calls that it settled.
    pub calls: Vec<RefundedCall>,
    /// What was paid for calls that were settled before: the seller has paid twice.
    pub unused: Micros,
    /// When it was recorded (Unix milliseconds).
    pub paid_ms: i64,
}

/// What a paid refund changes.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The record, without the payment.
    pub record: RefundRecord,
    /// The refund.
    pub paid: PaidRefund,
    /// The calls that it settles, as they are from now on.
    pub calls: Vec<Call>,
    /// The ledger record of each of them, in the same order.
    pub ledger: Vec<LedgerRecord>,
}

impl From<&Debt> for RefundedCall {
    fn from(debt: &Debt) -> Self {
        Self { call: debt.call.clone(), id: debt.id, amount: debt.amount, unknown: Unknown::default() }
    }
}

impl From<&Call> for RefundedCall {
    fn from(call: &Call) -> Self {
        Self { call: call.key(), id: call.id, amount: call.split.seller_receives, unknown: Unknown::default() }
    }
}

impl RefundKey {
    /// What a refund of this call is for; `None` if there is nothing to pay back: the call is free, not paid, not over, or its
    /// seller received nothing.
    #[must_use]
    pub fn of(call: &Call) -> Option<Self> {
        let is_paid = call.payment.is_some() && call.split.seller_receives > Micros::ZERO;
        let good_will = match call.state {
            CallState::Undelivered => None,
            CallState::Delivered { .. } => Some(call.id),
            _ => return None,
        };
        is_paid.then_some(Self { seller: call.seller, buyer: call.buyer, good_will })
    }

    /// Whether the seller's part of this call is still to be paid, or may be given back.
    #[must_use]
    pub fn is_open(self, call: &Call) -> bool {
        Self::of(call) == Some(self) && call.debts.seller == Settlement::Open
    }
}

impl RefundPayment {
    /// What it pays.
    #[must_use]
    pub fn amount(&self) -> Micros {
        self.calls.iter().map(|call| call.amount).sum()
    }

    /// Whether it may still be filled, so that the provider has to be asked before anything else is offered. A failure that the
    /// provider reports has been seen to confirm.
    #[must_use]
    pub fn may_be_filled(&self, now_ms: i64) -> bool {
        match self.payment.state {
            PaymentState::Waiting | PaymentState::Pending => true,
            PaymentState::Failed => now_ms < self.payment.ttl_ms + LATE_FILL_MS,
            PaymentState::Success | PaymentState::Refunded => false,
        }
    }

    /// When the provider is to be asked again (Unix milliseconds); `None` if never.
    fn due_ms(&self, now_ms: i64) -> Option<i64> {
        let payment = &self.payment;
        match payment.state {
            PaymentState::Waiting => Some(payment.closes_ms()),
            PaymentState::Pending => Some(payment.closes_ms().max(now_ms + PENDING_ASKED_AGAIN_MS)),
            PaymentState::Failed => ASKED_AGAIN_MS.into_iter().map(|after| payment.ttl_ms + after).find(|at| now_ms < *at),
            PaymentState::Success | PaymentState::Refunded => None,
        }
    }
}

impl RefundRecord {
    /// A record without payments.
    #[must_use]
    pub fn empty(key: RefundKey) -> Self {
        Self { key, payments: Vec::new(), version: 0, unknown: Unknown::default() }
    }

    /// The payment with this id of the provider.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<&RefundPayment> {
        self.payments.iter().find(|offered| offered.payment.id == id)
    }

    /// The next version, with one more payment.
    #[must_use]
    pub fn offered(mut self, payment: RefundPayment, now_ms: i64) -> Self {
        self.payments.insert(0, payment);
        self.next(now_ms)
    }

    /// The next version, with the state of a payment as the provider reports it.
    #[must_use]
    pub fn moved(mut self, id: &str, state: PaymentState, now_ms: i64) -> Self {
        if let Some(offered) = self.payments.iter_mut().find(|offered| offered.payment.id == id) {
            offered.payment.state = state;
        }
        self.next(now_ms)
    }

    /// The next version, after the provider was asked about its payments and nothing else has changed: it is due later.
    #[must_use]
    pub fn asked(self, now_ms: i64) -> Self {
        self.next(now_ms)
    }

    /// When it needs attention next (Unix milliseconds); `None` if no payment of it may be filled any more.
    #[must_use]
    pub fn due_ms(&self, now_ms: i64) -> Option<i64> {
        self.payments.iter().filter_map(|offered| offered.due_ms(now_ms)).min()
    }

    /// The payment with this id was filled: settles those of its calls that are still open. `calls` are its calls as they are stored.
    ///
    /// `None` if the record does not list the payment.
    #[must_use]
    pub fn settled(mut self, id: &str, calls: Vec<Call>, now_ms: i64) -> Option<Settled> {
        let at = self.payments.iter().position(|offered| offered.payment.id == id)?;
        let filled = self.payments.remove(at);
        let is_paid_for = |call: &Call| filled.calls.iter().any(|paid| paid.id == call.id);
        let mut calls: Vec<Call> = calls.into_iter().filter(|call| is_paid_for(call) && self.key.is_open(call)).collect();
        for call in &mut calls {
            call.debts.seller = Settlement::Settled;
            call.debts.refund = Some(filled.refund);
            call.debts.changed_ms = Some(now_ms);
        }
        let settled: Vec<RefundedCall> =
            filled.calls.iter().filter(|paid| calls.iter().any(|call| call.id == paid.id)).cloned().collect();
        let used: Micros = settled.iter().map(|call| call.amount).sum();
        let amount = filled.amount();
        let paid = PaidRefund {
            id: filled.refund,
            key: self.key,
            provider: filled.payment.provider,
            payment_id: filled.payment.id,
            amount,
            calls: settled,
            unused: Micros(amount.0 - used.0),
            paid_ms: now_ms,
        };
        let ledger = calls.iter().map(|call| paid_back_by_seller(call, now_ms)).collect();
        Some(Settled { record: self.next(now_ms), paid, calls, ledger })
    }

    /// The next version. Payments about which nobody has to be asked any more leave it.
    fn next(mut self, now_ms: i64) -> Self {
        self.payments.retain(|offered| offered.may_be_filled(now_ms) || offered.due_ms(now_ms).is_some());
        self.version += 1;
        self
    }
}
