//! Free calls. Nothing is paid; with an idempotency key, a call is still delivered once.

use std::time::Duration;

use crochet::http::{ApiError, Code, Result};
use crochet::store::call::new_write_token;
use crochet::store::record::CreateCallError;
use crochet_domain::call::step::{NewCall, Refusal};
use crochet_domain::call::{Call, CallName, CallState, Debts};
use crochet_domain::ids::CallId;
use crochet_domain::listing::Endpoint;
use crochet_domain::money::{Micros, PriceSplit};
use crochet_domain::unknown::Unknown;

use super::CallContext;
use super::breaker_permit::{BreakerPermit, NoPermit};
use super::deliver::{Delivery, forward_and_record, forward_unnamed};
use super::in_flight::InFlightSlot;
use super::progress::Progress;
use super::quote::recorded;
use super::refuse;

/// Minimum time for which a free call is sent to a seller whose own timeout is longer.
const MIN_FREE_TIMEOUT: Duration = Duration::from_secs(5);

/// Result of a free call.
pub(super) enum FreeCall {
    /// The request has its reply.
    Replied(Result),
    /// A parallel request was first. The key identifies its call.
    Raced,
}

/// Creates a free call and forwards it.
pub(super) async fn call_free(
    ctx: &CallContext<'_>,
    slot: &InFlightSlot<'_>,
    progress: &Progress,
    new: &NewCall,
) -> Result<FreeCall> {
    let endpoint = ctx.listing.endpoint.as_ref().ok_or(Code::ListingHasNoGateway)?;
    let secret = ctx.secret(endpoint).await?;
    // Nothing is written yet, so a retry starts from scratch.
    if !ctx.has_time_for_seller(Duration::from_millis(endpoint.timeout_ms.into()).min(MIN_FREE_TIMEOUT)) {
        return Err(ApiError::new(Code::ServiceUnavailable).retry_after(1).cause("too little time is left for the seller"));
    }
    // Checks the limits again, with a count that includes this call, so that parallel calls cannot exceed them.
    let with_this = slot.acquire(ctx.listing.id).await?;
    if let Some(why) = ctx.traffic_refusal(Some(with_this)) {
        return Err(refuse::error(ctx, progress, Refusal::Traffic(why)).await);
    }
    let permit = match BreakerPermit::acquire(ctx, endpoint).await {
        Ok(permit) => permit,
        Err(NoPermit::Open(retry_after)) => {
            return Err(refuse::error(ctx, progress, Refusal::BreakerOpen { retry_after }).await);
        }
        Err(NoPermit::Store(e)) => return Err(e.into()),
    };
    let call = new_free_call(ctx, new, endpoint)?;
    let Some(name) = &new.name else {
        let reply = permit.around(forward_unnamed(ctx, slot, &permit, call, &secret)).await;
        return Ok(FreeCall::Replied(reply));
    };
    let record = recorded(progress, &call, ctx.now_ms());
    permit
        .around(async {
            match ctx.state.app.store.create_free_call(&call, name, &record, ctx.now_ms()).await {
                Ok(()) => {}
                Err(CreateCallError::Raced) => return Ok(FreeCall::Raced),
                Err(CreateCallError::PaymentIdKnown) => return Err(ApiError::internal("a fresh call id is already known").alarm()),
                Err(CreateCallError::Store(e)) => return Err(e.into()),
            }
            Ok(match forward_and_record(ctx, slot, &permit, call, &secret).await? {
                Delivery::Replied(reply) => FreeCall::Replied(reply),
                // Another attempt took over the call. Its name leads to the outcome.
                Delivery::Superseded(_) | Delivery::HeldBack(..) => FreeCall::Raced,
            })
        })
        .await
}

fn new_free_call(ctx: &CallContext<'_>, new: &NewCall, endpoint: &Endpoint) -> Result<Call> {
    let body = ctx.request.json()?;
    let now_ms = ctx.now_ms();
    let call = Call {
        id: CallId::generate(ctx.now),
        buyer: ctx.agent.profile,
        seller: ctx.listing.seller.id,
        listing: ctx.called_listing(),
        body_sha256: body.sha256.clone(),
        idempotency_key: new.name.as_ref().and_then(CallName::key).map(str::to_owned),
        round: new.round,
        split: PriceSplit::of(Micros::ZERO, ctx.state.app.config.fee_rate),
        payment: None,
        state: CallState::Settled,
        attempts: Vec::new(),
        in_vain_ms: None,
        tried_endpoint: Some(endpoint.mark()),
        debts: Debts::default(),
        due_ms: Some(ctx.lease_until_ms()),
        settled_ms: None,
        created_ms: now_ms,
        updated_ms: now_ms,
        version: 1,
        write_token: new_write_token(),
        unknown: Unknown::default(),
    };
    Ok(call.begun(new_write_token(), ctx.lease_until_ms(), body.bytes.len() as u64, now_ms))
}
