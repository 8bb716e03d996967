//! Delivery: claim the call, forward it once, write the outcome. Also what is written instead of a delivery.
//!
//! The claim is a conditional write, and the first one writes the settlement with it: of any number of parallel requests one
//! goes on. The outcome is written once, over the claimed version: a late writer from an expired lease changes nothing.

use std::sync::Arc;
use std::time::Duration;

use crochet::endpoint_secrets::EndpointSecret;
use crochet::http::{ApiError, Result};
use crochet::store::StoreError;
use crochet::store::answer::CompressedResponse;
use crochet::store::call::{PutCallError, new_write_token, next_version};
use crochet::store::retry::Attempts;
use crochet_domain::call::ledger::{settlement, undelivered};
use crochet_domain::call::outcome::Outcome;
use crochet_domain::call::view::Obstacle;
use crochet_domain::call::{Call, RESPONSE_KEPT_MS};
use crochet_domain::listing::Endpoint;
use crochet_domain::timestamp::unix_ms;

use super::CallContext;
use super::breaker_permit::{BreakerPermit, NoPermit};
use super::forward::AttemptOutcome;
use super::in_flight::InFlightSlot;
use super::reply;

/// What came of an attempt to deliver.
pub(super) enum Delivery {
    /// The request has its reply.
    Replied(Result),
    /// Nothing was claimed. The error is for the reply, if the obstacle is [`Obstacle::Failed`].
    HeldBack(Obstacle, Option<ApiError>),
    /// Another request moved the call first: this is where it stands now.
    Superseded(Box<Option<Call>>),
}

/// Delivers a call that is paid for or free. With `settle` the claim also writes that it is paid for.
pub(super) async fn deliver(ctx: &CallContext<'_>, slot: &InFlightSlot<'_>, call: &Call, settle: bool) -> Result<Delivery> {
    let Some(endpoint) = &ctx.listing.endpoint else { return Err(ApiError::internal("a delivery without an endpoint")) };
    // Before the claim: an attempt that cannot be signed is none.
    let secret = match ctx.secret(endpoint).await {
        Ok(secret) => secret,
        Err(e) => return Ok(Delivery::HeldBack(Obstacle::Failed, Some(e))),
    };
    // A secret that had to be fetched, and a slow provider, have taken their time.
    if !ctx.has_time_for_seller(Duration::from_millis(endpoint.timeout_ms.into())) {
        return Ok(Delivery::HeldBack(Obstacle::NoTime, None));
    }
    let permit = match BreakerPermit::acquire(ctx, endpoint).await {
        Ok(permit) => permit,
        Err(NoPermit::Open(retry_after)) => return Ok(Delivery::HeldBack(Obstacle::BreakerOpen(retry_after), None)),
        Err(NoPermit::Store(e)) => return Ok(Delivery::HeldBack(Obstacle::Failed, Some(e.into()))),
    };
    permit.around(claim_and_forward(ctx, slot, &permit, call, settle, &secret)).await
}

async fn claim_and_forward(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    permit: &BreakerPermit<'_>,
    call: &Call,
    settle: bool,
    secret: &EndpointSecret,
) -> Result<Delivery> {
    let (store, now_ms) = (&ctx.state.app.store, ctx.now_ms());
    let request_bytes = ctx.request.json()?.bytes.len() as u64;
    let settled = if settle { call.clone().settled(now_ms) } else { call.clone() };
    let entries = if settle { settlement(&settled, now_ms).to_vec() } else { Vec::new() };
    let claim = next_version(settled.begun(new_write_token(), ctx.lease_until_ms(), request_bytes, now_ms));
    let (claimed, counted) = tokio::join!(store.put_call_version(&claim, &entries), slot.acquire(ctx.listing.id));
    // A slot that could not be counted is no reason to leave a claimed call with nobody.
    if let Err(e) = counted {
        tracing::warn!(cause = %e, "a call is not counted at its listing");
    }
    match claimed {
        Ok(()) => forward_and_record(ctx, slot, permit, claim, secret).await,
        Err(PutCallError::Superseded(found)) => Ok(Delivery::Superseded(found)),
        Err(PutCallError::Contended) => Ok(Delivery::Superseded(Box::new(store.calls(&[claim.key()]).await?.pop()))),
        Err(PutCallError::Store(e)) => Err(e.into()),
    }
}

