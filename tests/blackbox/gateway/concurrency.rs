//! `POST /gateway/:listingId`: concurrent calls.

use std::time::Duration;

use crochet_tests::{Failure, Market, Outcome, Replies, Reply, Setup, eventually, number, shared, text, with_setup};
use serde_json::{Value, json};

/// Sends the same request many times concurrently.
async fn forty(request: impl Fn() -> crochet_tests::Request) -> Result<Vec<Reply>, Failure> {
    Ok(futures::future::try_join_all((0..40).map(|_| request().send())).await?)
}

/// Each reply is the call's result or says that it is in progress, and the seller received one call.
async fn one_delivery(market: &Market<'_>, replies: &[Reply], body: &Value, payment_id: &str) -> Outcome {
    let mut bodies = Vec::new();
    for reply in replies {
        match reply.status {
            200 => bodies.push(reply.ok(200).clone()),
            202 => {
                reply.ok(202);
            }
            _ => {
                let error = reply.refused(409, "CALL_IN_PROGRESS");
                assert!(number(&error["recovery"], "retry_after_seconds") > 0);
            }
        }
    }
    bodies.dedup();
    assert!(bodies.len() <= 1, "one answer for all: {bodies:?}");
    let reply = market.call(body).paid_with(payment_id).send().await?;
    let id = text(reply.ok(200), "request_id").to_owned();
    assert_eq!(market.received(&id).await?.len(), 1, "the seller was called once");
    assert_eq!(market.entries(&market.buyer, &id).await?.len(), 1, "charged once");
    assert_eq!(market.entries(&market.seller, &id).await?.len(), 1, "credited once");
    Ok(())
}

#[test]
fn forty_parallel_retries_reach_the_seller_once() -> Outcome {
    shared(async |world| {
        for path in [world.echo_path(), "/slow/150".to_owned()] {
            let market = world.market_at(&json!(1), &path).await?;
            let body = json!({ "n": 1 });
            let quote = market.paid(&body).await?;
            let replies = forty(|| market.call(&body).paid_with(&quote.id)).await?;
            one_delivery(&market, &replies, &body, &quote.id).await?;
        }
        Ok(())
    })
}

#[test]
fn forty_parallel_repeats_without_the_id_after_paying_reach_the_seller_once() -> Outcome {
    shared(async |world| {
        // The seller takes its time, so that no repeat comes after delivery, where it would be a new call.
        let market = world.market_at(&json!(1), "/slow/5000").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let replies = forty(|| market.call(&body)).await?;
        let known: Vec<Reply> = replies.into_iter().filter(|reply| reply.status != 402).collect();
        one_delivery(&market, &known, &body, &quote.id).await?;
        assert_eq!(world.sandbox.requests(Some(market.buyer.wallet.address())).await?.len(), 1, "quoted once");
        Ok(())
    })
}

#[test]
fn forty_parallel_repeats_with_the_key_reach_the_seller_once() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = crochet_tests::Quote::of(market.call(&body).idempotency_key("k").send().await?);
        world.sandbox.pay(&quote.id).await?;
        let replies = forty(|| market.call(&body).idempotency_key("k")).await?;
        one_delivery(&market, &replies, &body, &quote.id).await
    })
}

#[test]
fn forty_parallel_free_calls_with_one_key_reach_the_seller_once() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let replies = forty(|| market.call(&json!({ "n": 1 })).idempotency_key("k")).await?;
        for reply in &replies {
            // Forty calls are more than a buyer's half of the slots, until the first of them has a record.
            assert!(reply.status == 200 || ["CALL_IN_PROGRESS", "LISTING_BUSY"].contains(&reply.code()), "{}", reply.text());
        }
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn same_id_while_it_is_being_delivered_is_409_call_in_progress() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/slow/5000").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        let delivering = market.redeem(&quote, &body);
        let meanwhile = async {
            eventually("the seller is called", async || Ok((!market.received(&id).await?.is_empty()).then_some(()))).await?;
            for request in [market.call(&body).paid_with(&quote.id), market.call(&body)] {
                let reply = request.send().await?;
                let error = reply.refused(409, "CALL_IN_PROGRESS");
                assert!(number(&error["recovery"], "retry_after_seconds") > 0);
            }
            assert_eq!(market.row(&quote.id).await?["status"], "delivering");
            Ok::<_, Failure>(())
        };
        let (first, meanwhile) = futures::future::join(delivering, meanwhile).await;
        meanwhile?;
        first?.ok(200);
        Ok(())
    })
}

#[test]
fn a_client_that_hangs_up_changes_nothing() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/slow/400").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        let called = eventually("the seller is called", async || Ok((!market.received(&id).await?.is_empty()).then_some(())));
        // Whichever is first wins, and the other one is dropped: the connection closes.
        let delivering = std::pin::pin!(market.redeem(&quote, &body));
        let called = std::pin::pin!(called);
        futures::future::select(delivering, called).await;
        let reply = eventually("the answer is there", async || {
            let reply = market.redeem(&quote, &body).await?;
            Ok((reply.status == 200).then_some(reply))
        })
        .await?;
        assert!(reply.is_replay());
        assert_eq!(market.received(&id).await?.len(), 1);
        Ok(())
    })
}

#[test]
fn too_many_calls_at_one_listing_at_once_is_503_listing_busy_before_anything_is_quoted() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_LISTING_CONCURRENCY", "1")]), async |world| {
        let market = world.market_at(&json!(1), "/slow/5000").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        let meanwhile = async {
            eventually("the seller is called", async || Ok((!market.received(&id).await?.is_empty()).then_some(()))).await?;
            market.call(&json!({ "n": 2 })).send().await?.refused(503, "LISTING_BUSY");
            Ok::<_, Failure>(())
        };
        let (first, meanwhile) = futures::future::join(market.redeem(&quote, &body), meanwhile).await;
        meanwhile?;
        first?.ok(200);
        assert_eq!(world.sandbox.requests(Some(market.buyer.wallet.address())).await?.len(), 1, "nothing was quoted");
        // Room again.
        tokio::time::timeout(Duration::from_secs(5), market.quote(&json!({ "n": 2 }))).await??;
        Ok(())
    })
}

#[test]
fn parallel_calls_of_many_buyers_all_arrive() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let mut buyers = Vec::new();
        for _ in 0..5 {
            buyers.push(world.agent().await?);
        }
        let story = async |n: usize| -> Result<(), Failure> {
            let (buyer, body) = (&buyers[n % buyers.len()], json!({ "n": n }));
            let quote = crochet_tests::Quote::of(buyer.call(&market.listing.id, &body).send().await?);
            world.sandbox.pay(&quote.id).await?;
            buyer.call(&market.listing.id, &body).paid_with(&quote.id).send().await?.ok(200);
            Ok(())
        };
        futures::future::try_join_all((0..20).map(story)).await?;
        assert_eq!(market.all_received().await?.len(), 20);
        Ok(())
    })
}
