//! What calls ask of the payment provider counts in the deployment's budget, and a budget that is used up loses no paid call.

use crochet_tests::{Outcome, Replies, Setup, TIMES, text, with_setup};
use serde_json::json;

/// Exact limits, with this budget of questions a minute.
fn questions(per_minute: &str) -> Setup {
    Setup::settings(&[("CROCHET_RATE_LIMITS", "exact"), ("CROCHET_PROVIDER_QUESTIONS_PER_MINUTE", per_minute)])
}

#[test]
fn open_quotes_are_asked_about_only_with_room_in_the_budget() -> Outcome {
    for (per_minute, is_asked) in [("200", true), ("16", false)] {
        with_setup(questions(per_minute), async |world| {
            let market = world.market(1.0).await?;
            let first = market.quote(&json!({ "n": 0 })).await?;
            for n in 1..5 {
                market.quote(&json!({ "n": n })).await?;
            }
            // That there is room again is known from the provider alone.
            world.sandbox.pay(&first.id).await?;
            let sixth = market.call(&json!({ "n": 5 })).send().await?;
            if is_asked {
                sixth.refused(402, "PAYMENT_REQUIRED");
            } else {
                sixth.refused(429, "QUOTE_LIMIT");
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_settled_call_is_delivered_though_no_question_is_left() -> Outcome {
    with_setup(questions("8"), async |world| {
        let market = world.market(1.0).await?;
        let (body, other) = (json!({ "n": 1 }), json!({ "n": 2 }));
        let settled = market.paid(&body).await?;
        let id = text(&market.row(&settled.id).await?, "id").to_owned();
        assert_eq!(market.charge(&id).await?, "charged");
        world.later(660).await?;
        let unpaid = market.quote(&other).await?;
        world.at_a_minutes_start().await?;
        let mut replies = Vec::new();
        for _ in 0..8 {
            replies.push(market.redeem(&unpaid, &other).await?.status);
        }
        assert!(replies.contains(&503), "the buyer's share is used up: {replies:?}");
        market.redeem(&settled, &body).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_sweep_that_is_out_of_questions_leaves_what_needs_one_to_the_next() -> Outcome {
    with_setup(questions("8"), async |world| {
        let (market, owing) = (world.market(1.0).await?, world.market_at(&json!(1), "/fail/500").await?);
        owing.undelivered(&[json!({ "n": 1 })]).await?;
        for n in 0..5 {
            market.quote(&json!({ "n": n })).await?;
        }
        // The quotes are over, and the debt is late.
        world.later(7 * 86_400).await?;
        world.at_a_minutes_start().await?;
        // Half of eight, because nobody else asks. One is for the list of what was filled.
        let first = world.swept_within(TIMES).await?;
        assert_eq!((first.due, first.moved, first.left, first.debts, first.failed), (5, 3, 2, 1, 0), "{first:?}");
        let second = world.swept_within(TIMES).await?;
        assert_eq!((second.due, second.moved, second.left), (2, 0, 2), "they are still due, and nothing is left in this minute");
        world.later(60).await?;
        let third = world.swept_within(TIMES).await?;
        assert_eq!((third.due, third.moved, third.left), (2, 2, 0), "{third:?}");
        Ok(())
    })
}
