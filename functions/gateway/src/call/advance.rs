//! The loop of a gateway call: decide, carry out the step, add the result to the view, until there is a reply.

use crochet::http::{ApiError, Reply, Result};
use crochet::store::call::next_version;
use crochet_domain::call::decide::{decide, replacement_key};
use crochet_domain::call::step::{PaymentMove, Step};
use crochet_domain::call::view::{BodyView, Fact, Race, ResolvedBy};
use crochet_domain::call::{Call, CallKey, CallState, IdempotencyKey};

use super::CallContext;
use super::deliver::{Delivery, close, deliver, settle};
use super::free::{FreeCall, call_free};
use super::in_flight::InFlightSlot;
use super::progress::Progress;
use super::quote::{Quoted, quote};
use super::resolve::{read_names, resolve};
use super::{ask, offer, refuse, reply};

/// Maximum steps of one request. The longest known path takes eleven: a failed quote, the one before it, and its successor.
const MAX_STEPS: usize = 24;

/// Decides and acts until there is a reply.
pub(super) async fn advance(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>) -> Result {
    let resolved = resolve(ctx, slot).await?;
    let mut progress = Progress { resolved, failure: None, mismatches: Vec::new() };
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
    let store = &ctx.state.app.store;
    match step {
        Step::AskProvider(calls) => ask::ask(ctx, progress, &calls).await,
        Step::CheckSchema => {
            let (check, mismatches) = ctx.check_schema()?;
            if let BodyView::Json { schema, .. } = &mut progress.resolved.view.request.body {
                *schema = check;
            }
            progress.mismatches = mismatches;
        }
        Step::Load(key) => {
            let call = store.calls(std::slice::from_ref(&key)).await?.pop();
            progress.resolved.view.put(&key, call);
        }
        Step::FindSuccessor(key) => find_successor(ctx, progress, &key).await?,
        Step::AddIdempotencyKey(key) => {
            let added = add_idempotency_key(ctx, progress.call(&key)?).await?;
            progress.resolved.view.key_added = Some(added);
        }
        Step::Move(key, payment) => {
            let before = progress.call(&key)?;
            let after = match payment {
                PaymentMove::DepositSeen => before.clone().deposit_seen(ctx.now_ms()),
                PaymentMove::Expired(how) => before.clone().expired(how, ctx.now_ms()),
            };
            let after = next_version(after);
            progress.written(&key, store.put_call_version(&after, &[]).await, after)?;
        }
        Step::Quote(new) => match Box::pin(quote(ctx, progress, &new)).await? {
            Quoted::Created(call) => return Err(offer::offer(progress, &call, &new.reason)),
            Quoted::Raced => start_over(ctx, slot, progress).await?,
        },
        Step::CallFree(new) => match Box::pin(call_free(ctx, slot, progress, &new)).await? {
            FreeCall::Replied(reply) => return reply.map(Some),
            FreeCall::Raced => start_over(ctx, slot, progress).await?,
        },
        Step::Settle(key) => {
            let settled = settle(ctx, progress.call(&key)?).await?;
            progress.resolved.view.put(&key, Some(settled));
        }
        Step::Deliver { call: key, settle } => match Box::pin(deliver(ctx, slot, progress.call(&key)?, settle)).await? {
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
        Step::Offer(key, reason) => {
            let offered = offer::offer(progress, progress.call(&key)?, &reason);
            return Err(offer::with_seller_advice(offered, &reason, progress.resolved.view.listing.breaker_retry_after));
        }
        Step::Probe => return Err(offer::price(ctx)),
        Step::Refuse(refusal) => return Err(refuse::error(ctx, progress, refusal)),
    }
    Ok(None)
}

/// Finds the call that has replaced one whose quote ended unpaid.
async fn find_successor(ctx: &CallContext<'_>, progress: &mut Progress, key: &CallKey) -> Result<()> {
    let before = progress.call(key)?;
    let currency = before.payment.as_ref().map(|payment| payment.origin_currency);
    if progress.resolved.names.is_none() {
        let name = replacement_key(&progress.resolved.view, key, before);
        progress.resolved.names = Some(read_names(ctx, name.as_ref(), ctx.request.json()?).await?);
    }
    let names = progress.resolved.names.as_ref();
    let successor = match names.map(|names| (&names.record, &names.for_body)) {
        Some((Some(record), _)) => Some(record.call.clone()),
        Some((None, Some(quotes))) => quotes.in_currency(currency).cloned(),
        _ => None,
    };
    let view = &mut progress.resolved.view;
    if let Some(successor) = successor.as_ref().filter(|successor| view.known(successor).is_none()) {
        let call = ctx.state.app.store.calls(std::slice::from_ref(successor)).await?.pop();
        view.put(successor, call);
        if view.raced == Some(Race::Created) {
            assume_unpaid(progress, successor);
        }
    }
    progress.resolved.view.successors.push((key.clone(), successor));
    Ok(())
}

/// The provider is not asked about a quote that a parallel request has just made: nobody can have paid it yet.
fn assume_unpaid(progress: &mut Progress, key: &CallKey) {
    let view = &mut progress.resolved.view;
    if view.call(key).is_some_and(|call| call.state == CallState::Quoted) {
        view.set_fact(key, Fact::Waiting);
    }
}

/// A parallel request was first to use this call's names: reads again what they identify.
async fn start_over(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, progress: &mut Progress) -> Result<()> {
    slot.settle().await;
    if progress.resolved.view.request.resolved_by == ResolvedBy::PaymentId {
        progress.resolved.names = None;
        progress.resolved.view.successors.clear();
    } else {
        progress.resolved = resolve(ctx, slot).await?;
        let view = &progress.resolved.view;
        let named = view.record.as_ref().map(|record| record.call.clone());
        for key in named.into_iter().chain(view.candidates.clone()) {
            assume_unpaid(progress, &key);
        }
    }
    progress.resolved.view.raced = Some(Race::Created);
    Ok(())
}

/// Binds the client's key to the call of its payment id, too. `false` if the key identifies another call.
async fn add_idempotency_key(ctx: &CallContext<'_>, call: &Call) -> Result<bool> {
    let Some(key) = ctx.request.idempotency_key.clone().map(IdempotencyKey::Client) else { return Ok(true) };
    let record = call.idempotency_record(1);
    Ok(ctx.state.app.store.add_idempotency_key(call.buyer, &key, &record).await?)
}
