//! The demo: a client over HTTP plays a paid call, from two new wallets to the ledger.

mod checks;

use crochet_client::{Agent, Client, Listing, Reply, SandboxControls, SellerControls, UnexpectedReply, Wallet};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Options, Stack};
use checks::{Price, same, yes};

/// Price of one call, in micro-dollars.
const PRICE_MICROS: i64 = 1_000_000;

/// Plays the demo against the stack on the configured port, or starts one if there is none.
///
/// # Errors
/// The first unexpected reply.
pub async fn play(options: Options) -> Result<(), UnexpectedReply> {
    let base = options.port;
    let running = Client::new(&format!("http://localhost:{base}"));
    if running.is_up().await {
        println!("Playing against the stack at {}.", running.base());
        let sandbox = SandboxControls::new(&format!("http://127.0.0.1:{}", base + 1));
        let seller = SellerControls::new(&format!("http://127.0.0.1:{}", base + 2));
        return tell(&running, &sandbox, &seller).await;
    }
    println!("No stack is running at {}. Starting one for the demo.", running.base());
    let stack = Stack::start(options).await.map_err(UnexpectedReply)?;
    let told = tell(&stack.client(), &stack.sandbox(), &stack.seller()).await;
    stack.stop().await;
    told
}

/// Plays the demo with these clients.
///
/// # Errors
/// The first unexpected reply.
pub async fn tell(client: &Client, sandbox: &SandboxControls, controls: &SellerControls) -> Result<(), UnexpectedReply> {
    let (seller_wallet, buyer_wallet) = (Wallet::evm(), Wallet::solana());
    step(1, &format!("Two new wallets: {} is the seller, {} is the buyer.", seller_wallet.address(), buyer_wallet.address()));

    let seller = client.register(&seller_wallet, "Demo seller").await?;
    who_am_i(&seller).await?;
    step(2, &format!("The seller signs a challenge, does the proof of work, and is registered as {}.", seller.profile_id));

    let path = format!("/echo/demo-{}", &seller.profile_id);
    let listing = list(&seller, controls, &path).await?;
    step(3, &format!("The seller lists \"{}\" at 1.00 USD per call.", listing.slug));

    let buyer = client.register(&buyer_wallet, "Demo buyer").await?;
    who_am_i(&buyer).await?;
    browse(client, &listing, &controls.url(&path)).await?;
    step(
        4,
        &format!("The buyer is registered as {} and finds the listing. It does not show the seller's endpoint.", buyer.profile_id),
    );

    let body = json!({ "task": "greet", "input": { "name": "Ada", "nonce": hex::encode(crochet_client::random_bytes::<8>()) } });
    let payment = ask(&buyer, &listing, &body).await?;
    same("calls at the seller before any payment", &count(controls, &path).await?, &0)?;
    step(5, &format!("The first call returns 402: pay {} {} for payment {}.", payment.amount, payment.currency, payment.id));

    sandbox.pay(&payment.id).await?;
    step(6, "The payment succeeds in the sandbox.");

    let delivered = buyer.call(&listing.id, &body).paid_with(&payment.id).send().await?;
    let price = check_delivery(&delivered, &body)?;
    same("calls at the seller after the payment", &count(controls, &path).await?, &1)?;
    step(7, &format!("The same call with the payment's id is delivered and returns 200: {price}."));

    let again = buyer.call(&listing.id, &body).paid_with(&payment.id).send().await?;
    again.expect(200)?;
    yes("the repeated call returns the same bytes", again.body == delivered.body)?;
    same("Idempotent-Replayed of the repeated call", &again.header("idempotent-replayed"), &"true")?;
    same("calls at the seller after the repeated call", &count(controls, &path).await?, &1)?;
    step(8, "A third call returns the stored response. The seller is not called, and nobody is charged.");

    let request_id = delivered.text_at("/data/request_id")?;
    check_books(&buyer, &seller, &request_id, &price).await?;
    step(9, "The ledgers agree to the micro-dollar: the buyer paid what the seller and the marketplace received.");

    println!("\nThe demo succeeded.");
    Ok(())
}

