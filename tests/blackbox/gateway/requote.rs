//! `POST /gateway/:listingId`: quotes that replace one another. Whichever is paid, nobody pays twice.

use crochet_tests::{LONGEST_RETRY_WAIT, Market, Outcome, Quote, Replies, isolated, shared, text};
use serde_json::{Value, json};

/// Seconds after which a quote is no longer offered but can still be filled.
const OVER: i64 = 605;
/// Seconds after which a quote can no longer be filled.
const ENDED: i64 = 900;

/// A failed quote, with or without an idempotency key, and its replacement.
async fn replaced(market: &Market<'_>, body: &Value, key: Option<&str>) -> Result<(Quote, Quote), crochet_tests::Failure> {
    let call = || key.map_or_else(|| market.call(body), |key| market.call(body).idempotency_key(key));
    let first = Quote::of(call().send().await?);
    market.world.sandbox.set(&first.id, &json!({ "status": "failure" })).await?;
    let second = Quote::of(call().send().await?);
    assert_ne!(first.id, second.id);
    assert_eq!(text(second.details(), "reason"), "payment_failed");
    Ok((first, second))
}

#[test]
fn the_id_of_a_failed_quote_leads_to_what_replaced_it_and_never_to_a_third() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for (body, key) in [(json!({ "n": 1 }), Some("k-1")), (json!({ "n": 2 }), None)] {
            let (first, second) = replaced(&market, &body, key).await?;
            let again = Quote::of(market.redeem(&first, &body).await?);
            assert_eq!(again.id, second.id, "the same replacement");
            world.sandbox.set(&second.id, &json!({ "status": "pending" })).await?;
            market.redeem(&first, &body).await?.ok(202);
            world.sandbox.pay(&second.id).await?;
            let delivered = market.redeem(&first, &body).await?;
            delivered.ok(200);
            let replay = market.redeem(&first, &body).await?;
            assert!(replay.is_replay() && replay.body == delivered.body);
        }
        assert_eq!(market.all_received().await?.len(), 2);
        Ok(())
    })
}

#[test]
fn a_failed_quote_that_was_paid_after_all_is_delivered_to_whoever_repeats_the_call() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for (body, key) in [(json!({ "n": 1 }), Some("k-1")), (json!({ "n": 2 }), None)] {
            let (first, _) = replaced(&market, &body, key).await?;
            world.sandbox.pay(&first.id).await?;
            let call = key.map_or_else(|| market.call(&body), |key| market.call(&body).idempotency_key(key));
            call.send().await?.ok(200);
        }
        assert_eq!(market.all_received().await?.len(), 2);
        Ok(())
    })
}

