//! `POST /gateway/:listingId` when the open time of a circuit breaker ends: one of many calls is the probe.

use std::cell::Cell;

use crochet_tests::{
    Agent, Behavior, Failure, Fault, Market, Outcome, Proxy, Quote, Replies, Reply, Request, ScriptedSeller, Setup, World, alone,
    eventually, isolated, list, with_setup,
};
use serde_json::{Value, json};

use crochet_tests::breaker::{assert_unavailable, free, open, open_paid, open_paid_with, paid};

#[test]
fn when_the_time_is_over_one_trial_passes_and_each_that_fails_doubles_it_up_to_five_minutes() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = free(world, &seller).await?;
        open(&market, &seller).await?;
        let mut calls = 5;
        for seconds in [30, 60, 120, 240, 300, 300] {
            // Nobody's body has failed at it yet.
            let caller = world.agent().await?;
            // On the way there nobody passes.
            world.later(seconds - 10).await?;
            let wait = assert_unavailable(&market.call(&json!("early")).send().await?, false);
            assert!((1..=10).contains(&wait), "{wait} s of the last ten of {seconds}");
            world.later(10).await?;
            let next = (seconds * 2).min(300);
            let failed = caller.call(&market.listing.id, &json!("trial")).send().await?;
            failed.refused(502, "SELLER_UNREACHABLE");
            assert_eq!(failed.header("retry-after"), next.to_string());
            calls += 1;
            assert_eq!(seller.called(), calls, "one trial after {seconds} s");
            let wait = assert_unavailable(&market.call(&json!("late")).send().await?, false);
            assert!((next - 5..=next).contains(&i64::try_from(wait)?), "{wait} s of {next}");
        }
        world.later(300).await?;
        seller.set(Behavior::Status(200));
        for n in 0..7 {
            market.call(&json!({ "n": n })).send().await?.ok(200);
        }
        // It starts from nothing again.
        open(&market, &seller).await?;
        let wait = assert_unavailable(&market.call(&json!("again")).send().await?, false);
        assert!(wait <= 30, "{wait}");
        Ok(())
    })
}

#[test]
fn a_trial_of_a_buyer_that_has_failed_before_does_not_open_it_again_and_a_seller_that_answers_5xx_is_there() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::DropsConnection).await?;
        let market = free(world, &seller).await?;
        let others = [world.agent().await?, world.agent().await?];
        let call = |caller: &Agent| caller.call(&market.listing.id, &json!("trial")).send();
        for answer in [Behavior::Status(200), Behavior::Status(500)] {
            open(&market, &seller).await?;
            world.later(31).await?;
            let failed = call(&market.buyer).await?;
            failed.refused(502, "SELLER_UNREACHABLE");
            assert_eq!(failed.header("retry-after"), "30", "this buyer is kept away");
            assert_unavailable(&call(&market.buyer).await?, false);
            // The next trial is another's, and at once.
            seller.set(answer);
            for caller in others.iter().chain(&others) {
                assert_eq!(call(caller).await?.code() == "SELLER_ERROR", answer == Behavior::Status(500));
            }
            assert_unavailable(&call(&market.buyer).await?, false);
            seller.set(Behavior::Status(200));
            world.later(31).await?;
            call(&market.buyer).await?.ok(200);
        }
        Ok(())
    })
}

/// Forty calls at the end of the open time. The seller receives one before it responds.
async fn one_of_forty(
    world: &World,
    market: &Market<'_>,
    seller: &ScriptedSeller,
    answers: Behavior,
    settled: bool,
    call: impl Fn(usize) -> Request,
) -> Result<Vec<Reply>, Failure> {
    let before = seller.called();
    world.later(31).await?;
    seller.set(Behavior::Waits);
    let replied = Cell::new(0);
    let calls = futures::future::try_join_all((0..40).map(|n| {
        let sent = call(n).send();
        async {
            let reply = sent.await;
            replied.set(replied.get() + 1);
            reply
        }
    }));
    let turn = async {
        eventually("the trial is at the seller", async || Ok((seller.called() > before).then_some(()))).await?;
        // A call that came after the trial's end would be delivered.
        eventually("the others are refused", async || Ok((replied.get() == 39).then_some(()))).await?;
        // While it is tried, the next one waits too, and not for long.
        let wait = assert_unavailable(&call(40).send().await?, settled);
        assert!(wait <= 2, "{wait}");
        seller.set(answers);
        Ok::<_, Failure>(())
    };
    let (replies, turned) = futures::future::join(calls, turn).await;
    turned?;
    assert_eq!(seller.called(), before + 1, "one trial of {}", market.listing.id);
    Ok(replies?)
}

