//! `POST /gateway/:listingId`: the effect of the endpoint's state, limits and timeout. The states are set in the table.

use crochet_tests::{Agent, LONGEST_RETRY_WAIT, Outcome, Replies, at, isolated, list, number, shared, text};
use serde_json::{Value, json};

fn status(value: &str) -> (&'static str, Value) {
    ("status", json!({ "S": value }))
}

#[test]
fn a_paused_endpoint_is_409_endpoint_paused_and_a_settled_call_waits_for_it() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.set_endpoint(&[status("paused")]).await?;
        let paused = market.call(&json!({ "n": 2 })).send().await?;
        assert_eq!(paused.refused(409, "ENDPOINT_PAUSED")["recovery"]["retryable"], true);
        for _ in 0..2 {
            let refused = market.redeem(&quote, &body).await?;
            let details = &refused.refused(502, "SELLER_UNAVAILABLE")["details"];
            assert_eq!((&details["settled"], &details["delivered"]), (&json!(true), &json!(false)));
            assert!(details["redeliver_until"].is_string(), "{details}");
        }
        let row = market.row(&quote.id).await?;
        assert_eq!((text(&row, "status"), text(&row["charge"], "state")), ("settled", "charged"));
        assert!(list(&row, "attempts").is_empty(), "it counts as no attempt: {row}");
        market.set_endpoint(&[status("active")]).await?;
        market.redeem(&quote, &body).await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_listing_without_an_endpoint_is_409_listing_has_no_gateway_and_a_settled_call_is_seller_unavailable() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.set_endpoint(&[]).await?;
        market.call(&json!({ "n": 2 })).send().await?.refused(409, "LISTING_HAS_NO_GATEWAY");
        market.redeem(&quote, &body).await?.refused(502, "SELLER_UNAVAILABLE");
        Ok(())
    })
}

#[test]
fn the_sellers_rate_limit_reached_is_429_before_anything_is_quoted_and_settled_calls_pass() -> Outcome {
    isolated(async |world| {
        world.at_a_minutes_start().await?;
        let path = world.echo_path();
        let free = world.free_market(&path).await?;
        free.set_endpoint(&[("rate_limit_per_minute", json!({ "N": "4" }))]).await?;
        let others = [world.agent().await?, world.agent().await?, world.agent().await?];
        let call = |caller: &Agent| caller.call(&free.listing.id, &json!({ "n": 1 }));
        // Half of four, half of what that leaves, and the last one.
        for caller in [&free.buyer, &free.buyer, &others[0], &others[1]] {
            call(caller).send().await?.ok(200);
        }
        for caller in [&free.buyer, &others[0], &others[2]] {
            let limited = call(caller).send().await?;
            limited.refused(429, "LISTING_RATE_LIMITED");
            assert!((1..=60).contains(&limited.header("retry-after").parse::<u64>().unwrap_or(0)), "seconds to the next minute");
        }
        let paid = world.market(1.0).await?;
        let (first, second) = (json!({ "n": 1 }), json!({ "n": 2 }));
        let (one, two) = (paid.paid(&first).await?, paid.paid(&second).await?);
        paid.set_endpoint(&[("rate_limit_per_minute", json!({ "N": "1" }))]).await?;
        paid.redeem(&one, &first).await?.ok(200);
        paid.call(&json!({ "n": 3 })).send().await?.refused(429, "LISTING_RATE_LIMITED");
        paid.redeem(&two, &second).await?.ok(200);
        world.at_a_minutes_start().await?;
        free.call(&json!({ "n": 3 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn the_seller_gets_its_own_timeout_ms_and_not_more() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/slow/4000").await?;
        market.set_endpoint(&[("timeout_ms", json!({ "N": "1000" }))]).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let refused = market.redeem(&quote, &body).await?;
        refused.refused(504, "SELLER_TIMEOUT");
        let row = market.row(&quote.id).await?;
        let latency = number(at(&row, "/attempts/0"), "latency_ms");
        assert!((1_000..3_000).contains(&latency), "{latency} ms");
        Ok(())
    })
}

#[test]
fn with_less_time_left_than_the_seller_needs_settlement_alone_is_written_and_the_next_retry_forwards() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        // More than any invocation has.
        market.set_endpoint(&[("timeout_ms", json!({ "N": "28000" }))]).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let pending = market.redeem(&quote, &body).await?;
        let data = pending.ok(202);
        assert_eq!((text(data, "status"), text(data, "relay_request_id")), ("pending", quote.id.as_str()));
        let row = market.row(&quote.id).await?;
        assert_eq!((text(&row, "status"), text(&row["charge"], "state")), ("settled", "charged"));
        assert!(market.all_received().await?.is_empty(), "not forwarded");
        market.set_endpoint(&[("timeout_ms", json!({ "N": "15000" }))]).await?;
        // Without asking the provider.
        world.sandbox.fault("status", "down", 60_000).await?;
        market.redeem(&quote, &body).await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn after_twenty_attempts_the_call_closes_as_undelivered_and_adjustments_say_what_is_owed() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/403").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        for attempt in 1..=20 {
            let refused = market.redeem(&quote, &body).await?;
            assert_eq!(refused.code(), "SELLER_REFUSED", "attempt {attempt}");
            world.later(LONGEST_RETRY_WAIT).await?;
        }
        for _ in 0..2 {
            market.redeem(&quote, &body).await?.refused(502, "CALL_UNDELIVERED");
        }
        let row = market.row(&quote.id).await?;
        assert_eq!((text(&row, "status"), text(&row["charge"], "state")), ("undelivered", "owed"));
        assert_eq!(list(&row, "attempts").len(), 20);
        let id = text(&row, "id");
        let owed = |entries: Vec<Value>| -> Vec<(i64, String)> {
            let adjustments = entries.iter().filter(|entry| entry["type"] == "adjustment");
            let amount = |entry: &Value| (number(&entry["amount"], "amount_micros"), text(entry, "settlement").to_owned());
            let mut amounts: Vec<(i64, String)> = adjustments.map(amount).collect();
            amounts.sort();
            amounts
        };
        let open = |micros| (micros, "open".to_owned());
        assert_eq!(owed(market.entries(&market.buyer, id).await?), [open(49_000), open(951_000)], "by each debtor");
        assert_eq!(owed(market.entries(&market.seller, id).await?), [(-951_000, "open".to_owned())]);
        Ok(())
    })
}

#[test]
fn where_sol_cannot_carry_it_either_no_currency_is_recommended() -> Outcome {
    isolated(async |world| {
        let market = world.market(0.01).await?;
        world.sandbox.fault("quote", "too_low", 60_000).await?;
        let refused = market.call(&json!({ "n": 1 })).currency("SOL").send().await?;
        let error = refused.refused(400, "PAYMENT_ROUTE_MINIMUM_NOT_MET");
        assert!(error["details"]["recommended_origin_currency"].is_null(), "{error}");
        assert_eq!(text(&error["recovery"], "next_action"), "choose_another_listing");
        world.sandbox.fault("quote", "no_route", 60_000).await?;
        let refused = market.call(&json!({ "n": 1 })).currency("SOL").send().await?;
        let error = refused.refused(400, "PAYMENT_ROUTE_UNAVAILABLE");
        assert!(list(&error["details"], "origin_currencies").iter().all(|currency| currency != "SOL"), "{error}");
        Ok(())
    })
}
