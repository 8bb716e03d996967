//! `POST /gateway/:listingId` with a payment.

use crochet_tests::{Outcome, Quote, Replies, members, number, shared, text};
use serde_json::json;

#[test]
fn the_seeds_retry_same_body_with_the_id_and_without_the_currency() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let first = "{\"task\":\"run the seller capability\",\"input\":{\"example\":true,\"n\":100}}";
        let request = market.call_raw(first).idempotency_key("optional-stable-key").currency("SOL");
        let quote = Quote::of(request.send().await?);
        world.sandbox.pay(&quote.id).await?;
        // The same JSON body, re-serialised by another program: whitespace, key order and number spelling differ.
        let second = "{ \"input\" : { \"n\":1e2, \"example\":true },\n  \"task\":\"run the seller capabilit\\u0079\" }\n";
        let reply = market.call_raw(second).idempotency_key("optional-stable-key").paid_with(&quote.id).send().await?;
        let data = reply.ok(200);
        assert_eq!(data["seller_response"]["echo"], serde_json::from_str::<serde_json::Value>(second)?);
        let received = market.all_received().await?;
        assert_eq!(received.len(), 1);
        assert_eq!(received[0]["body"], second, "byte for byte as in the request being forwarded");
        Ok(())
    })
}

#[test]
fn settled_is_forwarded_once_and_answered_as_in_the_seeds() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (_, reply) = market.buy(&json!({ "task": "run" })).await?;
        let data = reply.data();
        assert_eq!(members(data), ["billable", "charged_amount", "fees", "request_id", "seller_response", "seller_status_code"]);
        assert_eq!(data["billable"], true);
        assert_eq!(data["charged_amount"], json!({ "amount_cents": 100, "amount_micros": 1_000_000, "currency": "USD" }));
        let fees = json!({ "fee_rate": 0.049, "fee_amount_cents": 5, "seller_receives_cents": 95, "fee_amount_micros": 49_000,
            "seller_receives_micros": 951_000 });
        assert_eq!(data["fees"], fees);
        assert_eq!(data["seller_status_code"], 200);
        assert!(text(data, "request_id").starts_with("gw_req_"));
        assert_eq!(market.all_received().await?.len(), 1);
        assert!(!reply.is_replay());
        Ok(())
    })
}

#[test]
fn the_fee_is_rounded_and_the_seller_gets_the_rest() -> Outcome {
    shared(async |world| {
        // 0.0001 USD: 100/5/95 micros and 0/0/0 cents.
        for (price, micros, cents) in [
            (0.0001, (100, 5, 95), (0, 0, 0)),
            (0.29, (290_000, 14_210, 275_790), (29, 1, 28)),
            (1.005, (1_005_000, 49_245, 955_755), (101, 5, 96)),
        ] {
            let market = world.market(price).await?;
            let (_, reply) = market.buy(&json!({})).await?;
            let (charged, fees) = (&reply.data()["charged_amount"], &reply.data()["fees"]);
            let got = (number(charged, "amount_micros"), number(fees, "fee_amount_micros"), number(fees, "seller_receives_micros"));
            assert_eq!(got, micros, "{price}");
            let got = (number(charged, "amount_cents"), number(fees, "fee_amount_cents"), number(fees, "seller_receives_cents"));
            assert_eq!(got, cents, "{price}");
        }
        Ok(())
    })
}

#[test]
fn same_id_again_after_delivery_is_the_stored_answer_byte_for_byte() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let (quote, first) = market.buy(&body).await?;
        for request in [market.call(&body), market.call_raw(" {\"n\" : 1.0} "), market.call(&body).currency("nonsense")] {
            let again = request.paid_with(&quote.id).send().await?;
            again.ok(200);
            assert!(again.is_replay());
            assert_eq!(again.body, first.body);
        }
        assert_eq!(market.all_received().await?.len(), 1, "the seller is not called");
        Ok(())
    })
}

#[test]
fn large_answers_are_replayed_byte_for_byte_too() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/huge/262144").await?;
        let body = json!({ "n": 1 });
        let (quote, first) = market.buy(&body).await?;
        let again = market.redeem(&quote, &body).await?;
        again.ok(200);
        assert!(again.is_replay() && again.body == first.body && first.body.len() > 262_144);
        Ok(())
    })
}

