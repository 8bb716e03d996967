//! `POST /gateway/:listingId`: from no payment to a quote.

use std::collections::BTreeSet;

use crochet_tests::{Failure, Outcome, Quote, Replies, Setup, World, at, is_time, list, members, number, shared, text, with_setup};
use serde_json::{Value, json};

/// The sandbox's record of a quote, with its request.
async fn asked(world: &World, quote: &Quote) -> Result<Value, Failure> {
    Ok(world.sandbox.payment(&quote.id).await?)
}

/// A market whose buyer has an EVM wallet and whose seller is paid on Solana.

#[test]
fn a_paid_listing_without_payment_is_402_payment_required_with_data_payment() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({ "task": "run", "input": "..." })).await?;
        assert_eq!(
            text(quote.reply.error(), "message"),
            "Complete payment, then retry this gateway call with X-Crochet-Relay-Request-Id."
        );
        assert_eq!(members(&quote.reply.json), ["data", "error", "success"], "error and data.payment together, side by side");
        let payment = quote.payment();
        assert_eq!(
            members(payment),
            ["amount", "expires_at", "origin_currency", "pay_from", "provider", "relay_request_id", "requirements"]
        );
        assert_eq!(payment["provider"], "relay");
        assert_eq!(payment["amount"], json!({ "amount_cents": 100, "amount_micros": 1_000_000, "currency": "USD" }));
        assert_eq!(payment["origin_currency"], "SOL");
        let wallet = &list(&market.buyer.issued, "wallets")[0];
        let pay_from = json!({ "wallet_id": wallet["id"], "address": wallet["address"], "chain": "solana" });
        assert_eq!(payment["pay_from"], pay_from);
        assert!(is_time(&payment["expires_at"]));
        let requirements = &payment["requirements"];
        for member in ["kind", "chain_id", "pay", "steps", "api_base", "status_url", "refund_to"] {
            assert!(requirements.get(member).is_some(), "requirements.{member} is missing: {requirements}");
        }
        assert_eq!((&requirements["kind"], &requirements["refund_to"]), (&json!("relay"), &wallet["address"]));
        assert_eq!(members(&requirements["pay"]), ["amount", "amount_formatted", "amount_usd", "currency"]);
        let steps = list(requirements, "steps");
        assert_eq!(steps[0]["requestId"], quote.id, "the provider's steps, verbatim");
        assert!(steps[0].to_string().contains("\"programId\""), "with the transaction: {}", steps[0]);
        assert!(text(requirements, "status_url").contains(&quote.id));
        assert!(market.all_received().await?.is_empty());
        Ok(())
    })
}

#[test]
fn the_provider_is_asked_for_exact_output_of_seller_receives() -> Outcome {
    shared(async |world| {
        for (price, receives, fee) in
            [(1.0, 951_000, 49_000), (0.0001, 95, 5), (0.29, 275_790, 14_210), (9999.999999, 9_509_999_999_i64, 490_000_000)]
        {
            let market = world.market(price).await?;
            let quote = market.quote(&json!({})).await?;
            let record = asked(world, &quote).await?;
            let request = &record["quote_request"];
            assert_eq!((text(request, "tradeType"), text(request, "amount")), ("EXACT_OUTPUT", receives.to_string().as_str()));
            assert_eq!(text(request, "recipient"), market.seller.wallet.address(), "the quote pays the seller's payout wallet");
            assert_eq!(text(request, "user"), market.buyer.wallet.address());
            assert_eq!(text(request, "refundTo"), market.buyer.wallet.address(), "refundTo the payer");
            assert_eq!(text(request, "destinationCurrency"), "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
            assert!(number(request, "ttl") > 60, "{request}");
            // The smallest app fee that yields the fee or more to the operator's wallet.
            assert!(number(&record, "app_fee_micros") >= fee, "{record}");
            let fees = list(request, "appFees");
            assert_eq!(fees.len(), 1);
            assert!(text(&fees[0], "recipient").starts_with("0x"));
            let bps: i64 = text(&fees[0], "fee").parse()?;
            assert!((bps - 1) * (receives + fee) < fee * 10_000, "{bps} is not the smallest");
        }
        Ok(())
    })
}

#[test]
fn expires_at_lies_180_s_before_the_ttl_ends() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({})).await?;
        let record = asked(world, &quote).await?;
        let end = seconds(text(&record, "expires_at"));
        let offered = seconds(text(quote.payment(), "expires_at"));
        // The provider's own clock begins when it answers.
        assert!((179..=185).contains(&(end - offered)), "{end} - {offered}");
        Ok(())
    })
}

