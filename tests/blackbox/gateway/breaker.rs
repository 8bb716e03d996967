//! `POST /gateway/:listingId` while a seller's circuit is open, and how it opens and closes.

use crochet_tests::breaker::{free, left_alone, open, open_paid, paid};
use crochet_tests::{Failure, Mood, MoodySeller, Outcome, Promise, Quote, Replies, Setup, Shop, alone, list, shared, text, with};
use serde_json::{Value, json};

#[test]
fn after_five_failures_in_a_row_the_seller_is_left_alone_for_thirty_seconds() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::HangsUp).await?;
        let shop = free(world, &seller).await?;
        let other = world.agent().await?;
        let mut waits = Vec::new();
        for n in 0..5 {
            let caller = if n % 2 == 0 { &shop.buyer } else { &other };
            let reply = caller.call(&shop.listing.id, &json!({ "n": n })).send().await?;
            reply.refused(502, "SELLER_UNREACHABLE");
            waits.push(reply.header("retry-after").to_owned());
        }
        assert_eq!(waits[4], "30", "the last one says already how long: {waits:?}");
        seller.turns(Mood::Answers(200));
        for n in 0..3 {
            let seconds = left_alone(&shop.call(&json!({ "n": n })).send().await?, false);
            assert!((25..=30).contains(&seconds), "{seconds}");
            left_alone(&shop.call(&json!({ "n": n })).idempotency_key("k").send().await?, false);
        }
        assert_eq!(seller.called(), 5);
        // What the caller did wrong is told first, and who may not call is told that.
        shop.call_raw("{").send().await?.refused(400, "INVALID_JSON");
        assert_eq!(world.client.post(&format!("/gateway/{}", shop.listing.id)).json(&json!(1)).send().await?.status, 401);
        Ok(())
    })
}

#[test]
fn slow_sellers_and_parallel_failures_count_each() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::Hesitates).await?;
        let shop = free(world, &seller).await?;
        shop.set_endpoint(&[("timeout_ms", json!({ "N": "1000" }))]).await?;
        let other = world.agent().await?;
        let callers = [&shop.buyer, &other, &shop.buyer, &other, &shop.buyer];
        let calls = (0..).zip(callers).map(|(n, caller)| caller.call(&shop.listing.id, &json!({ "n": n })).send());
        let replies = futures::future::try_join_all(calls).await?;
        for reply in &replies {
            reply.refused(504, "SELLER_TIMEOUT");
        }
        left_alone(&shop.call(&json!("later")).send().await?, false);
        assert_eq!(seller.called(), 5);
        Ok(())
    })
}

#[test]
fn an_endpoint_that_nobody_listens_at_or_that_speaks_no_tls_is_left_alone_too() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::Answers(200)).await?;
        let speaks_http = seller.url().replace("http://", "https://");
        let nobody = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let nobody_url = format!("http://{}/", nobody.local_addr()?);
        drop(nobody);
        for (url, code) in [(speaks_http, "SELLER_TLS"), (nobody_url, "SELLER_UNREACHABLE")] {
            let mut fields = world.free_fields("/echo");
            fields["private_endpoint_url"] = url.into();
            let shop = world.shop_with(&fields, "/echo").await?;
            for n in 0..5 {
                shop.call(&json!({ "n": n })).send().await?.refused(502, code);
            }
            left_alone(&shop.call(&json!("later")).send().await?, false);
        }
        Ok(())
    })
}

#[test]
fn a_buyers_poisonous_body_keeps_no_other_buyer_away() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::Answers(200)).await?;
        let shop = free(world, &seller).await?;
        shop.set_endpoint(&[("timeout_ms", json!({ "N": "1000" }))]).await?;
        let other = world.agent().await?;
        let poisons = [
            (Mood::Answers(500), 502, "SELLER_ERROR"),
            (Mood::HangsUp, 502, "SELLER_UNREACHABLE"),
            (Mood::Hesitates, 504, "SELLER_TIMEOUT"),
        ];
        for (poison, status, code) in poisons {
            for round in 0..2 {
                seller.turns(poison);
                for reply in futures::future::try_join_all((0..7).map(|_| shop.call(&json!("poison")).send())).await? {
                    reply.refused(status, code);
                }
                seller.turns(Mood::Answers(200));
                other.call(&shop.listing.id, &json!({ "round": round })).send().await?.ok(200);
            }
        }
        // Errors that the other buyer meets as well keep nobody waiting.
        seller.turns(Mood::Answers(503));
        for caller in [&shop.buyer, &other].repeat(4) {
            caller.call(&shop.listing.id, &json!("any")).send().await?.refused(502, "SELLER_ERROR");
        }
        assert_eq!(seller.called(), 3 * 2 * 8 + 8, "nobody was kept away");
        Ok(())
    })
}

