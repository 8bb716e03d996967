//! `POST /gateway/:listingId`: changes of the listing between quote and payment, and retention.

use crochet_tests::{Outcome, Replies, isolated, shared, text};
use serde_json::{Value, json};

#[test]
fn a_price_raised_between_quote_and_payment_does_not_count() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let change = json!({ "pricing_amount": 2 });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        assert_eq!(market.quote(&body).await?.id, quote.id, "an open quote is honoured");
        world.sandbox.pay(&quote.id).await?;
        let reply = market.redeem(&quote, &body).await?;
        assert_eq!(reply.ok(200)["charged_amount"]["amount_cents"], 100);
        assert_eq!(market.quote(&json!({ "n": 2 })).await?.payment()["amount"]["amount_cents"], 200);
        Ok(())
    })
}

#[test]
fn a_settled_call_is_delivered_even_if_the_listing_was_since_suspended() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (with_id, without_id, unpaid) = (json!({ "n": 1 }), json!({ "n": 2 }), json!({ "n": 3 }));
        let (first, second) = (market.paid(&with_id).await?, market.paid(&without_id).await?);
        let open = market.quote(&unpaid).await?;
        market.seller.delete(&format!("/listings/{}", market.listing.id)).send().await?;
        market.redeem(&first, &with_id).await?.ok(200);
        // The provider is asked before the listing's state is held against the buyer.
        market.call(&without_id).send().await?.ok(200);
        assert!(market.redeem(&second, &without_id).await?.is_replay());
        market.call(&json!({ "n": 4 })).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        world.sandbox.pay(&open.id).await?;
        market.redeem(&open, &unpaid).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_settled_call_is_delivered_even_if_the_listing_was_since_re_schemed() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let change = json!({ "input_schema": { "type": "string" } });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        market.redeem(&quote, &body).await?.ok(200);
        market.call(&json!({ "n": 2 })).send().await?.refused(422, "INPUT_SCHEMA_MISMATCH");
        Ok(())
    })
}

#[test]
fn a_paid_call_of_a_listing_that_became_free_is_still_the_paid_call() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let change = json!({ "pricing_model": "free", "pricing_amount": 0 });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
        let reply = market.redeem(&quote, &body).await?;
        assert_eq!(reply.ok(200)["charged_amount"]["amount_cents"], 100);
        assert_eq!(market.call(&json!({ "n": 2 })).send().await?.ok(200)["billable"], false);
        Ok(())
    })
}

#[test]
fn an_answer_is_kept_24_h_at_least_then_410_never_a_second_charge() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let first = market.call(&body).idempotency_key("kept").paid_with(&quote.id).send().await?;
        let id = text(first.ok(200), "request_id").to_owned();
        world.later(24 * 3_600 - 10).await?;
        for request in [market.call(&body).paid_with(&quote.id), market.call(&body).idempotency_key("kept")] {
            let again = request.send().await?;
            again.ok(200);
            assert!(again.is_replay() && again.body == first.body);
        }
        world.later(30 * 86_400).await?;
        for request in [market.call(&body).paid_with(&quote.id), market.call(&body).idempotency_key("kept")] {
            request.send().await?.refused(410, "ANSWER_EXPIRED");
        }
        assert_eq!(market.all_received().await?.len(), 1, "the seller is not called again");
        let payments: Vec<Value> =
            market.entries(&market.buyer, &id).await?.into_iter().filter(|entry| entry["type"] == "payment").collect();
        assert_eq!(payments.len(), 1);
        Ok(())
    })
}

#[test]
fn a_call_that_is_paid_and_never_presented_is_kept_for_30_days() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        world.later(29 * 86_400).await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_listing_that_is_closed_names_the_answer_that_was_bought_before() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (body, new) = (json!({ "n": 1 }), json!({ "n": 2 }));
        let (quote, answer) = market.buy(&body).await?;
        market.seller.delete(&format!("/listings/{}", market.listing.id)).send().await?;
        let reply = market.call(&body).send().await?;
        let error = reply.refused(409, "LISTING_NOT_ACTIVE");
        assert_eq!(error["recovery"]["next_action"], "fetch_stored_answer");
        assert_eq!(error["details"]["delivered_relay_request_id"], quote.id);
        assert_eq!(market.redeem(&quote, &body).await?.body, answer.body);
        let reply = market.call(&new).send().await?;
        assert_eq!(reply.refused(409, "LISTING_NOT_ACTIVE")["recovery"]["next_action"], "choose_another_listing");
        Ok(())
    })
}
