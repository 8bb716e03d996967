//! Helpers for tests of the circuit breaker.

use crochet_client::{Agent, Reply};
use serde_json::{Value, json};

use crate::expect::Replies;
use crate::failure::{Failure, Outcome};
use crate::market::{Market, Quote};
use crate::scripted_seller::{Behavior, ScriptedSeller};
use crate::world::World;

/// A market with a free listing at this seller.
pub async fn free<'a>(world: &'a World, seller: &ScriptedSeller) -> Result<Market<'a>, Failure> {
    at(world, seller, world.free_fields("/echo")).await
}

/// A market with a listing at this seller for one dollar a call.
pub async fn paid<'a>(world: &'a World, seller: &ScriptedSeller) -> Result<Market<'a>, Failure> {
    at(world, seller, world.paid_fields(&json!(1), "/echo")).await
}

async fn at<'a>(world: &'a World, seller: &ScriptedSeller, mut fields: Value) -> Result<Market<'a>, Failure> {
    fields["private_endpoint_url"] = seller.url().into();
    world.market_with(&fields, "/echo").await
}

/// Opens the breaker: three calls of the market's buyer and two of another one get no response.
pub async fn open(market: &Market<'_>, seller: &ScriptedSeller) -> Outcome {
    let other = market.world.agent().await?;
    seller.set(Behavior::DropsConnection);
    for n in 0..5 {
        let caller = if n < 3 { &market.buyer } else { &other };
        caller.call(&market.listing.id, &json!({ "opening": n })).send().await?.refused(502, "SELLER_UNREACHABLE");
    }
    Ok(())
}

/// Same as [`open`], with one paid call of each buyer that is retried.
pub async fn open_paid(market: &Market<'_>, seller: &ScriptedSeller) -> Outcome {
    open_paid_with(market, &market.world.agent().await?, seller, json!("opening")).await
}

/// Same as [`open_paid`], with this second buyer and this body.
pub async fn open_paid_with(market: &Market<'_>, other: &Agent, seller: &ScriptedSeller, body: Value) -> Outcome {
    seller.set(Behavior::DropsConnection);
    let quote = market.paid(&body).await?;
    let others = Quote::of(other.call(&market.listing.id, &body).send().await?);
    market.world.sandbox.pay(&others.id).await?;
    for _ in 0..3 {
        // Past the wait after a failure. An earlier retry would not reach the seller.
        market.world.later(1).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_UNREACHABLE");
    }
    for _ in 0..2 {
        market.world.later(1).await?;
        other.call(&market.listing.id, &body).paid_with(&others.id).send().await?.refused(502, "SELLER_UNREACHABLE");
    }
    Ok(())
}

/// Asserts that the reply is SELLER_UNAVAILABLE. Returns the seconds to wait.
#[track_caller]
pub fn assert_unavailable(reply: &Reply, settled: bool) -> u64 {
    let error = reply.refused(502, "SELLER_UNAVAILABLE");
    let details = &error["details"];
    assert_eq!((&details["settled"], &details["delivered"]), (&json!(settled), &json!(false)), "{error}");
    assert_eq!(details["redeliver_until"].is_string(), settled, "{error}");
    assert_eq!(error["recovery"]["retryable"], true);
    let seconds: u64 = reply.header("retry-after").parse().unwrap_or(0);
    assert!(seconds > 0, "Retry-After is {:?}", reply.header("retry-after"));
    assert_eq!(error["recovery"]["retry_after_seconds"], seconds);
    seconds
}