#[test]
fn a_quote_between_expires_at_and_its_ttl_is_no_longer_offered_but_settles_if_it_is_paid() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = Quote::of(market.call(&body).idempotency_key("k").send().await?);
        world.later(OVER).await?;
        // Whoever names it says that it was paid: the same quote, and no other to pay.
        let waiting = Quote::of(market.redeem(&first, &body).await?);
        assert_eq!((&waiting.id, &waiting.details()["payment_seen"]), (&first.id, &json!(false)));
        assert_eq!(text(&waiting.reply.error()["recovery"], "next_action"), "wait_and_retry");
        let by_key = Quote::of(market.call(&body).idempotency_key("k").send().await?);
        assert_eq!(by_key.id, first.id, "nothing is offered in its place while it is closing");
        assert_eq!(text(by_key.details(), "reason"), "quote_closing");
        assert!(by_key.payment()["requirements"].is_null());
        world.sandbox.pay(&first.id).await?;
        market.call(&body).idempotency_key("k").send().await?.ok(200);
        assert!(market.redeem(&first, &body).await?.is_replay());
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn ttl_over_and_nothing_paid_is_402_with_a_new_quote_and_the_reason() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        world.later(ENDED).await?;
        let second = Quote::of(market.redeem(&first, &body).await?);
        assert_ne!(second.id, first.id);
        assert_eq!(text(second.details(), "reason"), "quote_expired");
        assert_eq!(text(&market.row(&first.id).await?, "status"), "expired");
        // A late success turns expired into settled.
        world.sandbox.pay(&first.id).await?;
        market.redeem(&first, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn of_several_open_quotes_for_a_body_the_paid_one_is_found_without_its_id_and_currency() -> Outcome {
    shared(async |world| {
        let seller = world.evm_agent().await?;
        let path = world.echo_path();
        let market = world.market_of(world.agent().await?, seller, &world.paid_fields(&json!(1), &path), &path).await?;
        let body = json!({ "n": 1 });
        let sol = Quote::of(market.call(&body).currency("SOL").send().await?);
        let usdc = Quote::of(market.call(&body).currency("USDC_SOL").send().await?);
        assert_ne!(sol.id, usdc.id, "another explicit currency gets its own quote");
        world.sandbox.pay(&usdc.id).await?;
        market.call(&body).send().await?.ok(200);
        assert!(market.redeem(&usdc, &body).await?.is_replay());
        Ok(())
    })
}

#[test]
fn a_failed_payment_of_a_listing_that_became_free_is_delivered_once() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (body, keyed) = (json!({ "n": 1 }), json!({ "n": 2 }));
        let quote = market.quote(&body).await?;
        let other = Quote::of(market.call(&keyed).idempotency_key("k").send().await?);
        for id in [&quote.id, &other.id] {
            world.sandbox.set(id, &json!({ "status": "failure" })).await?;
        }
        let change = json!({ "pricing_model": "free" });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        let first = market.redeem(&quote, &body).await?;
        assert_eq!(first.ok(200)["billable"], false);
        assert!(market.redeem(&quote, &body).await?.is_replay());
        market.call(&keyed).idempotency_key("k").send().await?.ok(200);
        assert!(market.call(&keyed).idempotency_key("k").send().await?.is_replay());
        assert_eq!(market.all_received().await?.len(), 2);
        Ok(())
    })
}

#[test]
fn a_body_whose_quote_ended_is_a_new_free_call_each_time_once_the_listing_is_free() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.set(&quote.id, &json!({ "status": "failure" })).await?;
        let change = json!({ "pricing_model": "free" });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        for calls in 1..=3 {
            let reply = market.call(&body).send().await?;
            assert!(reply.ok(200)["billable"] == false && !reply.is_replay());
            assert_eq!(market.all_received().await?.len(), calls);
        }
        Ok(())
    })
}

#[test]
fn a_call_that_closed_as_undelivered_is_not_announced_as_delivered() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        world.later(24 * 3_600 + 60).await?;
        market.redeem(&quote, &body).await?.refused(502, "CALL_UNDELIVERED");
        let next = Quote::of(market.call(&body).send().await?);
        assert!(next.details()["undelivered_request_id"].is_string() && next.details()["delivered_request_id"].is_null());
        Ok(())
    })
}

#[test]
fn a_free_call_with_a_key_is_held_to_the_listings_state_and_to_twenty_attempts() -> Outcome {
    isolated(async |world| {
        let market = world.free_market("/fail/403").await?;
        let body = json!({ "n": 1 });
        let retry = || market.call(&body).idempotency_key("k").send();
        retry().await?.refused(502, "SELLER_REFUSED");
        market.set_endpoint(&[("status", json!({ "S": "paused" }))]).await?;
        retry().await?.refused(409, "ENDPOINT_PAUSED");
        market.set_endpoint(&[("status", json!({ "S": "active" }))]).await?;
        for _ in 1..20 {
            world.later(LONGEST_RETRY_WAIT).await?;
            retry().await?.refused(502, "SELLER_REFUSED");
        }
        retry().await?.refused(502, "CALL_UNDELIVERED");
        Ok(())
    })
}

#[test]
fn calls_that_never_went_out_do_not_count_towards_the_sellers_limit() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        market.call(&json!({ "n": 0 })).send().await?.ok(200);
        market.set_endpoint(&[("rate_limit_per_minute", json!({ "N": "3" }))]).await?;
        for _ in 0..5 {
            market.call_raw("{").send().await?.refused(400, "INVALID_JSON");
        }
        market.call(&json!({ "n": 1 })).send().await?.ok(200);
        Ok(())
    })
}
