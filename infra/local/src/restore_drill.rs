//! The restore drill: a market is copied into a new table, the functions are pointed at the copy, and everything goes on there.
//!
//! The copy is a scan, which stands for point-in-time recovery. A payment that is made between the copy and the change of the table is
//! one that the copy has never heard of: only its quote is there. It must be delivered all the same.

use std::time::Instant;

use crochet_client::{Agent, Client, Listing, Reply, UnexpectedReply, Wallet, random_bytes};
use serde_json::{Value, json};

use crate::dynamodb::{self, Api};
use crate::ledger_check;
use crate::{Options, Stack};

/// Items per batch of the copy: DynamoDB's limit.
const BATCH: usize = 25;
/// Rounds for what a batch leaves unwritten.
const ROUNDS: usize = 10;

/// Plays the drill on a stack of its own, on the DynamoDB that the options name.
///
/// # Errors
/// One sentence with what was different from before.
pub async fn play(options: &Options) -> Result<(), String> {
    let name = hex::encode(random_bytes::<4>());
    let (table, copy) = (format!("crochet-drill-{name}"), format!("crochet-drill-{name}-restored"));
    let options = Options { dynamodb_endpoint: options.dynamodb_endpoint.clone(), table: table.clone(), ..Options::ephemeral() };
    let stack = Stack::start(options).await?;
    let played = drill(&stack, &table, &copy).await;
    let endpoint = stack.dynamodb_url().to_owned();
    let api = Api::at(&endpoint);
    for table in [&table, &copy] {
        // The tables are in the way of nobody, so it does not matter if they stay.
        let _ = api.call("DeleteTable", &json!({ "TableName": table })).await;
    }
    stack.stop().await;
    played
}

async fn drill(stack: &Stack, table: &str, copy: &str) -> Result<(), String> {
    let told = |error: UnexpectedReply| error.to_string();
    let endpoint = stack.dynamodb_url();
    let market = Market::open(stack).await.map_err(told)?;
    stack.write_snapshot(true).await?;
    println!("Before: one call delivered, one paid, two quoted.");

    let began = Instant::now();
    let items = copied(endpoint, table, copy).await?;
    println!("Copied {items} items into {copy} in {} ms.", began.elapsed().as_millis());
    // Between the copy and the change of the table, a buyer pays.
    stack.sandbox().pay(&market.quotes[2].id).await.map_err(told)?;

    let began = Instant::now();
    let client = stack.instance_at(copy).await?;
    market.goes_on(&client, stack).await.map_err(told)?;
    println!("After: everything goes on at {copy}; the first reply and all others took {} ms.", began.elapsed().as_millis());
    let (before, after) =
        (ledger_check::add_up(endpoint, table).await?.calls(), ledger_check::add_up(endpoint, copy).await?.calls());
    if (before, after) != (1, 4) {
        return Err(format!("the ledgers have entries of {before} and {after} calls, and not of 1 and 4"));
    }
    ledger_check::run(endpoint, copy).await
}

/// Copies a table into a new one. Returns the number of items.
async fn copied(endpoint: &str, from: &str, to: &str) -> Result<usize, String> {
    dynamodb::create_table(endpoint, to).await?;
    let api = Api::at(endpoint);
    let mut scan = json!({ "TableName": from, "ConsistentRead": true });
    let mut count = 0;
    loop {
        let page = api.call("Scan", &scan).await?;
        let items = page["Items"].as_array().map(Vec::as_slice).unwrap_or_default();
        for batch in items.chunks(BATCH) {
            put_all(&api, to, batch).await?;
        }
        count += items.len();
        match &page["LastEvaluatedKey"] {
            Value::Null => return Ok(count),
            key => scan["ExclusiveStartKey"] = key.clone(),
        }
    }
}

async fn put_all(api: &Api<'_>, table: &str, items: &[Value]) -> Result<(), String> {
    let puts: Vec<Value> = items.iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
    let mut left = json!({ table: puts });
    for _ in 0..ROUNDS {
        left = api.call("BatchWriteItem", &json!({ "RequestItems": left })).await?["UnprocessedItems"].take();
        if left.as_object().is_none_or(serde_json::Map::is_empty) {
            return Ok(());
        }
    }
    Err(format!("items of {table} were left unwritten"))
}

/// A quote that was shown.
struct Quote {
    id: String,
    body: Value,
    shown: Value,
}

/// What there is before the copy.
struct Market {
    buyer: Agent,
    listing: Listing,
    /// Delivered, paid, and two that are not paid.
    quotes: Vec<Quote>,
    delivered: Reply,
}

impl Market {
    async fn open(stack: &Stack) -> Result<Self, UnexpectedReply> {
        let (client, controls) = (stack.client(), stack.seller());
        let seller = client.register(&Wallet::evm(), "Seller").await?;
        let path = format!("/echo/{}", seller.profile_id);
        let fields = json!({
            "name": "Restored", "description": "Echoes its input.", "pricing_model": "per_call", "pricing_amount": 1,
            "private_endpoint_url": controls.url(&path),
        });
        let listing = seller.create_listing(&fields).await?;
        controls.add_secret(&listing.signing_secret, &path).await?;
        let buyer = client.register(&Wallet::solana(), "Buyer").await?;
        let mut quotes = Vec::new();
        for n in 0..4 {
            let body = json!({ "n": n });
            let reply = buyer.call(&listing.id, &body).send().await?;
            reply.expect_error(402, "PAYMENT_REQUIRED")?;
            let id = reply.text_at("/data/payment/relay_request_id")?;
            quotes.push(Quote { id, body, shown: reply.data()["payment"].clone() });
        }
        for paid in &quotes[..2] {
            stack.sandbox().pay(&paid.id).await?;
        }
        let delivered = buyer.call(&listing.id, &quotes[0].body).paid_with(&quotes[0].id).send().await?;
        delivered.expect(200)?;
        Ok(Self { buyer, listing, quotes, delivered })
    }

    /// Checks that buyers get from this client what they got, and what they have paid for.
    async fn goes_on(&self, client: &Client, stack: &Stack) -> Result<(), UnexpectedReply> {
        let buyer = Agent { client: client.clone(), ..self.buyer.clone() };
        let redeem = async |quote: &Quote| buyer.call(&self.listing.id, &quote.body).paid_with(&quote.id).send().await;
        let [first, paid, paid_meanwhile, waiting] = self.quotes.as_slice() else {
            return Err(UnexpectedReply("there are not four quotes".into()));
        };
        let again = redeem(first).await?;
        same("the stored response", again.body == self.delivered.body && again.status == 200)?;
        redeem(paid).await?.expect(200)?;
        redeem(paid_meanwhile).await?.expect(200)?;
        let asked = buyer.call(&self.listing.id, &waiting.body).send().await?;
        asked.expect_error(402, "PAYMENT_REQUIRED")?;
        same("the quote that waits", asked.data()["payment"]["relay_request_id"] == waiting.shown["relay_request_id"])?;
        stack.sandbox().pay(&waiting.id).await?;
        redeem(waiting).await?.expect(200)?;
        let found = client.get("/listings").send().await?;
        same("the catalogue", found.expect(200)?["listings"][0]["id"] == json!(self.listing.id))
    }
}

fn same(what: &str, is_same: bool) -> Result<(), UnexpectedReply> {
    if is_same { Ok(()) } else { Err(UnexpectedReply(format!("{what} is another one in the restored table"))) }
}