/// Seconds since midnight of a time.
fn seconds(time: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| time[range].parse::<i64>().expect("digits");
    part(8..10) * 86_400 + part(11..13) * 3_600 + part(14..16) * 60 + part(17..19)
}

#[test]
fn the_same_call_again_while_the_quote_is_valid_gets_the_same_one() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({ "a": 1, "b": [1, 2], "c": "é" })).await?;
        let same = ["{\"a\":1,\"b\":[1,2],\"c\":\"é\"}", " { \"c\" : \"\\u00e9\",\n\"b\":[1.0, 2e0],\t\"a\":10e-1 } "];
        for body in same {
            let again = Quote::of(market.call_raw(body).send().await?);
            assert_eq!(again.id, quote.id, "{body}");
            assert_eq!(again.payment(), quote.payment());
            assert_eq!(again.details()["payment_seen"], false);
            let summary = text(&again.reply.error()["recovery"], "summary").to_lowercase();
            assert!(summary.contains("twice") || summary.contains("again"), "says not to pay twice: {summary}");
        }
        // By slug it is the same listing.
        let body = json!({ "a": 1, "b": [1, 2], "c": "é" });
        assert_eq!(Quote::of(market.buyer.call(&market.listing.slug, &body).send().await?).id, quote.id);
        let other = ["{\"a\":1,\"b\":[2,1],\"c\":\"é\"}", "{\"a\":\"1\",\"b\":[1,2],\"c\":\"é\"}", "{\"a\":1,\"b\":[1,2]}"];
        for body in other {
            assert_ne!(Quote::of(market.call_raw(body).send().await?).id, quote.id, "{body}");
        }
        Ok(())
    })
}

#[test]
fn integers_beyond_2_53_compare_digit_by_digit_and_are_forwarded_as_written() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let one = Quote::of(market.call_raw("{\"n\":9007199254740993}").send().await?);
        for other in ["9007199254740992", "9007199254740994", "90071992547409930", "12345678901234567890123456789"] {
            assert_ne!(Quote::of(market.call_raw(format!("{{\"n\":{other}}}")).send().await?).id, one.id, "{other}");
        }
        let same = Quote::of(market.call_raw("{ \"n\" : 9007199254740993 }").send().await?);
        assert_eq!(one.id, same.id);
        world.sandbox.pay(&one.id).await?;
        market.call_raw("{\"n\":9007199254740993}").paid_with(&one.id).send().await?.ok(200);
        assert_eq!(market.all_received().await?[0]["body"], "{\"n\":9007199254740993}");
        Ok(())
    })
}

#[test]
fn a_quote_is_bound_to_buyer_profile_listing_body_and_key() -> Outcome {
    shared(async |world| {
        let (market, other) = (world.market(1.0).await?, world.market(1.0).await?);
        let body = json!({ "n": 1 });
        let mut ids = BTreeSet::from([market.quote(&body).await?.id]);
        ids.insert(Quote::of(market.call(&body).idempotency_key("a").send().await?).id);
        ids.insert(Quote::of(market.call(&body).idempotency_key("b").send().await?).id);
        ids.insert(Quote::of(other.buyer.call(&market.listing.id, &body).send().await?).id);
        ids.insert(Quote::of(market.buyer.call(&other.listing.id, &body).send().await?).id);
        assert_eq!(ids.len(), 5);
        assert_eq!(Quote::of(market.call(&body).idempotency_key("a").send().await?).details()["payment_seen"], false);
        Ok(())
    })
}

