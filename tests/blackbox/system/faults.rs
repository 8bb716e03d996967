//! Lost replies, conflicts and crashes at each DynamoDB request of a paid call.
//!
//! The client retries, and the call ends as without the fault: charged once, delivered under one `webhook-id`, always the same
//! reply, and ledger entries that sum to zero.

use crochet_tests::{Failure, Fault, Market, Outcome, Proxy, Quote, Replies, Reply, Setup, text, with_setup};
use serde_json::{Value, json};

/// More requests than any paid call makes.
const TOO_MANY: usize = 60;
/// Longer than an attempt's lease, in seconds. A crash during an attempt leaves its lease.
const LEASE: i64 = 40;

/// Retries until `status` is returned. The database is back for the first retry.
async fn insist(
    market: &Market<'_>,
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
            "CALL_IN_PROGRESS" => market.world.later(LEASE).await?,
            // What a lost database may be answered with. A 500 would be a defect.
            "SERVICE_UNAVAILABLE" | "PAYMENT_PROVIDER_UNAVAILABLE" => {}
            "" if reply.status == 202 => {}
            _ => break,
        }
    }
    Err(Failure::new(format!("no {status} came in the end: {last}")))
}

/// One paid call from the first 402 to the ledger, with one fault. Returns `false` if the call made fewer requests.
async fn story(market: &Market<'_>, proxy: &Proxy, fault: Fault, k: usize) -> Result<bool, Failure> {
    let body = json!({ "fault": format!("{fault:?}"), "k": k });
    proxy.plan(fault, k);
    let quote = Quote::of(insist(market, proxy, 402, || market.call(&body)).await?);
    market.world.sandbox.pay(&quote.id).await?;
    let first = insist(market, proxy, 200, || market.call(&body).paid_with(&quote.id)).await?;
    let struck = proxy.end();
    let id = text(first.ok(200), "request_id").to_owned();

    let again = market.redeem(&quote, &body).await?;
    again.ok(200);
    assert!(again.is_replay(), "{fault:?} at {k}: not replayed");
    assert_eq!(again.body, first.body, "{fault:?} at {k}: the answer is another one");
    let sent = body.to_string();
    let received: Vec<Value> = market.all_received().await?.into_iter().filter(|call| text(call, "body") == sent).collect();
    assert!(!received.is_empty(), "{fault:?} at {k}: never delivered");
    assert!(received.iter().all(|call| call["webhook_id"] == json!(id)), "{fault:?} at {k}: several webhook-ids");
    assert_eq!(market.entries(&market.buyer, &id).await?.len(), 1, "{fault:?} at {k}: not charged exactly once");
    assert_eq!(market.entries(&market.seller, &id).await?.len(), 1, "{fault:?} at {k}: not credited exactly once");
    let row = market.row(&quote.id).await?;
    assert_eq!((&row["status"], &row["charge"]["state"]), (&json!("delivered"), &json!("charged")), "{fault:?} at {k}");
    Ok(struck)
}

fn every_request_in_turn(fault: Fault) -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        let market = world.market(1.0).await?;
        // Everything that is remembered between requests is remembered by then.
        market.buy(&json!("warm")).await?;
        for k in 1..TOO_MANY {
            if !story(&market, proxy, fault, k).await? {
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
