//! A sweep ends in time, whatever the provider does, and counts calls in any case.

use std::time::Duration;

use crochet_tests::{Outcome, Replies, TIMES, Times, isolated, number};
use serde_json::json;

#[test]
fn with_a_slow_provider_a_sweep_begins_nothing_more_in_time_and_still_counts() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        for n in 0..64 {
            market.quote(&json!({ "n": n })).await?;
        }
        world.later(845).await?;
        market.buy(&json!({ "bought": 1 })).await?;
        world.sandbox.fault("status", "slow", 60_000).await?;
        // Four are asked about at the same time, and each takes three seconds. No other is begun, of the same page or another.
        let swept = world.swept_within(Times { begins_within: Duration::from_secs(2), ..TIMES }).await?;
        assert!((1..=4).contains(&swept.due) && swept.moved == 0, "{swept:?}");
        assert_eq!((swept.counted, swept.failed), (1, 0), "{swept:?}");

        // What runs for too long is dropped, and then it counts.
        world.sandbox.clear_faults().await?;
        market.buy(&json!({ "bought": 3 })).await?;
        world.sandbox.fault("status", "slow", 60_000).await?;
        let swept = world.swept_within(Times { attends_within: Duration::from_secs(1), ..TIMES }).await?;
        assert_eq!((swept.due, swept.failed), (0, 0), "{swept:?}");
        assert!(swept.counted >= 1, "{swept:?}");
        Ok(())
    })
}

#[test]
fn without_time_one_seller_after_the_other_is_counted() -> Outcome {
    isolated(async |world| {
        // The turns go by the minutes of the clock: each sweep is at the beginning of one.
        world.at_noon().await?;
        let markets = [world.free_market(&world.echo_path()).await?, world.free_market(&world.echo_path()).await?];
        for market in &markets {
            market.call(&json!({ "n": 1 })).send().await?.ok(200);
        }
        let hurried = Times { counts_within: Duration::ZERO, ..TIMES };
        for sweeps in 1..=2 {
            world.swept_within(hurried).await?;
            let mut shown = 0;
            for market in &markets {
                let listing = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
                shown += number(&listing.ok(200)["listing"]["stats"], "calls_30d");
            }
            assert_eq!(shown, sweeps);
            world.later(60).await?;
        }
        Ok(())
    })
}
