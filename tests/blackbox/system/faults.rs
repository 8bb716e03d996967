//! Lost replies, conflicts and crashes at every DynamoDB request of a paid call, in turn.
//!
//! Whatever happens, the client retries, and the call ends as if nothing had happened: charged once, delivered under one
//! `webhook-id`, answered the same ever after, books that sum to zero.

use crochet_tests::{Failure, Fault, Outcome, Proxy, Quote, Replies, Reply, Setup, Shop, text, with};
use serde_json::{Value, json};

/// More requests than any paid call makes.
const TOO_MANY: usize = 60;
/// Longer than an attempt may take, in seconds: a crash in the middle of one leaves a lease behind.
const LEASE: i64 = 40;

/// Retries as a client does, until `status` comes; the database is back by the time of the first retry.
async fn insist(
    shop: &Shop<'_>,
    proxy: &Proxy,
    status: u16,
    request: impl Fn() -> crochet_tests::Request,
) -> Result<Reply, Failure> {
    let mut last = String::new();
    for _ in 0..8 {
        let reply = request().send().await?;
        proxy.recover();
        if reply.status == status {
            return Ok(reply);
        }
        last = reply.text();
        match reply.code() {
            "CALL_IN_PROGRESS" => shop.world.later(LEASE).await?,
            // What a lost database may be answered with. A 500 would be a defect.
            "SERVICE_UNAVAILABLE" | "PAYMENT_PROVIDER_UNAVAILABLE" => {}
            "" if reply.status == 202 => {}
            _ => break,
        }
    }
    Err(Failure::new(format!("no {status} came in the end: {last}")))
}

/// One paid call from the first 402 to the ledger, with one fault in it. `false` where the call made fewer requests.
async fn story(shop: &Shop<'_>, proxy: &Proxy, fault: Fault, k: usize) -> Result<bool, Failure> {
    let body = json!({ "fault": format!("{fault:?}"), "k": k });
    proxy.plan(fault, k);
    let quote = Quote::of(insist(shop, proxy, 402, || shop.call(&body)).await?);
    shop.world.sandbox.pay(&quote.id).await?;
    let first = insist(shop, proxy, 200, || shop.call(&body).paid_with(&quote.id)).await?;
    let struck = proxy.end();
    let id = text(first.ok(200), "request_id").to_owned();

    let again = shop.redeem(&quote, &body).await?;
    again.ok(200);
    assert!(again.is_replay(), "{fault:?} at {k}: not replayed");
    assert_eq!(again.body, first.body, "{fault:?} at {k}: the answer is another one");
    let sent = body.to_string();
    let received: Vec<Value> = shop.all_received().await?.into_iter().filter(|call| text(call, "body") == sent).collect();
    assert!(!received.is_empty(), "{fault:?} at {k}: never delivered");
    assert!(received.iter().all(|call| call["webhook_id"] == json!(id)), "{fault:?} at {k}: several webhook-ids");
    assert_eq!(shop.entries(&shop.buyer, &id).await?.len(), 1, "{fault:?} at {k}: not charged exactly once");
    assert_eq!(shop.entries(&shop.seller, &id).await?.len(), 1, "{fault:?} at {k}: not credited exactly once");
    let row = shop.row(&quote.id).await?;
    assert_eq!((&row["status"], &row["charge"]["state"]), (&json!("delivered"), &json!("charged")), "{fault:?} at {k}");
    Ok(struck)
}

fn every_request_in_turn(fault: Fault) -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with(setup, async |world| {
        let shop = world.shop(1.0).await?;
        // Everything that is remembered between requests is remembered by then.
        shop.buy(&json!("warm")).await?;
        for k in 1..TOO_MANY {
            if !story(&shop, proxy, fault, k).await? {
                assert!(k > 5, "a paid call makes more requests than {k}");
                return Ok(());
            }
        }
        Err(Failure::new("the story never ends"))
    })
}

#[test]
fn a_transaction_conflict_at_any_write_changes_nothing() -> Outcome {
    every_request_in_turn(Fault::Conflict)
}

#[test]
fn a_lost_reply_of_any_request_changes_nothing() -> Outcome {
    every_request_in_turn(Fault::LostReply)
}

#[test]
fn a_crash_after_any_request_changes_nothing() -> Outcome {
    every_request_in_turn(Fault::CrashAfter)
}

#[test]
fn a_crash_before_any_request_changes_nothing() -> Outcome {
    every_request_in_turn(Fault::CrashBefore)
}
