//! A slot among the calls in flight at a listing is given back on every way out, or ends by itself.

use crochet_tests::{
    Agent, Behavior, Failure, Market, Outcome, Proxy, Replies, ScriptedSeller, Setup, alone, breaker, eventually, with_setup,
};
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
    assert_eq!(market.slots().await?, 0, "after {lost}");
    market.call(&json!({ "after": lost })).send().await?.ok(200);
    Ok(())
}

/// The slot is acquired with the first read, because the instance knows the listing as free. Each of these requests fails after that.
#[test]
fn two_hundred_lost_requests_at_each_way_out_leave_no_slot_behind() -> Outcome {
    let proxy = &Proxy::start()?;
    let mut setup = Setup::settings(&[("CROCHET_LISTING_CONCURRENCY", "1")]);
    setup.dynamodb = Some(proxy.url().to_owned());
    alone(setup, async |world| {
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
        lose(&market, proxy, "\"BODY#", &body).await?;
        // The read of the call that the body names.
        lose(&market, proxy, "\"CALL#", &quoted).await
    })
}

/// As if each process died after its seller's reply: no slot is given back.
#[test]
fn the_slots_of_processes_that_died_are_free_again_within_two_minutes() -> Outcome {
    let proxy = &Proxy::start()?;
    let mut setup = Setup::settings(&[("CROCHET_LISTING_CONCURRENCY", "4")]);
    setup.dynamodb = Some(proxy.url().to_owned());
    alone(setup, async |world| {
        let market = world.free_market("/status/200").await?;
        let buyers = [world.agent().await?, world.agent().await?, world.agent().await?, world.agent().await?];
        proxy.lose("REMOVE #slot");
        for buyer in &buyers {
            buyer.call(&market.listing.id, &json!({})).send().await?.ok(200);
        }
        assert_eq!(market.slots().await?, 4);
        market.call(&json!({})).send().await?.refused(503, "LISTING_BUSY");
        assert!(proxy.end());
        world.later(120).await?;
        market.call(&json!({})).send().await?.ok(200);
        assert_eq!(market.slots().await?, 0, "the next call clears up");
        Ok(())
    })
}

/// A client that hangs up while the seller is working.
#[test]
fn the_slots_of_callers_that_hung_up_are_free_again_within_two_minutes() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_LISTING_CONCURRENCY", "2")]), async |world| {
        let seller = ScriptedSeller::start(Behavior::AsTheBodySays).await?;
        let market = breaker::free(world, &seller).await?;
        let other = world.agent().await?;
        for (n, caller) in [&market.buyer, &other].into_iter().enumerate() {
            let hanging = std::pin::pin!(caller.call(&market.listing.id, &json!({ "seller": "hangs" })).send());
            let called = std::pin::pin!(eventually("the seller is called", async || Ok((seller.called() > n).then_some(()))));
            // The call is dropped, and its connection closes.
            futures::future::select(hanging, called).await;
        }
        world.later(120).await?;
        for caller in [&market.buyer, &other] {
            caller.call(&market.listing.id, &json!({})).send().await?.ok(200);
        }
        seller.set(Behavior::Status(200));
        eventually("the slots are gone", async || Ok::<_, Failure>((market.slots().await? == 0).then_some(()))).await
    })
}

#[test]
fn a_buyer_holds_half_of_what_the_others_leave() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_LISTING_CONCURRENCY", "4")]), async |world| {
        let seller = ScriptedSeller::start(Behavior::AsTheBodySays).await?;
        let market = breaker::free(world, &seller).await?;
        let others = [world.agent().await?, world.agent().await?, world.agent().await?];
        let callers = [&market.buyer, &market.buyer, &others[0], &others[1]];
        let call = |caller: &Agent, body: Value| caller.call(&market.listing.id, &body).send();
        let is_called = async |times| {
            eventually("the seller is called", async || Ok::<_, Failure>((seller.called() >= times).then_some(()))).await
        };
        // One after the other.
        let hanging = try_join_all(callers.iter().enumerate().map(async |(n, caller)| {
            is_called(n).await?;
            Ok::<_, Failure>(call(caller, json!({ "seller": "hangs" })).await?)
        }));
        let refused = async {
            is_called(4).await?;
            for caller in [&market.buyer, &others[0], &others[2]] {
                let busy = call(caller, json!({})).await?;
                assert_eq!(busy.refused(503, "LISTING_BUSY")["details"]["in_flight"], 4);
            }
            seller.set(Behavior::Status(200));
            Ok::<_, Failure>(())
        };
        let (hanging, refused) = futures::future::join(hanging, refused).await;
        refused?;
        for reply in hanging? {
            reply.ok(200);
        }
        assert_eq!((seller.called(), market.slots().await?), (4, 0));
        Ok(())
    })
}