#[test]
fn refusals_and_wrong_answers_come_from_a_seller_that_is_there() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::Answers(403)).await?;
        let shop = free(world, &seller).await?;
        for mood in [Mood::Answers(403), Mood::Answers(429), Mood::Says("<html>"), Mood::Answers(302), Mood::Answers(422)] {
            seller.turns(mood);
            for n in 0..2 {
                shop.call(&json!({ "n": n })).send().await?;
            }
        }
        assert_eq!(seller.called(), 10, "nobody was kept away");
        // And they end a row of failures.
        for mood in [Mood::Answers(403), Mood::Says("<html>"), Mood::Answers(200)] {
            for n in 0..5 {
                seller.turns(if n == 4 { mood } else { Mood::Answers(500) });
                shop.call(&json!({ "n": n })).send().await?;
            }
        }
        assert_eq!(seller.called(), 25, "nobody was kept away");
        Ok(())
    })
}

#[test]
fn while_it_is_open_nothing_is_quoted_and_afterwards_again() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = paid(world, &seller).await?;
        open_paid(&shop, &seller).await?;
        let other = world.agent().await?;
        let body = json!({ "n": 1 });
        for request in [other.call(&shop.listing.id, &body), other.call(&shop.listing.id, &body).idempotency_key("k")] {
            left_alone(&request.send().await?, false);
        }
        assert!(world.sandbox.requests(Some(other.wallet.address())).await?.is_empty(), "nothing was quoted");
        // The price may still be asked for: nothing is quoted for that.
        let probe = other.post(&format!("/gateway/{}", shop.listing.id)).send().await?;
        assert_eq!(probe.refused(402, "PAYMENT_REQUIRED")["details"]["settled"], Value::Null);
        world.later(31).await?;
        seller.turns(Mood::Answers(200));
        let quote = Quote::of(other.call(&shop.listing.id, &body).send().await?);
        world.sandbox.pay(&quote.id).await?;
        other.call(&shop.listing.id, &body).paid_with(&quote.id).send().await?.ok(200);
        assert_eq!(seller.called(), 6);
        Ok(())
    })
}

#[test]
fn a_settled_call_waits_for_an_open_circuit_without_an_attempt_and_nothing_is_lost() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = paid(world, &seller).await?;
        let body = json!({ "n": 1 });
        let quote = shop.paid(&body).await?;
        open_paid(&shop, &seller).await?;
        for request in [shop.call(&body).paid_with(&quote.id), shop.call(&body), shop.call(&body).paid_with(&quote.id)] {
            let wait = left_alone(&request.send().await?, true);
            assert!(wait <= 30, "{wait}");
        }
        let row = shop.row(&quote.id).await?;
        assert_eq!((text(&row, "status"), text(&row["charge"], "state")), ("settled", "charged"));
        assert!(list(&row, "attempts").is_empty(), "it counts as no attempt: {row}");
        assert_eq!(shop.entries(&shop.buyer, text(&row, "id")).await?.len(), 1, "charged once");
        world.later(31).await?;
        seller.turns(Mood::Answers(200));
        shop.redeem(&quote, &body).await?.ok(200);
        let row = shop.row(&quote.id).await?;
        assert_eq!((text(&row, "status"), list(&row, "attempts").len()), ("delivered", 1));
        assert_eq!(shop.entries(&shop.buyer, text(&row, "id")).await?.len(), 1, "charged once");
        assert_eq!(seller.called(), 6);
        Ok(())
    })
}

#[test]
fn an_open_quote_is_honoured_while_the_circuit_is_open() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = paid(world, &seller).await?;
        let body = json!({ "n": 1 });
        let quote = shop.quote(&body).await?;
        open_paid(&shop, &seller).await?;
        for request in [shop.call(&body), shop.call(&body).paid_with(&quote.id)] {
            let again = Quote::of(request.send().await?);
            assert_eq!(again.id, quote.id, "the same quote");
            assert_eq!((&again.details()["payment_seen"], &again.details()["seller_available"]), (&json!(false), &json!(false)));
            assert_eq!(again.reply.error()["recovery"]["next_action"], "wait_and_retry");
            let wait: u64 = again.reply.header("retry-after").parse()?;
            assert!((1..=30).contains(&wait), "{wait}");
        }
        world.sandbox.pay(&quote.id).await?;
        left_alone(&shop.redeem(&quote, &body).await?, true);
        world.later(31).await?;
        seller.turns(Mood::Answers(200));
        shop.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_new_url_starts_with_a_closed_circuit() -> Outcome {
    shared(async |world| {
        let (seller, better) = (MoodySeller::start(Mood::Answers(500)).await?, MoodySeller::start(Mood::Answers(200)).await?);
        let shop = free(world, &seller).await?;
        open(&shop, &seller).await?;
        left_alone(&shop.call(&json!("old")).send().await?, false);
        let change = json!({ "private_endpoint_url": better.url() });
        shop.seller.patch(&format!("/listings/{}", shop.listing.id)).json(&change).send().await?.ok(200);
        shop.call(&json!("new")).send().await?.ok(200);
        // Its failures are counted from the beginning.
        open(&shop, &better).await?;
        left_alone(&shop.call(&json!("new")).send().await?, false);
        assert_eq!((seller.called(), better.called()), (5, 6));
        Ok(())
    })
}

