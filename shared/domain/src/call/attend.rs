//! What becomes of a call that nobody presents: decided by time, and by what the provider says about its payment.

use super::record::may_be_filled;
use super::view::{Fact, Payout};
use super::{Call, CallState, PaymentState};

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attention {
    /// Nothing, now.
    Leave,
    /// Ask the provider about its payment.
    AskProvider,
    /// Write this version of the call.
    Write(Box<Call>),
    /// Write the settlement.
    Settle,
    /// The call settled beside other payments for the same thing: look whether that was delivered with one of them.
    LookForDelivery,
    /// Close the call: nobody may attempt it any more.
    Close,
    /// The payment was refunded after its settlement: reverse it.
    Reverse,
    /// The payment differs from its quote. An operator must look.
    Mismatch,
}

/// For how long after a decision was due a provider that gives no answer is asked with every sweep: an hour.
const ASKED_EVERY_TIME_MS: i64 = 3_600_000;

/// Decides what is to be done about a call. `fact` is what the provider says, if it was asked.
#[must_use]
pub fn attend(call: &Call, fact: Option<&Fact>, now_ms: i64) -> Attention {
    match &call.state {
        CallState::Delivering { lease_until_ms, .. } if now_ms < *lease_until_ms => Attention::Leave,
        _ if call.is_overdue(now_ms) => match fact {
            // What was refunded is not owed.
            None if call.payment.is_some() => Attention::AskProvider,
            Some(Fact::Over { how: PaymentState::Refunded, .. }) => Attention::Reverse,
            Some(Fact::Unreachable) => match call.redeliver_until_ms() {
                Some(since_ms) => unanswered(call, since_ms, now_ms),
                None => Attention::Leave,
            },
            _ => Attention::Close,
        },
        // Nobody can ask for a free call without a key again.
        CallState::Delivering { .. } if call.payment.is_none() && call.idempotency_key.is_none() => Attention::Close,
        CallState::Delivering { .. } => Attention::Write(Box::new(call.clone().interrupted(now_ms))),
        CallState::Settled if call.due_ms.is_some_and(|due| due <= now_ms) => Attention::LookForDelivery,
        CallState::Settled | CallState::Delivered { .. } | CallState::Undelivered => Attention::Leave,
        CallState::Quoted | CallState::Pending | CallState::Expired => match fact {
            None if may_be_filled(call, now_ms) || call.due_ms.is_some() => Attention::AskProvider,
            None => Attention::Leave,
            Some(fact) => unsettled(call, fact, now_ms),
        },
    }
}

fn unsettled(call: &Call, fact: &Fact, now_ms: i64) -> Attention {
    let Some(payment) = &call.payment else { return Attention::Leave };
    let is_pending = call.state == CallState::Pending;
    let write = |next: Call| Attention::Write(Box::new(next));
    match fact {
        // It was settled, and refunded. A settlement is booked once.
        Fact::Filled(Payout::AsQuoted | Payout::Differs) if call.settled_ms.is_some() => Attention::Mismatch,
        _ if call.settled_ms.is_some() => Attention::Leave,
        Fact::Filled(Payout::AsQuoted) => Attention::Settle,
        Fact::Filled(Payout::Differs) if is_pending => Attention::Mismatch,
        Fact::Filled(_) | Fact::Pending if !is_pending => write(call.clone().deposit_seen(now_ms)),
        Fact::Over { how, .. } if call.state != CallState::Expired || payment.state != *how => {
            write(call.clone().expired(*how, now_ms))
        }
        Fact::Waiting | Fact::Unknown if call.state != CallState::Expired && now_ms >= payment.closes_ms() => {
            write(call.clone().expired(PaymentState::Waiting, now_ms))
        }
        Fact::Unreachable => unanswered(call, payment.ttl_ms, now_ms),
        _ if call.due_ms.is_some_and(|due| due <= now_ms) => write(call.clone().asked_again(now_ms)),
        _ => Attention::Leave,
    }
}

/// For the first hour, no answer is no reason to ask less often. An answer may also never come.
fn unanswered(call: &Call, since_ms: i64, now_ms: i64) -> Attention {
    let is_due = call.due_ms.is_some_and(|due| due <= now_ms);
    if is_due && now_ms - since_ms > ASKED_EVERY_TIME_MS {
        Attention::Write(Box::new(call.clone().asked_in_vain(since_ms, now_ms)))
    } else {
        Attention::Leave
    }
}
