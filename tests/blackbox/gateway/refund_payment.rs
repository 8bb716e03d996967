//! `POST /gateway-requests/:id/refund`: the states of its payment, and the provider's faults.

use std::pin::pin;

use crochet_tests::{Failure, Fault, Market, Outcome, Proxy, Quote, Replies, Setup, World, isolated, list, text, with_setup};
use serde_json::json;

/// Requests to DynamoDB of a refund that shows its offer again.
const READS: usize = 8;

/// A market with an undelivered call, and the call's request id.
async fn owing(world: &World) -> Result<(Market<'_>, String), Failure> {
    let market = world.market_at(&json!(1), "/fail/500").await?;
    let id = market.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
    Ok((market, id))
}

#[test]
fn a_deposit_that_was_seen_is_pending_even_if_the_provider_goes_back() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let offer = Quote::of(market.refund(&id).await?);
        for status in ["pending", "depositing", "waiting"] {
            world.sandbox.set(&offer.id, &json!({ "status": status })).await?;
            let pending = market.refund(&id).await?;
            assert_eq!(pending.ok(202)["relay_request_id"], json!(offer.id), "{status}");
            assert_eq!(pending.data()["request_id"], json!(id));
        }
        world.sandbox.pay(&offer.id).await?;
        market.refund(&id).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_success_counts_once_the_providers_record_shows_it() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let offer = Quote::of(market.refund(&id).await?);
        world.sandbox.pay_with_late_record(&offer.id, 60_000).await?;
        market.refund(&id).await?.ok(202);
        assert_eq!(market.charge(&id).await?, "owed");
        world.later(61).await?;
        market.refund(&id).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_failed_payment_is_replaced_and_whichever_is_paid_counts() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let first = Quote::of(market.refund(&id).await?);
        world.sandbox.set(&first.id, &json!({ "status": "failure" })).await?;
        let second = Quote::of(market.refund(&id).await?);
        assert_ne!(first.id, second.id);
        world.sandbox.pay(&first.id).await?;
        let refund = market.refund(&id).await?;
        assert_eq!(refund.ok(200)["refund"]["relay_request_id"], json!(first.id));
        Ok(())
    })
}

#[test]
fn a_quote_that_is_closing_is_not_replaced_and_a_late_deposit_counts() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let first = Quote::of(market.refund(&id).await?);
        world.later(605).await?;
        let closing = Quote::of(market.refund(&id).await?);
        assert_eq!((&closing.id, &closing.payment()["requirements"]), (&first.id, &json!(null)));
        assert_eq!(text(closing.details(), "reason"), "quote_closing");
        let wait = closing.reply.error()["recovery"]["retry_after_seconds"].as_i64().unwrap_or_default();
        assert!((200..=240).contains(&wait), "{wait}");
        world.later(wait).await?;
        let second = Quote::of(market.refund(&id).await?);
        assert_ne!(second.id, first.id);
        world.sandbox.pay(&first.id).await?;
        assert_eq!(market.refund(&id).await?.ok(200)["refund"]["relay_request_id"], json!(first.id));
        Ok(())
    })
}

#[test]
fn a_payment_that_another_one_superseded_is_followed() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let offer = Quote::of(market.refund(&id).await?);
        let other = format!("0x{}", "ab".repeat(32));
        world.sandbox.supersede(&offer.id, &other).await?;
        world.sandbox.set(&offer.id, &json!({ "status": "failure", "superseded_by": other })).await?;
        world.sandbox.pay(&other).await?;
        market.refund(&id).await?.ok(200);
        Ok(())
    })
}

#[test]
fn nothing_is_offered_or_settled_while_the_provider_does_not_answer() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        world.sandbox.fault("quote", "down", 60_000).await?;
        market.refund(&id).await?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        for fault in ["replay_id", "wrong_recipient", "smaller_output", "wrong_currency"] {
            world.sandbox.clear_faults().await?;
            world.sandbox.fault("quote", fault, 60_000).await?;
            market.refund(&id).await?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        }
        world.sandbox.clear_faults().await?;
        let offer = Quote::of(market.refund(&id).await?);
        world.sandbox.fault("status", "down", 60_000).await?;
        market.refund(&id).await?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        world.sandbox.clear_faults().await?;
        world.sandbox.forget(&offer.id).await?;
        market.refund(&id).await?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        world.sandbox.recall(&offer.id).await?;
        assert_eq!(Quote::of(market.refund(&id).await?).id, offer.id);
        Ok(())
    })
}

