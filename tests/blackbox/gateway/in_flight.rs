//! A slot among the calls in flight at a listing is given back on every way out.

use crochet_tests::{Market, Outcome, Proxy, Replies, Setup, with_setup};
use futures::future::try_join_all;
use serde_json::{Value, json};

/// Lost requests at each way out. One slot that is not given back would make the listing busy.
const LOST_REQUESTS: usize = 200;
const AT_ONCE: usize = 20;

/// Sends `body` while every DynamoDB request that contains `lost` is unreachable, then once without a fault.
async fn lose(market: &Market<'_>, proxy: &Proxy, lost: &str, body: &Value) -> Outcome {
    proxy.lose(lost);
    for _ in 0..LOST_REQUESTS / AT_ONCE {
        for reply in try_join_all((0..AT_ONCE).map(|_| market.call(body).send())).await? {
            reply.refused(503, "SERVICE_UNAVAILABLE");
        }
    }
    assert!(proxy.end(), "no request contained {lost}");
    market.call(&json!({ "after": lost })).send().await?.ok(200);
    Ok(())
}

/// The slot is acquired with the first read, because the instance knows the listing as free. Each of these requests fails after that.
#[test]
fn two_hundred_lost_requests_at_each_way_out_leave_no_slot_behind() -> Outcome {
    let proxy = &Proxy::start()?;
    let mut setup = Setup::settings(&[("CROCHET_LISTING_CONCURRENCY", "1")]);
    setup.dynamodb = Some(proxy.url().to_owned());
    with_setup(setup, async |world| {
        let market = world.market(1.0).await?;
        let quoted = json!({ "quoted": true });
        market.quote(&quoted).await?;
        let change = json!({ "pricing_model": "free" });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        let body = json!({ "n": 1 });
        market.call(&body).send().await?.ok(200);
        // The first read of key and listing.
        lose(&market, proxy, "\"KEY#", &body).await?;
        // The counter of the caller's rate.
        lose(&market, proxy, "\"RATE#", &body).await?;
        // The read of the names that the call may have.
        lose(&market, proxy, "\"OPEN\"", &body).await?;
        // The read of the call that the body names.
        lose(&market, proxy, "\"CALL#", &quoted).await
    })
}
