//! What a review says, and what becomes of it.

use crochet_tests::{Outcome, Replies, is_time, is_uuid, isolated, list, members, number, refund, shared, text};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::{opinion, review, with_buyer};

#[test]
fn a_review_is_shown_as_it_was_written() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let written = review(&market.buyer, &market.listing.slug, 4).await?;
        let shown = &written.ok(201)["review"];
        let names = [
            "accuracy_rating",
            "answer",
            "author",
            "comment",
            "created_at",
            "hidden_reason",
            "id",
            "listing_id",
            "reliability_rating",
            "state",
            "title",
            "updated_at",
            "value_rating",
            "voice",
        ];
        assert_eq!(members(shown), names);
        assert!(is_uuid(&shown["id"]) && is_time(&shown["created_at"]) && is_time(&shown["updated_at"]));
        assert_eq!((&shown["state"], &shown["answer"], &shown["hidden_reason"]), (&json!("shown"), &Value::Null, &Value::Null));
        assert_eq!(shown["author"]["id"], market.buyer.profile_id);
        assert_eq!(number(shown, "voice"), 1_000, "one call of a dollar");
        let path = format!("/reviews/{}", market.listing.id);
        let listed = world.client.get(&path).send().await?;
        assert_eq!(list(listed.ok(200), "reviews"), std::slice::from_ref(shown));
        assert_eq!(listed.data()["pagination"], json!({ "page": 1, "limit": 20, "total": 1, "total_pages": 1 }));
        for (role, agent) in [("given", &market.buyer), ("received", &market.seller)] {
            let path = format!("/agents/{}/reviews?role={role}", agent.profile_id);
            assert_eq!(list(world.client.get(&path).send().await?.ok(200), "reviews"), std::slice::from_ref(shown));
        }
        let none = world.client.get(&format!("/agents/{}/reviews", market.buyer.profile_id)).send().await?;
        assert!(list(none.ok(200), "reviews").is_empty());
        world.client.get(&format!("{path}?page=0")).send().await?.refused(400, "INVALID_REQUEST");
        assert!(list(world.client.get(&format!("{path}?page=2")).send().await?.ok(200), "reviews").is_empty());
        Ok(())
    })
}

#[test]
fn a_malformed_review_is_refused() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let path = format!("/reviews/{}", market.listing.id);
        for (field, value) in [
            ("accuracy_rating", json!(0)),
            ("value_rating", json!(6)),
            ("reliability_rating", json!(4.5)),
            ("reliability_rating", json!("5")),
            ("title", json!("")),
            ("title", json!("two\nlines")),
            ("title", json!("x".repeat(121))),
            ("comment", json!(" ")),
            ("comment", json!("x".repeat(4_001))),
        ] {
            let mut body = opinion(5);
            body[field] = value.clone();
            let reply = market.buyer.post(&path).json(&body).send().await?;
            assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], field, "{value}");
        }
        let mut body = opinion(5);
        body["rating"] = json!(5);
        market.buyer.post(&path).json(&body).send().await?.refused(400, "UNKNOWN_FIELD");
        Ok(())
    })
}

#[test]
fn of_parallel_reviews_with_one_evidence_one_is_written() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let replies = try_join_all((0..8).map(|_| review(&market.buyer, &market.listing.id, 5))).await?;
        let written = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(written, 1, "{:?}", replies.iter().map(|reply| reply.code().to_owned()).collect::<Vec<_>>());
        assert!(replies.iter().all(|reply| reply.status == 201 || reply.code() == "ALREADY_REVIEWED"));

        market.buy(&json!({ "n": 2 })).await?;
        let path = format!("/reviews/{}", market.listing.id);
        // Each says something else: two that say the same in the same millisecond are one change.
        let change = |n: u8| {
            let mut body = opinion(2);
            body["comment"] = json!(format!("Change {n}."));
            body
        };
        let changes = try_join_all((0..8).map(|n| market.buyer.put(&path).json(&change(n)).send())).await?;
        assert_eq!(changes.iter().filter(|reply| reply.status == 200).count(), 1);
        assert!(changes.iter().all(|reply| reply.status == 200 || reply.code() == "REVIEW_EVIDENCE_USED"));
        let listed = world.client.get(&path).send().await?;
        assert_eq!((list(listed.ok(200), "reviews").len(), number(&listed.data()["reviews"][0], "value_rating")), (1, 2));
        Ok(())
    })
}

#[test]
fn a_rating_follows_reviews_that_change_are_hidden_or_lose_their_evidence() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let other = with_buyer(world, &market, world.agent().await?);
        let rating = async || -> Result<Value, crochet_tests::Failure> {
            world.sweep().await?;
            let listing = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
            Ok(listing.ok(200)["listing"]["rating"].clone())
        };
        assert_eq!(rating().await?, json!({ "average": null, "count": 0 }));
        market.buy(&json!({ "n": 1 })).await?;
        other.buy(&json!({ "n": 1 })).await?;
        let first = review(&market.buyer, &market.listing.id, 5).await?;
        let id = text(&first.ok(201)["review"], "id").to_owned();
        review(&other.buyer, &market.listing.id, 2).await?.ok(201);
        assert_eq!(rating().await?, json!({ "average": 3.5, "count": 2 }));

        let path = format!("/reviews/{}", market.listing.id);
        market.buy(&json!({ "n": 2 })).await?;
        world.sweep().await?;
        let changed = market.buyer.put(&path).json(&opinion(4)).send().await?;
        assert_eq!(text(&changed.ok(200)["review"], "id"), id);
        assert_eq!(number(&changed.data()["review"], "voice"), 2_000, "two calls of a dollar by now");
        assert_eq!(rating().await?, json!({ "average": 3.0, "count": 2 }));

        let hide = format!("reviews hide {} {} Names a person.", market.listing.id, other.buyer.profile_id);
        assert!(world.admin(&hide).await?.contains("Names a person."));
        assert_eq!(rating().await?, json!({ "average": 4.0, "count": 1 }));
        let listed = world.client.get(&path).send().await?;
        let hidden = list(listed.ok(200), "reviews").iter().find(|review| review["state"] == "hidden").cloned();
        let hidden = hidden.unwrap_or_default();
        assert_eq!(
            (&hidden["hidden_reason"], &hidden["comment"], &hidden["voice"]),
            (&json!("Names a person."), &Value::Null, &json!(0))
        );
        world.admin(&format!("reviews show {} {}", market.listing.id, other.buyer.profile_id)).await?;
        assert_eq!(rating().await?, json!({ "average": 3.0, "count": 2 }));
        assert!(world.admin(&format!("reviews hide {} {} x", market.listing.id, market.seller.profile_id)).await.is_err());

        // A refund by good will halves the voice of the review that the call is the evidence of.
        let calls = other.buyer.get("/gateway-requests").send().await?;
        let call = text(&calls.ok(200)["gateway_requests"][0], "id").to_owned();
        let offer = crochet_tests::Quote::of(refund(&market.seller, &call).await?);
        world.sandbox.pay(&offer.id).await?;
        refund(&market.seller, &call).await?.ok(200);
        world.sweep().await?;
        let listed = world.client.get(&path).send().await?;
        let voices: Vec<i64> = list(listed.ok(200), "reviews").iter().map(|review| number(review, "voice")).collect();
        assert_eq!(voices, [500, 2_000], "newest first");
        Ok(())
    })
}
