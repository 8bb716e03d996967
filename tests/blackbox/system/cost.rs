//! Costs of each route in serial round trips and capacity units, compared with the table of docs/internals/table-and-costs.md.
//!
//! On a busy machine, concurrent requests may look serial, but never the reverse. A scenario is therefore repeated while it
//! exceeds its budget, and the cheapest measurement counts.

use crochet_tests::{Failure, Market, Outcome, Quote, Replies, Setup, cost_budgets, text, with_setup};
use serde_json::{Value, json};

mod figures;
mod people;
mod reviews;

use figures::Figures;

/// Maximum number of measurements.
const TIMES: usize = 12;

/// Identity and catalogue.
async fn identity(figures: &mut Figures<'_>) -> Outcome {
    let client = &figures.world.client;
    let wallet = crochet_tests::Wallet::solana();
    let asked = client.post("/auth/challenge").json(&json!({ "wallet_address": wallet.address() })).send().await?;
    figures.note("challenge", &asked)?;
    let mut body = client.proof(&wallet, "register", &Value::Null).await?;
    body["display_name"] = "Counted".into();
    let registered = client.post("/register").json(&body).send().await?;
    figures.note("register", &registered)?;
    let key = text(registered.ok(201), "api_key").to_owned();
    let proof = client.proof(&wallet, "recover", &Value::Null).await?;
    figures.note("recover", &client.post("/auth/recover").json(&proof).send().await?)?;
    // That a key is used is written down once an hour.
    figures.note("first use of a key", &client.get("/me").key(&key).send().await?)?;
    figures.note("me", &client.get("/me").key(&key).send().await?)?;
    // What has changed since the last look is read once.
    client.get("/categories").send().await?;
    figures.note("categories", &client.get("/categories").send().await?)
}

/// An agent's keys, and its profile.
async fn keys(figures: &mut Figures<'_>) -> Outcome {
    let client = &figures.world.client;
    let agent = figures.world.agent().await?;
    agent.get("/me").send().await?;
    let made = agent.post("/api-keys").json(&json!({ "name": "Counted" })).send().await?;
    figures.note("make key", &made)?;
    figures.note("list keys", &agent.get("/api-keys").send().await?)?;
    let id = text(&made.ok(201)["key"], "id").to_owned();
    figures.note("revoke key", &agent.delete(&format!("/api-keys/{id}")).send().await?)?;
    let leaked = agent.create_key(&json!({ "name": "Leaked" })).await?;
    let report = json!({ "api_key": leaked.api_key });
    figures.note("report leaked key", &client.post("/api-keys/report-leak").json(&report).send().await?)?;
    figures.note("agent", &client.get(&format!("/agents/{}", agent.profile_id)).send().await?)?;
    figures.note("change profile", &agent.patch("/me").json(&json!({ "display_name": "Other" })).send().await?)?;
    agent.create_key(&json!({ "name": "Second" })).await?;
    figures.note("change role of two keys", &agent.patch("/me").json(&json!({ "role": "seller" })).send().await?)?;
    agent.create_listing(&figures.world.free_fields("/echo")).await?;
    figures.note("rename with a listing", &agent.patch("/me").json(&json!({ "display_name": "Third" })).send().await?)
}

/// The score of a seller with one buyer.
async fn scores(figures: &mut Figures<'_>) -> Outcome {
    let world = figures.world;
    let market = world.market(0.1).await?;
    market.buy(&json!({ "n": 1 })).await?;
    world.sweep().await?;
    world.count_scores().await?;
    let path = format!("/agents/{}/score", market.seller.profile_id);
    figures.note("score", &world.client.get(&path).send().await?)?;
    figures.note("score history", &world.client.get(&format!("{path}/history")).send().await?)?;
    figures.note("score inputs", &world.client.get(&format!("{path}/inputs")).send().await?)
}

/// An agent's wallets.
async fn wallets(figures: &mut Figures<'_>) -> Outcome {
    let agent = figures.world.agent().await?;
    agent.get("/me").send().await?;
    let body = agent.link_request(&crochet_tests::Wallet::evm()).await?;
    let linked = agent.post("/me/wallets").json(&body).send().await?;
    figures.note("link wallet", &linked)?;
    let id = text(&linked.ok(201)["wallet"], "id").to_owned();
    figures.note("wallets", &agent.get("/me/wallets").send().await?)?;
    figures.note("wallet", &agent.get(&format!("/me/wallets/{id}")).send().await?)?;
    figures.note("change wallet", &agent.try_update_wallet(&agent.wallet, &id, &json!({ "status": "disabled" })).await?)
}

