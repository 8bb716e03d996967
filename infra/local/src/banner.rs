//! What a newcomer sees: where everything is, a buyer's key, a listing and one command that works when pasted.
//!
//! Key and listing are made as any outsider would make them: over HTTP, with wallets of their own.

use std::fmt;
use std::fs;
use std::path::Path;

use crochet_client::{Agent, Chain, Client, Listing, SellerControls, UnexpectedReply, Wallet};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Stack;

/// The demo seller's endpoint for the listing.
const PATH: &str = "/echo";

/// A stack and what was prepared in it.
#[derive(Clone)]
pub struct Banner {
    site: String,
    relay: String,
    seller: String,
    api_key: String,
    listing: String,
}

/// What must be remembered, so that a stack with `--data` shows the same listing again.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// Wallet secrets in hex. They own nothing but what this stack made up.
    buyer: String,
    seller: String,
    /// The buyer's key, so that one that was pasted somewhere goes on working.
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
    /// Makes a buyer, a seller and a listing; or finds those that `data` remembers.
    ///
    /// # Errors
    /// The first thing that did not go as the API reference says.
    pub async fn prepare(stack: &Stack, data: Option<&Path>) -> Result<Self, UnexpectedReply> {
        let client = stack.client();
        let controls = stack.seller();
        let file = data.map(|directory| directory.join("demo.json"));
        let remembered = file.as_deref().and_then(|file| serde_json::from_slice(&fs::read(file).ok()?).ok());
        let remembered = match remembered {
            // Whatever is wrong with what was remembered: fresh ones will do.
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

    /// The command that can be pasted.
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
        "description": "Answers with what it was sent, for a dollar that nobody has to have: its 402 says how to pay here.",
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

/// The demo seller forgets its secrets when the stack stops, and may listen elsewhere when it starts again.
async fn revive(client: &Client, controls: &SellerControls, mut known: Remembered) -> Result<Remembered, UnexpectedReply> {
    if client.get("/me").key(&known.buyer_key).send().await?.status != 200 {
        let buyer = wallet(Chain::Solana, &known.buyer)?;
        known.buyer_key = client.recover(&buyer, false).await?.api_key;
    }
    let listing = &mut known.listing;
    let shown = client.get(&format!("/listings/{}", listing.id)).send().await?.expect(200)?;
    if shown["listing"]["status"] != "active" {
        return Err(UnexpectedReply(format!("the demo listing {} is not active any more", listing.id)));
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
    Wallet::from_secret(chain, bytes.ok_or_else(|| UnexpectedReply("a remembered wallet's secret is no 32 bytes of hex".into()))?)
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Crochet is running.")?;
        writeln!(f)?;
        writeln!(f, "  Site            {}", self.site)?;
        writeln!(f, "  API             {}/api/v1", self.site)?;
        writeln!(f, "  Sandbox Relay   {}", self.relay)?;
        writeln!(f, "  Demo seller     {}", self.seller)?;
        writeln!(f, "  Buyer key       {}", self.api_key)?;
        writeln!(f, "  Demo listing    {} (1 USD a call)", self.listing)?;
        writeln!(f)?;
        writeln!(f, "Try it. The 402 that comes back says how to pay here; then paste it again:")?;
        writeln!(f)?;
        writeln!(f, "  {}", self.curl())?;
        writeln!(f)?;
        write!(f, "`cargo run -- demo` in another terminal plays a paid call from end to end. Ctrl-C stops everything.")
    }
}
