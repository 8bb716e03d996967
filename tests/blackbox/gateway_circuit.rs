//! `POST /gateway/:listingId` while a seller's circuit is open, and how it opens and closes.

use crochet_tests::{
    Failure, Mood, MoodySeller, Outcome, Replies, Reply, Request, Shop, World, alone, eventually, list, shared, text,
};
use serde_json::{Value, json};

/// A free listing at this seller.
async fn free<'a>(world: &'a World, seller: &MoodySeller) -> Result<Shop<'a>, Failure> {
    at(world, seller, world.free_fields("/echo")).await
}

/// A listing for a dollar at this seller.
async fn paid<'a>(world: &'a World, seller: &MoodySeller) -> Result<Shop<'a>, Failure> {
    at(world, seller, world.paid_fields(&json!(1), "/echo")).await
}

async fn at<'a>(world: &'a World, seller: &MoodySeller, mut fields: Value) -> Result<Shop<'a>, Failure> {
    fields["private_endpoint_url"] = seller.url().into();
    world.shop_with(&fields, "/echo").await
}

/// Calls that fail one after another until the circuit is open.
async fn open(shop: &Shop<'_>, seller: &MoodySeller) -> Outcome {
    seller.turns(Mood::Answers(500));
    for n in 0..5 {
        shop.call(&json!({ "opening": n })).send().await?.refused(502, "SELLER_ERROR");
    }
    Ok(())
}

/// As [`open`], with a paid call of a buyer's that is tried time after time.
async fn open_paid(shop: &Shop<'_>, seller: &MoodySeller) -> Outcome {
    seller.turns(Mood::Answers(500));
    let body = json!("opening");
    let quote = shop.paid(&body).await?;
    for _ in 0..5 {
        shop.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
    }
    Ok(())
}

/// The seller is left alone; gives the seconds to wait.
#[track_caller]
fn left_alone(reply: &Reply, settled: bool) -> u64 {
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

#[test]
fn after_five_failures_in_a_row_the_seller_is_left_alone_for_thirty_seconds() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::HangsUp).await?;
        let shop = free(world, &seller).await?;
        let moods = [
            (Mood::HangsUp, "SELLER_UNREACHABLE"),
            (Mood::Answers(500), "SELLER_ERROR"),
            (Mood::Answers(503), "SELLER_ERROR"),
            (Mood::HangsUp, "SELLER_UNREACHABLE"),
            (Mood::Answers(599), "SELLER_ERROR"),
        ];
        let mut waits = Vec::new();
        for (n, (mood, code)) in moods.into_iter().enumerate() {
            seller.turns(mood);
            let reply = shop.call(&json!({ "n": n })).send().await?;
            reply.refused(502, code);
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
        let bodies: Vec<Value> = (0..5).map(|n| json!({ "n": n })).collect();
        let replies = futures::future::try_join_all(bodies.iter().map(|body| shop.call(body).send())).await?;
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
fn when_the_time_is_over_one_trial_passes_and_each_that_fails_doubles_it_up_to_five_minutes() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = free(world, &seller).await?;
        open(&shop, &seller).await?;
        let mut calls = 5;
        for seconds in [30, 60, 120, 240, 300, 300] {
            // On the way there nobody passes.
            world.later(seconds - 10).await?;
            let wait = left_alone(&shop.call(&json!("early")).send().await?, false);
            assert!((1..=10).contains(&wait), "{wait} s of the last ten of {seconds}");
            world.later(10).await?;
            let next = (seconds * 2).min(300);
            let failed = shop.call(&json!("trial")).send().await?;
            failed.refused(502, "SELLER_ERROR");
            assert_eq!(failed.header("retry-after"), next.to_string());
            calls += 1;
            assert_eq!(seller.called(), calls, "one trial after {seconds} s");
            let wait = left_alone(&shop.call(&json!("late")).send().await?, false);
            assert!((next - 5..=next).contains(&i64::try_from(wait)?), "{wait} s of {next}");
        }
        world.later(300).await?;
        seller.turns(Mood::Answers(200));
        for n in 0..7 {
            shop.call(&json!({ "n": n })).send().await?.ok(200);
        }
        // It starts from nothing again.
        open(&shop, &seller).await?;
        let wait = left_alone(&shop.call(&json!("again")).send().await?, false);
        assert!(wait <= 30, "{wait}");
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
        let quote = crochet_tests::Quote::of(other.call(&shop.listing.id, &body).send().await?);
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
            let again = crochet_tests::Quote::of(request.send().await?);
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

/// Forty calls at the end of the open time, of which the seller sees one before it answers.
async fn one_of_forty(
    world: &World,
    shop: &Shop<'_>,
    seller: &MoodySeller,
    answers: Mood,
    settled: bool,
    call: impl Fn(usize) -> Request,
) -> Result<Vec<Reply>, Failure> {
    let before = seller.called();
    world.later(31).await?;
    seller.turns(Mood::Hesitates);
    let calls = futures::future::try_join_all((0..40).map(|n| call(n).send()));
    let turn = async {
        eventually("the trial is at the seller", async || Ok((seller.called() > before).then_some(()))).await?;
        // While it is tried, the next one waits too, and not for long.
        let wait = left_alone(&call(40).send().await?, settled);
        assert!(wait <= 2, "{wait}");
        seller.turns(answers);
        Ok::<_, Failure>(())
    };
    let (replies, turned) = futures::future::join(calls, turn).await;
    turned?;
    assert_eq!(seller.called(), before + 1, "one trial of {}", shop.listing.id);
    Ok(replies?)
}

#[test]
fn of_forty_parallel_calls_when_the_time_is_over_one_is_tried() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = free(world, &seller).await?;
        open(&shop, &seller).await?;
        let call = |n: usize| shop.call(&json!({ "n": n }));
        let replies = one_of_forty(world, &shop, &seller, Mood::Answers(503), false, call).await?;
        let (tried, waited): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.code() == "SELLER_ERROR");
        assert_eq!(tried.len(), 1);
        for reply in waited {
            left_alone(reply, false);
        }
        let wait = left_alone(&call(41).send().await?, false);
        assert!((50..=60).contains(&wait), "{wait}");
        world.later(30).await?;
        let replies = one_of_forty(world, &shop, &seller, Mood::Answers(200), false, call).await?;
        let delivered = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(delivered, 1);
        call(42).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn of_several_settled_calls_when_the_time_is_over_one_is_tried() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = paid(world, &seller).await?;
        let mut bought = Vec::new();
        for n in 0..4 {
            let body = json!({ "n": n });
            bought.push((shop.paid(&body).await?, body));
        }
        open_paid(&shop, &seller).await?;
        let call = |n: usize| {
            let (quote, body) = &bought[n % bought.len()];
            shop.call(body).paid_with(&quote.id)
        };
        for n in 0..4 {
            left_alone(&call(n).send().await?, true);
        }
        let before = seller.called();
        world.later(31).await?;
        seller.turns(Mood::Hesitates);
        let calls = futures::future::try_join_all((0..40).map(|n| call(n).send()));
        let turn = async {
            eventually("the trial is at the seller", async || Ok((seller.called() > before).then_some(()))).await?;
            // The ten that name the tried call are told that it is in progress, the others wait.
            for n in 0..4 {
                let reply = call(n).send().await?;
                if reply.code() != "CALL_IN_PROGRESS" {
                    left_alone(&reply, true);
                }
            }
            assert_eq!(seller.called(), before + 1, "one trial");
            seller.turns(Mood::Answers(200));
            Ok::<_, Failure>(())
        };
        let (replies, turned) = futures::future::join(calls, turn).await;
        turned?;
        for reply in replies? {
            match reply.status {
                200 => drop(reply.ok(200).clone()),
                409 => drop(reply.refused(409, "CALL_IN_PROGRESS").clone()),
                _ => drop(left_alone(&reply, true)),
            }
        }
        for (quote, body) in &bought {
            shop.redeem(quote, body).await?.ok(200);
            let row = shop.row(&quote.id).await?;
            assert_eq!(list(&row, "attempts").len(), 1, "{row}");
        }
        Ok(())
    })
}

