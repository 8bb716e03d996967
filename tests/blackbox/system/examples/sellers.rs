//! A seller's first day.

use crochet_tests::{Agent, Failure, Listing, Market, Pow, Replies, Wallet, World, text};
use serde_json::{Value, json};

/// Registers a seller, publishes a listing, and changes everything about it.
pub(super) async fn sell(world: &World) -> Result<(Agent, Listing, String), Failure> {
    let client = &world.client;
    let wallet = Wallet::solana();
    client.challenge(wallet.address(), "register", &Value::Null).await?;
    let fields = json!({ "display_name": "Ada's Text Tools", "role": "both", "description": "Tools for texts in any language." });
    let seller = client.register_with(&wallet, &fields).await?;
    let path = world.echo_path();
    let challenge = seller.post("/listings/challenge").json(&json!({})).send().await?;
    let pow = Pow::read(&challenge.ok(200)["pow"])?;
    let listing = json!({
        "name": "Summaries",
        "description": "Summarizes a text in one sentence.",
        "pricing_model": "per_call",
        "pricing_amount": 0.25,
        "category": "other",
        "tags": ["text", "summary"],
        "input_schema": {
            "type": "object",
            "required": ["text"],
            "properties": { "text": { "type": "string", "maxLength": 20_000 } },
        },
        "output_schema": { "type": "object", "properties": { "received": { "type": "object" } } },
        "example_request": { "text": "The quick brown fox jumps over the lazy dog." },
        "private_endpoint_url": world.seller.url(&path),
        "pow_nonce": pow.solve(),
        "pow_challenge": pow.challenge,
    });
    let created = seller.post("/listings").json(&listing).send().await?;
    let data = created.ok(201).clone();
    let id = text(&data["listing"], "id").to_owned();
    let secret = text(&data["gateway_endpoint"], "signing_secret").to_owned();
    world.seller.add_secret(&secret, &path).await?;
    seller.patch(&format!("/listings/{id}")).json(&json!({ "tags": ["text", "summary", "languages"] })).send().await?.ok(200);
    seller.get(&format!("/listings/{id}/endpoint")).send().await?.ok(200);
    seller.put(&format!("/listings/{id}/endpoint")).json(&json!({ "timeout_ms": 10_000 })).send().await?.ok(200);
    seller.post(&format!("/listings/{id}/endpoint/test")).json(&json!({})).send().await?.ok(200);
    let rotated =
        seller.post(&format!("/listings/{id}/endpoint/rotate-secret")).json(&json!({ "overlap_seconds": 3_600 })).send().await?;
    world.seller.add_secret(text(&rotated.ok(200)["gateway_endpoint"], "signing_secret"), &path).await?;
    client.get("/categories").send().await?.ok(200);
    let found = client.get("/listings").query("q", "summaries").query("sort", "relevance").query("limit", 10).send().await?;
    found.ok(200);
    client.get(&format!("/listings/{id}")).send().await?.ok(200);
    client.get(&format!("/listings/{id}/openapi.json")).send().await?;
    let draft = json!({ "name": "Translations", "description": "Translates a text.", "pricing_model": "free", "status": "draft" });
    let draft = seller.create_listing(&draft).await?;
    seller.delete(&format!("/listings/{}", draft.id)).send().await?.ok(200);
    let slug = text(&data["listing"], "slug").to_owned();
    Ok((seller, Listing { id, slug, signing_secret: secret, data }, path))
}

/// The seller's listing, as `buyer` sees it.
pub(super) fn market<'a>(world: &'a World, (seller, listing, path): &(Agent, Listing, String), buyer: &Agent) -> Market<'a> {
    Market { world, buyer: buyer.clone(), seller: seller.clone(), listing: listing.clone(), path: path.clone() }
}
