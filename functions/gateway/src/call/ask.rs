//! Asks the payment provider.

use std::time::Duration;

use crochet::budget::{Asker, Grant};
use crochet::http::Result;
use crochet::payments::RecordWanted;
use crochet_domain::call::view::{Fact, ResolvedBy};
use crochet_domain::call::{Call, CallKey, CallState, Payment};
use futures::future::try_join_all;

use super::CallContext;
use super::progress::Progress;
use crate::fact::{self, Asked};
use crate::out_of_budget::out_of_questions;

/// Asks about the payments of these calls, all at the same time. Meanwhile, what comes next is read: the seller's secret, which a
/// paid call needs, and the requirements of quotes that may be offered again.
pub(super) async fn ask(ctx: &CallContext<'_>, progress: &mut Progress, calls: &[CallKey]) -> Result<()> {
    let view = &progress.resolved.view;
    let payments: Vec<(CallKey, Payment)> =
        calls.iter().filter_map(|key| Some((key.clone(), view.call(key)?.payment.clone()?))).collect();
    // Whoever sends the id has paid, as a rule.
    let offers: Vec<&Call> = match view.request.resolved_by {
        ResolvedBy::PaymentId => Vec::new(),
        ResolvedBy::IdempotencyKey | ResolvedBy::Body => {
            calls.iter().filter_map(|key| view.call(key)).filter(|call| call.state == CallState::Quoted).collect()
        }
    };
    let asker = Asker::Buyer(ctx.agent.profile);
    // Without room in the budget, a settled call is delivered as if the provider gave no answer.
    let is_needed = payments.iter().any(|(key, _)| !view.call(key).is_some_and(|call| is_confirmation(ctx, call)));
    if ctx.state.app.provider_budget.is_out_of_questions(asker, ctx.now) {
        if is_needed {
            return Err(out_of_questions(1));
        }
        progress.failure = Some(out_of_questions(1));
        calls.iter().for_each(|key| progress.resolved.view.set_fact(key, Fact::Unreachable));
        return Ok(());
    }
    let is_presented = |payment: &Payment| ctx.request.payment_id.as_deref() == Some(&payment.id);
    let questions = payments.iter().map(|(key, payment)| {
        let record = if is_presented(payment) { RecordWanted::Beside } else { RecordWanted::OnSuccess };
        let question = fact::ask(ctx.state, key, payment, record);
        async move {
            match view.call(key).and_then(|call| time_for_confirmation(ctx, call)) {
                None => question.await,
                Some(time) => tokio::time::timeout(time, question).await.unwrap_or_else(|_| Ok(Asked::nothing("no reply in time"))),
            }
        }
    });
    // The question is counted while it is asked, to save a round trip. An instance that is refused stops asking.
    let count = payments.iter().map(|(_, payment)| if is_presented(payment) { 2 } else { 1 }).sum();
    let (replies, granted, (), requirements) = tokio::join!(
        try_join_all(questions),
        ctx.state.app.provider_budget.questions(asker, count, ctx.now),
        prefetch_secret(ctx),
        ctx.state.app.store.requirements(&offers),
    );
    progress.requirements.extend(requirements?);
    if let Grant::Refused { retry_after_seconds } = granted?
        && is_needed
    {
        return Err(out_of_questions(retry_after_seconds));
    }
    for ((key, _), asked) in payments.iter().zip(replies?) {
        progress.failure = asked.failure.or(progress.failure.take());
        if let Some(fee) = asked.fee_collected {
            progress.collected.insert(key.clone(), fee);
        }
        progress.resolved.view.set_fact(key, asked.fact);
    }
    Ok(())
}

/// How long a question about a call that is settled may take: so long that the seller still has its whole time. `None` for a
/// question whose answer decides what comes next.
fn time_for_confirmation(ctx: &CallContext<'_>, call: &Call) -> Option<Duration> {
    let endpoint = ctx.listing.endpoint.as_ref().filter(|_| is_confirmation(ctx, call))?;
    Some(ctx.time_before_seller(Duration::from_millis(endpoint.timeout_ms.into())))
}

/// Whether a call is delivered whatever the provider says, unless it says that the payment was refunded.
fn is_confirmation(ctx: &CallContext<'_>, call: &Call) -> bool {
    matches!(call.state, CallState::Settled | CallState::Delivering { .. }) && !call.is_overdue(ctx.now_ms())
}

/// Reads the seller's secret into this instance's memory. A failure shows up when the secret is needed.
async fn prefetch_secret(ctx: &CallContext<'_>) {
    if let Some(endpoint) = &ctx.listing.endpoint {
        let _ = ctx.state.secrets.read(ctx.listing.id, endpoint).await;
    }
}
