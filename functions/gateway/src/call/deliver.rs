//! Delivery: take the lease, forward the call once, store the outcome. Also what is written if there is no delivery.
//!
//! Taking the lease is a conditional write, and the first one also writes the settlement: of any number of parallel requests, one
//! continues. The outcome is written once, over the leased version: a late writer with an expired lease changes nothing.

use std::sync::Arc;
use std::time::Duration;

use crochet::endpoint_secrets::EndpointSecret;
use crochet::http::{ApiError, Result};
use crochet::store::StoreError;
use crochet::store::answer::CompressedResponse;
use crochet::store::call::{PutCallError, new_write_token, next_version};
use crochet::store::retry::Attempts;
use crochet_domain::call::ledger::{LedgerRecord, settlement};
use crochet_domain::call::outcome::Outcome;
use crochet_domain::call::record::may_be_filled;
use crochet_domain::call::view::Obstacle;
use crochet_domain::call::{Call, CallKey, CallState, RESPONSE_KEPT_MS};
use crochet_domain::listing::Endpoint;
use crochet_domain::timestamp::unix_ms;

use super::CallContext;
use super::breaker_permit::{BreakerPermit, NoPermit};
use super::forward::AttemptOutcome;
use super::in_flight::InFlightSlot;
use super::progress::Progress;
use super::reply;
use crate::attend::put_back;

/// Result of an attempt to deliver.
pub(super) enum Delivery {
    /// The request has its reply.
    Replied(Result),
    /// The lease was not taken. The error is the reply, if the obstacle is [`Obstacle::Failed`].
    HeldBack(Obstacle, Option<ApiError>),
    /// Another request moved the call first. This is the call now.
    Superseded(Box<Option<Call>>),
}

/// Delivers a paid or free call. With `settle`, the write that takes the lease also stores the settlement.
pub(super) async fn deliver(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    progress: &Progress,
    key: &CallKey,
    settle: bool,
) -> Result<Delivery> {
    let Some(endpoint) = &ctx.listing.endpoint else { return Err(ApiError::internal("a delivery without an endpoint")) };
    let call = progress.call(key)?.clone();
    let request_bytes = ctx.request.json()?.bytes.len() as u64;
    if settle {
        put_back_late(ctx, &call).await?;
    }
    // Before the lease is taken: a call that cannot be signed is not an attempt.
    let secret = match ctx.state.secrets.read(ctx.listing.id, endpoint).await {
        Ok(secret) => secret,
        Err(error) if error.is_lost() => {
            tracing::warn!(listing = %ctx.listing.id, %error, "an endpoint's secret is lost: its seller has to set the URL again");
            return Ok(Delivery::HeldBack(Obstacle::SecretLost, None));
        }
        Err(error) => return Ok(Delivery::HeldBack(Obstacle::Failed, Some(error.into()))),
    };
    // Fetching a secret, or a slow provider, may have taken too long.
    if !ctx.has_time_for_seller(Duration::from_millis(endpoint.timeout_ms.into())) {
        return Ok(Delivery::HeldBack(Obstacle::NoTime, None));
    }
    let permit = match BreakerPermit::acquire(ctx, endpoint).await {
        Ok(permit) => permit,
        Err(NoPermit::Open(retry_after)) => return Ok(Delivery::HeldBack(Obstacle::BreakerOpen(retry_after), None)),
        Err(NoPermit::Store(e)) => return Ok(Delivery::HeldBack(Obstacle::Failed, Some(e.into()))),
    };
    // From here on, nothing may return but through the permit, which gives itself back.
    let now_ms = ctx.now_ms();
    let due_ms = call.due_ms;
    let mut settled = if settle { call.settled(progress.collected.get(key).copied(), now_ms) } else { call };
    // With the settlement and the first lease in one write, the call is due when its quote would have been over: soon enough for a
    // lease that lapses, and its index entry stays where it is.
    settled.due_ms = due_ms.filter(|due| now_ms < *due).or(settled.due_ms);
    let entries = settle.then(|| settlement(&settled, now_ms));
    let mut leased = next_version(settled.begun(new_write_token(), ctx.lease_until_ms(), request_bytes, now_ms));
    leased.tried_endpoint = Some(endpoint.mark());
    permit.around(lease_and_forward(ctx, slot, &permit, leased, entries.as_slice(), &secret)).await
}

