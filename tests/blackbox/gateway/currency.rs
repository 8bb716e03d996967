//! `POST /gateway/:listingId`: the currency of a quote, and unavailable routes.

use crochet_tests::{Failure, Market, Outcome, Quote, Replies, Wallet, World, list, number, shared, text};
use serde_json::json;

async fn evm_buyer(world: &World, price: f64) -> Result<Market<'_>, Failure> {
    let path = world.echo_path();
    let fields = world.paid_fields(&json!(price), &path);
    world.market_of(world.evm_agent().await?, world.agent().await?, &fields, &path).await
}

#[test]
fn without_a_key_another_explicit_currency_gets_its_own_quote() -> Outcome {
    shared(async |world| {
        let market = evm_buyer(world, 1.0).await?;
        let body = json!({ "n": 1 });
        let eth = Quote::of(market.call(&body).currency("ETH").send().await?);
        let usdc = Quote::of(market.call(&body).currency("USDC").send().await?);
        assert_ne!(eth.id, usdc.id);
        assert_eq!((&eth.payment()["origin_currency"], &usdc.payment()["origin_currency"]), (&json!("ETH"), &json!("USDC")));
        for (currency, quote) in [("ETH", &eth), ("USDC", &usdc)] {
            assert_eq!(Quote::of(market.call(&body).currency(currency).send().await?).id, quote.id, "{currency}");
        }
        // USDC is a token: its approval comes first.
        assert_eq!(list(&usdc.payment()["requirements"], "steps").len(), 2);
        Ok(())
    })
}

#[test]
fn absent_the_currency_is_that_of_the_buyers_default_payment_wallet() -> Outcome {
    shared(async |world| {
        let market = evm_buyer(world, 1.0).await?;
        let quote = market.quote(&json!({})).await?;
        assert_eq!((&quote.payment()["origin_currency"], &quote.payment()["pay_from"]["chain"]), (&json!("ETH"), &json!("evm")));
        assert_eq!(number(&quote.payment()["requirements"], "chain_id"), 8_453);
        Ok(())
    })
}

#[test]
fn a_currency_that_is_none_is_400_unsupported_origin_currency() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for currency in ["BTC", "sol", "USDC_ETH", "", "SOL,ETH", "💰"] {
            let reply = market.call(&json!({})).currency(currency).send().await?;
            let error = reply.refused(400, "UNSUPPORTED_ORIGIN_CURRENCY");
            let told = error.to_string();
            assert!(["SOL", "USDC_SOL", "ETH", "USDC"].iter().all(|name| told.contains(name)), "{told}");
            let probe = market.buyer.post(&format!("/gateway/{}", market.listing.id));
            probe.currency(currency).send().await?.refused(400, "UNSUPPORTED_ORIGIN_CURRENCY");
        }
        market.quote(&json!({})).await?;
        Ok(())
    })
}

#[test]
fn a_buyer_without_a_wallet_for_the_route_is_told_to_link_one() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for currency in ["ETH", "USDC"] {
            let reply = market.call(&json!({})).currency(currency).send().await?;
            let error = reply.refused(400, "PAYMENT_WALLET_REQUIRED");
            assert_eq!(text(&error["recovery"], "next_action"), "link_payment_wallet");
            assert!(text(&error["recovery"], "summary").contains("/me/wallets"));
        }
        let market = evm_buyer(world, 1.0).await?;
        market.call(&json!({})).currency("SOL").send().await?.refused(400, "PAYMENT_WALLET_REQUIRED");
        // A wallet that may not pay is none.
        let fields = json!({ "display_name": "No payment", "capabilities": ["auth", "recovery", "payout"] });
        let buyer = world.client.register_with(&Wallet::solana(), &fields).await?;
        buyer.call(&market.listing.id, &json!({})).send().await?.refused(400, "PAYMENT_WALLET_REQUIRED");
        Ok(())
    })
}

#[test]
fn a_routes_minimum_above_the_price_is_payment_route_minimum_not_met_as_in_the_seeds() -> Outcome {
    shared(async |world| {
        let market = evm_buyer(world, 0.01).await?;
        for request in [market.call(&json!({})), market.call(&json!({})).currency("ETH").idempotency_key("low")] {
            let reply = request.send().await?;
            let error = reply.refused(400, "PAYMENT_ROUTE_MINIMUM_NOT_MET");
            assert_eq!(text(error, "message"), "This payment route cannot support the listing's low per-call price.");
            assert_eq!(error["details"]["seller_endpoint_called"], false);
            assert_eq!(error["details"]["recommended_origin_currency"], "SOL");
            assert_eq!(error["details"]["recommended_gateway_headers"], json!({ "X-Crochet-Origin-Currency": "SOL" }));
            assert_eq!(error["recovery"]["next_action"], "retry_with_solana_payment_route");
            assert_eq!(
                (&error["recovery"]["retry_same_route"], &error["recovery"]["use_new_idempotency_key"]),
                (&json!(false), &json!(true))
            );
        }
        assert!(market.all_received().await?.is_empty());
        Ok(())
    })
}

#[test]
fn no_route_at_all_is_payment_route_unavailable_naming_currencies_that_work() -> Outcome {
    shared(async |world| {
        // USDC on Solana to USDC on Solana.
        let market = world.market(1.0).await?;
        let reply = market.call(&json!({})).currency("USDC_SOL").send().await?;
        let error = reply.refused(400, "PAYMENT_ROUTE_UNAVAILABLE");
        assert!(error["details"].to_string().contains("\"SOL\""), "{error}");
        Quote::of(market.call(&json!({})).currency("SOL").send().await?);
        // USDC on Base to USDC on Base.
        let path = world.echo_path();
        let fields = world.paid_fields(&json!(1), &path);
        let market = world.market_of(world.evm_agent().await?, world.evm_agent().await?, &fields, &path).await?;
        let reply = market.call(&json!({})).currency("USDC").send().await?;
        let error = reply.refused(400, "PAYMENT_ROUTE_UNAVAILABLE");
        assert!(error["details"].to_string().contains("\"ETH\""), "{error}");
        Quote::of(market.call(&json!({})).currency("ETH").send().await?);
        Ok(())
    })
}

#[test]
fn a_currency_without_a_route_never_leads_to_a_new_key_for_a_body_that_may_have_been_paid() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let quote = market.quote(&body).await?;
        let in_usdc = || market.call(&body).currency("USDC_SOL").send();
        let reply = in_usdc().await?;
        let recovery = &reply.refused(400, "PAYMENT_ROUTE_UNAVAILABLE")["recovery"];
        assert_eq!((&recovery["next_action"], &recovery["use_new_idempotency_key"]), (&json!("leave_currency_out"), &json!(false)));
        assert_eq!(market.quote(&body).await?.id, quote.id, "followed literally, it leads to the quote that exists");
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.ok(200);
        let reply = in_usdc().await?;
        let error = reply.refused(400, "PAYMENT_ROUTE_UNAVAILABLE");
        assert_eq!(error["recovery"]["next_action"], "fetch_stored_answer");
        assert_eq!(error["details"]["delivered_relay_request_id"], quote.id);
        Ok(())
    })
}
