//! Reviews, statistics, scores and receipts.

use crochet_tests::{Agent, Listing, Outcome, Replies, World, text};
use http::Method;
use serde_json::{Value, json};

use super::sellers::market;

/// The buyer reviews a call, the seller answers, and what was counted is read.
pub(super) async fn review(world: &World, seller: &(Agent, Listing, String), buyer: &Agent) -> Outcome {
    let market = market(world, seller, buyer);
    let (agent, listing) = (&seller.0.profile_id, &seller.1.id);
    let (_, delivered) = market.buy(&json!({ "text": "Reviewed." })).await?;
    let id = text(delivered.ok(200), "request_id").to_owned();
    buyer.get(&format!("/gateway-requests/{id}/receipt")).send().await?.ok(200);
    let reviews = format!("/reviews/{listing}");
    let written = buyer.post(&reviews).json(&opinion(4, "Short and right.")).send().await?;
    let review = text(&written.ok(201)["review"], "id").to_owned();
    market.buy(&json!({ "text": "Reviewed later." })).await?;
    buyer.put(&reviews).json(&opinion(5, "Short, right, and quicker now.")).send().await?.ok(200);
    let answer = json!({ "comment": "Thank you. We have added a cache." });
    seller.0.post(&format!("{reviews}/{review}/answer")).json(&answer).send().await?.ok(201);
    world.sweep().await?;
    world.count_scores().await?;
    let paths = [
        reviews,
        format!("/listings/{listing}/stats"),
        "/stats".to_owned(),
        format!("/agents/{agent}/reviews?role=received"),
        format!("/agents/{agent}/score"),
        format!("/agents/{agent}/score/history"),
        format!("/agents/{agent}/score/inputs"),
    ];
    for path in paths {
        world.client.get(&path).send().await?.ok(200);
    }
    for document in ["registration", "feedback"] {
        world.client.get(&format!("/agents/{agent}/erc8004/{document}.json")).send().await?;
    }
    world.client.site(Method::GET, "/.well-known/jwks.json").send().await?;
    Ok(())
}

fn opinion(stars: u8, comment: &str) -> Value {
    json!({ "accuracy_rating": stars, "reliability_rating": stars, "value_rating": stars, "title": "It works", "comment": comment })
}