#[test]
fn a_trial_that_never_ends_makes_room_for_the_next() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = free(world, &seller).await?;
        open(&shop, &seller).await?;
        world.later(31).await?;
        seller.turns(Mood::Hesitates);
        let stuck = shop.call(&json!("stuck"));
        let next = async {
            eventually("the trial is at the seller", async || Ok((seller.called() > 5).then_some(()))).await?;
            left_alone(&shop.call(&json!("waits")).send().await?, false);
            // Past the seller's whole time.
            world.later(18).await?;
            let second = shop.call(&json!("next"));
            let turn = async {
                eventually("the next trial is at the seller", async || Ok((seller.called() > 6).then_some(()))).await?;
                seller.turns(Mood::Answers(200));
                Ok::<_, Failure>(())
            };
            let (second, turned) = futures::future::join(second.send(), turn).await;
            turned?;
            second?.ok(200);
            Ok::<_, Failure>(())
        };
        let (stuck, next) = futures::future::join(stuck.send(), next).await;
        next?;
        stuck?.ok(200);
        shop.call(&json!("closed")).send().await?.ok(200);
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
        call().send().await?.refused(502, "SELLER_ERROR");
        put(&shop, json!({ "status": "active" })).await?;

        open(&shop, &seller).await?;
        left_alone(&call().send().await?, false);
        put(&shop, json!({ "private_endpoint_url": format!("{}/moved", seller.url()) })).await?;
        call().send().await?.refused(502, "SELLER_ERROR");
        put(&shop, json!({ "status": "active" })).await?;

        open(&shop, &seller).await?;
        left_alone(&call().send().await?, false);
        shop.seller.post(&format!("{endpoint}/rotate-secret")).send().await?.ok(200);
        call().send().await?.refused(502, "SELLER_ERROR");

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
        assert_eq!(report.ok(200)["test"]["seller_status_code"], 500);
        left_alone(&shop.call(&json!("again")).send().await?, false);
        Ok(())
    })
}
