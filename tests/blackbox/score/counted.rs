//! The scores that calls lead to, and what is shown of them.

use crochet_domain::money::Micros;
use crochet_domain::score::{Payer, Sums, UNIT_FEE, ceiling, score};
use crochet_tests::{Failure, Market, Outcome, Program, Replies, World, isolated, list, number, text};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Counts calls, then scores.
async fn count(world: &World) -> Outcome {
    world.sweep().await?;
    world.count_scores().await.map(drop)
}

async fn score_of(world: &World, agent: &str) -> Result<Value, Failure> {
    Ok(world.client.get(&format!("/agents/{agent}/score")).send().await?.ok(200)["score"].clone())
}

/// What the formula says of these payers.
fn expected(payers: &[Payer], weeks: u32) -> (u64, Vec<u64>) {
    let mut sums = Sums::default();
    payers.iter().for_each(|payer| sums.add_payer(payer));
    let score = score(&sums, weeks, false);
    (score.value.into(), score.parts.array().map(u64::from).to_vec())
}

fn shown(score: &Value) -> (u64, Vec<u64>) {
    let values = list(score, "components").iter().filter_map(|component| component["value"].as_u64());
    (score["value"].as_u64().unwrap_or(0), values.collect())
}

async fn another_buyer<'a>(market: &Market<'a>) -> Result<Market<'a>, Failure> {
    let Market { world, seller, listing, path, .. } = market;
    let buyer = world.agent().await?;
    Ok(Market { world, buyer, seller: seller.clone(), listing: listing.clone(), path: path.clone() })
}

fn kept(milli: i64) -> Payer {
    Payer { kept: milli, ..Payer::default() }
}

#[test]
fn a_new_agent_has_400_in_everything() -> Outcome {
    isolated(async |world| {
        let agent = world.agent().await?;
        let score = score_of(world, &agent.profile_id).await?;
        assert_eq!(shown(&score), (400, vec![400; 5]));
        assert_eq!(
            (&score["updated_at"], &score["ceiling"], &score["unit_fee_micros"]),
            (&Value::Null, &json!(400), &json!(4_900))
        );
        let weights: Vec<&Value> = list(&score, "components").iter().map(|component| &component["weight"]).collect();
        assert_eq!(weights, [40, 20, 15, 10, 15]);
        for path in ["score", "score/history", "score/inputs"] {
            world.client.get(&format!("/agents/{}/{path}", agent.profile_id)).send().await?.ok(200);
            let unknown = format!("/agents/0197a000-0000-7000-8000-000000000000/{path}");
            world.client.get(&unknown).send().await?.refused(404, "PROFILE_NOT_FOUND");
        }
        let path = format!("/agents/{}/score", agent.profile_id);
        world.client.get(&format!("{path}/history?cursor=x")).send().await?.refused(400, "INVALID_CURSOR");
        world.client.get(&format!("{path}/inputs?cursor=x")).send().await?.refused(400, "INVALID_CURSOR");
        world.client.get(&format!("{path}/inputs?by=day")).send().await?.refused(400, "INVALID_REQUEST");
        Ok(())
    })
}

