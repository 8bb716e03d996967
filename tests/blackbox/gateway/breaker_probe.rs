//! `POST /gateway/:listingId` when the time of an open circuit is over: of many calls one is tried.

use crochet_tests::{
    Failure, Fault, Mood, MoodySeller, Outcome, Proxy, Quote, Replies, Reply, Request, Setup, Shop, World, alone, eventually, list,
    with,
};
use serde_json::{Value, json};

use crochet_tests::breaker::{free, left_alone, open, open_paid, open_paid_with, paid};

#[test]
fn when_the_time_is_over_one_trial_passes_and_each_that_fails_doubles_it_up_to_five_minutes() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = free(world, &seller).await?;
        let other = world.agent().await?;
        open(&shop, &seller).await?;
        let mut calls = 5;
        for (seconds, caller) in [30, 60, 120, 240, 300, 300].into_iter().zip([&shop.buyer, &other].repeat(3)) {
            // On the way there nobody passes.
            world.later(seconds - 10).await?;
            let wait = left_alone(&shop.call(&json!("early")).send().await?, false);
            assert!((1..=10).contains(&wait), "{wait} s of the last ten of {seconds}");
            world.later(10).await?;
            let next = (seconds * 2).min(300);
            let failed = caller.call(&shop.listing.id, &json!("trial")).send().await?;
            failed.refused(502, "SELLER_UNREACHABLE");
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
fn trials_of_one_buyer_alone_make_the_time_no_longer_and_a_seller_that_answers_5xx_is_there() -> Outcome {
    alone(async |world| {
        let seller = MoodySeller::start(Mood::HangsUp).await?;
        let shop = free(world, &seller).await?;
        open(&shop, &seller).await?;
        for seconds in [60, 60, 60] {
            world.later(61).await?;
            let failed = shop.call(&json!("trial")).send().await?;
            failed.refused(502, "SELLER_UNREACHABLE");
            assert_eq!(failed.header("retry-after"), seconds.to_string());
        }
        world.later(61).await?;
        seller.turns(Mood::Answers(500));
        for _ in 0..2 {
            shop.call(&json!("trial")).send().await?.refused(502, "SELLER_ERROR");
        }
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
        let replies = one_of_forty(world, &shop, &seller, Mood::HangsUp, false, call).await?;
        let (tried, waited): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.code() == "SELLER_UNREACHABLE");
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

/// Does what each answer says until the call is delivered; the database is back after the first one.
async fn insist(shop: &Shop<'_>, proxy: &Proxy, quote: &Quote, body: &Value) -> Outcome {
    let mut last = String::new();
    // A trial that nobody ends lapses after seventeen seconds, two at a time.
    for _ in 0..20 {
        let reply = shop.redeem(quote, body).await?;
        proxy.recover();
        match reply.code() {
            "" if reply.status == 200 => return Ok(()),
            "CALL_IN_PROGRESS" => shop.world.later(40).await?,
            "SELLER_UNAVAILABLE" => shop.world.later(i64::try_from(left_alone(&reply, true))?).await?,
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
    with(setup, async |world| {
        let seller = MoodySeller::start(Mood::Answers(500)).await?;
        let shop = paid(world, &seller).await?;
        let other = world.agent().await?;
        for fault in [Fault::Conflict, Fault::LostReply, Fault::CrashAfter, Fault::CrashBefore] {
            let mut k = 0;
            loop {
                k += 1;
                let (body, next) = (json!([format!("{fault:?}"), k]), json!([format!("{fault:?}"), k, "next"]));
                let (quote, next_quote) = (shop.paid(&body).await?, shop.paid(&next).await?);
                open_paid_with(&shop, &other, &seller, json!([format!("{fault:?}"), k, "opening"])).await?;
                left_alone(&shop.redeem(&quote, &body).await?, true);
                world.later(31).await?;
                seller.turns(Mood::Answers(200));
                proxy.plan(fault, k);
                insist(&shop, proxy, &quote, &body).await?;
                let struck = proxy.end();
                insist(&shop, proxy, &next_quote, &next).await?;
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
