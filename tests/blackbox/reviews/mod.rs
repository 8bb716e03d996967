//! Reviews, statistics and receipts.

mod answers;
mod busy_sellers;
mod receipts;
mod states;
mod statistics;
mod writing;

use crochet_tests::{Agent, Failure, Listing, Market, Reply, World, opinion};
use serde_json::json;

/// The agent reviews the listing.
async fn review(agent: &Agent, listing: &str, stars: u8) -> Result<Reply, Failure> {
    Ok(agent.post(&format!("/reviews/{listing}")).json(&opinion(stars)).send().await?)
}

/// A market with the same seller and listing, and another buyer.
fn with_buyer<'a>(world: &'a World, market: &Market<'a>, buyer: Agent) -> Market<'a> {
    Market { world, buyer, seller: market.seller.clone(), listing: market.listing.clone(), path: market.path.clone() }
}

/// Another listing of the seller.
async fn listing_at(market: &Market<'_>, price: f64, path: &str) -> Result<Listing, Failure> {
    let listing = market.seller.create_listing(&market.world.paid_fields(&json!(price), path)).await?;
    market.world.seller.add_secret(&listing.signing_secret, path).await?;
    Ok(listing)
}
