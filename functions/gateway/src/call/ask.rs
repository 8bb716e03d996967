//! Asks the payment provider.

use crochet::http::{ApiError, Code};
use crochet::payments::{ProviderPayment, ProviderStatus, RecordWanted};
use crochet_domain::call::view::{Fact, Payout};
use crochet_domain::call::{CallKey, Payment, PaymentState};
use futures::future::join_all;

use super::CallContext;
use super::progress::Progress;

/// Asks about the payments of these calls, all at the same time. Meanwhile, the seller's secret is read, which a paid call needs.
pub(super) async fn ask(ctx: &CallContext<'_>, progress: &mut Progress, calls: &[CallKey]) {
    let view = &progress.resolved.view;
    let payments: Vec<(CallKey, Payment)> =
        calls.iter().filter_map(|key| Some((key.clone(), view.call(key)?.payment.clone()?))).collect();
    let questions = payments.iter().map(|(_, payment)| {
        let is_presented = ctx.request.payment_id.as_deref() == Some(&payment.id);
        let record = if is_presented { RecordWanted::Beside } else { RecordWanted::OnSuccess };
        ctx.state.provider.payment(&payment.id, record)
    });
    let (replies, ()) = tokio::join!(join_all(questions), prefetch_secret(ctx));
    for ((key, payment), reply) in payments.iter().zip(replies) {
        let fact = match reply {
            Ok(reply) if reply.status == ProviderStatus::Unknown => {
                progress.failure = Some(ApiError::new(Code::PaymentProviderUnavailable).retry_after(2));
                Fact::Unreachable
            }
            Ok(reply) => fact(payment, reply),
            Err(e) => {
                progress.failure = Some(ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(e));
                Fact::Unreachable
            }
        };
        progress.resolved.view.set_fact(key, fact);
    }
}

fn fact(quoted: &Payment, reply: ProviderPayment) -> Fact {
    match reply.status {
        ProviderStatus::Unknown => Fact::Unreachable,
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

/// Reads the seller's secret into this instance's memory. A failure shows up when the secret is needed.
async fn prefetch_secret(ctx: &CallContext<'_>) {
    if let Some(endpoint) = &ctx.listing.endpoint {
        let _ = ctx.state.secrets.read(ctx.listing.id, endpoint.secret_version.clone()).await;
    }
}
