//! `POST /gateway/:listingId` while a seller's circuit breaker is open, and how it opens and closes.

use crochet_tests::breaker::{assert_unavailable, free, open, open_paid, paid};
use crochet_tests::{
    Behavior, CostBudget, Failure, Market, Outcome, Quote, Replies, ScriptedSeller, Setup, isolated, list, shared, text, with_setup,
};
use serde_json::{Value, json};

#[test]
fn after_five_failures_in_a_row_the_seller_is_left_alone_for_thirty_seconds() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::DropsConnection).await?;
        let market = free(world, &seller).await?;
        let other = world.agent().await?;
        let mut waits = Vec::new();
        for n in 0..5 {
            let caller = if n % 2 == 0 { &market.buyer } else { &other };
            let reply = caller.call(&market.listing.id, &json!({ "n": n })).send().await?;
            reply.refused(502, "SELLER_UNREACHABLE");
            waits.push(reply.header("retry-after").to_owned());
        }
        assert_eq!(waits[4], "30", "the last one says already how long: {waits:?}");
        seller.set(Behavior::Status(200));
        for n in 0..3 {
            let seconds = assert_unavailable(&market.call(&json!({ "n": n })).send().await?, false);
            assert!((25..=30).contains(&seconds), "{seconds}");
            assert_unavailable(&market.call(&json!({ "n": n })).idempotency_key("k").send().await?, false);
        }
        assert_eq!(seller.called(), 5);
        // What the caller did wrong is told first, and who may not call is told that.
        market.call_raw("{").send().await?.refused(400, "INVALID_JSON");
        assert_eq!(world.client.post(&format!("/gateway/{}", market.listing.id)).json(&json!(1)).send().await?.status, 401);
        Ok(())
    })
}

#[test]
fn slow_sellers_and_parallel_failures_count_each() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::Waits).await?;
        let market = free(world, &seller).await?;
        market.set_endpoint(&[("timeout_ms", json!({ "N": "1000" }))]).await?;
        let other = world.agent().await?;
        let callers = [&market.buyer, &other, &market.buyer, &other, &market.buyer];
        let calls = (0..).zip(callers).map(|(n, caller)| caller.call(&market.listing.id, &json!({ "n": n })).send());
        let replies = futures::future::try_join_all(calls).await?;
        for reply in &replies {
            reply.refused(504, "SELLER_TIMEOUT");
        }
        assert_unavailable(&market.call(&json!("later")).send().await?, false);
        assert_eq!(seller.called(), 5);
        Ok(())
    })
}

#[test]
fn an_endpoint_that_nobody_listens_at_or_that_speaks_no_tls_is_left_alone_too() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(200)).await?;
        let speaks_http = seller.url().replace("http://", "https://");
        let nobody = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let nobody_url = format!("http://{}/", nobody.local_addr()?);
        drop(nobody);
        for (url, code) in [(speaks_http, "SELLER_TLS"), (nobody_url, "SELLER_UNREACHABLE")] {
            let mut fields = world.free_fields("/echo");
            fields["private_endpoint_url"] = url.into();
            let market = world.market_with(&fields, "/echo").await?;
            for n in 0..5 {
                market.call(&json!({ "n": n })).send().await?.refused(502, code);
            }
            assert_unavailable(&market.call(&json!("later")).send().await?, false);
        }
        Ok(())
    })
}

#[test]
fn refusals_and_wrong_answers_come_from_a_seller_that_is_there() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(403)).await?;
        let market = free(world, &seller).await?;
        for behavior in
            [Behavior::Status(403), Behavior::Status(429), Behavior::Body("<html>"), Behavior::Status(302), Behavior::Status(422)]
        {
            seller.set(behavior);
            for n in 0..2 {
                market.call(&json!({ "n": n })).send().await?;
            }
        }
        assert_eq!(seller.called(), 10, "nobody was kept away");
        // And they end a row of failures.
        for behavior in [Behavior::Status(403), Behavior::Body("<html>"), Behavior::Status(200)] {
            for n in 0..5 {
                seller.set(if n == 4 { behavior } else { Behavior::Status(500) });
                market.call(&json!({ "n": n })).send().await?;
            }
        }
        assert_eq!(seller.called(), 25, "nobody was kept away");
        Ok(())
    })
}

