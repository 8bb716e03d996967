//! `POST /gateway/:listingId` while the payment provider fails. Each test is isolated.

use crochet_tests::{Outcome, Quote, Replies, Setup, isolated, text, with_setup};
use serde_json::json;

/// Duration of a fault in milliseconds, longer than any of these tests.
const LONG: u32 = 60_000;

#[test]
fn provider_down_or_garbage_is_503_and_nothing_is_lost() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        for mode in ["down", "garbage"] {
            world.sandbox.fault("quote", mode, LONG).await?;
            let reply = market.call(&body).send().await?;
            let error = reply.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
            assert_eq!(error["recovery"]["retryable"], true, "{mode}");
            world.sandbox.clear_faults().await?;
        }
        let quote = market.quote(&body).await?;
        world.sandbox.pay(&quote.id).await?;
        for (route, mode) in [("status", "down"), ("status", "garbage"), ("requests", "down"), ("requests", "garbage")] {
            world.sandbox.fault(route, mode, LONG).await?;
            market.redeem(&quote, &body).await?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
            assert!(market.all_received().await?.is_empty(), "{route} {mode}: nothing is forwarded");
            world.sandbox.clear_faults().await?;
        }
        // The same id later.
        market.redeem(&quote, &body).await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn provider_slow_is_503_within_its_time_and_the_same_id_works_later() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        world.sandbox.fault("quote", "slow", LONG).await?;
        world.sandbox.fault("status", "slow", LONG).await?;
        let began = std::time::Instant::now();
        let other = json!({ "n": 2 });
        let (redeemed, quoted) = futures::future::join(market.redeem(&quote, &body), market.call(&other).send()).await;
        redeemed?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        quoted?.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        assert!(began.elapsed().as_secs() < 9, "the provider gets three seconds, not ten");
        world.sandbox.clear_faults().await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_quote_that_is_not_what_was_asked_for_is_503_and_never_shown() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        // Somebody else's quote, whose id the provider may hand out again.
        let victim = world.market(1.0).await?;
        let victims = victim.quote(&json!({ "mine": true })).await?;
        for (n, mode) in ["replay_id", "wrong_recipient", "smaller_output", "wrong_currency"].into_iter().enumerate() {
            world.sandbox.fault("quote", mode, LONG).await?;
            let body = json!({ "n": n });
            let reply = market.call(&body).send().await?;
            reply.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
            assert!(reply.json.get("data").is_none() && !reply.text().contains(&victims.id), "{mode}: {}", reply.text());
            world.sandbox.clear_faults().await?;
            // The call itself is none the worse for it.
            market.quote(&body).await?;
        }
        // Nor is the quote whose id was repeated.
        world.sandbox.pay(&victims.id).await?;
        victim.redeem(&victims, &json!({ "mine": true })).await?.ok(200);
        assert!(market.all_received().await?.is_empty());
        Ok(())
    })
}

