//! Delivery: claim the call, forward it once, write the outcome. Also what is written instead of a delivery.
//!
//! The claim is a conditional write, and the first one writes the settlement with it: of any number of parallel requests one
//! goes on.

use std::sync::Arc;
use std::time::Duration;

use crochet::endpoint_secrets::EndpointSecret;
use crochet::http::{ApiError, Result};
use crochet::store::call::{PutCallError, new_write_token, next_version};
use crochet_domain::call::Call;
use crochet_domain::call::ledger::{settlement, undelivered};
use crochet_domain::call::view::Obstacle;
use crochet_domain::listing::Endpoint;
use crochet_domain::timestamp::unix_ms;

use super::CallContext;
use super::breaker_permit::{BreakerPermit, NoPermit};
use super::in_flight::InFlightSlot;
use super::outcome::{Delivery, forward_and_record};
use super::reply;

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