#[test]
fn paid_calls_become_a_score_that_strangers_can_recompute() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.1).await?;
        for n in 0..6 {
            market.buy(&json!({ "n": n })).await?;
        }
        let second = another_buyer(&market).await?;
        second.buy(&json!({ "n": 7 })).await?;
        for _ in 0..2 {
            count(world).await?;
        }
        let seller = market.seller.profile_id.clone();
        let score = score_of(world, &seller).await?;
        let now = expected(&[kept(6_000), kept(1_000)], 1);
        assert_eq!(shown(&score), now, "counting twice is counting once");
        assert_eq!(score["fees_received_13w"], 7 * 4_900);
        assert_eq!(score["ceiling"], ceiling(Micros(7 * 4_900), UNIT_FEE, 1));
        let sizes: Vec<i64> = list(&score, "components").iter().map(|component| number(component, "sample_size")).collect();
        assert_eq!(sizes, [7, 0, 7, 1, 2]);

        let profile = world.client.get(&format!("/agents/{seller}")).send().await?.ok(200)["profile"].clone();
        assert_eq!(profile["score"], score["value"]);
        let listing = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?.ok(200)["listing"].clone();
        assert_eq!(listing["seller"]["score"], score["value"]);

        let history = world.client.get(&format!("/agents/{seller}/score/history")).send().await?.ok(200).clone();
        assert_eq!((list(&history, "history").len(), &history["has_more"]), (1, &json!(false)));
        assert_eq!(history["history"][0]["value"], score["value"]);

        let inputs = world.client.get(&format!("/agents/{seller}/score/inputs")).send().await?.ok(200).clone();
        let mut milli: Vec<i64> = list(&inputs, "payers").iter().map(|row| number(row, "kept")).collect();
        milli.sort_unstable();
        assert_eq!(milli, [1_000, 6_000]);
        let shows_ids = [&market.buyer, &second.buyer].iter().any(|buyer| inputs.to_string().contains(&buyer.profile_id));
        assert!(!shows_ids, "{inputs}");

        if let Some(stranger) = Program::python("recompute.py") {
            let base = world.client.base().trim_end_matches("/api/v1");
            let found = stranger.run(&json!({ "base": base, "agent": seller }))?;
            assert_eq!((&found["recomputed"], &found["published"]), (&score["value"], &score["value"]));
            assert_eq!(found["parts"], json!(now.1));
        }
        Ok(())
    })
}

#[test]
fn what_is_not_delivered_weighs_until_it_is_paid_back() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market_at(&json!(0.1), "/fail/500").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        for minutes in [0, 6, 6] {
            world.later(minutes * 60).await?;
            market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        }
        world.later(DAY).await?;
        let closed = market.redeem(&quote, &body).await?;
        closed.refused(502, "CALL_UNDELIVERED");
        let id = text(&closed.error()["details"], "request_id").to_owned();
        count(world).await?;
        let seller = &market.seller.profile_id;
        let fresh = shown(&score_of(world, seller).await?);
        assert_eq!(fresh, expected(&[Payer { lost: 500, grief: 500, ..Payer::default() }], 0));
        world.later(4 * DAY).await?;
        count(world).await?;
        // Nothing has moved: the daily run counts it.
        let owed = shown(&score_of(world, seller).await?);
        assert_eq!(owed, expected(&[Payer { owed: 1_000, grief: 1_000, ..Payer::default() }], 0));
        market.refunded(&id).await?;
        count(world).await?;
        assert_eq!(shown(&score_of(world, seller).await?), fresh, "paid back");
        Ok(())
    })
}

#[test]
fn own_calls_and_circles_count_nothing() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(0.1).await?;
        for n in 0..5 {
            market.buy(&json!({ "n": n })).await?;
        }
        count(world).await?;
        let seller = market.seller.profile_id.clone();
        assert_eq!(shown(&score_of(world, &seller).await?), expected(&[kept(5_000)], 1));
        let path = world.echo_path();
        let fields = world.paid_fields(&json!(0.1), &path);
        let back = world.market_of(market.seller.clone(), market.buyer.clone(), &fields, &path).await?;
        back.buy(&json!({ "n": 1 })).await?;
        // A call of another buyer makes something move.
        another_buyer(&market).await?.buy(&json!({ "n": 9 })).await?;
        count(world).await?;
        assert_eq!(shown(&score_of(world, &seller).await?), expected(&[kept(1_000)], 0), "money has flowed both ways");
        assert_eq!(text(&score_of(world, &market.buyer.profile_id).await?, "tier"), "Moderate");
        assert_eq!(shown(&score_of(world, &market.buyer.profile_id).await?).0, 400);
        Ok(())
    })
}