#[test]
fn zero_byte_body_is_a_price_probe_and_nothing_is_quoted() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let reply = market.call_raw("").send().await?;
        reply.refused(402, "PAYMENT_REQUIRED");
        let payment = at(&reply.json, "/data/payment");
        assert_eq!((&payment["probe"], &payment["relay_request_id"]), (&json!(true), &Value::Null));
        assert_eq!((payment.get("requirements"), payment.get("relay_request_id")), (Some(&Value::Null), Some(&Value::Null)));
        assert_eq!(number(&payment["amount"], "amount_cents"), 100);
        assert_eq!(payment["origin_currencies"], json!(["SOL", "ETH", "USDC"]));
        assert!(world.sandbox.requests(Some(market.buyer.wallet.address())).await?.is_empty());
        let history = market.buyer.get("/gateway-requests").send().await?;
        assert!(list(history.ok(200), "gateway_requests").is_empty());
        Ok(())
    })
}

#[test]
fn a_call_is_checked_before_it_is_asked_for_money() -> Outcome {
    shared(async |world| {
        let path = world.echo_path();
        let mut fields = world.paid_fields(&json!(1), &path);
        fields["input_schema"] = json!({ "type": "object", "required": ["city"] });
        let market = world.market_with(&fields, &path).await?;
        market.call(&json!({})).send().await?.refused(422, "INPUT_SCHEMA_MISMATCH");
        market.call_raw("{\"city\":1,\"city\":2}").send().await?.refused(400, "INVALID_JSON");
        market.call_raw(format!("\"{}\"", "x".repeat(300_000))).send().await?.refused(413, "PAYLOAD_TOO_LARGE");
        market.seller.delete(&format!("/listings/{}", market.listing.id)).send().await?;
        market.call(&json!({ "city": "Ulm" })).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        market.call_raw("").send().await?.refused(409, "LISTING_NOT_ACTIVE");
        assert!(world.sandbox.requests(Some(market.buyer.wallet.address())).await?.is_empty(), "nothing was quoted");
        Ok(())
    })
}

#[test]
fn five_open_unpaid_quotes_per_buyer() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "")]), async |world| {
        let market = world.market(1.0).await?;
        let mut quotes = Vec::new();
        for n in 0..5 {
            quotes.push(market.quote(&json!({ "n": n })).await?);
        }
        let reply = market.call(&json!({ "n": 5 })).send().await?;
        let error = reply.refused(429, "QUOTE_LIMIT");
        assert_eq!(error["recovery"]["retryable"], true);
        // An open quote is still there for its call, and paying one makes room.
        assert_eq!(market.quote(&json!({ "n": 0 })).await?.id, quotes[0].id);
        world.sandbox.pay(&quotes[0].id).await?;
        market.redeem(&quotes[0], &json!({ "n": 0 })).await?.ok(200);
        market.quote(&json!({ "n": 5 })).await?;
        // So does time.
        world.later(3_600).await?;
        market.quote(&json!({ "n": 6 })).await?;
        Ok(())
    })
}

#[test]
fn ten_quotes_a_minute_per_buyer() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "")]), async |world| {
        let market = world.market(1.0).await?;
        world.at_a_minutes_start().await?;
        let mut quoted = 0;
        for n in 0..12 {
            let reply = market.call(&json!({ "n": n })).send().await?;
            if reply.status == 429 {
                reply.refused(429, "QUOTE_LIMIT");
                break;
            }
            let quote = Quote::of(reply);
            quoted += 1;
            // Paid at once, so that it is not open.
            world.sandbox.pay(&quote.id).await?;
            market.redeem(&quote, &json!({ "n": n })).await?.ok(200);
        }
        assert_eq!(quoted, 10);
        Ok(())
    })
}

#[test]
fn quotes_of_parallel_first_calls_are_one() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for key in [None, Some("parallel")] {
            let calls = (0..8).map(|_| market.call(&json!({ "n": 1 })).header_if("idempotency-key", key).send());
            let replies = futures::future::try_join_all(calls).await?;
            let ids: BTreeSet<String> =
                replies.into_iter().filter(|reply| reply.status != 409).map(|reply| Quote::of(reply).id).collect();
            assert_eq!(ids.len(), 1, "{key:?}: {ids:?}");
        }
        Ok(())
    })
}