fn step(number: u32, text: &str) {
    println!("{number:>2}. {text}");
}

async fn who_am_i(agent: &Agent) -> Result<(), UnexpectedReply> {
    let me = agent.get("/me").send().await?.expect(200)?;
    same("the profile in GET /me", &me["profile"]["id"], &json!(agent.profile_id))
}

async fn list(seller: &Agent, controls: &SellerControls, path: &str) -> Result<Listing, UnexpectedReply> {
    let fields = json!({
        "name": format!("Demo greeting {}", hex::encode(crochet_client::random_bytes::<3>())),
        "description": "Echoes its input. Created by cargo run -- demo.",
        "pricing_model": "per_call",
        "pricing_amount": 1.0,
        "private_endpoint_url": controls.url(path),
        "tags": ["demo"],
    });
    let listing = seller.create_listing(&fields).await?;
    yes("a new listing has a signing secret", listing.signing_secret.starts_with("whsec_"))?;
    same("the listing's price in micro-dollars", &listing.data["listing"]["price"]["amount_micros"], &json!(PRICE_MICROS))?;
    controls.add_secret(&listing.signing_secret, path).await?;
    Ok(listing)
}

async fn browse(client: &Client, listing: &Listing, private_url: &str) -> Result<(), UnexpectedReply> {
    let shown = client.request(Method::GET, &format!("/listings/{}", listing.slug)).send().await?;
    let data = shown.expect(200)?;
    same("the listing found by its slug", &data["listing"]["id"], &json!(listing.id))?;
    yes("the listing does not show the seller's endpoint", !shown.text().contains(private_url))
}

/// The payment that the 402 requires.
struct Payment {
    id: String,
    amount: String,
    currency: String,
}

async fn ask(buyer: &Agent, listing: &Listing, body: &Value) -> Result<Payment, UnexpectedReply> {
    let reply = buyer.call(&listing.id, body).currency("SOL").send().await?;
    reply.expect_error(402, "PAYMENT_REQUIRED")?;
    let payment = &reply.data()["payment"];
    same("the price in the 402, in micro-dollars", &payment["amount"]["amount_micros"], &json!(PRICE_MICROS))?;
    let currency = payment["origin_currency"].as_str().unwrap_or_default().to_owned();
    same("the currency in the 402", &currency.as_str(), &"SOL")?;
    Ok(Payment {
        id: reply.text_at("/data/payment/relay_request_id")?,
        amount: reply.text_at("/data/payment/requirements/pay/amount_formatted")?,
        currency,
    })
}

async fn count(controls: &SellerControls, path: &str) -> Result<usize, UnexpectedReply> {
    Ok(controls.calls(&[("path", path)]).await?.len())
}

fn check_delivery(delivered: &Reply, body: &Value) -> Result<Price, UnexpectedReply> {
    let data = delivered.expect(200)?;
    same("billable", &data["billable"], &json!(true))?;
    same("seller_status_code", &data["seller_status_code"], &json!(200))?;
    same("the body that the seller received", &data["seller_response"]["echo"], body)?;
    same("the seller's verification of the signature", &data["seller_response"]["verified"], &json!(true))?;
    Price::read(&data, PRICE_MICROS)
}

async fn check_books(buyer: &Agent, seller: &Agent, request_id: &str, price: &Price) -> Result<(), UnexpectedReply> {
    let paid = checks::entry(buyer, request_id, "payment").await?;
    let credited = checks::entry(seller, request_id, "seller_credit").await?;
    same("the buyer's payment in the ledger", &paid, &-price.charged)?;
    same("the seller's credit in the ledger", &credited, &price.seller)?;
    same("the marketplace's share of the payment", &-(paid + credited), &price.fee)?;
    for (agent, role) in [(buyer, "buyer"), (seller, "seller")] {
        let reply = agent.get(&format!("/gateway-requests/{request_id}")).send().await?;
        let row = &reply.expect(200)?["gateway_request"];
        same(&format!("the call's status as the {role} sees it"), &row["status"], &json!("delivered"))?;
        same(&format!("the call's charge as the {role} sees it"), &row["charge"]["state"], &json!("charged"))?;
    }
    Ok(())
}
