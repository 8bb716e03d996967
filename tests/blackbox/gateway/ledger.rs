//! `GET /ledger`.

use crochet_tests::{Outcome, Replies, Setup, is_time, list, members, number, shared, text, with_setup};
use serde_json::{Value, json};

#[test]
fn settlement_writes_payment_seller_credit_and_marketplace_fee_that_sum_to_zero() -> Outcome {
    shared(async |world| {
        for (price, total, fee) in [(1.0, 1_000_000, 49_000), (0.0001, 100, 5), (0.29, 290_000, 14_210)] {
            let market = world.market(price).await?;
            let (quote, reply) = market.buy(&json!({})).await?;
            let id = text(reply.data(), "request_id");
            let bought = market.entries(&market.buyer, id).await?;
            let sold = market.entries(&market.seller, id).await?;
            assert_eq!((bought.len(), sold.len()), (1, 1), "a caller sees those of its own account");
            for (entry, kind, amount) in [(&bought[0], "payment", -total), (&sold[0], "seller_credit", total - fee)] {
                assert_eq!(
                    members(entry),
                    ["amount", "created_at", "id", "listing_id", "relay_request_id", "request_id", "settlement", "type"]
                );
                assert_eq!((text(entry, "type"), number(&entry["amount"], "amount_micros")), (kind, amount));
                assert_eq!((&entry["listing_id"], &entry["relay_request_id"]), (&json!(market.listing.id), &json!(quote.id)));
                assert!(text(entry, "id").starts_with("led_") && is_time(&entry["created_at"]));
                assert_eq!(entry["settlement"], Value::Null);
            }
            assert_eq!(number(&reply.data()["fees"], "fee_amount_micros"), fee);
            // Payment, credit and fee.
            assert_eq!(-total + (total - fee) + fee, 0);
        }
        Ok(())
    })
}

#[test]
fn the_suites_own_audit_sees_the_calls_that_were_paid() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let market = world.market(1.0).await?;
        market.quote(&json!("open")).await?;
        for n in 0..3 {
            market.buy(&json!({ "n": n })).await?;
        }
        assert_eq!(world.audit().await?, Some(3));
        Ok(())
    })
}

#[test]
fn an_entry_is_written_when_a_payment_settles_not_when_it_is_quoted() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let body = json!({});
        let quote = market.quote(&body).await?;
        let reply = market.buyer.get("/ledger").send().await?;
        assert_eq!(reply.ok(200)["entries"], json!([]));
        world.sandbox.pay(&quote.id).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        let reply = market.buyer.get("/ledger").send().await?;
        assert_eq!(list(reply.ok(200), "entries").len(), 1);
        Ok(())
    })
}

#[test]
fn negative_amounts_round_like_positive_ones() -> Outcome {
    shared(async |world| {
        let market = world.market(1.005).await?;
        let (_, reply) = market.buy(&json!({})).await?;
        let entries = market.entries(&market.buyer, text(reply.data(), "request_id")).await?;
        assert_eq!(entries[0]["amount"], json!({ "amount_cents": -101, "amount_micros": -1_005_000, "currency": "USD" }));
        Ok(())
    })
}

#[test]
fn entries_come_newest_first_page_by_page() -> Outcome {
    shared(async |world| {
        let market = world.market(0.5).await?;
        let mut calls = Vec::new();
        for n in 0..5 {
            let (_, reply) = market.buy(&json!({ "n": n })).await?;
            calls.insert(0, reply.data()["request_id"].clone());
        }
        for agent in [&market.buyer, &market.seller] {
            let mut seen = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let mut request = agent.get("/ledger").query("limit", 2);
                if let Some(cursor) = &cursor {
                    request = request.query("cursor", cursor);
                }
                let reply = request.send().await?;
                let data = reply.ok(200);
                assert_eq!(members(data), ["entries", "has_more", "next_cursor"]);
                seen.extend(list(data, "entries").iter().map(|entry| entry["request_id"].clone()));
                cursor = data["next_cursor"].as_str().map(str::to_owned);
                assert_eq!(data["has_more"], cursor.is_some());
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, calls);
        }
        Ok(())
    })
}

#[test]
fn filters_by_type_and_time() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        // The buyer earns something as well.
        let path = world.echo_path();
        let own = market.buyer.create_listing(&world.paid_fields(&json!(2), &path)).await?;
        world.seller.add_secret(&own.signing_secret, &path).await?;
        let quote = crochet_tests::Quote::of(market.seller.call(&own.id, &json!({})).send().await?);
        world.sandbox.pay(&quote.id).await?;
        market.seller.call(&own.id, &json!({})).paid_with(&quote.id).send().await?.ok(200);
        let types = async |query: &[(&str, &str)]| -> Result<Vec<String>, crochet_tests::Failure> {
            let mut request = market.buyer.get("/ledger");
            for (name, value) in query {
                request = request.query(name, value);
            }
            let reply = request.send().await?;
            let mut types: Vec<String> =
                list(reply.ok(200), "entries").iter().map(|entry| text(entry, "type").to_owned()).collect();
            types.sort();
            Ok(types)
        };
        assert_eq!(types(&[]).await?, ["payment", "seller_credit"]);
        assert_eq!(types(&[("type", "payment")]).await?, ["payment"]);
        assert_eq!(types(&[("type", "seller_credit")]).await?, ["seller_credit"]);
        assert!(types(&[("type", "marketplace_fee")]).await?.is_empty(), "that is the operator's");
        assert!(types(&[("type", "adjustment")]).await?.is_empty());
        assert_eq!(types(&[("from", "2020-01-01T00:00:00Z"), ("to", "2999-01-01T00:00:00Z")]).await?.len(), 2);
        assert!(types(&[("to", "2020-01-01T00:00:00Z")]).await?.is_empty());
        assert!(types(&[("from", "2999-01-01T00:00:00Z")]).await?.is_empty());
        for (name, value) in [("type", "gift"), ("from", "yesterday"), ("to", "1"), ("limit", "0"), ("limit", "101")] {
            let reply = market.buyer.get("/ledger").query(name, value).send().await?;
            let error = reply.refused(400, "INVALID_REQUEST");
            assert!(text(error, "message").contains(name), "{name}={value}: {error}");
        }
        Ok(())
    })
}

#[test]
fn a_cursor_of_another_account_is_refused() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        for n in 0..2 {
            market.buy(&json!({ "n": n })).await?;
        }
        let reply = market.buyer.get("/ledger").query("limit", 1).send().await?;
        let cursor = text(reply.ok(200), "next_cursor").to_owned();
        market.seller.get("/ledger").query("cursor", &cursor).send().await?.refused(400, "INVALID_CURSOR");
        market.buyer.get("/ledger").query("cursor", format!("{cursor}A")).send().await?.refused(400, "INVALID_CURSOR");
        Ok(())
    })
}
