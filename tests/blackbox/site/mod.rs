//! Pages for people.

mod account;
mod account_browser;
mod browser;
mod calls;
mod hostile;
mod pages;

use crochet_tests::{Client, Failure, Listing, Market, Outcome, Replies, Reply, World};
use http::Method;
use serde_json::{Value, json};

/// What a browser sends.
const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

/// A page, as a browser asks for it.
async fn page(client: &Client, path: &str) -> Result<Reply, Failure> {
    Ok(client.site(Method::GET, path).header("accept", HTML).send().await?)
}

/// A listing that has schemas, examples, calls, failures, reviews and an answer.
async fn busy_market(world: &World) -> Result<Market<'_>, Failure> {
    let path = world.echo_path();
    let mut fields = world.paid_fields(&json!(0.25), &path);
    fields["name"] = "Line Counter".into();
    fields["description"] =
        "Counts the lines of a text, and says how long the longest is. Notes: https://seller.example/notes.".into();
    fields["category"] = "content".into();
    fields["tags"] = json!(["text", "lines"]);
    fields["input_schema"] = json!({
        "type": "object",
        "required": ["text"],
        "properties": {
            "text": { "type": "string", "maxLength": 10_000, "description": "The text to count." },
            "options": { "type": "object", "properties": { "blank": { "type": "boolean", "default": true, "description": "Whether blank lines count." } } },
        },
    });
    fields["output_schema"] =
        json!({ "type": "object", "required": ["lines"], "properties": { "lines": { "type": "integer", "minimum": 0 } } });
    fields["example_request"] = json!({ "text": "it's one\nand two" });
    fields["example_response"] = json!({ "lines": 2 });
    let market = world.market_with(&fields, &path).await?;
    for n in 0..3 {
        market.buy(&json!({ "text": format!("a\n{n}") })).await?;
    }
    let review = json!({
        "accuracy_rating": 5, "reliability_rating": 4, "value_rating": 5,
        "title": "It counts", "comment": "Every count was right.\nThe second line is mine.",
    });
    let written = market.buyer.post(&format!("/reviews/{}", market.listing.id)).json(&review).send().await?;
    let id = written.ok(201)["review"]["id"].as_str().unwrap_or_default().to_owned();
    let answer = json!({ "comment": "Thank you." });
    market.seller.post(&format!("/reviews/{}/{id}/answer", market.listing.id)).json(&answer).send().await?.ok(201);
    Ok(market)
}

/// Lists something free with this name and description.
async fn named(world: &World, name: &str, description: &str) -> Result<Listing, Failure> {
    let mut fields = world.free_fields("/echo");
    fields["name"] = name.into();
    fields["description"] = description.into();
    Ok(world.agent().await?.create_listing(&fields).await?)
}

/// Fails if a page lacks one of these texts.
fn has(reply: &Reply, texts: &[&str]) -> Outcome {
    let body = reply.text();
    match texts.iter().find(|text| !body.contains(*text)) {
        None => Ok(()),
        Some(text) => Err(Failure::new(format!("{text:?} is not on {body}"))),
    }
}

/// The text of a value.
fn said(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
