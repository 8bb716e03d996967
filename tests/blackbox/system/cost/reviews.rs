//! Costs of reviews, statistics and receipts.

use crochet_tests::{Outcome, Replies, opinion, text};
use serde_json::json;

use super::figures::Figures;

/// A buyer who has bought once from a seller with one listing.
pub(super) async fn reviews(figures: &mut Figures<'_>) -> Outcome {
    let world = figures.world;
    let market = world.market_at(&json!(1), "/status/200").await?;
    let (quote, _) = market.buy(&json!({ "n": 1 })).await?;
    market.seller.get("/me").send().await?;
    let id = text(&market.row(&quote.id).await?, "id").to_owned();
    world.sweep().await?;
    let path = format!("/reviews/{}", market.listing.id);
    let mut opinion = opinion(5);
    let written = market.buyer.post(&path).json(&opinion).send().await?;
    figures.note("review", &written)?;
    let answer = format!("{path}/{}/answer", text(&written.ok(201)["review"], "id"));
    figures.note("answer to a review", &market.seller.post(&answer).json(&json!({ "comment": "Thanks." })).send().await?)?;
    market.buy(&json!({ "n": 2 })).await?;
    opinion["comment"] = "Still so.".into();
    figures.note("changed review", &market.buyer.put(&path).json(&opinion).send().await?)?;
    figures.note("reviews of a listing", &world.client.get(&path).send().await?)?;
    let given = format!("/agents/{}/reviews?role=given", market.buyer.profile_id);
    figures.note("reviews by an agent", &world.client.get(&given).send().await?)?;
    let received = format!("/agents/{}/reviews", market.seller.profile_id);
    figures.note("reviews of an agent", &world.client.get(&received).send().await?)?;
    figures.note("statistics of a listing", &world.client.get(&format!("/listings/{}/stats", market.listing.id)).send().await?)?;
    figures.note("statistics", &world.client.get("/stats").send().await?)?;
    market.buyer.get(&format!("/gateway-requests/{id}/receipt")).send().await?.ok(200);
    figures.note("receipt", &market.buyer.get(&format!("/gateway-requests/{id}/receipt")).send().await?)?;
    let keys = world.client.site(http::Method::GET, "/.well-known/jwks.json").send().await?;
    figures.note("keys of receipts", &keys)?;
    for (scenario, file) in [("registration file", "registration"), ("feedback file", "feedback")] {
        let path = format!("/agents/{}/erc8004/{file}.json", market.seller.profile_id);
        figures.note(scenario, &world.client.get(&path).send().await?)?;
    }
    Ok(())
}
