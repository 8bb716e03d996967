//! What a buyer does in a call, from the first request to the answer.

use crochet_tests::{Failure, Quote, Reply, Request};
use serde_json::{Value, json};

use super::stage::{Stage, Stop};

/// Seconds after which a quote can no longer be filled.
const ENDED: i64 = 5_000;

/// A way to make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// A 402, the payment, and the retry with its id.
    Plain,
    /// The same with an Idempotency-Key, which is all that the retry sends.
    Keyed,
    /// The payment is pending for a while.
    Pending,
    /// The first quote is never paid; the one after it is.
    Expired,
    /// The first payment fails; the second does not.
    Refailed,
    /// The seller fails at first.
    SellerFails,
    /// A free call with a key.
    Free,
}

/// How a plot ended: the answer, and the id of the payment.
pub(super) struct Answered {
    pub(super) reply: Reply,
    pub(super) payment: Option<String>,
}

impl Plot {
    pub(super) const ALL: [Self; 7] =
        [Self::Plain, Self::Keyed, Self::Pending, Self::Expired, Self::Refailed, Self::SellerFails, Self::Free];

    /// Makes the call.
    pub(super) async fn play(self, stage: &Stage<'_>, body: &Value, key: &str) -> Result<Answered, Stop> {
        let sandbox = &stage.world.sandbox;
        let plain = || stage.call(body);
        let keyed = || stage.call(body).idempotency_key(key);
        match self {
            Self::Plain | Self::SellerFails => {
                let id = quoted(stage, plain).await?;
                sandbox.pay(&id).await.map_err(Failure::from)?;
                answered(stage, &id, || plain().paid_with(&id)).await
            }
            Self::Keyed => {
                let id = quoted(stage, keyed).await?;
                sandbox.pay(&id).await.map_err(Failure::from)?;
                answered(stage, &id, keyed).await
            }
            Self::Pending => {
                let id = quoted(stage, plain).await?;
                sandbox.set(&id, &json!({ "status": "pending" })).await.map_err(Failure::from)?;
                stage.insist(202, || plain().paid_with(&id)).await?;
                sandbox.pay(&id).await.map_err(Failure::from)?;
                answered(stage, &id, || plain().paid_with(&id)).await
            }
            Self::Expired => {
                quoted(stage, plain).await?;
                stage.world.later(ENDED).await?;
                let id = quoted(stage, plain).await?;
                sandbox.pay(&id).await.map_err(Failure::from)?;
                answered(stage, &id, || plain().paid_with(&id)).await
            }
            Self::Refailed => {
                let first = quoted(stage, keyed).await?;
                sandbox.set(&first, &json!({ "status": "failure" })).await.map_err(Failure::from)?;
                let id = quoted(stage, keyed).await?;
                sandbox.pay(&id).await.map_err(Failure::from)?;
                answered(stage, &id, || keyed().paid_with(&id)).await
            }
            Self::Free => Ok(Answered { reply: stage.insist(200, keyed).await?, payment: None }),
        }
    }

    /// The request that gets the answer again.
    pub(super) fn again(self, stage: &Stage<'_>, body: &Value, key: &str, payment: Option<&str>) -> Request {
        match payment {
            Some(id) => stage.call(body).paid_with(id),
            None => stage.call(body).idempotency_key(key),
        }
    }

    /// The path of the seller.
    pub(super) fn path(self, echo: String) -> String {
        if self == Self::SellerFails { "/flaky/1".into() } else { echo }
    }
}

async fn quoted(stage: &Stage<'_>, request: impl Fn() -> Request) -> Result<String, Stop> {
    Ok(Quote::of(stage.insist(402, request).await?).id)
}

async fn answered(stage: &Stage<'_>, payment: &str, request: impl Fn() -> Request) -> Result<Answered, Stop> {
    Ok(Answered { reply: stage.insist(200, request).await?, payment: Some(payment.to_owned()) })
}
