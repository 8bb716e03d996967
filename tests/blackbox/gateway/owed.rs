//! `POST /gateway-requests/:id/close`: money that was not needed.

use crochet_tests::{Failure, Market, Outcome, Quote, Replies, World, close, isolated, list, shared, sum, text};
use serde_json::json;

/// A market in which a body was delivered with a second payment and the first one was filled after all: the unused payment.
async fn paid_twice(world: &World) -> Result<(Market<'_>, Quote), Failure> {
    let market = world.market(1.0).await?;
    let body = json!({ "n": 1 });
    let first = market.quote(&body).await?;
    world.sandbox.set(&first.id, &json!({ "status": "failure" })).await?;
    let second = market.quote(&body).await?;
    assert_ne!(first.id, second.id);
    world.sandbox.pay(&second.id).await?;
    market.redeem(&second, &body).await?.ok(200);
    world.sandbox.pay(&first.id).await?;
    Ok((market, first))
}

#[test]
fn an_unused_payment_is_owed_at_once_when_the_buyer_asks() -> Outcome {
    shared(async |world| {
        let (market, unused) = paid_twice(world).await?;
        let named = market.call(&json!({ "n": 1 })).send().await?;
        let details = &named.refused(409, "CALL_ALREADY_DELIVERED")["details"];
        assert_eq!(list(details, "unused_relay_request_ids"), [json!(unused.id)]);
        let id = text(&market.row(&unused.id).await?, "id").to_owned();

        let closed = close(&market.buyer, &id).await?;
        let row = &closed.ok(200)["gateway_request"];
        assert_eq!((text(row, "status"), text(&row["charge"], "state")), ("undelivered", "owed"));
        assert_eq!(close(&market.buyer, &id).await?.ok(200)["gateway_request"], *row, "a repeat returns the same");
        assert_eq!(sum(&market.entries(&market.buyer, &id).await?), 0);
        // What was closed names nothing any more: the body is a new call.
        market.redeem(&unused, &json!({ "n": 1 })).await?.refused(502, "CALL_UNDELIVERED");
        Quote::of(market.call(&json!({ "n": 1 })).send().await?);

        assert_eq!(market.refunded(&id).await?["request_ids"], json!([id]));
        assert_eq!(market.charge(&id).await?, "refunded");
        Ok(())
    })
}

#[test]
fn parallel_requests_close_it_once() -> Outcome {
    shared(async |world| {
        let (market, unused) = paid_twice(world).await?;
        let id = text(&market.row(&unused.id).await?, "id").to_owned();
        let all = futures::future::try_join_all((0..12).map(|_| close(&market.buyer, &id))).await?;
        for reply in all {
            assert_eq!(reply.ok(200)["gateway_request"]["status"], "undelivered");
        }
        assert_eq!(market.entries(&market.seller, &id).await?.len(), 2, "the credit and the debt");
        Ok(())
    })
}

#[test]
fn what_can_be_delivered_was_delivered_or_was_not_paid_is_not_closed() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let action =
            |reply: &crochet_tests::Reply| text(&reply.refused(409, "CALL_NOT_CLOSABLE")["recovery"], "next_action").to_owned();
        let quote = market.quote(&json!({ "n": 1 })).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        assert_eq!(action(&close(&market.buyer, &id).await?), "read_gateway_request");
        world.sandbox.set(&quote.id, &json!({ "status": "pending" })).await?;
        close(&market.buyer, &id).await?.ok(202);
        world.sandbox.pay(&quote.id).await?;
        assert_eq!(action(&close(&market.buyer, &id).await?), "retry_same_request");
        market.redeem(&quote, &json!({ "n": 1 })).await?.refused(502, "SELLER_ERROR");
        let refused = close(&market.buyer, &id).await?;
        assert_eq!(action(&refused), "retry_same_request");
        assert!(refused.error()["details"]["redeliver_until"].is_string());

        let selling = world.market(1.0).await?;
        let (_, delivered) = selling.buy(&json!({ "n": 1 })).await?;
        let id = text(delivered.data(), "request_id");
        assert_eq!(action(&close(&selling.buyer, id).await?), "fetch_stored_answer");
        let seller = close(&selling.seller, id).await?;
        assert_eq!(seller.refused(403, "CALL_ROLE_REQUIRED")["details"]["required_role"], "buyer");
        close(&world.agent().await?, id).await?.refused(404, "CALL_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn an_unused_payment_that_was_refunded_by_the_provider_is_not_owed_as_well() -> Outcome {
    isolated(async |world| {
        let (market, unused) = paid_twice(world).await?;
        let id = text(&market.row(&unused.id).await?, "id").to_owned();
        market.call(&json!({ "n": 1 })).send().await?.refused(409, "CALL_ALREADY_DELIVERED");
        world.sandbox.set(&unused.id, &json!({ "status": "refund" })).await?;
        world.later(700).await?;
        close(&market.buyer, &id).await?.refused(409, "CALL_NOT_CLOSABLE");
        assert_ne!(market.charge(&id).await?, "owed");
        Ok(())
    })
}

#[test]
fn a_payment_that_settles_before_its_call_is_delivered_with_another_is_owed_a_day_later() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        world.sandbox.set(&first.id, &json!({ "status": "failure" })).await?;
        let second = market.paid(&body).await?;
        // The first one is filled after all, and settled because somebody looks at it.
        world.sandbox.pay(&first.id).await?;
        let id = text(&market.row(&first.id).await?, "id").to_owned();
        assert_eq!(market.charge(&id).await?, "charged");
        market.redeem(&second, &body).await?.ok(200);
        world.later(24 * 3_600 - 60).await?;
        world.sweep().await?;
        assert_eq!(market.charge(&id).await?, "charged", "until then it buys the call once more");
        world.later(120).await?;
        world.sweep().await?;
        assert_eq!(market.charge(&id).await?, "owed");
        assert_eq!(sum(&market.entries(&market.buyer, &id).await?), 0);
        Ok(())
    })
}

#[test]
fn a_refunded_settlement_that_shows_as_filled_again_is_payment_mismatch_and_booked_once() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        world.sandbox.set(&quote.id, &json!({ "status": "refund" })).await?;
        world.later(700).await?;
        market.redeem(&quote, &body).await?.refused(402, "PAYMENT_REQUIRED");
        let entries = market.entries(&market.buyer, &id).await?;
        world.sandbox.set(&quote.id, &json!({ "status": "success" })).await?;
        for _ in 0..2 {
            market.redeem(&quote, &body).await?.refused(409, "PAYMENT_MISMATCH");
        }
        world.sweep().await?;
        assert_eq!(market.entries(&market.buyer, &id).await?, entries, "nothing is booked twice");
        Ok(())
    })
}

#[test]
fn a_fill_so_late_that_the_body_had_gone_on_is_what_the_body_leads_to_again() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        world.later(2 * 3_600).await?;
        let second = market.quote(&body).await?;
        assert_ne!(first.id, second.id);
        // The next quote's record lists the first one no more.
        world.later(2 * 3_600).await?;
        market.quote(&body).await?;
        world.sandbox.pay(&first.id).await?;
        market.redeem(&first, &body).await?.refused(502, "SELLER_ERROR");
        // Nothing is offered for payment: the body leads to the call that is paid.
        market.call(&body).send().await?.refused(502, "SELLER_ERROR");
        Ok(())
    })
}
