//! What refunds ask of the payment provider counts in the deployment's budget, and is shared like everything else.

use crochet_tests::{Failure, Market, Outcome, Quote, Replies, Reply, Setup, World, number, text, with_setup};
use serde_json::json;

const DAY: i64 = 86_400;

/// Exact limits, with these budgets.
fn budgets(quotes: &str, questions: &str) -> Setup {
    Setup::settings(&[
        ("CROCHET_RATE_LIMITS", "exact"),
        ("CROCHET_PROVIDER_QUOTES_PER_MINUTE", quotes),
        ("CROCHET_PROVIDER_QUESTIONS_PER_MINUTE", questions),
    ])
}

/// A seller that owes for one call, at the start of a minute.
async fn owing(world: &World) -> Result<(Market<'_>, String), Failure> {
    let market = world.market_at(&json!(1), "/fail/500").await?;
    let id = market.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
    world.at_a_minutes_start().await?;
    Ok((market, id))
}

/// The refusal says when this minute ends, in the header and in the recovery.
fn waits_for_the_next_minute(reply: &Reply) {
    let recovery = &reply.error()["recovery"];
    assert_eq!((text(recovery, "next_action"), &recovery["preserve"]), ("wait_and_retry", &json!([])));
    let seconds = number(recovery, "retry_after_seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(reply.header("retry-after"), seconds.to_string());
}

#[test]
fn the_quotes_of_a_refund_count_and_are_refused_as_those_of_a_call() -> Outcome {
    with_setup(budgets("8", "200"), async |world| {
        let (market, id) = owing(world).await?;
        world.sandbox.fault("quote", "no_route", 60_000).await?;
        // Two currencies for each request. A half of eight is four.
        for _ in 0..2 {
            market.refund(&id).await?.refused(400, "PAYMENT_ROUTE_UNAVAILABLE");
        }
        world.sandbox.clear_faults().await?;
        let refused = market.refund(&id).await?;
        refused.refused(429, "QUOTE_LIMIT");
        waits_for_the_next_minute(&refused);
        Quote::of(market.call(&json!({ "n": 2 })).send().await?);
        world.later(60).await?;
        market.refunded(&id).await?;
        Ok(())
    })
}

#[test]
fn the_questions_of_a_refund_count_and_are_refused_as_those_of_a_call() -> Outcome {
    with_setup(budgets("50", "8"), async |world| {
        let (market, id) = owing(world).await?;
        let offer = Quote::of(market.refund(&id).await?);
        for _ in 0..4 {
            assert_eq!(Quote::of(market.refund(&id).await?).id, offer.id);
        }
        world.sandbox.pay(&offer.id).await?;
        let refused = market.refund(&id).await?;
        refused.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        let seconds = number(&refused.error()["recovery"], "retry_after_seconds");
        assert!((1..=60).contains(&seconds) && refused.header("retry-after") == seconds.to_string(), "{seconds}");
        assert_eq!(market.charge(&id).await?, "owed", "nothing was written");
        // Nobody else is refused.
        let quote = market.quote(&json!({ "n": 2 })).await?;
        assert_eq!(market.quote(&json!({ "n": 2 })).await?.id, quote.id);
        world.later(60).await?;
        market.refund(&id).await?.ok(200);
        assert_eq!(market.charge(&id).await?, "refunded");
        Ok(())
    })
}

#[test]
fn the_sweeper_quotes_its_share_and_what_it_has_no_room_for_stays_due() -> Outcome {
    with_setup(budgets("2", "200"), async |world| {
        let (market, first) = owing(world).await?;
        let buyer = world.agent().await?;
        let fields = world.paid_fields(&json!(1), "/fail/500");
        let other = world.market_of(buyer, market.seller.clone(), &fields, "/fail/500").await?;
        other.undelivered(&[json!({ "n": 1 })]).await?;
        world.later(7 * DAY).await?;
        world.at_a_minutes_start().await?;
        // One quote for one of the two buyers. The other's debt is looked at in another minute.
        assert_eq!(world.look_at_debts().await?, 1);
        assert_eq!(world.look_at_debts().await?, 1, "the other is still due");
        // What the sweeper has asked for leaves room for the seller.
        Quote::of(market.refund(&first).await?);
        world.later(60).await?;
        assert_eq!(world.look_at_debts().await?, 1);
        assert_eq!(world.look_at_debts().await?, 0, "both were looked at");
        Ok(())
    })
}