/// Forwards a call that this request has claimed, and writes the outcome.
pub(super) async fn forward_and_record(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    permit: &BreakerPermit<'_>,
    call: Call,
    secret: &EndpointSecret,
) -> Result<Delivery> {
    let AttemptOutcome { report, body, unreadable } = ctx.forward(slot, permit, &call, secret).await?;
    let now_ms = unix_ms(ctx.state.app.clock.now());
    if report.outcome != Outcome::Delivered {
        let ended = next_version(call.ended(&report, None, now_ms));
        let (written, (), retry_after) = tokio::join!(write(ctx, &ended, None), slot.settle(), permit.settle());
        written?;
        return Ok(Delivery::Replied(Err(reply::seller_failure(&ended, report.outcome, unreadable, retry_after))));
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

/// Forwards a free call that nobody can ask for again. One write says what came of it.
pub(super) async fn forward_unnamed(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    permit: &BreakerPermit<'_>,
    call: Call,
    secret: &EndpointSecret,
) -> Result {
    let AttemptOutcome { report, body, unreadable } = ctx.forward(slot, permit, &call, secret).await?;
    let now_ms = unix_ms(ctx.state.app.clock.now());
    let mut ended = call.ended(&report, None, now_ms);
    if report.outcome != Outcome::Delivered {
        ended = ended.closed(now_ms);
    }
    let (written, (), retry_after) = tokio::join!(write(ctx, &ended, None), slot.settle(), permit.settle());
    written?;
    if report.outcome == Outcome::Delivered {
        reply::delivered(&ended, report.seller_status_code.unwrap_or(200), &body)
    } else {
        Err(reply::seller_failure(&ended, report.outcome, unreadable, retry_after))
    }
}

enum Written {
    Mine,
    /// Another attempt has taken the call over meanwhile.
    Superseded(Box<Call>),
}

/// Writes an outcome, again while DynamoDB does not answer and there is time.
async fn write(ctx: &CallContext<'_>, ended: &Call, response: Option<&CompressedResponse>) -> Result<Written> {
    let store = &ctx.state.app.store;
    let mut attempts = Attempts::default();
    loop {
        let failure = match write_once(ctx, ended, response).await {
            Ok(()) => return Ok(Written::Mine),
            Err(PutCallError::Superseded(found)) => {
                return Ok(Written::Superseded(Box::new((*found).unwrap_or_else(|| ended.clone()))));
            }
            // Ours from an earlier try, or another attempt's: the call itself says.
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

/// Writes the settlement and nothing else: the call cannot be delivered now. Gives the call as it stands.
pub(super) async fn settle(ctx: &CallContext<'_>, call: &Call) -> Result<Call> {
    let settled = next_version(call.clone().settled(ctx.now_ms()));
    let entries = settlement(&settled, ctx.now_ms());
    match ctx.state.app.store.put_call_version(&settled, &entries).await {
        Ok(()) => Ok(settled),
        Err(PutCallError::Superseded(found)) => Ok((*found).unwrap_or(settled)),
        Err(PutCallError::Contended) => Err(reply::in_progress(&settled)),
        Err(PutCallError::Store(e)) => Err(e.into()),
    }
}

/// Closes a call that may not be tried any more. The ledger says what is owed.
pub(super) async fn close(ctx: &CallContext<'_>, call: &Call) -> (Call, Result<(), PutCallError>) {
    let closed = next_version(call.clone().closed(ctx.now_ms()));
    let owed = if closed.payment.is_some() { undelivered(&closed, ctx.now_ms()).to_vec() } else { Vec::new() };
    let written = ctx.state.app.store.put_call_version(&closed, &owed).await;
    (closed, written)
}

impl CallContext<'_> {
    /// What the seller is called with.
    pub(super) async fn secret(&self, endpoint: &Endpoint) -> Result<Arc<EndpointSecret>> {
        Ok(self.state.secrets.read(self.listing.id, endpoint.secret_version.clone()).await?)
    }

    /// Until when this request may still write an outcome (Unix milliseconds).
    pub(super) fn lease_until_ms(&self) -> i64 {
        let now = unix_ms(self.state.app.clock.now());
        now + i64::try_from(self.time_left().as_millis()).unwrap_or(0)
    }
}
