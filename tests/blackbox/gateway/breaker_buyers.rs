//! `POST /gateway/:listingId` at a seller that one buyer's bodies make fail: that buyer is kept away, and no other.

use crochet_tests::breaker::{assert_unavailable, free};
use crochet_tests::{Behavior, Outcome, Replies, ScriptedSeller, isolated, shared};
use serde_json::json;

#[test]
fn a_buyers_poisonous_body_keeps_no_other_buyer_away() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::Status(200)).await?;
        let market = free(world, &seller).await?;
        market.set_endpoint(&[("timeout_ms", json!({ "N": "1000" }))]).await?;
        let other = world.agent().await?;
        let poisons = [
            (Behavior::Status(500), 502, "SELLER_ERROR"),
            (Behavior::DropsConnection, 502, "SELLER_UNREACHABLE"),
            (Behavior::Waits, 504, "SELLER_TIMEOUT"),
        ];
        for (poison, status, code) in poisons {
            let poisoner = world.agent().await?;
            let poisoned = || poisoner.call(&market.listing.id, &json!("poison")).send();
            seller.set(poison);
            for reply in futures::future::try_join_all((0..5).map(|_| poisoned())).await? {
                reply.refused(status, code);
            }
            seller.set(Behavior::Status(200));
            for n in 0..2 {
                other.call(&market.listing.id, &json!({ "n": n })).send().await?.ok(200);
            }
            // It keeps away only the buyer whose calls got no response.
            match poison {
                Behavior::Status(_) => drop(poisoned().await?.ok(200).clone()),
                _ => assert!((25..=30).contains(&assert_unavailable(&poisoned().await?, false))),
            }
        }
        // Errors that the other buyer meets as well keep nobody waiting.
        seller.set(Behavior::Status(503));
        for caller in [&market.buyer, &other].repeat(4) {
            caller.call(&market.listing.id, &json!("any")).send().await?.refused(502, "SELLER_ERROR");
        }
        assert_eq!(seller.called(), 3 * (5 + 2) + 1 + 8);
        Ok(())
    })
}

/// What a buyer fails alone keeps that buyer away, for twice as long each time, however often others succeed.
#[test]
fn a_buyer_whose_calls_alone_get_no_response_is_kept_away_alone() -> Outcome {
    isolated(async |world| {
        let seller = ScriptedSeller::start(Behavior::AsTheBodySays).await?;
        let market = free(world, &seller).await?;
        let other = world.agent().await?;
        let fine = || other.call(&market.listing.id, &json!({})).send();
        let poisoned = || market.call(&json!({ "seller": "drops" })).send();
        for n in 0..5 {
            let failed = poisoned().await?;
            failed.refused(502, "SELLER_UNREACHABLE");
            assert_eq!(failed.header("retry-after") == "30", n == 4, "{n}: {:?}", failed.headers);
            fine().await?.ok(200);
        }
        for seconds in [30, 60, 120] {
            let wait = assert_unavailable(&market.call(&json!({})).send().await?, false);
            assert!(wait + 5 >= seconds && wait <= seconds, "{wait} s of {seconds}");
            fine().await?.ok(200);
            world.later(i64::try_from(seconds)?).await?;
            poisoned().await?.refused(502, "SELLER_UNREACHABLE");
        }
        world.later(240).await?;
        for _ in 0..2 {
            market.call(&json!({})).send().await?.ok(200);
        }
        poisoned().await?.refused(502, "SELLER_UNREACHABLE");
        market.call(&json!({})).send().await?.ok(200);
        Ok(())
    })
}
