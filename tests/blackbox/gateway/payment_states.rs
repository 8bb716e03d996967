//! `POST /gateway/:listingId`: each state of a payment.

use crochet_tests::{Outcome, Quote, Replies, at, list, members, number, shared, text};
use serde_json::json;

#[test]
fn paid_settlement_pending_is_202() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        for status in ["depositing", "pending", "submitted", "delayed"] {
            world.sandbox.set(&quote.id, &json!({ "status": status })).await?;
            for request in [market.call(&body).paid_with(&quote.id), market.call(&body)] {
                let reply = request.send().await?;
                let data = reply.ok(202);
                assert_eq!(members(data), ["relay_request_id", "request_id", "retry_after_seconds", "retryable", "status"]);
                assert_eq!((&data["status"], &data["retryable"]), (&json!("pending"), &json!(true)), "{status}");
                assert_eq!(data["relay_request_id"], quote.id);
                assert!(number(data, "retry_after_seconds") > 0);
            }
        }
        assert!(market.all_received().await?.is_empty());
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn with_the_id_while_the_provider_says_waiting_it_is_402_and_payment_seen_false() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let again = Quote::of(market.redeem(&quote, &body).await?);
        assert_eq!((&again.id, again.payment()), (&quote.id, quote.payment()), "the same quote");
        assert_eq!(again.details()["payment_seen"], false);
        let summary = text(&again.reply.error()["recovery"], "summary").to_lowercase();
        assert!(summary.contains("twice") || summary.contains("again"), "says not to pay twice: {summary}");
        Ok(())
    })
}

#[test]
fn asked_again_without_the_id_after_paying_is_as_if_the_id_had_been_sent() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let reply = market.call(&body).send().await?;
        assert_eq!(reply.ok(200)["billable"], true);
        let again = market.redeem(&quote, &body).await?;
        assert!(again.is_replay() && again.body == reply.body);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn payment_failed_or_refunded_is_402_with_a_new_quote_and_the_reason() -> Outcome {
    shared(async |world| {
        for (status, reason) in [("failure", "SLIPPAGE"), ("refund", "DEPOSITED_AMOUNT_TOO_LOW_TO_FILL")] {
            let market = world.market(1.0).await?;
            let body = json!({ "n": 1 });
            let quote = market.quote(&body).await?;
            world.sandbox.set(&quote.id, &json!({ "status": status, "fail_reason": reason })).await?;
            let new = Quote::of(market.redeem(&quote, &body).await?);
            assert_ne!(new.id, quote.id, "{status}");
            let told = new.reply.error().to_string().to_lowercase();
            assert!(told.contains("fail") || told.contains("refund"), "{told}");
            assert!(market.all_received().await?.is_empty());
            world.sandbox.pay(&new.id).await?;
            market.redeem(&new, &body).await?.ok(200);
            let row = market.row(&quote.id).await?;
            assert!(matches!(text(&row["payment"], "state"), "failed" | "refunded"), "{row}");
            assert_eq!(row["charge"]["state"], "none", "the first one was never charged");
        }
        Ok(())
    })
}

#[test]
fn a_refund_although_the_seller_was_paid_settles() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        // A second deposit is given back; the first one has reached the seller.
        let change = json!({ "status": "refund", "fail_reason": "DOUBLE_SPEND", "fill": true });
        world.sandbox.set(&quote.id, &change).await?;
        market.redeem(&quote, &body).await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_failure_that_is_confirmed_after_all_settles() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.set(&quote.id, &json!({ "status": "failure", "fail_reason": "TRANSACTION_NOT_INCLUDED" })).await?;
        let new = Quote::of(market.redeem(&quote, &body).await?);
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.ok(200);
        assert_ne!(new.id, quote.id);
        Ok(())
    })
}

#[test]
fn success_to_another_recipient_or_with_another_output_is_payment_mismatch() -> Outcome {
    shared(async |world| {
        let stranger = crochet_tests::Wallet::solana();
        let wrong = [
            json!({ "status": "success", "recipient": stranger.address() }),
            json!({ "status": "success", "output": "950999" }),
            json!({ "status": "success", "output": "1" }),
        ];
        for change in wrong {
            let market = world.market(1.0).await?;
            let body = json!({ "n": 1 });
            let quote = market.quote(&body).await?;
            world.sandbox.set(&quote.id, &change).await?;
            market.redeem(&quote, &body).await?.refused(409, "PAYMENT_MISMATCH");
            assert!(market.all_received().await?.is_empty(), "{change}: nothing is forwarded");
            assert_eq!(market.row(&quote.id).await?["charge"]["state"], "pending", "something was paid");
        }
        Ok(())
    })
}

#[test]
fn a_superseded_payment_is_followed() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let other = format!("0x{}", hex::encode([7_u8; 28]) + &hex::encode(&crochet_tests::unique_name().as_bytes()[..4]));
        world.sandbox.set(&quote.id, &json!({ "status": "refund", "superseded_by": other })).await?;
        world.sandbox.pay(&other).await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_webhook_id_is_the_request_id_and_was_known_while_pending() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        world.sandbox.set(&quote.id, &json!({ "status": "pending" })).await?;
        let pending = market.redeem(&quote, &body).await?.ok(202)["request_id"].clone();
        world.sandbox.pay(&quote.id).await?;
        let reply = market.redeem(&quote, &body).await?;
        assert_eq!(at(reply.ok(200), "/request_id"), &pending);
        assert_eq!(at(reply.data(), "/seller_response/webhook_id"), &pending);
        assert_eq!(list(&json!({ "c": market.all_received().await? }), "c").len(), 1);
        Ok(())
    })
}