#[test]
fn while_it_is_open_nothing_is_quoted_and_afterwards_again() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = paid(world, &seller).await?;
        open_paid(&market, &seller).await?;
        let other = world.agent().await?;
        let body = json!({ "n": 1 });
        for request in [other.call(&market.listing.id, &body), other.call(&market.listing.id, &body).idempotency_key("k")] {
            assert_unavailable(&request.send().await?, false);
        }
        assert!(world.sandbox.requests(Some(other.wallet.address())).await?.is_empty(), "nothing was quoted");
        // The price may still be asked for: nothing is quoted for that.
        let probe = other.post(&format!("/gateway/{}", market.listing.id)).send().await?;
        assert_eq!(probe.refused(402, "PAYMENT_REQUIRED")["details"]["settled"], Value::Null);
        world.later(31).await?;
        seller.set(Behavior::Status(200));
        let quote = Quote::of(other.call(&market.listing.id, &body).send().await?);
        world.sandbox.pay(&quote.id).await?;
        other.call(&market.listing.id, &body).paid_with(&quote.id).send().await?.ok(200);
        assert_eq!(seller.called(), 6);
        Ok(())
    })
}

#[test]
fn a_settled_call_waits_for_an_open_breaker_without_an_attempt_and_nothing_is_lost() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = paid(world, &seller).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        open_paid(&market, &seller).await?;
        for request in [market.call(&body).paid_with(&quote.id), market.call(&body), market.call(&body).paid_with(&quote.id)] {
            let wait = assert_unavailable(&request.send().await?, true);
            assert!(wait <= 30, "{wait}");
        }
        let row = market.row(&quote.id).await?;
        assert_eq!((text(&row, "status"), text(&row["charge"], "state")), ("settled", "charged"));
        assert!(list(&row, "attempts").is_empty(), "it counts as no attempt: {row}");
        assert_eq!(market.entries(&market.buyer, text(&row, "id")).await?.len(), 1, "charged once");
        world.later(31).await?;
        seller.set(Behavior::Status(200));
        market.redeem(&quote, &body).await?.ok(200);
        let row = market.row(&quote.id).await?;
        assert_eq!((text(&row, "status"), list(&row, "attempts").len()), ("delivered", 1));
        assert_eq!(market.entries(&market.buyer, text(&row, "id")).await?.len(), 1, "charged once");
        assert_eq!(seller.called(), 6);
        Ok(())
    })
}

#[test]
fn an_open_quote_is_honoured_while_the_breaker_is_open() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = paid(world, &seller).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        open_paid(&market, &seller).await?;
        for request in [market.call(&body), market.call(&body).paid_with(&quote.id)] {
            let again = Quote::of(request.send().await?);
            assert_eq!(again.id, quote.id, "the same quote");
            assert_eq!((&again.details()["payment_seen"], &again.details()["seller_available"]), (&json!(false), &json!(false)));
            assert_eq!(again.reply.error()["recovery"]["next_action"], "wait_and_retry");
            let wait: u64 = again.reply.header("retry-after").parse()?;
            assert!((1..=30).contains(&wait), "{wait}");
        }
        world.sandbox.pay(&quote.id).await?;
        assert_unavailable(&market.redeem(&quote, &body).await?, true);
        world.later(31).await?;
        seller.set(Behavior::Status(200));
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_new_url_starts_with_a_closed_breaker() -> Outcome {
    shared(async |world| {
        let (seller, better) =
            (ScriptedSeller::start(Behavior::Status(500)).await?, ScriptedSeller::start(Behavior::Status(200)).await?);
        let market = free(world, &seller).await?;
        open(&market, &seller).await?;
        assert_unavailable(&market.call(&json!("old")).send().await?, false);
        let change = json!({ "private_endpoint_url": better.url() });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        market.call(&json!("new")).send().await?.ok(200);
        // Its failures are counted from the beginning.
        open(&market, &better).await?;
        assert_unavailable(&market.call(&json!("new")).send().await?, false);
        assert_eq!((seller.called(), better.called()), (5, 6));
        Ok(())
    })
}

