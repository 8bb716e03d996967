//! The loop of a gateway call: decide, carry out the step, add the result to the view, until there is a reply.

use std::time::Duration;

use crochet::http::{ApiError, Reply, Result};
use crochet::store::call::next_version;
use crochet_domain::call::decide::decide;
use crochet_domain::call::ledger::reversal;
use crochet_domain::call::step::{CallMove, Refusal, Step};
use crochet_domain::call::view::{BodyView, Fact, Race, RecordView, ResolvedBy};
use crochet_domain::call::{Call, CallKey, CallState, PaymentState};
use crochet_domain::timestamp::unix_ms;

use super::CallContext;
use super::deliver::{Delivery, close, deliver, settle};
use super::free::{FreeCall, call_free};
use super::in_flight::InFlightSlot;
use super::progress::Progress;
use super::quote::{Quoted, quote};
use super::resolve::{load_record, resolve};
use super::{ask, not_found, offer, refuse, reply};

/// Maximum steps of one request. A record lists at most some twenty calls, and each may have to be moved once.
const MAX_STEPS: usize = 60;
/// How often the record is read again while a parallel request makes the same quote, and how long each wait is.
const QUOTING_WAITS: (u32, Duration) = (10, Duration::from_millis(200));
/// How often a request waits so. A place that a dead process has reserved is free after ten seconds.
const MAX_QUOTES_AWAITED: u32 = 6;

/// Decides and acts until there is a reply.
pub(super) async fn advance(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>) -> Result {
    if let Some(misplaced) = not_found::misplaced(ctx).await? {
        return Err(not_found::error(ctx, Some(misplaced)).await);
    }
    let resolved = resolve(ctx, slot).await?;
    let mut progress = Progress::new(resolved);
    for _ in 0..MAX_STEPS {
        let step = decide(&progress.resolved.view);
        if let Some(reply) = carry_out(ctx, slot, &mut progress, step).await? {
            return Ok(reply);
        }
    }
    Err(ApiError::internal("a call did not reach a reply").alarm())
}

/// Carries out one step. Returns the reply, if the step ends the request.
async fn carry_out(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, progress: &mut Progress, step: Step) -> Result<Option<Reply>> {
    match step {
        Step::AskProvider(calls) => ask::ask(ctx, progress, &calls).await?,
        Step::CheckSchema => {
            let (check, mismatches) = ctx.check_schema()?;
            if let BodyView::Json { schema, .. } = &mut progress.resolved.view.request.body {
                *schema = check;
            }
            progress.mismatches = mismatches;
        }
        Step::LoadRecord(key) => {
            let name = progress.call(&key)?.name();
            load_record(ctx, &mut progress.resolved, &name).await?;
        }
        Step::AddIdempotencyKey(key) => {
            let added = add_idempotency_key(ctx, progress.call(&key)?).await?;
            progress.resolved.view.key_added = Some(added);
        }
        Step::Move(key, what) => move_call(ctx, progress, &key, what).await?,
        Step::Quote(new) => match Box::pin(quote(ctx, progress, &new)).await.map_err(|e| refuse::not_quoted(progress, &new, e))? {
            Quoted::Created(call) => return Err(offer::first(ctx, progress, &call, &new)),
            Quoted::Raced => start_over(ctx, slot, progress).await?,
            Quoted::Quoting if progress.quotes_awaited < MAX_QUOTES_AWAITED => await_quote(ctx, slot, progress).await?,
            Quoted::Quoting => return Err(refuse::error(ctx, progress, Refusal::QuoteInProgress).await),
        },
        Step::CallFree(new) => match Box::pin(call_free(ctx, slot, progress, &new)).await? {
            FreeCall::Replied(reply) => return reply.map(Some),
            FreeCall::Raced => start_over(ctx, slot, progress).await?,
        },
        Step::Settle(key) => {
            let settled = settle(ctx, progress, &key).await?;
            progress.resolved.view.put(&key, Some(settled));
        }
        Step::Deliver { call: key, settle } => match Box::pin(deliver(ctx, slot, progress, &key, settle)).await? {
            Delivery::Replied(reply) => return reply.map(Some),
            Delivery::HeldBack(obstacle, failure) => {
                progress.resolved.view.obstacle = Some(obstacle);
                progress.failure = failure;
            }
            Delivery::Superseded(found) => {
                progress.superseded(&key, *found);
                let call = progress.call(&key)?;
                // Another request is settling it, and its write is still on the way.
                if call.payment.is_some() && call.settled_ms.is_none() {
                    return Err(reply::in_progress(call));
                }
            }
        },
        Step::Close(key) => {
            let (closed, written) = close(ctx, progress.call(&key)?).await;
            progress.written(&key, written, closed)?;
        }
        Step::Replay(key) => return reply::replay(ctx, progress.call(&key)?).await.map(Some),
        Step::Wait(key) => return reply::pending(progress.call(&key)?).map(Some),
        Step::Offer(offered) => match offer::again(ctx, progress, &offered).await? {
            Some(offer) => return Err(offer),
            None => half_written(ctx, slot, progress, &offered.call).await?,
        },
        Step::Refuse(Refusal::QuoteInProgress) if progress.quotes_awaited < MAX_QUOTES_AWAITED => {
            await_quote(ctx, slot, progress).await?;
        }
        Step::Closing(key, until_ms) => return Err(offer::closing(ctx, progress.call(&key)?, until_ms)),
        Step::Probe => return Err(offer::price(ctx)),
        Step::Refuse(refusal) => return Err(refuse::error(ctx, progress, refusal).await),
    }
    Ok(None)
}