/// A change of the shop's endpoint by its seller.
async fn put(shop: &Shop<'_>, change: Value) -> Outcome {
    shop.seller.put(&format!("/listings/{}/endpoint", shop.listing.id)).json(&change).send().await?.ok(200);
    Ok(())
}

#[test]
fn a_seller_that_un_pauses_moves_or_rotates_starts_with_a_closed_circuit() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = free(world, &seller).await?;
        let endpoint = format!("/listings/{}/endpoint", shop.listing.id);
        let call = || shop.call(&json!("again"));
        open(&shop, &seller).await?;
        put(&shop, json!({ "status": "paused" })).await?;
        call().send().await?.refused(409, "ENDPOINT_PAUSED");
        put(&shop, json!({ "status": "active" })).await?;
        call().send().await?.refused(502, "SELLER_UNREACHABLE");
        put(&shop, json!({ "status": "active" })).await?;

        open(&shop, &seller).await?;
        left_alone(&call().send().await?, false);
        put(&shop, json!({ "private_endpoint_url": format!("{}/moved", seller.url()) })).await?;
        call().send().await?.refused(502, "SELLER_UNREACHABLE");
        put(&shop, json!({ "status": "active" })).await?;

        open(&shop, &seller).await?;
        left_alone(&call().send().await?, false);
        shop.seller.post(&format!("{endpoint}/rotate-secret")).send().await?.ok(200);
        call().send().await?.refused(502, "SELLER_UNREACHABLE");

        // What says nothing about where or whether calls go changes nothing.
        put(&shop, json!({ "status": "active" })).await?;
        open(&shop, &seller).await?;
        put(&shop, json!({ "timeout_ms": 2_000, "rate_limit_per_minute": 1_000 })).await?;
        left_alone(&call().send().await?, false);
        Ok(())
    })
}

#[test]
fn a_sellers_own_tests_that_fail_do_not_count() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = free(world, &seller).await?;
        for _ in 0..6 {
            let report = shop.seller.post(&format!("/listings/{}/endpoint/test", shop.listing.id)).send().await?;
            assert_eq!(report.ok(200)["test"]["ok"], false);
        }
        open(&shop, &seller).await?;
        // Nor are they kept away, and they do not shorten the wait of others.
        let report = shop.seller.post(&format!("/listings/{}/endpoint/test", shop.listing.id)).send().await?;
        assert_eq!(report.ok(200)["test"]["ok"], false);
        left_alone(&shop.call(&json!("again")).send().await?, false);
        Ok(())
    })
}

#[test]
fn a_circuit_costs_one_write_where_there_is_something_to_note_and_else_nothing() -> Outcome {
    with(Setup::default(), async |world| {
        let costs = world.costs().ok_or_else(|| Failure::new("costs are kept by a stack of this process only"))?;
        let seller = MoodySeller::start(Mood::Answers(200)).await?;
        let shop = free(world, &seller).await?;
        let call = async |mood: Mood| -> Result<Promise, Failure> {
            seller.turns(mood);
            let reply = shop.call(&json!("counted")).send().await?;
            let (cost, _) = costs.of("call", &reply).ok_or_else(|| Failure::new("no cost was noted"))?;
            Ok(cost)
        };
        // A minute's end would add a count to what is read.
        world.at_a_minutes_start().await?;
        call(Mood::Answers(200)).await?;
        let usual = call(Mood::Answers(200)).await?;
        let failing = call(Mood::Answers(500)).await?;
        let first_failure = call(Mood::HangsUp).await?;
        let reset = call(Mood::Answers(200)).await?;
        let after = call(Mood::Answers(200)).await?;
        assert_eq!((failing.write_units, failing.read_units), (usual.write_units, usual.read_units), "it says nothing");
        assert_eq!(first_failure.write_units, usual.write_units + 1.0);
        assert_eq!((reset.write_units, reset.read_units), (usual.write_units + 1.0, usual.read_units + 1.0));
        assert_eq!((after.write_units, after.read_units), (usual.write_units, usual.read_units), "nothing is left to read");
        Ok(())
    })
}
