//! Once a day, what was counted is compared with the calls themselves.

use std::time::Duration;

use crochet_tests::{Outcome, Replies, World, isolated};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

async fn score(world: &World, agent: &str) -> Result<Value, crochet_tests::Failure> {
    let reply = world.client.get(&format!("/agents/{agent}/score")).send().await?;
    Ok(reply.ok(200)["score"]["components"].clone())
}

#[test]
fn counts_agree_with_the_calls_and_a_day_that_was_spoiled_is_replaced() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.1).await?;
        for n in 0..3 {
            market.buy(&json!({ "n": n })).await?;
        }
        let seller = &market.seller.profile_id;
        world.sweep().await?;
        world.count_scores().await?;
        // Until the day is folded. Each day's run compares once.
        for _ in 0..4 {
            world.later(DAY).await?;
            world.sweep().await?;
        }
        let ran = world.count_scores().await?;
        assert_eq!((ran.compared, ran.differed, ran.failed), (1, 0, 0));
        let right = score(world, seller).await?;
        assert_eq!(world.count_scores().await?.compared, 0, "once a day");

        world.spoil_counts(seller).await?;
        world.later(DAY).await?;
        let ran = world.count_scores().await?;
        assert_eq!((ran.compared, ran.differed, ran.failed), (1, 1, 0), "an alarm, and the day is replaced");
        assert_eq!(score(world, seller).await?, right);
        world.later(DAY).await?;
        assert_eq!(world.count_scores().await?.differed, 0);

        world.spoil_counts(seller).await?;
        let done: Value = serde_json::from_str(&world.admin("score recompute --json").await?)?;
        assert_eq!(done, json!({ "sellers": 1, "days_replaced": 1 }));
        assert_eq!(score(world, seller).await?, right);
        Ok(())
    })
}

#[test]
fn a_score_is_kept_for_each_day() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.1).await?;
        market.buy(&json!({ "n": 1 })).await?;
        for _ in 0..3 {
            world.sweep().await?;
            world.count_scores().await?;
            world.later(DAY).await?;
        }
        let path = format!("/agents/{}/score/history", market.seller.profile_id);
        let first = world.client.get(&format!("{path}?limit=2")).send().await?.ok(200).clone();
        let cursor = first["next_cursor"].as_str().unwrap_or_default();
        let second = world.client.get(&format!("{path}?limit=2&cursor={cursor}")).send().await?.ok(200).clone();
        let days = |page: &Value| page["history"].as_array().map_or(0, Vec::len);
        assert_eq!((days(&first), &first["has_more"], days(&second), &second["has_more"]), (2, &json!(true), 1, &json!(false)));
        assert!(first["history"][0]["date"].as_str() > first["history"][1]["date"].as_str());
        Ok(())
    })
}

#[test]
fn a_seller_whose_calls_take_too_long_is_passed_over_for_a_day() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.1).await?;
        market.buy(&json!({ "n": 1 })).await?;
        world.sweep().await?;
        world.count_scores().await?;
        world.later(DAY).await?;
        let ran = world.count_scores_within(Duration::ZERO).await?;
        assert_eq!((ran.compared, ran.passed_over, ran.failed), (0, 1, 0));
        let ran = world.count_scores().await?;
        assert_eq!((ran.compared, ran.passed_over), (0, 0), "it is not the first again in an hour");
        world.later(DAY).await?;
        let ran = world.count_scores().await?;
        assert_eq!((ran.compared, ran.passed_over), (1, 0), "the next day it is tried again");
        Ok(())
    })
}
