//! `POST /gateway/:listingId` with an `Idempotency-Key`.

use crochet_tests::{Outcome, Quote, Replies, isolated, shared, unique_name};
use serde_json::json;

#[test]
fn same_key_again_after_delivery_is_the_stored_answer() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = Quote::of(market.call(&body).idempotency_key("k").send().await?);
        world.sandbox.pay(&quote.id).await?;
        // The key alone is enough.
        let first = market.call(&body).idempotency_key("k").send().await?;
        first.ok(200);
        for request in [market.call(&body).idempotency_key("k"), market.call(&body).idempotency_key("k").paid_with(&quote.id)] {
            let again = request.send().await?;
            again.ok(200);
            assert!(again.is_replay() && again.body == first.body);
        }
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn same_key_other_body_listing_or_currency_is_422_idempotency_key_reused() -> Outcome {
    shared(async |world| {
        let path = world.echo_path();
        let fields = world.paid_fields(&json!(1), &path);
        let market = world.market_of(world.evm_agent().await?, world.agent().await?, &fields, &path).await?;
        let other = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = Quote::of(market.call(&body).idempotency_key("k").currency("ETH").send().await?);
        let reused = [
            market.call(&json!({ "n": 2 })).idempotency_key("k").currency("ETH"),
            market.buyer.call(&other.listing.id, &body).idempotency_key("k").currency("ETH"),
            market.call(&body).idempotency_key("k").currency("USDC"),
        ];
        for request in reused {
            request.send().await?.refused(422, "IDEMPOTENCY_KEY_REUSED");
        }
        // Absent, the currency is the stored one; and the same JSON is the same body.
        assert_eq!(Quote::of(market.call(&body).idempotency_key("k").send().await?).id, quote.id);
        assert_eq!(Quote::of(market.call_raw("{ \"n\": 1e0 }").idempotency_key("k").send().await?).id, quote.id);
        world.sandbox.pay(&quote.id).await?;
        market.call(&body).idempotency_key("k").send().await?.ok(200);
        market.call(&json!({ "n": 2 })).idempotency_key("k").send().await?.refused(422, "IDEMPOTENCY_KEY_REUSED");
        Ok(())
    })
}

#[test]
fn a_key_binds_only_once_a_quote_or_an_attempt_is_stored() -> Outcome {
    shared(async |world| {
        let path = world.echo_path();
        let mut fields = world.paid_fields(&json!(1), &path);
        fields["input_schema"] = json!({ "type": "object" });
        let market = world.market_with(&fields, &path).await?;
        market.call(&json!("no object")).idempotency_key("k").send().await?.refused(422, "INPUT_SCHEMA_MISMATCH");
        market
            .call(&json!({ "n": 1 }))
            .idempotency_key("k")
            .currency("BTC")
            .send()
            .await?
            .refused(400, "UNSUPPORTED_ORIGIN_CURRENCY");
        market.call(&json!({ "n": 2 })).idempotency_key("k").currency("ETH").send().await?.refused(400, "PAYMENT_WALLET_REQUIRED");
        market
            .call(&json!({ "n": 3 }))
            .idempotency_key("k")
            .currency("USDC_SOL")
            .send()
            .await?
            .refused(400, "PAYMENT_ROUTE_UNAVAILABLE");
        Quote::of(market.call(&json!({ "n": 4 })).idempotency_key("k").send().await?);
        market.call(&json!({ "n": 5 })).idempotency_key("k").send().await?.refused(422, "IDEMPOTENCY_KEY_REUSED");
        Ok(())
    })
}

#[test]
fn an_unseen_key_sent_with_a_valid_id_becomes_another_name_of_that_call() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let first = market.call(&body).paid_with(&quote.id).idempotency_key("second-name").send().await?;
        first.ok(200);
        let again = market.call(&body).idempotency_key("second-name").send().await?;
        again.ok(200);
        assert!(again.is_replay() && again.body == first.body);
        // After delivery as well.
        let third = market.call(&body).paid_with(&quote.id).idempotency_key("third-name").send().await?;
        assert!(third.is_replay());
        assert!(market.call(&body).idempotency_key("third-name").send().await?.is_replay());
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_key_that_names_another_call_is_409_idempotency_key_conflict() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (one, two) = (json!({ "n": 1 }), json!({ "n": 2 }));
        Quote::of(market.call(&one).idempotency_key("one").send().await?);
        let second = Quote::of(market.call(&two).idempotency_key("two").send().await?);
        world.sandbox.pay(&second.id).await?;
        let reply = market.call(&two).paid_with(&second.id).idempotency_key("one").send().await?;
        reply.refused(409, "IDEMPOTENCY_KEY_CONFLICT");
        assert!(market.all_received().await?.is_empty());
        market.call(&two).paid_with(&second.id).idempotency_key("two").send().await?.ok(200);
        let reply = market.call(&two).paid_with(&second.id).idempotency_key("one").send().await?;
        reply.refused(409, "IDEMPOTENCY_KEY_CONFLICT");
        Ok(())
    })
}