/// Stores what has become of a call that is not with the seller.
async fn move_call(ctx: &CallContext<'_>, progress: &mut Progress, key: &CallKey, what: CallMove) -> Result<()> {
    let (before, now_ms) = (progress.call(key)?.clone(), ctx.now_ms());
    let (after, ledger) = match what {
        CallMove::DepositSeen => (before.deposit_seen(now_ms), None),
        CallMove::Expired(how) => (before.expired(how, now_ms), None),
        CallMove::PresentedInVain => (before.presented_in_vain(now_ms), None),
        CallMove::Reversed => {
            let after = before.reversed(now_ms);
            let ledger = reversal(&after, now_ms);
            (after, Some(ledger))
        }
    };
    let after = next_version(after);
    let written = ctx.state.app.store.put_call_version(&after, ledger.as_slice()).await;
    progress.written(key, written, after)
}

/// The provider is not asked about a quote that a parallel request has just made: nobody can have paid it yet.
fn assume_unpaid(ctx: &CallContext<'_>, progress: &mut Progress) {
    let view = &mut progress.resolved.view;
    let RecordView::Found(record) = &view.record else { return };
    for key in record.calls.iter().map(|listed| listed.key.clone()).collect::<Vec<_>>() {
        let is_new = |call: &Call| call.state == CallState::Quoted && call.created_ms >= ctx.now_ms();
        if view.fact(&key).is_none() && view.call(&key).is_some_and(is_new) {
            view.set_fact(&key, Fact::Waiting);
        }
    }
}

/// A parallel request was first to write the record: reads it again.
async fn start_over(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, progress: &mut Progress) -> Result<()> {
    slot.settle().await;
    let view = &progress.resolved.view;
    match (view.request.resolved_by, &view.named) {
        (ResolvedBy::PaymentId, Some(named)) => {
            let name = progress.call(&named.clone())?.name();
            load_record(ctx, &mut progress.resolved, &name).await?;
        }
        _ => {
            let facts: Vec<(CallKey, Fact)> =
                view.calls.iter().filter_map(|known| Some((known.key.clone(), known.fact.clone()?))).collect();
            progress.resolved = resolve(ctx, slot).await?;
            for (key, fact) in facts {
                progress.resolved.view.set_fact(&key, fact);
            }
        }
    }
    progress.resolved.view.now_ms = unix_ms(ctx.state.app.clock.now());
    assume_unpaid(ctx, progress);
    progress.resolved.view.raced = Some(Race::Created);
    Ok(())
}

/// A quote without requirements was never shown, unless it is being made at this moment. If it is not, it is over.
async fn half_written(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, progress: &mut Progress, key: &CallKey) -> Result<()> {
    let now_ms = progress.resolved.view.now_ms;
    let is_being_made = match &progress.resolved.view.record {
        RecordView::Found(record) => record.calls.iter().any(|listed| listed.key == *key && listed.may_arrive(now_ms)),
        RecordView::Unread | RecordView::Absent => false,
    };
    if is_being_made && progress.quotes_awaited < MAX_QUOTES_AWAITED {
        return await_quote(ctx, slot, progress).await;
    }
    move_call(ctx, progress, key, CallMove::Expired(PaymentState::Waiting)).await
}

/// A parallel request is making the quote that this request wants. Once it is there, it is for both.
async fn await_quote(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, progress: &mut Progress) -> Result<()> {
    let version = |progress: &Progress| match &progress.resolved.view.record {
        RecordView::Found(record) => record.version,
        RecordView::Unread | RecordView::Absent => 0,
    };
    let before = version(progress);
    progress.quotes_awaited += 1;
    for _ in 0..QUOTING_WAITS.0 {
        tokio::time::sleep(QUOTING_WAITS.1).await;
        start_over(ctx, slot, progress).await?;
        if version(progress) != before {
            return Ok(());
        }
    }
    // Its process may have died. Then this request makes the quote, and first asks again what was paid meanwhile.
    progress.resolved.view.raced = None;
    progress.resolved.view.forget_facts();
    Ok(())
}

/// Lets the client's key lead to the record of the payment's call, too. `false` if the key leads to another one.
async fn add_idempotency_key(ctx: &CallContext<'_>, call: &Call) -> Result<bool> {
    let Some(key) = &ctx.request.idempotency_key else { return Ok(true) };
    Ok(ctx.state.app.store.add_idempotency_key(key, call).await?)
}
