//! `POST /reviews/:listingId/:reviewId/answer`: the seller answers once.

use crochet_tests::{Outcome, Replies, is_time, shared, text};
use futures::future::try_join_all;
use serde_json::json;

use super::review;

#[test]
fn the_seller_answers_once_and_nobody_else_does() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let written = review(&market.buyer, &market.listing.id, 1).await?;
        let id = text(&written.ok(201)["review"], "id").to_owned();
        let path = format!("/reviews/{}/{id}/answer", market.listing.id);
        let body = json!({ "comment": "We have repaired it." });
        market.buyer.post(&path).json(&body).send().await?.refused(403, "NOT_LISTING_OWNER");
        let unknown = format!("/reviews/{}/{}/answer", market.listing.id, market.buyer.profile_id);
        market.seller.post(&unknown).json(&body).send().await?.refused(404, "REVIEW_NOT_FOUND");
        market.seller.post(&path).json(&json!({ "comment": "" })).send().await?.refused(400, "INVALID_REQUEST");

        let replies = try_join_all((0..4).map(|_| market.seller.post(&path).json(&body).send())).await?;
        let answered: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!(answered.len(), 1);
        assert!(replies.iter().all(|reply| reply.status == 201 || reply.code() == "ALREADY_ANSWERED"));
        let answer = &answered[0].data()["review"]["answer"];
        assert!(answer["comment"] == body["comment"] && is_time(&answer["created_at"]));
        let listed = world.client.get(&format!("/reviews/{}", market.listing.id)).send().await?;
        assert_eq!(&listed.ok(200)["reviews"][0]["answer"], answer);
        Ok(())
    })
}
