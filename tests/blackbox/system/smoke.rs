//! A few tests that work against any running stack: one process, `cargo lambda watch`, `sam local`.

mod events;

use crochet_tests::{Outcome, Quote, Replies, list, number, shared, text};
use serde_json::json;

#[test]
fn every_group_answers() -> Outcome {
    shared(async |world| {
        world.client.get("/health").send().await?.ok(200);
        world.client.get("/categories").send().await?.ok(200);
        world.client.get("/listings").send().await?.ok(200);
        world.client.get("/ledger").send().await?.refused(401, "UNAUTHORIZED");
        world.client.post("/listings/challenge").send().await?.refused(401, "UNAUTHORIZED");
        world.client.get("/nowhere").send().await?.refused(404, "NOT_FOUND");
        Ok(())
    })
}

#[test]
fn both_kinds_of_wallets_register_and_recover() -> Outcome {
    shared(async |world| {
        for agent in [world.evm_agent().await?, world.agent().await?] {
            agent.get("/me").send().await?.ok(200);
            world.client.recover(&agent.wallet, true).await?.get("/me").send().await?.ok(200);
            agent.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        }
        Ok(())
    })
}

#[test]
fn a_call_is_quoted_paid_delivered_replayed_and_booked() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "task": "run", "input": { "example": true } });
        let request = market.call(&body).idempotency_key("smoke").currency("SOL");
        let quote = Quote::of(request.send().await?);
        world.sandbox.pay(&quote.id).await?;
        let first = market.call(&body).idempotency_key("smoke").paid_with(&quote.id).send().await?;
        let data = first.ok(200);
        assert_eq!((&data["seller_response"]["echo"], &data["seller_response"]["verified"]), (&body, &json!(true)));
        let again = market.redeem(&quote, &body).await?;
        assert!(again.is_replay() && again.body == first.body);
        let id = text(data, "request_id");
        let (bought, sold) = (market.entries(&market.buyer, id).await?, market.entries(&market.seller, id).await?);
        assert_eq!(number(&bought[0]["amount"], "amount_micros"), -1_000_000);
        assert_eq!(number(&sold[0]["amount"], "amount_micros"), 951_000);
        let row = market.row(&quote.id).await?;
        assert_eq!((&row["status"], list(&row, "attempts").len()), (&json!("delivered"), 1));
        Ok(())
    })
}

#[test]
fn a_free_call_is_delivered() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let reply = market.call(&json!({ "n": 1 })).send().await?;
        assert_eq!(reply.ok(200)["billable"], false);
        Ok(())
    })
}

#[test]
fn the_smoke_test_of_a_deployment_passes_and_leaves_nothing_on_offer() -> Outcome {
    shared(async |world| {
        let endpoint = world.seller.url(&world.echo_path());
        crochet_local::smoke_test::run(&world.client, &endpoint).await?;
        let listed = world.client.get("/listings").query("q", "smoke test").send().await?;
        assert!(list(listed.ok(200), "listings").iter().all(|listing| !text(listing, "name").starts_with("Smoke test")));
        Ok(())
    })
}