async fn lease_and_forward(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    permit: &BreakerPermit<'_>,
    leased: Call,
    settlement: &[LedgerRecord],
    secret: &EndpointSecret,
) -> Result<Delivery> {
    let store = &ctx.state.app.store;
    let (written, counted) = tokio::join!(store.put_call_version(&leased, settlement), slot.acquire(ctx.listing.id));
    // A slot that could not be counted is no reason to abandon a leased call.
    if let Err(e) = counted {
        tracing::warn!(cause = %e, "a call is not counted at its listing");
    }
    match written {
        Ok(()) => forward_and_record(ctx, slot, permit, leased, secret).await,
        Err(PutCallError::Superseded(found)) => Ok(Delivery::Superseded(found)),
        Err(PutCallError::Contended) => Ok(Delivery::Superseded(Box::new(store.calls(&[leased.key()]).await?.pop()))),
        Err(PutCallError::Store(e)) => Err(e.into()),
    }
}

/// Forwards a leased call, and stores the outcome.
pub(super) async fn forward_and_record(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    permit: &BreakerPermit<'_>,
    call: Call,
    secret: &EndpointSecret,
) -> Result<Delivery> {
    let AttemptOutcome { report, body } = ctx.forward(slot, permit, &call, secret).await?;
    let now_ms = unix_ms(ctx.state.app.clock.now());
    if report.outcome != Outcome::Delivered {
        let ended = next_version(call.ended(&report, None, now_ms));
        let (written, (), retry_after) = tokio::join!(write(ctx, &ended, None), slot.settle(), permit.settle());
        written?;
        return Ok(Delivery::Replied(Err(reply::seller_failure(ctx, &ended, retry_after))));
    }
    let reply = reply::delivered(&call, report.seller_status_code.unwrap_or(200), &body)?;
    let attempt = call.attempts.last().map_or(1, |attempt| attempt.n);
    let response = CompressedResponse::compress(reply.body(), attempt, now_ms + RESPONSE_KEPT_MS)?;
    let ended = next_version(call.ended(&report, Some(response.stored()), now_ms));
    let (written, (), _) = tokio::join!(write(ctx, &ended, Some(&response)), slot.settle(), permit.settle());
    Ok(match written? {
        Written::Mine => Delivery::Replied(Ok(reply)),
        Written::Superseded(found) => Delivery::Superseded(Box::new(Some(*found))),
    })
}

/// Forwards a free call that nobody can ask for again. Its row is written meanwhile, so that it takes no extra time: a process
/// that dies leaves the row.
pub(super) async fn forward_unnamed(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    permit: &BreakerPermit<'_>,
    call: Call,
    secret: &EndpointSecret,
) -> Result {
    let store = &ctx.state.app.store;
    let (row, attempt) = tokio::join!(store.put_call(&call), ctx.forward(slot, permit, &call, secret));
    let AttemptOutcome { report, body } = attempt?;
    let now_ms = unix_ms(ctx.state.app.clock.now());
    let mut ended = call.ended(&report, None, now_ms);
    if report.outcome != Outcome::Delivered {
        ended = ended.closed(now_ms);
    }
    // If the row could not be written, this write makes it.
    if row.is_ok() {
        ended = next_version(ended);
    }
    let (written, (), retry_after) = tokio::join!(write(ctx, &ended, None), slot.settle(), permit.settle());
    written?;
    if report.outcome == Outcome::Delivered {
        reply::delivered(&ended, report.seller_status_code.unwrap_or(200), &body)
    } else {
        Err(reply::seller_failure(ctx, &ended, retry_after))
    }
}

