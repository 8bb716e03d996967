//! A seller with more calls than one item can hold, and one whose counts are damaged.

use crochet_tests::{Failure, Outcome, Replies, World, isolated, number};
use serde_json::json;

const DAY: i64 = 86_400;
/// The most that DynamoDB allows.
const ITEM_BYTES: usize = 400 * 1_024;

async fn calls_shown(world: &World, listing: &str) -> Result<i64, Failure> {
    let reply = world.client.get(&format!("/listings/{listing}")).send().await?;
    Ok(number(&reply.ok(200)["listing"]["stats"], "calls_30d"))
}

#[test]
fn more_calls_than_an_item_holds_are_counted_folded_and_known_afterwards() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let (busy, other) = (world.market(1.0).await?, world.market(1.0).await?);
        let seller = busy.seller.profile_id.clone();
        busy.buy(&json!({ "n": 0 })).await?;
        world.sweep().await?;
        // As the version before has left them. There is no room for fifteen more, which are 120 bytes.
        for whose in [seller.as_str(), "ALL"] {
            world.fill_slices(whose).await?;
        }
        for n in 1..16 {
            busy.buy(&json!({ "n": n })).await?;
        }
        other.buy(&json!({ "n": 1 })).await?;
        world.sweep().await?;
        assert_eq!((calls_shown(world, &busy.listing.id).await?, calls_shown(world, &other.listing.id).await?), (16, 1));
        world.sweep().await?;
        assert_eq!(calls_shown(world, &busy.listing.id).await?, 16, "each counts once");

        for whose in [seller.as_str(), "ALL"] {
            let items = world.counted_items(whose).await?;
            assert!(items.iter().all(|(_, bytes)| *bytes < ITEM_BYTES), "{items:?}");
        }

        // Another ten minutes of the same day.
        world.later(600).await?;
        busy.buy(&json!({ "n": 16 })).await?;
        world.sweep().await?;
        world.later(3 * DAY).await?;
        for _ in 0..2 {
            world.sweep().await?;
        }
        for whose in [seller.as_str(), "ALL"] {
            let items = world.counted_items(whose).await?;
            let slices = items.iter().filter(|(sk, _)| sk.starts_with("T#")).count();
            let events = items.iter().filter(|(sk, _)| sk.starts_with("S#")).count();
            assert!(slices == 0 && events >= 4, "{whose} is folded into parts: {items:?}");
            assert!(items.iter().all(|(_, bytes)| *bytes < ITEM_BYTES), "{items:?}");
        }
        assert_eq!(calls_shown(world, &busy.listing.id).await?, 17);

        // What comes late is compared with all parts.
        let rows = busy.buyer.get("/gateway-requests").query("limit", 1).send().await?;
        let newest = rows.ok(200)["gateway_requests"][0]["id"].as_str().unwrap_or_default().to_owned();
        busy.refunded(&newest).await?;
        world.sweep().await?;
        assert_eq!(calls_shown(world, &busy.listing.id).await?, 17, "its end was counted");
        let ran = world.count_scores().await?;
        assert_eq!((ran.differed, ran.failed), (0, 0), "{ran:?}");
        Ok(())
    })
}

#[test]
fn a_seller_whose_counts_cannot_be_read_stops_no_other() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let (damaged, other) = (world.market(1.0).await?, world.market(1.0).await?);
        damaged.buy(&json!({ "n": 1 })).await?;
        other.buy(&json!({ "n": 1 })).await?;
        world.sweep().await?;
        world.damage_slices(&damaged.seller.profile_id).await?;
        // At once, while it is tried again, and after it was given up.
        for n in 2..5 {
            damaged.buy(&json!({ "n": n })).await?;
            other.buy(&json!({ "n": n })).await?;
            world.sweep().await?;
            assert_eq!(calls_shown(world, &other.listing.id).await?, n);
            world.later(360).await?;
        }
        // Nor do its days, which cannot be folded.
        world.later(4 * DAY).await?;
        for _ in 0..2 {
            world.sweep().await?;
        }
        let items = world.counted_items(&other.seller.profile_id).await?;
        assert!(items.iter().any(|(sk, _)| sk.starts_with("D#")), "{items:?}");
        let stuck = world.counted_items(&damaged.seller.profile_id).await?;
        assert!(stuck.iter().any(|(sk, _)| sk.starts_with("T#")), "{stuck:?}");
        Ok(())
    })
}
