//! A call to a deployment, up to its 402: shows that registration, listings, the table, secrets and the payment provider work together.

use crochet_client::{Client, UnexpectedReply, Wallet};
use serde_json::json;

/// What the endpoint of the test's listing is. Nobody calls it, because the call is never paid.
pub const ENDPOINT: &str = "https://example.com/";

/// Registers a seller and a buyer with new wallets, lists a service, calls it, and checks the 402, or that the operator has closed quotes,
/// as while a table is restored. In the end, the listing is suspended. The profiles stay, as profiles always do.
///
/// # Errors
/// The first unexpected reply.
pub async fn run(client: &Client, endpoint: &str) -> Result<(), UnexpectedReply> {
    client.get("/health").send().await?.expect(200)?;
    let seller = client.register(&Wallet::evm(), "Smoke test").await?;
    let name = format!("Smoke test {}", hex::encode(crochet_client::random_bytes::<4>()));
    let listing = seller
        .create_listing(&json!({
            "name": name,
            "description": "Made by a smoke test, and suspended by it. Do not buy.",
            "pricing_model": "per_call",
            "pricing_amount": 1,
            "private_endpoint_url": endpoint,
        }))
        .await?;
    let asked = ask(client, &listing.id).await;
    // Also after a failure, so that the listing is not on offer.
    seller.delete(&format!("/listings/{}", listing.id)).send().await?.expect(200)?;
    match asked? {
        Some(payment) => println!("{}: an authenticated call was quoted, payment {payment}.", client.base()),
        None => println!(
            "{}: a call was refused, because the operator has closed quotes. Nothing shows that one can be paid.",
            client.base()
        ),
    }
    Ok(())
}

/// The id of the payment that a new buyer is asked for. `None` while quotes are closed.
async fn ask(client: &Client, listing: &str) -> Result<Option<String>, UnexpectedReply> {
    let buyer = client.register(&Wallet::evm(), "Smoke test").await?;
    let reply = buyer.call(listing, &json!({ "smoke": true })).send().await?;
    if reply.error()["details"]["closed"] == "quotes" {
        return reply.expect_error(503, "SERVICE_UNAVAILABLE").map(|_| None);
    }
    reply.expect_error(402, "PAYMENT_REQUIRED")?;
    reply.text_at("/data/payment/relay_request_id").map(Some)
}
