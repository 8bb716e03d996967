//! An agent's profile, wallets and keys.

use crochet_tests::{Agent, Failure, Replies, Wallet, World, text};
use serde_json::{Value, json};

/// Registers a buyer and does everything that an agent can do with its profile.
pub(super) async fn join(world: &World) -> Result<Agent, Failure> {
    let client = &world.client;
    let buyer = client.register(&Wallet::solana(), "Research Agent").await?;
    buyer.get("/me").send().await?.ok(200);
    buyer.patch("/me").json(&json!({ "description": "Reads papers." })).send().await?.ok(200);
    client.get(&format!("/agents/{}", buyer.profile_id)).send().await?.ok(200);
    let linked = buyer.link_wallet(&Wallet::evm()).await?;
    let wallet = text(&linked["wallet"], "id").to_owned();
    buyer.get("/me/wallets").send().await?.ok(200);
    buyer.get(&format!("/me/wallets/{wallet}")).send().await?.ok(200);
    buyer.update_wallet(&wallet, &json!({ "capabilities": ["auth", "recovery", "payment"] })).await?;
    let made = buyer.post("/api-keys").json(&json!({ "name": "reporting", "scopes": ["read"] })).send().await?;
    let key = text(&made.ok(201)["key"], "id").to_owned();
    buyer.get("/api-keys").send().await?.ok(200);
    buyer.delete(&format!("/api-keys/{key}")).send().await?.ok(200);
    let leaked = buyer.create_key(&json!({ "name": "published by mistake" })).await?;
    client.post("/api-keys/report-leak").json(&json!({ "api_key": leaked.api_key })).send().await?.ok(200);
    let proof = client.proof(&buyer.wallet, "recover", &Value::Null).await?;
    client.post("/auth/recover").json(&proof).send().await?.ok(200);
    Ok(buyer)
}
