//! What comes of an attempt: it is written once, over the claimed version. A late writer from an expired lease changes nothing.

use crochet::endpoint_secrets::EndpointSecret;
use crochet::http::{ApiError, Result};
use crochet::store::StoreError;
use crochet::store::answer::CompressedResponse;
use crochet::store::call::{PutCallError, next_version};
use crochet::store::retry::Attempts;
use crochet_domain::call::outcome::Outcome;
use crochet_domain::call::view::Obstacle;
use crochet_domain::call::{Call, RESPONSE_KEPT_MS};
use crochet_domain::timestamp::unix_ms;

use super::CallContext;
use super::breaker_permit::BreakerPermit;
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

/// Forwards a call that this request has claimed, and writes the outcome.
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
        return Ok(Delivery::Replied(Err(reply::seller_failure(&ended, report.outcome, retry_after))));
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
    let AttemptOutcome { report, body } = ctx.forward(slot, permit, &call, secret).await?;
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
        Err(reply::seller_failure(&ended, report.outcome, retry_after))
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