#[test]
fn keys_are_a_buyers_own() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let other = world.agent().await?;
        let body = json!({ "n": 1 });
        let mine = Quote::of(market.call(&body).idempotency_key("same").send().await?);
        let theirs = Quote::of(other.call(&market.listing.id, &json!({ "n": 2 })).idempotency_key("same").send().await?);
        assert_ne!(mine.id, theirs.id);
        Ok(())
    })
}

#[test]
fn a_key_has_1_to_255_printable_characters_and_no_comma() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        for key in ["", "a,b", "tab\there", "ünïcödé", "x".repeat(256).as_str()] {
            let reply = market.call(&json!({})).idempotency_key(key).send().await?;
            assert_eq!((reply.status, reply.code()), (400, "INVALID_IDEMPOTENCY_KEY"), "{key:?}: {}", reply.text());
            reply.refused(400, "INVALID_IDEMPOTENCY_KEY");
        }
        let twice = market.call(&json!({})).idempotency_key("a").idempotency_key("b").send().await?;
        twice.refused(400, "INVALID_IDEMPOTENCY_KEY");
        assert!(market.all_received().await?.is_empty());
        let long = format!("{}{}", unique_name(), "~ !\"#".repeat(60));
        for key in ["x", "#", &long[..255]] {
            market.call(&json!({})).idempotency_key(key).send().await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn after_a_failed_payment_the_same_key_goes_on_with_its_call() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = Quote::of(market.call(&body).idempotency_key("k").send().await?);
        world.sandbox.set(&first.id, &json!({ "status": "failure" })).await?;
        let second = Quote::of(market.call(&body).idempotency_key("k").send().await?);
        assert_ne!(first.id, second.id);
        world.sandbox.pay(&second.id).await?;
        let reply = market.call(&body).idempotency_key("k").send().await?;
        reply.ok(200);
        assert!(market.call(&body).idempotency_key("k").send().await?.is_replay());
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_key_that_came_later_means_one_round_of_a_body_and_no_other() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.paid(&body).await?;
        let answer = market.call(&body).paid_with(&first.id).idempotency_key("later").send().await?;
        answer.ok(200);
        // The same body is bought once more.
        let second = market.paid(&body).await?;
        assert_ne!(first.id, second.id);
        let mixed = market.call(&body).paid_with(&second.id).idempotency_key("later").send().await?;
        mixed.refused(409, "IDEMPOTENCY_KEY_CONFLICT");
        assert_eq!(market.call(&body).idempotency_key("later").send().await?.body, answer.body);
        market.redeem(&second, &body).await?.ok(200);
        // Long after, the record has forgotten what the key was sent for. It buys nothing all the same.
        world.later(3 * 86_400).await?;
        market.quote(&body).await?;
        market.call(&body).idempotency_key("later").send().await?.refused(410, "ANSWER_EXPIRED");
        Ok(())
    })
}

#[test]
fn a_key_of_a_failed_payment_whose_call_was_delivered_and_forgotten_buys_nothing() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let first = market.quote(&body).await?;
        world.sandbox.set(&first.id, &json!({ "status": "failure" })).await?;
        let replaced = market.call(&body).paid_with(&first.id).idempotency_key("later").send().await?;
        let second = Quote::of(replaced);
        world.sandbox.pay(&second.id).await?;
        market.call(&body).idempotency_key("later").send().await?.ok(200);
        world.later(3 * 86_400).await?;
        let again = market.paid(&body).await?;
        market.redeem(&again, &body).await?.ok(200);
        market.call(&body).idempotency_key("later").send().await?.refused(410, "ANSWER_EXPIRED");
        Ok(())
    })
}
