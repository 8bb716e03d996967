//! Sellers whose breaker opens, and calls while it is open.

use crochet_client::{Agent, Reply};
use serde_json::{Value, json};

use crate::expect::Replies;
use crate::failure::{Failure, Outcome};
use crate::moody_seller::{Mood, MoodySeller};
use crate::shop::{Quote, Shop};
use crate::world::World;

/// A free listing at this seller.
pub async fn free<'a>(world: &'a World, seller: &MoodySeller) -> Result<Shop<'a>, Failure> {
    at(world, seller, world.free_fields("/echo")).await
}

/// A listing for a dollar at this seller.
pub async fn paid<'a>(world: &'a World, seller: &MoodySeller) -> Result<Shop<'a>, Failure> {
    at(world, seller, world.paid_fields(&json!(1), "/echo")).await
}

async fn at<'a>(world: &'a World, seller: &MoodySeller, mut fields: Value) -> Result<Shop<'a>, Failure> {
    fields["private_endpoint_url"] = seller.url().into();
    world.shop_with(&fields, "/echo").await
}

/// Calls of the shop's buyer and of another one that bring no answer, one after another, until the circuit is open.
pub async fn open(shop: &Shop<'_>, seller: &MoodySeller) -> Outcome {
    let other = shop.world.agent().await?;
    seller.turns(Mood::HangsUp);
    for n in 0..4 {
        shop.call(&json!({ "opening": n })).send().await?.refused(502, "SELLER_UNREACHABLE");
    }
    other.call(&shop.listing.id, &json!("opening")).send().await?.refused(502, "SELLER_UNREACHABLE");
    Ok(())
}

/// As [`open`], with a paid call of each buyer that is tried time after time.
pub async fn open_paid(shop: &Shop<'_>, seller: &MoodySeller) -> Outcome {
    open_paid_with(shop, &shop.world.agent().await?, seller, json!("opening")).await
}

/// As [`open_paid`], with this second buyer and this body.
///
/// # Errors
/// Where no answer comes.
pub async fn open_paid_with(shop: &Shop<'_>, other: &Agent, seller: &MoodySeller, body: Value) -> Outcome {
    seller.turns(Mood::HangsUp);
    let quote = shop.paid(&body).await?;
    let others = Quote::of(other.call(&shop.listing.id, &body).send().await?);
    shop.world.sandbox.pay(&others.id).await?;
    for _ in 0..4 {
        shop.redeem(&quote, &body).await?.refused(502, "SELLER_UNREACHABLE");
    }
    other.call(&shop.listing.id, &body).paid_with(&others.id).send().await?.refused(502, "SELLER_UNREACHABLE");
    Ok(())
}

/// The seller is left alone; gives the seconds to wait.
#[track_caller]
pub fn left_alone(reply: &Reply, settled: bool) -> u64 {
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
