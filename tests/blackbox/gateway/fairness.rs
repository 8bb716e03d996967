//! `POST /gateway/:listingId` while one profile does its worst at a listing that five others call.
//!
//! Each trick prints the share of the others' requests that were refused. At 50 slots and one call at a time each, it may be five
//! percent.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crochet_tests::{
    Agent, Behavior, Failure, Market, Outcome, Quote, Replies, Reply, Request, ScriptedSeller, Setup, World, alone, eventually,
    text,
};
use futures::future::{join, try_join_all};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Parallel requests of the hostile profile: more than there are slots.
const AT_ONCE: usize = 60;
/// Calls of each of the others, one after the other.
const CALLS: usize = 20;

/// A listing, the hostile profile (the market's buyer), and five others.
///
/// They take turns, so that the machine is not what is measured: in each round, the hostile profile sends as many requests as it
/// has no reply to, and each of the others makes one call.
struct Scene<'a> {
    market: Market<'a>,
    seller: ScriptedSeller,
    others: Vec<Agent>,
    /// The codes of the replies to the hostile profile. A success has an empty one.
    replies: Mutex<Vec<String>>,
    sent: AtomicUsize,
    round: watch::Sender<Round>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Number(usize),
    Over,
}

impl<'a> Scene<'a> {
    async fn free(world: &'a World) -> Result<Self, Failure> {
        Self::of(world, world.free_fields("/echo")).await
    }

    async fn cheap(world: &'a World) -> Result<Self, Failure> {
        Self::of(world, world.paid_fields(&json!(0.0001), "/echo")).await
    }

    async fn of(world: &'a World, mut fields: Value) -> Result<Self, Failure> {
        let seller = ScriptedSeller::start(Behavior::AsTheBodySays).await?;
        fields["private_endpoint_url"] = seller.url().into();
        let market = world.market_with(&fields, "/echo").await?;
        let others = try_join_all((0..5).map(|_| world.agent())).await?;
        let round = watch::Sender::new(Round::Number(0));
        Ok(Self { market, seller, others, replies: Mutex::default(), sent: AtomicUsize::new(0), round })
    }

    async fn with_rate(self, calls: u32) -> Result<Self, Failure> {
        self.market.set_endpoint(&[("rate_limit_per_minute", json!({ "N": calls.to_string() }))]).await?;
        self.market.world.at_a_minutes_start().await?;
        Ok(self)
    }

    /// The hostile profile sends requests until the others are done, this many at a time.
    async fn attack(&self, at_once: usize, request: impl Fn(usize) -> Request) -> Outcome {
        let attacker = async || -> Outcome {
            let mut round = self.round.subscribe();
            while *round.borrow_and_update() != Round::Over {
                let reply = request(self.sent.fetch_add(1, Ordering::Relaxed)).send().await?;
                self.replies.lock().expect("no test panicked").push(reply.code().to_owned());
                round.changed().await?;
            }
            Ok(())
        };
        try_join_all((0..at_once).map(|_| attacker())).await.map(drop)
    }

    /// Waits until the hostile profile has received this many replies with one of these codes, or with any.
    async fn answered(&self, count: usize, codes: &[&str]) -> Outcome {
        let found = || {
            let replies = self.replies.lock().expect("no test panicked");
            replies.iter().filter(|code| codes.is_empty() || codes.contains(&code.as_str())).count()
        };
        eventually("the attack goes on", async || {
            self.next_round();
            Ok((found() >= count).then_some(()))
        })
        .await
    }

    fn next_round(&self) {
        self.round.send_modify(|round| {
            if let Round::Number(n) = round {
                *n += 1;
            }
        });
    }

    /// Each of the others makes this many calls.
    async fn others_call(&self, calls: usize) -> Result<Vec<Reply>, Failure> {
        self.others_try(calls, async |other, body| Ok(other.call(&self.market.listing.id, &body).send().await?)).await
    }