enum Written {
    Mine,
    /// Another attempt has taken over the call.
    Superseded(Box<Call>),
}

/// Stores an outcome. Tries again while DynamoDB does not respond and time is left.
async fn write(ctx: &CallContext<'_>, ended: &Call, response: Option<&CompressedResponse>) -> Result<Written> {
    let store = &ctx.state.app.store;
    let mut attempts = Attempts::default();
    loop {
        let failure = match write_once(ctx, ended, response).await {
            Ok(()) => return Ok(Written::Mine),
            Err(PutCallError::Superseded(found)) => {
                return Ok(Written::Superseded(Box::new((*found).unwrap_or_else(|| ended.clone()))));
            }
            // This write succeeded before, or another attempt was first. The call itself says which.
            Err(PutCallError::Contended) => match store.calls(&[ended.key()]).await.map(|mut found| found.pop()) {
                Ok(Some(found)) if found.write_token == ended.write_token => return Ok(Written::Mine),
                Ok(Some(found)) if found.version >= ended.version => return Ok(Written::Superseded(Box::new(found))),
                Ok(_) => StoreError::Conflict,
                Err(e) => e,
            },
            Err(PutCallError::Store(e)) => e,
        };
        if ctx.time_left().is_zero() {
            return Err(failure.into());
        }
        attempts.next_or(failure).await?;
    }
}

async fn write_once(ctx: &CallContext<'_>, ended: &Call, response: Option<&CompressedResponse>) -> Result<(), PutCallError> {
    let store = &ctx.state.app.store;
    if let Some(response) = response {
        store.store_response(ended.id, response).await?;
    }
    store.finish_call(ended, response).await
}

/// Stores the settlement only, because the call cannot be delivered now. Returns the call as it is stored.
pub(super) async fn settle(ctx: &CallContext<'_>, progress: &Progress, key: &CallKey) -> Result<Call> {
    let collected = progress.collected.get(key).copied();
    put_back_late(ctx, progress.call(key)?).await?;
    let settled = next_version(progress.call(key)?.clone().settled(collected, ctx.now_ms()));
    let entries = settlement(&settled, ctx.now_ms());
    match ctx.state.app.store.put_call_version(&settled, &[entries]).await {
        Ok(()) => Ok(settled),
        Err(PutCallError::Superseded(found)) => Ok((*found).unwrap_or(settled)),
        Err(PutCallError::Contended) => Err(reply::in_progress(&settled)),
        Err(PutCallError::Store(e)) => Err(e.into()),
    }
}

/// A fill that came so late that the record had left the call. The body must lead to it again, also if the seller fails.
async fn put_back_late(ctx: &CallContext<'_>, call: &Call) -> Result<()> {
    if call.state == CallState::Expired && !may_be_filled(call, ctx.now_ms()) {
        put_back(ctx.state, call, ctx.now_ms()).await?;
    }
    Ok(())
}

/// Closes a call that may not be attempted again. The ledger says what is owed.
pub(super) async fn close(ctx: &CallContext<'_>, call: &Call) -> (Call, Result<(), PutCallError>) {
    let closed = next_version(call.clone().closed(ctx.now_ms()));
    let written = ctx.state.app.store.close_call(&closed).await;
    (closed, written)
}

impl CallContext<'_> {
    /// The URL, header and signing secrets for calls to the seller.
    pub(super) async fn secret(&self, endpoint: &Endpoint) -> Result<Arc<EndpointSecret>> {
        Ok(self.state.secrets.read(self.listing.id, endpoint).await?)
    }

    /// Until when this request may still store an outcome (Unix milliseconds).
    pub(super) fn lease_until_ms(&self) -> i64 {
        let now = unix_ms(self.state.app.clock.now());
        now + i64::try_from(self.time_left().as_millis()).unwrap_or(0)
    }
}