#[test]
fn of_forty_parallel_calls_when_the_time_is_over_one_is_tried() -> Outcome {
    // Room for all of them at once.
    with_setup(Setup::settings(&[("CROCHET_LISTING_CONCURRENCY", "200")]), async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = free(world, &seller).await?;
        open(&market, &seller).await?;
        let others = [world.agent().await?, world.agent().await?];
        let call = |n: usize| others[n % 2].call(&market.listing.id, &json!({ "n": n }));
        let replies = one_of_forty(world, &market, &seller, Behavior::DropsConnection, false, call).await?;
        let (tried, waited): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.code() == "SELLER_UNREACHABLE");
        assert_eq!(tried.len(), 1);
        for reply in waited {
            assert_unavailable(reply, false);
        }
        let wait = assert_unavailable(&call(41).send().await?, false);
        assert!((50..=60).contains(&wait), "{wait}");
        world.later(30).await?;
        let replies = one_of_forty(world, &market, &seller, Behavior::Status(200), false, call).await?;
        let delivered = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(delivered, 1);
        call(42).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn of_several_settled_calls_when_the_time_is_over_one_is_tried() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = paid(world, &seller).await?;
        let mut bought = Vec::new();
        for n in 0..4 {
            let body = json!({ "n": n });
            bought.push((market.paid(&body).await?, body));
        }
        open_paid(&market, &seller).await?;
        let call = |n: usize| {
            let (quote, body) = &bought[n % bought.len()];
            market.call(body).paid_with(&quote.id)
        };
        for n in 0..4 {
            assert_unavailable(&call(n).send().await?, true);
        }
        let before = seller.called();
        world.later(31).await?;
        seller.set(Behavior::Waits);
        let calls = futures::future::try_join_all((0..40).map(|n| call(n).send()));
        let turn = async {
            eventually("the trial is at the seller", async || Ok((seller.called() > before).then_some(()))).await?;
            // The ten that name the tried call are told that it is in progress, the others wait.
            for n in 0..4 {
                let reply = call(n).send().await?;
                if reply.code() != "CALL_IN_PROGRESS" {
                    assert_unavailable(&reply, true);
                }
            }
            assert_eq!(seller.called(), before + 1, "one trial");
            seller.set(Behavior::Status(200));
            Ok::<_, Failure>(())
        };
        let (replies, turned) = futures::future::join(calls, turn).await;
        turned?;
        for reply in replies? {
            match reply.status {
                200 => drop(reply.ok(200).clone()),
                409 => drop(reply.refused(409, "CALL_IN_PROGRESS").clone()),
                _ => drop(assert_unavailable(&reply, true)),
            }
        }
        for (quote, body) in &bought {
            market.redeem(quote, body).await?.ok(200);
            let row = market.row(&quote.id).await?;
            assert_eq!(list(&row, "attempts").len(), 1, "{row}");
        }
        Ok(())
    })
}

#[test]
fn a_trial_that_never_ends_makes_room_for_the_next() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = free(world, &seller).await?;
        open(&market, &seller).await?;
        world.later(31).await?;
        seller.set(Behavior::Waits);
        let stuck = market.call(&json!("stuck"));
        let next = async {
            eventually("the trial is at the seller", async || Ok((seller.called() > 5).then_some(()))).await?;
            assert_unavailable(&market.call(&json!("waits")).send().await?, false);
            // Past the seller's whole time.
            world.later(18).await?;
            let second = market.call(&json!("next"));
            let turn = async {
                eventually("the next trial is at the seller", async || Ok((seller.called() > 6).then_some(()))).await?;
                seller.set(Behavior::Status(200));
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
        market.call(&json!("closed")).send().await?.ok(200);
        Ok(())
    })
}

/// Follows each reply's advice until the call is delivered. The database is back after the first reply.
async fn insist(market: &Market<'_>, proxy: &Proxy, quote: &Quote, body: &Value) -> Outcome {
    let mut last = String::new();
    // A trial that nobody ends lapses after seventeen seconds, two at a time.
    for _ in 0..20 {
        let reply = market.redeem(quote, body).await?;
        proxy.recover();
        match reply.code() {
            "" if reply.status == 200 => return Ok(()),
            "CALL_IN_PROGRESS" => market.world.later(40).await?,
            "SELLER_UNAVAILABLE" => market.world.later(i64::try_from(assert_unavailable(&reply, true))?).await?,
            // What a lost database may be answered with. A 500 would be a defect.
            "SERVICE_UNAVAILABLE" => {}
            _ => return Err(Failure::new(reply.text())),
        }
        last = reply.text();
    }
    Err(Failure::new(format!("never delivered: {last}")))
}

#[test]
fn a_fault_at_any_request_of_a_trial_keeps_nobody_away_for_ever() -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    alone(setup, async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(500)).await?;
        let market = paid(world, &seller).await?;
        for fault in [Fault::Conflict, Fault::LostReply, Fault::CrashAfter, Fault::CrashBefore] {
            let mut k = 0;
            loop {
                k += 1;
                let other = world.agent().await?;
                let (body, next) = (json!([format!("{fault:?}"), k]), json!([format!("{fault:?}"), k, "next"]));
                let (quote, next_quote) = (market.paid(&body).await?, market.paid(&next).await?);
                open_paid_with(&market, &other, &seller, json!([format!("{fault:?}"), k, "opening"])).await?;
                assert_unavailable(&market.redeem(&quote, &body).await?, true);
                world.later(31).await?;
                seller.set(Behavior::Status(200));
                proxy.plan(fault, k);
                insist(&market, proxy, &quote, &body).await?;
                let struck = proxy.end();
                insist(&market, proxy, &next_quote, &next).await?;
                if !struck {
                    break;
                }
                assert!(k < 40, "the trial never ends");
            }
            assert!(k > 5, "a trial makes more requests than {k}");
        }
        Ok(())
    })
}