    /// Each of the others buys this many calls.
    async fn others_buy(&self, calls: usize) -> Result<Vec<Reply>, Failure> {
        self.others_try(calls, async |other, body| {
            let call = || other.call(&self.market.listing.id, &body);
            let first = call().send().await?;
            if first.status != 402 {
                return Ok(first);
            }
            let quote = Quote::of(first);
            self.market.world.sandbox.pay(&quote.id).await?;
            Ok(call().paid_with(&quote.id).send().await?)
        })
        .await
    }

    async fn others_try(
        &self,
        calls: usize,
        call: impl AsyncFn(&Agent, Value) -> Result<Reply, Failure>,
    ) -> Result<Vec<Reply>, Failure> {
        let mut replies = Vec::new();
        for n in 0..calls {
            self.next_round();
            replies.extend(try_join_all(self.others.iter().map(|other| call(other, json!({ "n": n })))).await?);
        }
        Ok(replies)
    }

    /// Runs the attack while the others call. Prints and checks the share of refusals. Afterwards no slot is left.
    async fn judge(
        &self,
        trick: &str,
        attack: impl Future<Output = Outcome>,
        others: impl Future<Output = Result<Vec<Reply>, Failure>>,
    ) -> Outcome {
        let others = async {
            let replies = others.await;
            self.round.send_replace(Round::Over);
            // Calls that hang end.
            self.seller.set(Behavior::Status(200));
            replies
        };
        let (attacked, replies) = join(attack, others).await;
        attacked?;
        let replies = replies?;
        let refused: Vec<&str> = replies.iter().filter(|reply| reply.status != 200).map(Reply::code).collect();
        println!(
            "others' refusals under {trick}: {} of {} ({:.1} %)",
            refused.len(),
            replies.len(),
            100.0 * refused.len() as f64 / replies.len() as f64,
        );
        assert!(refused.len() * 20 <= replies.len(), "more than five percent: {refused:?}");
        assert_eq!(self.market.slots().await?, 0, "slots are left");
        Ok(())
    }
}

#[test]
fn slow_bodies_take_no_slots_from_others() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::free(world).await?;
        scene.market.set_endpoint(&[("timeout_ms", json!({ "N": "2000" }))]).await?;
        let attack = scene.attack(AT_ONCE, |n| scene.market.call(&json!({ "seller": "hangs", "n": n })));
        let others = async {
            scene.answered(1, &["LISTING_BUSY"]).await?;
            scene.others_call(CALLS).await
        };
        scene.judge("slow bodies", attack, others).await
    })
}

#[test]
fn a_failing_call_uses_up_nobody_elses_part_of_the_sellers_rate() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::free(world).await?.with_rate(60).await?;
        let attack = scene.attack(4, |n| scene.market.call(&json!({ "seller": "fails", "n": n })));
        let others = async {
            scene.answered(1, &["LISTING_RATE_LIMITED"]).await?;
            scene.others_call(4).await
        };
        scene.judge("failing free calls", attack, others).await
    })
}

#[test]
fn a_paid_call_that_fails_again_and_again_uses_up_nobody_elses_part_of_the_sellers_rate() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::cheap(world).await?;
        let mut paid = Vec::new();
        for n in 0..8 {
            let body = json!({ "seller": "fails", "n": n });
            paid.push((scene.market.paid(&body).await?, body));
        }
        let scene = scene.with_rate(60).await?;
        let attack = scene.attack(8, |n| {
            let (quote, body) = &paid[n % paid.len()];
            scene.market.call(body).paid_with(&quote.id)
        });
        let others = async {
            scene.answered(80, &[]).await?;
            scene.others_buy(4).await
        };
        scene.judge("a failing paid call, repeated", attack, others).await
    })
}

