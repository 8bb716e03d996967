//! The text that `cargo run` prints: addresses, a buyer's key, a listing, and one command to paste.
//!
//! The key and the listing are created over HTTP, with new wallets.

use std::fmt;
use std::fs;
use std::path::Path;

use crochet_client::{Agent, Chain, Client, Listing, SellerControls, UnexpectedReply, Wallet};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Stack;

/// Path of the listing's endpoint at the demo seller.
const PATH: &str = "/echo";

/// A stack's addresses, its demo buyer and its demo listing.
#[derive(Clone)]
pub struct Banner {
    site: String,
    relay: String,
    seller: String,
    api_key: String,
    listing: String,
}

/// What a stack with `--data` stores to show the same listing after a restart.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// Wallet keys in hex. They own nothing outside this stack.
    buyer: String,
    seller: String,
    /// The buyer's API key. A pasted key keeps working after a restart.
    buyer_key: String,
    listing: RememberedListing,
}

#[derive(Serialize, Deserialize)]
struct RememberedListing {
    id: String,
    slug: String,
    signing_secret: String,
    url: String,
}

impl Banner {
    /// Creates a buyer, a seller and a listing, or reuses those stored in `data`.
    ///
    /// # Errors
    /// The first unexpected reply.
    pub async fn prepare(stack: &Stack, data: Option<&Path>) -> Result<Self, UnexpectedReply> {
        let client = stack.client();
        let controls = stack.seller();
        let file = data.map(|directory| directory.join("demo.json"));
        let remembered = file.as_deref().and_then(|file| serde_json::from_slice(&fs::read(file).ok()?).ok());
        let remembered = match remembered {
            // If they no longer work, new ones are created.
            Some(remembered) => match revive(&client, &controls, remembered).await {
                Ok(revived) => revived,
                Err(_) => create(&client, &controls).await?,
            },
            None => create(&client, &controls).await?,
        };
        if let Some(file) = file {
            let text = serde_json::to_vec_pretty(&remembered).map_err(|error| UnexpectedReply(error.to_string()))?;
            fs::write(&file, text).map_err(|error| UnexpectedReply(format!("{} could not be written: {error}", file.display())))?;
        }
        Ok(Self {
            site: client.base().to_owned(),
            relay: stack.relay_url().to_owned(),
            seller: stack.seller_url().to_owned(),
            api_key: remembered.buyer_key,
            listing: remembered.listing.slug,
        })
    }

    /// The command to paste.
    #[must_use]
    pub fn curl(&self) -> String {
        format!(
            "curl -s {}/api/v1/gateway/{} -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{{\"task\":\"hello\"}}'",
            self.site, self.listing, self.api_key
        )
    }
}

async fn create(client: &Client, controls: &SellerControls) -> Result<Remembered, UnexpectedReply> {
    let (buyer_wallet, seller_wallet) = (Wallet::solana(), Wallet::evm());
    let seller = client.register(&seller_wallet, "Demo seller").await?;
    let buyer = client.register(&buyer_wallet, "Demo buyer").await?;
    let fields = json!({
        "name": "Demo echo",
        "description": "Echoes its input for one test dollar. The 402 says how to pay in the sandbox.",
        "pricing_model": "per_call",
        "pricing_amount": 1,
        "private_endpoint_url": controls.url(PATH),
        "example_request": { "task": "hello" },
        "tags": ["demo"],
    });
    let listing = offer(&seller, controls, &fields, PATH).await?;
    Ok(Remembered {
        buyer: hex::encode(buyer_wallet.secret()),
        seller: hex::encode(seller_wallet.secret()),
        buyer_key: buyer.api_key,
        listing,
    })
}

async fn offer(
    seller: &Agent,
    controls: &SellerControls,
    fields: &serde_json::Value,
    path: &str,
) -> Result<RememberedListing, UnexpectedReply> {
    let Listing { id, slug, signing_secret, .. } = seller.create_listing(fields).await?;
    controls.add_secret(&signing_secret, path).await?;
    Ok(RememberedListing { id, slug, signing_secret, url: controls.url(path) })
}

/// Restores the seller's secret and URL: the demo seller keeps no secrets and may listen on another port after a restart.
async fn revive(client: &Client, controls: &SellerControls, mut known: Remembered) -> Result<Remembered, UnexpectedReply> {
    if client.get("/me").key(&known.buyer_key).send().await?.status != 200 {
        let buyer = wallet(Chain::Solana, &known.buyer)?;
        known.buyer_key = client.recover(&buyer, false).await?.api_key;
    }
    let listing = &mut known.listing;
    let shown = client.get(&format!("/listings/{}", listing.id)).send().await?.expect(200)?;
    if shown["listing"]["status"] != "active" {
        return Err(UnexpectedReply(format!("the demo listing {} is no longer active", listing.id)));
    }
    let url = controls.url(PATH);
    if listing.url != url {
        let seller = client.recover(&wallet(Chain::Evm, &known.seller)?, true).await?;
        let body = json!({ "private_endpoint_url": url });
        seller.patch(&format!("/listings/{}", listing.id)).json(&body).send().await?.expect(200)?;
        listing.url = url;
    }
    controls.add_secret(&listing.signing_secret, PATH).await?;
    Ok(known)
}

fn wallet(chain: Chain, secret: &str) -> Result<Wallet, UnexpectedReply> {
    let bytes = hex::decode(secret).ok().and_then(|bytes| bytes.try_into().ok());
    Wallet::from_secret(chain, bytes.ok_or_else(|| UnexpectedReply("a stored wallet key is not 32 bytes of hex".into()))?)
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Crochet is running.")?;
        writeln!(f)?;
        writeln!(f, "  Site            {}", self.site)?;
        writeln!(f, "  API             {}/api/v1", self.site)?;
        writeln!(f, "  Documentation   {}/docs", self.site)?;
        writeln!(f, "  Skills          {0}/SKILL.md (or: npx skills add {0})", self.site)?;
        writeln!(f, "  Sandbox Relay   {}", self.relay)?;
        writeln!(f, "  Demo seller     {}", self.seller)?;
        writeln!(f, "  Buyer key       {}", self.api_key)?;
        writeln!(f, "  Demo listing    {} (1 USD a call)", self.listing)?;
        writeln!(f)?;
        writeln!(f, "Try it. The 402 says how to pay in the sandbox. Then run it again:")?;
        writeln!(f)?;
        writeln!(f, "  {}", self.curl())?;
        writeln!(f)?;
        writeln!(f, "Pay with signed transactions instead, as in production: {}/docs/paying, with", self.site)?;
        writeln!(f, "CROCHET_SANDBOX_URL={}.", self.relay)?;
        writeln!(f)?;
        writeln!(f, "For a listing of your own, the demo seller has an endpoint at {}/echo/<any name>.", self.seller)?;
        writeln!(f, "Tell it the listing's signing secret, or it refuses the calls:")?;
        writeln!(f)?;
        writeln!(f, "  curl -s {}/secret -d '{{\"signing_secret\":\"whsec_…\",\"path\":\"/echo/<the name>\"}}'", self.seller)?;
        writeln!(f)?;
        writeln!(f, "It fails at /fail/500, /status/429, /slow/20000, /flaky/2, /garbage, /huge/1000000, /redirect and /close.")?;
        writeln!(f)?;
        write!(f, "Run `cargo run -- demo` in another terminal for a paid call from end to end. Press Ctrl-C to stop.")
    }
}