#[test]
fn a_payment_to_somebody_else_settles_nothing() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let offer = Quote::of(market.refund(&id).await?);
        world.sandbox.set(&offer.id, &json!({ "status": "success", "output": "950999" })).await?;
        let error = market.refund(&id).await?;
        assert_eq!(error.refused(409, "PAYMENT_MISMATCH")["details"]["relay_request_id"], json!(offer.id));
        assert_eq!(market.charge(&id).await?, "owed");
        Ok(())
    })
}

#[test]
fn what_no_route_carries_need_not_be_paid_and_a_currency_that_does_not_work_leave_out() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let path = format!("/gateway-requests/{id}/refund");
        let missing = market.seller.post(&path).currency("USDC").send().await?;
        let details = &missing.refused(400, "PAYMENT_WALLET_REQUIRED")["details"];
        assert_eq!(list(details, "payable_with_your_wallets"), [json!("SOL"), json!("USDC_SOL")]);
        for (fault, code) in [("too_low", "PAYMENT_ROUTE_MINIMUM_NOT_MET"), ("no_route", "PAYMENT_ROUTE_UNAVAILABLE")] {
            world.sandbox.fault("quote", fault, 60_000).await?;
            let asked = market.seller.post(&path).currency("SOL").send().await?;
            let error = asked.refused(400, code);
            assert_eq!(text(&error["recovery"], "next_action"), "leave_currency_out");
            assert_eq!(error["details"]["origin_currencies"], json!(["USDC_SOL"]));
            let any = market.refund(&id).await?;
            assert_eq!(text(&any.refused(400, code)["recovery"], "next_action"), "no_action_needed");
            world.sandbox.clear_faults().await?;
        }
        // The same token on the same chain: nothing is added.
        let offer = Quote::of(market.seller.post(&path).currency("USDC_SOL").send().await?);
        let pay = &offer.payment()["requirements"]["pay"];
        assert_eq!((text(pay, "amount"), text(pay, "currency")), ("951000", "USDC"));
        let open = Quote::of(market.seller.post(&path).currency("SOL").send().await?);
        assert_eq!(open.id, offer.id, "one payment at a time, in whatever currency");
        world.sandbox.pay(&offer.id).await?;
        market.refund(&id).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_small_amount_that_no_evm_route_carries_is_not_to_be_paid_by_an_evm_seller() -> Outcome {
    isolated(async |world| {
        let (buyer, seller) = (world.agent().await?, world.evm_agent().await?);
        let fields = world.paid_fields(&json!(0.01), "/fail/500");
        let market = world.market_of(buyer, seller, &fields, "/fail/500").await?;
        let id = market.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
        let error = market.refund(&id).await?;
        let recovery = &error.refused(400, "PAYMENT_ROUTE_MINIMUM_NOT_MET")["recovery"];
        assert_eq!((text(recovery, "next_action"), &recovery["retryable"]), ("no_action_needed", &json!(false)));
        Ok(())
    })
}

#[test]
fn what_was_paid_back_is_not_offered_again_whichever_read_is_late() -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        let mut held = 0;
        for k in 1..=READS {
            let (market, id) = owing(world).await?;
            let offer = Quote::of(market.refund(&id).await?);
            proxy.plan(Fault::Delay, k);
            let mut late = pin!(market.refund(&id));
            let reply = tokio::select! {
                reply = late.as_mut() => reply?,
                () = proxy.is_holding() => {
                    held += 1;
                    world.sandbox.pay(&offer.id).await?;
                    market.refund(&id).await?.ok(200);
                    proxy.release();
                    late.await?
                }
            };
            let _ = proxy.end();
            // What was read before the settlement may still be shown: the same payment cannot be made twice.
            let is_same = reply.status == 402 && reply.data()["payment"]["relay_request_id"] == json!(offer.id);
            assert!(is_same || reply.status == 200, "read {k} was late: {}", reply.text());
        }
        assert!(held > READS / 2, "only {held} reads were held");
        Ok(())
    })
}