#[test]
fn cheap_paid_calls_take_no_slots_from_others() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::cheap(world).await?;
        let body = |n: usize| json!({ "seller": "hangs", "n": n });
        let bodies: Vec<Value> = (0..AT_ONCE).map(body).collect();
        let quotes = try_join_all(bodies.iter().map(|body| scene.market.paid(body))).await?;
        let attack = scene.attack(AT_ONCE, |n| scene.market.call(&bodies[n % AT_ONCE]).paid_with(&quotes[n % AT_ONCE].id));
        let others = async {
            eventually("the slots are taken", async || Ok((scene.seller.called() >= AT_ONCE).then_some(()))).await?;
            scene.others_buy(4).await
        };
        scene.judge("paid calls of 0.0001 USD", attack, others).await
    })
}

#[test]
fn poisonous_bodies_close_the_seller_to_nobody_else() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::free(world).await?;
        scene.market.set_endpoint(&[("timeout_ms", json!({ "N": "1000" }))]).await?;
        let attack = scene.attack(8, |n| scene.market.call(&json!({ "seller": "hangs", "n": n })));
        let others = async {
            scene.answered(5, &["SELLER_TIMEOUT"]).await?;
            // One of the others is unlucky once.
            scene.others[0].call(&scene.market.listing.id, &json!({ "seller": "hangs" })).send().await?;
            let mut replies = scene.others_call(5).await?;
            // Whatever is shut opens again, and the hostile profile is there first.
            for times in 1..4 {
                world.later(301).await?;
                scene.answered(5 + times, &["SELLER_TIMEOUT"]).await?;
                replies.extend(scene.others_call(5).await?);
            }
            Ok(replies)
        };
        scene.judge("poisonous bodies", attack, others).await
    })
}

#[test]
fn a_revoked_key_takes_no_slots_and_no_part_of_the_sellers_rate() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::free(world).await?;
        let revoked = scene.market.buyer.create_key(&json!({ "name": "Revoked" })).await?;
        // Good so far, and the listing is known to be free.
        revoked.call(&scene.market.listing.id, &json!({})).send().await?.ok(200);
        let id = text(&revoked.issued["key"], "id");
        scene.market.buyer.delete(&format!("/api-keys/{id}")).send().await?.ok(200);
        let scene = scene.with_rate(30).await?;
        let call = |n: usize| revoked.call(&scene.market.listing.id, &json!({ "seller": "hangs", "n": n }));
        let attack = scene.attack(AT_ONCE, call);
        let others = async {
            scene.answered(2 * AT_ONCE, &["INVALID_API_KEY", "RATE_LIMITED"]).await?;
            scene.others_call(3).await
        };
        scene.judge("a flood with a revoked key", attack, others).await
    })
}

#[test]
fn what_is_no_json_takes_no_slots_and_no_part_of_the_sellers_rate() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::free(world).await?;
        scene.market.call(&json!({})).send().await?;
        let scene = scene.with_rate(30).await?;
        let attack = scene.attack(AT_ONCE, |_| scene.market.call_raw("{"));
        let others = async {
            scene.answered(2 * AT_ONCE, &["INVALID_JSON"]).await?;
            scene.others_call(3).await
        };
        scene.judge("a flood of what is no JSON", attack, others).await
    })
}

#[test]
fn an_unknown_currency_at_a_listing_that_was_paid_takes_no_slots() -> Outcome {
    alone(Setup::default(), async |world| {
        let scene = Scene::cheap(world).await?;
        let body = json!({ "n": 0 });
        scene.market.quote(&body).await?;
        let change = json!({ "pricing_model": "free" });
        scene.market.seller.patch(&format!("/listings/{}", scene.market.listing.id)).json(&change).send().await?;
        scene.market.call(&json!({ "n": 1 })).send().await?;
        let attack = scene.attack(AT_ONCE, |_| scene.market.call(&body).currency("DOGE"));
        let others = async {
            scene.answered(2 * AT_ONCE, &[]).await?;
            scene.others_call(CALLS).await
        };
        scene.judge("calls in an unknown currency", attack, others).await
    })
}
