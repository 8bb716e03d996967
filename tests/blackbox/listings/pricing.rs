//! `POST /listings`: exact parsing of prices.

use crochet_tests::{Agent, Failure, Outcome, Pow, Replies, Reply, Setup, Wallet, list, number, shared, with_setup};
use serde_json::{Value, json};

/// The proof of work for a new listing.
async fn work(seller: &Agent) -> Result<Pow, Failure> {
    let reply = seller.post("/listings/challenge").send().await?;
    Ok(Pow::read(&reply.ok(200)["pow"])?)
}

/// Sends a listing as hand-written JSON, with the exact spelling of numbers.
async fn create_text(seller: &Agent, fields: &str) -> Result<Reply, Failure> {
    let pow = work(seller).await?;
    let body = format!(r#"{{{fields},"pow_challenge":"{}","pow_nonce":"{}"}}"#, pow.challenge, pow.solve());
    Ok(seller.post("/listings").header("content-type", "application/json").raw_body(body).send().await?)
}

#[test]
fn prices_are_read_exactly() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_MAX_LISTINGS", "100")]), async |world| {
        let seller = world.agent().await?;
        let fields = |price: &str| {
            format!(
                r#""name":"Exact price","description":"x","pricing_model":"per_call","private_endpoint_url":"{}","pricing_amount":{price}"#,
                world.seller.url("/echo")
            )
        };
        let good = [
            ("0.0001", 100, 0),
            ("1", 1_000_000, 100),
            ("1.0", 1_000_000, 100),
            ("1e0", 1_000_000, 100),
            ("0.29", 290_000, 29),
            ("1.005", 1_005_000, 101),
            ("4.35", 4_350_000, 435),
            ("0.004999", 4_999, 0),
            ("0.005", 5_000, 1),
            ("1e-4", 100, 0),
            ("0.1e-2", 1_000, 0),
            ("10000", 10_000_000_000, 1_000_000),
            ("1E+4", 10_000_000_000, 1_000_000),
            ("9999.999999", 9_999_999_999, 1_000_000),
            ("0.1000000000", 100_000, 10),
        ];
        for (price, micros, cents) in good {
            let reply = create_text(&seller, &fields(price)).await?;
            let shown = &reply.ok(201)["listing"]["price"];
            assert_eq!((number(shown, "amount_micros"), number(shown, "amount_cents")), (micros, cents), "{price}");
        }
        let bad = [
            "0",
            "-1",
            "0.00009",
            "0.00009999",
            "0.0001001",
            "10000.000001",
            "10000.01",
            "1e5",
            "0.0000001",
            "\"1\"",
            "null",
            "true",
            "[1]",
            "1e-7",
            "1.0000001",
            "99999999999999999999",
            "1e300",
        ];
        for price in bad {
            let reply = create_text(&seller, &fields(price)).await?;
            let error = reply.refused(400, "INVALID_REQUEST");
            assert!(error.to_string().contains("pricing_amount"), "{price}: {error}");
        }
        create_text(&seller, &fields("1e400")).await?.refused(400, "INVALID_JSON");
        Ok(())
    })
}

#[test]
fn a_free_listing_costs_0_null_or_nothing() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        for price in [json!(0), json!(0.0), Value::Null] {
            let mut fields = world.free_fields("/echo");
            fields["pricing_amount"] = price;
            let reply = seller.try_create_listing(&fields).await?;
            assert_eq!(number(&reply.ok(201)["listing"]["price"], "amount_micros"), 0);
        }
        let mut fields = world.free_fields("/echo");
        fields["pricing_amount"] = json!(1);
        seller.try_create_listing(&fields).await?.refused(400, "INVALID_REQUEST");
        // It may do without an endpoint.
        let fields = json!({ "name": "No endpoint", "description": "x", "pricing_model": "free" });
        let reply = seller.try_create_listing(&fields).await?;
        assert!(reply.ok(201)["gateway_endpoint"].is_null(), "{}", reply.text());
        Ok(())
    })
}

#[test]
fn a_price_that_could_reach_nobody_needs_a_payout_wallet() -> Outcome {
    shared(async |world| {
        let fields = json!({ "display_name": "Unpaid", "capabilities": ["auth", "recovery", "payment"] });
        let seller = world.client.register_with(&Wallet::solana(), &fields).await?;
        let reply = seller.try_create_listing(&world.paid_fields(&json!(1), "/echo")).await?;
        reply.refused(409, "PAYOUT_WALLET_REQUIRED");
        seller.try_create_listing(&world.free_fields("/echo")).await?.ok(201);
        Ok(())
    })
}

#[test]
fn warnings_say_that_a_price_is_below_a_routes_minimum() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let reply = seller.try_create_listing(&world.paid_fields(&json!(0.01), "/echo")).await?;
        let warnings = list(reply.ok(201), "warnings");
        assert!(!warnings.is_empty(), "{}", reply.text());
        Ok(())
    })
}
