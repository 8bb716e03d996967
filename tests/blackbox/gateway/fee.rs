//! The operator's fee, as the provider collects it: at least the fee, and at most 1 % or 100 micro-dollars more.

use crochet_tests::{Failure, Market, Outcome, Replies, Setup, World, isolated, number, shared, with_setup};
use serde_json::{Value, json};

/// Prices in USD, and the fee in micro-dollars.
const PRICES: [(f64, i64); 5] = [(0.0001, 5), (0.01, 490), (1.0, 49_000), (100.0, 4_900_000), (10_000.0, 490_000_000)];

fn at_most(fee: i64) -> i64 {
    fee + (fee / 100).max(100)
}

/// Buys once. Returns how many quotes the provider was asked for.
async fn buy(world: &World, market: &Market<'_>, fee: i64, body: &Value) -> Result<usize, Failure> {
    let before = asked(world, market).await?;
    let (quote, reply) = market.buy(body).await?;
    assert_eq!(number(&reply.data()["fees"], "fee_amount_micros"), fee);
    let paid = world.sandbox.payment(&quote.id).await?;
    let collected = number(&paid, "app_fee_micros");
    assert!((fee..=at_most(fee)).contains(&collected), "{collected} for a fee of {fee}: {}", paid["quote_request"]["appFees"]);
    assert_eq!(paid["quote_request"]["amount"], number(&reply.data()["fees"], "seller_receives_micros").to_string());
    Ok(asked(world, market).await? - before)
}

/// The number of quotes that were asked for with the buyer's wallet.
async fn asked(world: &World, market: &Market<'_>) -> Result<usize, Failure> {
    Ok(world.sandbox.requests(Some(market.buyer.wallet.address())).await?.len())
}

#[test]
fn the_operator_gets_the_fee_and_little_more_at_every_price_with_one_quote() -> Outcome {
    // Costs are remembered by a process.
    with_setup(Setup::default(), async |world| {
        for (price, fee) in PRICES {
            let market = world.market(price).await?;
            assert_eq!(buy(world, &market, fee, &json!({ "n": 1 })).await?, 1, "{price}: the documented costs are expected");
            assert_eq!(buy(world, &market, fee, &json!({ "n": 2 })).await?, 1, "{price}");
        }
        Ok(())
    })
}

#[test]
fn other_costs_take_a_second_quote_at_most_and_are_remembered() -> Outcome {
    isolated(async |world| {
        let mut seconds = 0;
        for costs in [0, 3_000, 50_000, 600_000] {
            world.sandbox.set_costs(Some(costs)).await?;
            for (price, fee) in PRICES {
                let market = world.market(price).await?;
                let first = buy(world, &market, fee, &json!({ "n": 1 })).await?;
                assert!((1..=2).contains(&first), "{price} at costs of {costs}: {first} quotes");
                seconds += first - 1;
            }
        }
        world.sandbox.set_costs(None).await?;
        assert!(seconds > 0, "none of these costs is what was expected");
        Ok(())
    })
}

#[test]
fn the_fee_is_the_same_from_base() -> Outcome {
    shared(async |world| {
        for currency in ["ETH", "USDC"] {
            let (buyer, seller) = (world.evm_agent().await?, world.agent().await?);
            let path = world.echo_path();
            let fields = world.paid_fields(&json!(1), &path);
            let market = world.market_of(buyer, seller, &fields, &path).await?;
            let body = json!({ "currency": currency });
            let reply = market.call(&body).header("x-crochet-origin-currency", currency).send().await?;
            let quote = crochet_tests::Quote::of(reply);
            let collected = number(&world.sandbox.payment(&quote.id).await?, "app_fee_micros");
            assert!((49_000..=at_most(49_000)).contains(&collected), "{currency}: {collected}");
            world.sandbox.pay(&quote.id).await?;
            market.redeem(&quote, &body).await?.ok(200);
        }
        Ok(())
    })
}
