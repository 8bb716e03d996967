//! What the payment provider says about the payment of a call.

use crochet::http::{ApiError, Code, Result};
use crochet::payments::{ProviderPayment, ProviderStatus, RecordWanted};
use crochet_domain::call::view::{Fact, Payout};
use crochet_domain::call::{Call, CallKey, Payment, PaymentState};
use crochet_domain::money::Micros;
use crochet_domain::refund::RefundKey;

use crate::state::State;

/// Seconds after which to ask a provider again that gave no answer.
const UNANSWERED_RETRY_SECONDS: u64 = 2;

/// The provider's answer.
pub(crate) struct Asked {
    pub(crate) fact: Fact,
    /// What its record says that it collected for the operator.
    pub(crate) fee_collected: Option<Micros>,
    /// Why it gave no answer, for the log and for the reply.
    pub(crate) failure: Option<ApiError>,
}

impl Asked {
    /// The provider gave no answer.
    pub(crate) fn nothing(cause: impl std::fmt::Display) -> Self {
        Self { fact: Fact::Unreachable, fee_collected: None, failure: Some(unanswered().cause(cause)) }
    }
}

/// What a payment pays for.
#[derive(Clone, Copy)]
pub(crate) enum PaymentOf<'a> {
    Call(&'a CallKey),
    Refund(&'a RefundKey),
}

/// Asks about the payment of a call.
pub(crate) async fn ask(state: &State, key: &CallKey, payment: &Payment, record: RecordWanted) -> Result<Asked> {
    ask_about(state, PaymentOf::Call(key), payment, record).await
}

/// Asks about a payment. One that the provider put in its place leads to the same call or refund from then on, unless it belongs to
/// another.
pub(crate) async fn ask_about(state: &State, of: PaymentOf<'_>, payment: &Payment, record: RecordWanted) -> Result<Asked> {
    let reply = match state.provider.payment(&payment.id, record).await {
        Ok(reply) => reply,
        Err(e) => return Ok(Asked::nothing(e)),
    };
    for id in &reply.superseded_by {
        let superseding = CallKey::of_payment(state.provider.name(), id);
        let is_theirs = match of {
            PaymentOf::Call(key) => state.app.store.point_to_call(&superseding, key).await?,
            PaymentOf::Refund(key) => state.app.store.point_to_refund(&superseding, key).await?,
        };
        if !is_theirs {
            return Ok(belongs_to_another(reply.own_status));
        }
    }
    let failure = (reply.status == ProviderStatus::Unknown).then(|| unanswered().cause("it does not know the id"));
    Ok(Asked { fee_collected: reply.fee_collected, fact: fact(payment, reply), failure })
}

fn unanswered() -> ApiError {
    ApiError::new(Code::PaymentProviderUnavailable).retry_after(UNANSWERED_RETRY_SECONDS)
}

/// The provider put the payment of another call in this one's place. What was paid for that call counts for that call alone.
fn belongs_to_another(own: ProviderStatus) -> Asked {
    let fact = match own {
        ProviderStatus::Waiting => Fact::Waiting,
        ProviderStatus::Failed => Fact::Over { how: PaymentState::Failed, reason: None },
        ProviderStatus::Refunded => Fact::Over { how: PaymentState::Refunded, reason: None },
        ProviderStatus::Unknown | ProviderStatus::Pending | ProviderStatus::Success => Fact::Unreachable,
    };
    let failure = unanswered().cause("a payment was superseded by that of another call").alarm();
    Asked { fact, fee_collected: None, failure: Some(failure) }
}

fn fact(quoted: &Payment, reply: ProviderPayment) -> Fact {
    match reply.status {
        ProviderStatus::Unknown => Fact::Unknown,
        ProviderStatus::Waiting => Fact::Waiting,
        ProviderStatus::Pending => Fact::Pending,
        ProviderStatus::Success => Fact::Filled(match &reply.paid_out {
            None => Payout::NotRecorded,
            Some(paid_out) if paid_out.matches(&quoted.expected) => Payout::AsQuoted,
            Some(_) => Payout::Differs,
        }),
        ProviderStatus::Failed => Fact::Over { how: PaymentState::Failed, reason: reply.fail_reason },
        ProviderStatus::Refunded => Fact::Over { how: PaymentState::Refunded, reason: reply.fail_reason },
    }
}

/// Whether nothing is known to have been paid for an open quote. One that the provider does not answer about may still be open.
pub(crate) async fn is_unpaid(state: &State, call: &Call) -> Result<bool> {
    let Some(payment) = &call.payment else { return Ok(false) };
    let asked = ask(state, &call.key(), payment, RecordWanted::OnSuccess).await?;
    Ok(matches!(asked.fact, Fact::Waiting | Fact::Unknown | Fact::Unreachable))
}
