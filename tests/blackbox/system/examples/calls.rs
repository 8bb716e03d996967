//! Calls, payments and what is owed.

use crochet_local::sandbox::{API_KEY, sign};
use crochet_tests::{Agent, Listing, Outcome, Quote, Replies, World, close, text};
use serde_json::json;

use super::sellers::market;

/// A paid call, the books, a refund and a payment that is closed.
pub(super) async fn buy(world: &World, seller: &(Agent, Listing, String), buyer: &Agent) -> Outcome {
    let market = market(world, seller, buyer);
    let body = json!({ "text": "The quick brown fox jumps over the lazy dog." });
    let ask = || market.call(&body).idempotency_key("summary-of-fox").currency("SOL");
    let quote = Quote::of(ask().send().await?);
    world.sandbox.set(&quote.id, &json!({ "status": "pending" })).await?;
    ask().paid_with(&quote.id).send().await?.ok(202);
    world.sandbox.pay(&quote.id).await?;
    let delivered = ask().paid_with(&quote.id).send().await?;
    let id = text(delivered.ok(200), "request_id").to_owned();
    ask().paid_with(&quote.id).send().await?.ok(200);
    event(world, &quote.id).await?;

    buyer.get("/gateway-requests").query("role", "buyer").query("limit", 10).send().await?.ok(200);
    buyer.get(&format!("/gateway-requests/{id}")).send().await?.ok(200);
    buyer.get("/ledger").query("type", "payment").query("limit", 10).send().await?.ok(200);

    let offer = Quote::of(market.refund(&id).await?);
    world.sandbox.set(&offer.id, &json!({ "status": "pending" })).await?;
    market.refund(&id).await?.ok(202);
    world.sandbox.pay(&offer.id).await?;
    market.refund(&id).await?.ok(200);
    unused(world, seller, buyer).await
}

/// Two payments of one call are filled; the one that was not delivered is closed.
async fn unused(world: &World, seller: &(Agent, Listing, String), buyer: &Agent) -> Outcome {
    let market = market(world, seller, buyer);
    let body = json!({ "text": "Paid twice." });
    let first = market.quote(&body).await?;
    world.sandbox.set(&first.id, &json!({ "status": "failure" })).await?;
    let second = market.quote(&body).await?;
    world.sandbox.pay(&second.id).await?;
    market.redeem(&second, &body).await?.ok(200);
    // The first one was only thought to have failed.
    world.sandbox.pay(&first.id).await?;
    let row = market.row(&first.id).await?;
    close(buyer, text(&row, "id")).await?.ok(200);
    Ok(())
}

/// The provider's event for a payment, as it signs it.
async fn event(world: &World, payment: &str) -> Outcome {
    let body = json!({ "event": "request.status.updated", "data": { "requestId": payment, "status": "success" } }).to_string();
    let health = world.client.get("/health").send().await?;
    let now = time::OffsetDateTime::parse(text(health.data(), "time"), &time::format_description::well_known::Rfc3339)?;
    let timestamp = (now.unix_timestamp() * 1_000).to_string();
    let signature = sign(API_KEY, &timestamp, &body);
    let request = world.client.post("/webhooks/relay").header("content-type", "application/json");
    let sent = request.header("x-signature-timestamp", &timestamp).header("x-signature-sha256", &signature).raw_body(body);
    sent.send().await?.ok(200);
    Ok(())
}