#[test]
fn a_record_that_differs_from_the_quote_is_payment_mismatch_and_nothing_is_forwarded() -> Outcome {
    isolated(async |world| {
        for mode in ["wrong_recipient", "smaller_output", "wrong_currency"] {
            let market = world.market(1.0).await?;
            let body = json!({ "n": 1 });
            let quote = market.paid(&body).await?;
            world.sandbox.fault("requests", mode, LONG).await?;
            market.redeem(&quote, &body).await?.refused(409, "PAYMENT_MISMATCH");
            market.call(&body).send().await?.refused(409, "PAYMENT_MISMATCH");
            assert!(market.all_received().await?.is_empty(), "{mode}");
            let ledger = market.buyer.get("/ledger").send().await?;
            assert_eq!(ledger.ok(200)["entries"], json!([]), "{mode}: nothing is settled");
            world.sandbox.clear_faults().await?;
            // Once the provider's record is right, the same request goes through without paying again.
            market.redeem(&quote, &body).await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn an_open_quote_is_asked_about_before_it_is_offered_again_and_the_provider_may_be_down() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        world.sandbox.fault("status", "down", LONG).await?;
        let reply = market.call(&body).send().await?;
        let error = reply.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        assert!(text(&error["recovery"], "summary").to_lowercase().contains("not pay again"), "{error}");
        world.sandbox.clear_faults().await?;
        let reply = market.call(&body).send().await?;
        reply.ok(200);
        assert_eq!(market.row(&quote.id).await?["status"], "delivered");
        Ok(())
    })
}

#[test]
fn expired_quotes_are_not_offered_but_settle_if_they_are_paid() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        let ttl = ttl_seconds(world, &first).await?;
        // Between expires_at and the end of the ttl.
        world.later(ttl - 30).await?;
        let closing = market.quote(&body).await?;
        assert_eq!(closing.id, first.id, "nothing is offered in its place");
        assert!(closing.payment()["requirements"].is_null(), "no longer offered");
        world.sandbox.pay(&first.id).await?;
        market.redeem(&first, &body).await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

async fn ttl_seconds(world: &crochet_tests::World, quote: &Quote) -> Result<i64, crochet_tests::Failure> {
    Ok(crochet_tests::number(&world.sandbox.payment(&quote.id).await?["quote_request"], "ttl"))
}

#[test]
fn ttl_over_and_nothing_paid_is_402_with_a_new_quote_and_the_reason() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        world.later(ttl_seconds(world, &first).await? + 61).await?;
        let second = Quote::of(market.redeem(&first, &body).await?);
        assert_ne!(second.id, first.id);
        let told = second.reply.error().to_string().to_lowercase();
        assert!(told.contains("expired"), "{told}");
        assert_eq!(market.row(&first.id).await?["status"], "expired");
        world.sandbox.pay(&second.id).await?;
        market.redeem(&second, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_success_settles_at_the_quoted_terms_whatever_our_clock_says() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.later(2 * 86_400).await?;
        world.sandbox.pay(&quote.id).await?;
        let change = json!({ "pricing_amount": 5 });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        let reply = market.redeem(&quote, &body).await?;
        assert_eq!(reply.ok(200)["charged_amount"]["amount_cents"], 100);
        Ok(())
    })
}

#[test]
fn a_late_success_turns_an_expired_call_into_a_settled_one() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        world.later(86_400).await?;
        let second = Quote::of(market.redeem(&first, &body).await?);
        assert_ne!(second.id, first.id);
        assert_eq!(market.row(&first.id).await?["status"], "expired");
        // The provider fills the first one after all.
        world.sandbox.pay(&first.id).await?;
        market.redeem(&first, &body).await?.ok(200);
        assert_eq!(market.row(&first.id).await?["status"], "delivered");
        Ok(())
    })
}

#[test]
fn webhooks_of_the_provider_do_not_hinder_a_call() -> Outcome {
    with_setup(Setup { webhooks: true, ..Setup::default() }, async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let told = world.sandbox.pay(&quote.id).await?;
        assert_eq!(told["webhooks"].as_array().map(Vec::len), Some(1), "sent, and answered in whatever way: {told}");
        assert!(told["webhooks"][0]["answered"].is_number());
        market.redeem(&quote, &body).await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_provider_that_does_not_answer_keeps_no_old_settlement_from_a_slow_seller() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        market.set_endpoint(&[("timeout_ms", json!({ "N": "25000" }))]).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        assert_eq!(market.charge(&id).await?, "charged");
        world.later(700).await?;
        world.sandbox.fault("status", "slow", 20_000).await?;
        let mut reply = market.redeem(&quote, &body).await?;
        // Half a second later, on a busy machine, there is no time for such a seller.
        if reply.status == 202 {
            reply = market.redeem(&quote, &body).await?;
        }
        reply.ok(200);
        Ok(())
    })
}