/// What sellers do, and buyers read.
async fn listings(figures: &mut Figures<'_>) -> Outcome {
    let world = figures.world;
    let seller = world.agent().await?;
    seller.get("/me").send().await?;
    let challenge = seller.post("/listings/challenge").send().await?;
    figures.note("listing challenge", &challenge)?;
    let pow = crochet_tests::Pow::read(&challenge.ok(200)["pow"])?;
    let mut fields = world.paid_fields(&json!(1), "/echo");
    fields["pow_nonce"] = pow.solve().into();
    fields["pow_challenge"] = pow.challenge.into();
    let created = seller.post("/listings").json(&fields).send().await?;
    figures.note("create listing", &created)?;
    let listing = created.ok(201)["listing"].clone();
    for (scenario, name) in [("listing by id", text(&listing, "id")), ("listing by slug", text(&listing, "slug"))] {
        figures.note(scenario, &world.client.get(&format!("/listings/{name}")).send().await?)?;
    }
    let openapi = format!("/listings/{}/openapi.json", text(&listing, "id"));
    figures.note("OpenAPI of a listing by id", &world.client.get(&openapi).send().await?)?;
    // The first browse may refresh the search model.
    world.client.get("/listings").send().await?;
    figures.note("browse", &world.client.get("/listings").query("q", "service").send().await?)?;
    let path = format!("/listings/{}", text(&listing, "id"));
    figures.note("update listing", &seller.patch(&path).json(&json!({ "description": "Other." })).send().await?)?;
    figures.note("suspend listing", &seller.delete(&path).send().await?)?;
    figures.note("put listing on offer", &seller.patch(&path).json(&json!({ "status": "active" })).send().await?)
}

/// What sellers do with an endpoint.
async fn endpoints(figures: &mut Figures<'_>, market: &Market<'_>, time: usize) -> Outcome {
    let route = format!("/listings/{}/endpoint", market.listing.id);
    figures.note("read endpoint", &market.seller.get(&route).send().await?)?;
    figures.note("change endpoint", &market.seller.put(&route).json(&json!({ "timeout_ms": 5_000 + time })).send().await?)?;
    let header = json!({ "auth_header": { "name": "X-Key", "value": format!("v{time}") } });
    figures.note("move endpoint", &market.seller.put(&route).json(&header).send().await?)?;
    let rotation = market.seller.post(&format!("{route}/rotate-secret")).json(&json!({ "immediate": true })).send().await?;
    figures.note("rotate secret", &rotation)?;
    figures.note("test endpoint", &market.seller.post(&format!("{route}/test")).send().await?)
}

/// Calls, free and paid.
async fn calls(figures: &mut Figures<'_>, free: &Market<'_>, paid: &Market<'_>, time: usize) -> Outcome {
    free.call(&json!({ "warm": time })).send().await?;
    figures.note("warm free call", &free.call(&json!({ "n": time })).send().await?)?;
    let body = json!({ "n": time });
    // An instance reads every 15 seconds whether the operator has closed quotes.
    paid.call(&json!({ "warm": time })).send().await?;
    let quote = Quote::of(paid.call(&body).send().await?);
    figures.note("first 402", &quote.reply)?;
    figures.note("same 402 again", &paid.call(&body).send().await?)?;
    figures.world.sandbox.pay(&quote.id).await?;
    figures.note("paid retry", &paid.redeem(&quote, &body).await?)?;
    figures.note("replay", &paid.redeem(&quote, &body).await?)?;
    let id = text(&paid.row(&quote.id).await?, "id").to_owned();
    figures.note("first 402 with a key", &paid.call(&body).idempotency_key(&format!("k{time}")).send().await?)?;
    figures.note("gateway requests", &paid.buyer.get("/gateway-requests").query("limit", 1).send().await?)?;
    figures.note("gateway request", &paid.buyer.get(&format!("/gateway-requests/{id}")).send().await?)?;
    figures.note("ledger", &paid.buyer.get("/ledger").query("limit", 1).send().await?)?;
    let offer = Quote::of(paid.refund(&id).await?);
    figures.note("first 402 of a refund", &offer.reply)?;
    figures.note("same 402 of a refund again", &paid.refund(&id).await?)?;
    figures.world.sandbox.pay(&offer.id).await?;
    figures.note("paid refund of one call", &paid.refund(&id).await?)?;
    figures.note("refund that was paid before", &paid.refund(&id).await?)
}

#[test]
fn no_route_costs_more_than_the_architecture_says() -> Outcome {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/internals/table-and-costs.md"))?;
    let promised =
        cost_budgets(&document).ok_or_else(|| Failure::new("docs/internals/table-and-costs.md has no <!-- costs --> table"))?;
    with_setup(Setup::default(), async |world| {
        // A history is read by days: what was made before midnight costs more after it.
        world.at_noon().await?;
        let mut figures = Figures { world, rows: Vec::new() };
        let (free, paid) = (world.free_market("/status/200").await?, world.market_at(&json!(1), "/status/200").await?);
        // Another one: a listing whose secret is new costs its next call a look-up.
        let edited = world.market_at(&json!(1), "/status/200").await?;
        for time in 0..TIMES {
            identity(&mut figures).await?;
            keys(&mut figures).await?;
            wallets(&mut figures).await?;
            scores(&mut figures).await?;
            listings(&mut figures).await?;
            calls(&mut figures, &free, &paid, time).await?;
            endpoints(&mut figures, &edited, time).await?;
            people::people(&mut figures).await?;
            people::claims(&mut figures).await?;
            reviews::reviews(&mut figures).await?;
            if figures.broken(&promised).is_none() {
                break;
            }
        }
        println!("{}", figures.table());
        assert_eq!(figures.broken(&promised), None, "docs/internals/table-and-costs.md promises less");
        for promise in &promised {
            let measured = figures.rows.iter().any(|(row, _)| row.scenario == promise.scenario);
            assert!(measured, "nobody measures: {promise}");
        }
        Ok(())
    })
}
