//! Reviews in scores, and operators with several agents.

use crochet_tests::{Agent, Market, Outcome, Person, Replies, World, isolated, list};
use serde_json::{Value, json};

async fn claimed(world: &World, person: &Person, agent: &Agent) -> Outcome {
    let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
    let proof = world.client.proof(&agent.wallet, "claim_agent", &fields).await?;
    person.post(&format!("/agents/{}/claim", agent.profile_id)).json(&proof).send().await?.ok(200);
    Ok(())
}

#[test]
fn a_review_counts_and_what_agents_of_the_same_operator_buy_does_not() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.1).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let Market { seller, listing, path, .. } = &market;
        let sibling =
            Market { world, buyer: world.agent().await?, seller: seller.clone(), listing: listing.clone(), path: path.clone() };
        sibling.buy(&json!({ "n": 2 })).await?;
        let person = Person::sign_up(&world.client, "Ada").await?;
        claimed(world, &person, seller).await?;
        claimed(world, &person, &sibling.buyer).await?;
        let opinion = json!({
            "accuracy_rating": 2, "reliability_rating": 3, "value_rating": 3, "title": "Late", "comment": "Half of it was wrong.",
        });
        market.buyer.post(&format!("/reviews/{}", listing.id)).json(&opinion).send().await?.ok(201);
        world.sweep().await?;
        world.count_scores().await?;
        let inputs = world.client.get(&format!("/agents/{}/score/inputs", seller.profile_id)).send().await?.ok(200).clone();
        let kept: Vec<&Value> = list(&inputs, "payers").iter().map(|row| &row["kept"]).collect();
        assert_eq!(kept, [1_000], "the sibling's call counts nothing: {inputs}");
        let ratings: Vec<&Value> = list(&inputs, "reviews").iter().map(|row| &row["accuracy_rating"]).collect();
        assert_eq!(ratings, [2], "{inputs}");
        Ok(())
    })
}