#[test]
fn id_unknown_or_anothers_is_404_payment_not_found() -> Outcome {
    shared(async |world| {
        let (market, thief) = (world.market(1.0).await?, world.agent().await?);
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let unknown = format!("0x{}", "ab".repeat(32));
        market.call(&body).paid_with(&unknown).send().await?.refused(404, "PAYMENT_NOT_FOUND");
        thief.call(&market.listing.id, &body).paid_with(&quote.id).send().await?.refused(404, "PAYMENT_NOT_FOUND");
        // The seller is a stranger to the payment as well.
        market.seller.call(&market.listing.id, &body).paid_with(&quote.id).send().await?.refused(404, "PAYMENT_NOT_FOUND");
        assert!(market.all_received().await?.is_empty());
        for nonsense in ["", "x".repeat(3_000).as_str()] {
            let reply = market.call(&body).paid_with(nonsense).send().await?;
            assert!(matches!(reply.status, 400 | 404), "{}", reply.text());
        }
        market.redeem(&quote, &body).await?.ok(200);
        thief.call(&market.listing.id, &body).paid_with(&quote.id).send().await?.refused(404, "PAYMENT_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn other_listing_or_body_is_409_payment_bound_to_another_request() -> Outcome {
    shared(async |world| {
        let (market, other) = (world.market(1.0).await?, world.market(0.5).await?);
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let wrong_body = market.call(&json!({ "n": 2 })).paid_with(&quote.id).send().await?;
        wrong_body.refused(409, "PAYMENT_BOUND_TO_ANOTHER_REQUEST");
        let wrong_listing = market.buyer.call(&other.listing.id, &body).paid_with(&quote.id).send().await?;
        wrong_listing.refused(409, "PAYMENT_BOUND_TO_ANOTHER_REQUEST");
        assert!(market.all_received().await?.is_empty() && other.all_received().await?.is_empty());
        market.redeem(&quote, &body).await?.ok(200);
        let wrong_body = market.call(&json!({ "n": 2 })).paid_with(&quote.id).send().await?;
        wrong_body.refused(409, "PAYMENT_BOUND_TO_ANOTHER_REQUEST");
        Ok(())
    })
}

#[test]
fn same_body_after_delivery_with_neither_id_nor_key_is_a_new_call() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let (first, reply) = market.buy(&body).await?;
        let second = market.quote(&body).await?;
        assert_ne!(second.id, first.id);
        assert_eq!(second.details()["delivered_request_id"], reply.data()["request_id"]);
        world.sandbox.pay(&second.id).await?;
        let again = market.redeem(&second, &body).await?;
        assert_ne!(again.ok(200)["request_id"], reply.data()["request_id"]);
        assert_eq!(market.all_received().await?.len(), 2);
        assert!(market.redeem(&first, &body).await?.is_replay());
        Ok(())
    })
}

#[test]
fn with_a_payment_id_the_stored_quote_alone_decides_the_currency() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for currency in ["ETH", "DOGE", "USDC_SOL"] {
            let body = json!({ "currency": currency });
            let quote = market.paid(&body).await?;
            market.call(&body).paid_with(&quote.id).currency(currency).send().await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn every_currency_pays() -> Outcome {
    shared(async |world| {
        for (currency, evm_seller) in [("SOL", true), ("USDC_SOL", true), ("ETH", false), ("USDC", false), ("ETH", true)] {
            let seller = if evm_seller { world.evm_agent().await? } else { world.agent().await? };
            let buyer = if currency.contains("SOL") { world.agent().await? } else { world.evm_agent().await? };
            let path = world.echo_path();
            let market = world.market_of(buyer, seller, &world.paid_fields(&json!(1), &path), &path).await?;
            let quote = Quote::of(market.call(&json!({})).currency(currency).send().await?);
            assert_eq!(quote.payment()["origin_currency"], currency);
            let record = world.sandbox.payment(&quote.id).await?;
            let recipient = text(&record["quote_request"], "recipient").to_lowercase();
            assert_eq!(recipient, market.seller.wallet.address().to_lowercase());
            world.sandbox.pay(&quote.id).await?;
            market.redeem(&quote, &json!({})).await?.ok(200);
        }
        Ok(())
    })
}
