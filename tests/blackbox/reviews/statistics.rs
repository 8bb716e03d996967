//! What listings show of their calls.

use crochet_tests::{Failure, Outcome, Replies, World, is_time, isolated, list, number};
use serde_json::{Value, json};

use super::{listing_at, with_buyer};

async fn shown(world: &World, listing: &str) -> Result<Value, Failure> {
    let reply = world.client.get(&format!("/listings/{listing}")).send().await?;
    Ok(reply.ok(200)["listing"]["stats"].clone())
}

#[test]
fn calls_are_counted_within_a_sweep_and_leave_after_thirty_days() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let empty = json!({
            "calls_30d": 0, "success_rate_30d": null, "success_sample_30d": 0, "payers_30d": 0, "median_price_paid_30d": null,
            "p50_latency_ms": null, "p95_latency_ms": null, "last_called_at": null,
        });
        assert_eq!(shown(world, &market.listing.id).await?, empty);
        let updated =
            world.client.get(&format!("/listings/{}", market.listing.id)).send().await?.ok(200)["listing"]["updated_at"].clone();
        for n in 0..3 {
            market.buy(&json!({ "n": n })).await?;
        }
        with_buyer(world, &market, world.agent().await?).buy(&json!({ "n": 9 })).await?;
        world.sweep().await?;
        let stats = shown(world, &market.listing.id).await?;
        assert_eq!((number(&stats, "calls_30d"), number(&stats, "payers_30d")), (4, 2));
        assert_eq!((&stats["success_rate_30d"], number(&stats, "success_sample_30d")), (&json!(1.0), 4));
        assert_eq!(number(&stats["median_price_paid_30d"], "amount_micros"), 1_000_000);
        assert!(is_time(&stats["last_called_at"]) && number(&stats, "p95_latency_ms") >= number(&stats, "p50_latency_ms"));
        for _ in 0..2 {
            world.sweep().await?;
            assert_eq!(shown(world, &market.listing.id).await?, stats, "an entry of the log counts once");
        }
        let listed = world.client.get(&format!("/listings?seller={}", market.seller.profile_id)).send().await?;
        assert_eq!(listed.ok(200)["listings"][0]["stats"], stats);
        assert_eq!(listed.data()["listings"][0]["updated_at"], updated, "figures are no change of the seller's");

        // The window slides without calls, too.
        for _ in 0..4 {
            world.later(7 * 24 * 3_600).await?;
            world.sweep().await?;
            assert_eq!(number(&shown(world, &market.listing.id).await?, "calls_30d"), 4);
        }
        world.later(3 * 24 * 3_600).await?;
        world.sweep().await?;
        assert_eq!(shown(world, &market.listing.id).await?, empty);
        Ok(())
    })
}

#[test]
fn failures_are_in_the_success_rate_once_their_call_is_closed() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(0.5), "/fail/500").await?;
        market.undelivered(&[json!({ "n": 1 })]).await?;
        world.sweep().await?;
        let stats = shown(world, &market.listing.id).await?;
        assert_eq!((number(&stats, "calls_30d"), &stats["success_rate_30d"]), (1, &json!(0.0)));
        assert_eq!((number(&stats, "payers_30d"), &stats["median_price_paid_30d"]), (1, &Value::Null));
        Ok(())
    })
}

#[test]
fn listings_are_sorted_by_what_was_bought_and_by_rating() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let path = world.echo_path();
        let other = listing_at(&market, 1.0, &path).await?;
        let second = crochet_tests::Market { listing: other.clone(), path, ..with_buyer(world, &market, world.agent().await?) };
        market.buy(&json!({ "n": 1 })).await?;
        for n in 0..3 {
            second.buy(&json!({ "n": n })).await?;
        }
        super::review(&market.buyer, &market.listing.id, 5).await?.ok(201);
        super::review(&second.buyer, &other.id, 1).await?.ok(201);
        world.sweep().await?;
        for (sort, first) in [("popular", &other.id), ("rating", &market.listing.id)] {
            let path = format!("/listings?seller={}&sort={sort}", market.seller.profile_id);
            let page = world.client.get(&path).send().await?;
            let ids: Vec<&Value> = list(page.ok(200), "listings").iter().map(|listing| &listing["id"]).collect();
            assert_eq!((ids.len(), ids[0]), (2, &json!(first)), "{sort}");
        }
        Ok(())
    })
}