/// A change of the market's endpoint by its seller.
async fn put(market: &Market<'_>, change: Value) -> Outcome {
    market.seller.put(&format!("/listings/{}/endpoint", market.listing.id)).json(&change).send().await?.ok(200);
    Ok(())
}

#[test]
fn a_seller_that_un_pauses_moves_or_rotates_starts_with_a_closed_breaker() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = free(world, &seller).await?;
        let endpoint = format!("/listings/{}/endpoint", market.listing.id);
        let call = || market.call(&json!("again"));
        open(&market, &seller).await?;
        put(&market, json!({ "status": "paused" })).await?;
        call().send().await?.refused(409, "ENDPOINT_PAUSED");
        put(&market, json!({ "status": "active" })).await?;
        call().send().await?.refused(502, "SELLER_UNREACHABLE");
        put(&market, json!({ "status": "active" })).await?;

        open(&market, &seller).await?;
        assert_unavailable(&call().send().await?, false);
        put(&market, json!({ "private_endpoint_url": format!("{}/moved", seller.url()) })).await?;
        call().send().await?.refused(502, "SELLER_UNREACHABLE");
        put(&market, json!({ "status": "active" })).await?;

        open(&market, &seller).await?;
        assert_unavailable(&call().send().await?, false);
        market.seller.post(&format!("{endpoint}/rotate-secret")).send().await?.ok(200);
        call().send().await?.refused(502, "SELLER_UNREACHABLE");

        // What says nothing about where or whether calls go changes nothing.
        put(&market, json!({ "status": "active" })).await?;
        open(&market, &seller).await?;
        put(&market, json!({ "timeout_ms": 2_000, "rate_limit_per_minute": 1_000 })).await?;
        assert_unavailable(&call().send().await?, false);
        Ok(())
    })
}

#[test]
fn a_sellers_own_tests_that_fail_do_not_count() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = free(world, &seller).await?;
        for _ in 0..6 {
            let report = market.seller.post(&format!("/listings/{}/endpoint/test", market.listing.id)).send().await?;
            assert_eq!(report.ok(200)["test"]["ok"], false);
        }
        open(&market, &seller).await?;
        // Nor are they kept away, and they do not shorten the wait of others.
        let report = market.seller.post(&format!("/listings/{}/endpoint/test", market.listing.id)).send().await?;
        assert_eq!(report.ok(200)["test"]["ok"], false);
        assert_unavailable(&market.call(&json!("again")).send().await?, false);
        Ok(())
    })
}

#[test]
fn a_breaker_costs_one_write_where_there_is_something_to_note_and_else_nothing() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let costs = world.costs().ok_or_else(|| Failure::new("costs are kept by a stack of this process only"))?;
        let seller = ScriptedSeller::start(Behavior::Status(200)).await?;
        let market = free(world, &seller).await?;
        let call = async |behavior: Behavior| -> Result<CostBudget, Failure> {
            seller.set(behavior);
            let reply = market.call(&json!("counted")).send().await?;
            let (cost, _) = costs.of("call", &reply).ok_or_else(|| Failure::new("no cost was noted"))?;
            Ok(cost)
        };
        call(Behavior::Status(200)).await?;
        let usual = call(Behavior::Status(200)).await?;
        let failing = call(Behavior::Status(500)).await?;
        let first_failure = call(Behavior::DropsConnection).await?;
        let reset = call(Behavior::Status(200)).await?;
        let after = call(Behavior::Status(200)).await?;
        assert_eq!((failing.write_units, failing.read_units), (usual.write_units, usual.read_units), "it says nothing");
        assert_eq!(first_failure.write_units, usual.write_units + 1.0);
        assert_eq!(
            (reset.write_units, reset.read_units),
            (usual.write_units + 1.0, usual.read_units),
            "it is read with the traffic"
        );
        assert_eq!((after.write_units, after.read_units), (usual.write_units, usual.read_units), "nothing is left to write");
        Ok(())
    })
}
