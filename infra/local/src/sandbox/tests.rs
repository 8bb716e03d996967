//! The sandbox over HTTP.

mod book;
mod controls;
mod pay;

use crochet_client::{Reply, SandboxControls};
use reqwest::Method;
use serde_json::{Value, json};

use super::API_KEY;
use crate::{Options, Stack, Webhooks};

const PAYER: &str = "GTtzwxqy67xx9DVESJjx28TgXqpc8xTqtiytgNMaQBTE";
const SELLER: &str = "7WGzTkSsDEtRysSVqTx4ztQ6ipDZvuTNVDcB2GLwwuQR";
const EVM: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const USDC_ON_SOLANA: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

async fn parts(webhook_url: Option<String>) -> Stack {
    let webhooks = webhook_url.map_or(Webhooks::Off, Webhooks::To);
    let options = Options { routers: false, webhooks, ..Options::ephemeral() };
    Stack::start(options).await.expect("the parts start")
}

/// 0.951 dollars to a seller on Solana, paid in SOL.
fn quote_body() -> Value {
    json!({
        "user": PAYER,
        "recipient": SELLER,
        "originChainId": 792_703_809,
        "destinationChainId": 792_703_809,
        "originCurrency": "11111111111111111111111111111111",
        "destinationCurrency": USDC_ON_SOLANA,
        "amount": "951000",
        "tradeType": "EXACT_OUTPUT",
        "refundTo": PAYER,
        "referrer": "call-1",
        "ttl": 600,
        "appFees": [{ "recipient": EVM, "fee": "490" }],
    })
}

async fn ask(sandbox: &SandboxControls, body: &Value) -> Reply {
    sandbox.request(Method::POST, "/quote/v2").json(body).send().await.expect("an answer")
}

async fn quote(sandbox: &SandboxControls) -> (String, Value) {
    let reply = ask(sandbox, &quote_body()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    (reply.text_at("/steps/0/requestId").expect("an id"), reply.json)
}

async fn status(sandbox: &SandboxControls, id: &str) -> Value {
    let path = format!("/intents/status/v3?requestId={id}");
    sandbox.request(Method::GET, &path).send().await.expect("an answer").json
}

async fn record(sandbox: &SandboxControls, id: &str) -> Value {
    records(sandbox, id).await[0].clone()
}

async fn records(sandbox: &SandboxControls, id: &str) -> Value {
    let request = sandbox.request(Method::GET, &format!("/requests/v3?id={id}")).header("x-api-key", API_KEY);
    request.send().await.expect("an answer").json["requests"].clone()
}

#[tokio::test]
async fn a_quote_is_paid_and_its_record_tells_so() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let (id, quoted) = quote(&sandbox).await;
    assert!(id.len() == 66 && id.starts_with("0x"));
    // (951000 + 20000) / 0.951, rounded up; at 150 dollars the SOL.
    assert_eq!(quoted["details"]["currencyIn"]["amountUsd"], "1.021031");
    assert_eq!(quoted["details"]["currencyOut"]["amount"], "951000");
    assert_eq!(quoted["fees"]["app"]["amountUsd"], "0.050030");
    assert_eq!(quoted["details"]["recipient"], SELLER);
    let step = &quoted["steps"][0];
    assert_eq!(step["items"][0]["check"]["endpoint"], format!("/intents/status/v3?requestId={id}"));
    assert!(step["items"][0]["data"]["instructions"][0]["programId"].is_string());
    let pays = format!("POST {}/sandbox/requests/{id} {{\"status\":\"success\"}}", stack.relay_url());
    assert!(step["description"].as_str().expect("text").contains(&pays), "{step}");

    assert_eq!(status(&sandbox, &id).await["status"], "waiting");
    let before = record(&sandbox, &id).await;
    assert_eq!((&before["data"]["outTxs"], &before["data"]["route"]["actual"]), (&json!([]), &Value::Null));
    sandbox.pay(&id).await.expect("paid");
    let after = record(&sandbox, &id).await;
    assert_eq!((&after["status"], &after["recipient"]), (&json!("success"), &json!(SELLER)));
    let output = &after["data"]["route"]["actual"]["destination"]["outputCurrency"];
    assert_eq!((&output["amount"], &output["currency"]["address"]), (&json!("951000"), &json!(USDC_ON_SOLANA)));
    assert_eq!(after["data"]["appFees"]["actual"][0]["bps"], "490");
    assert_eq!(status(&sandbox, &id).await["txHashes"].as_array().map(Vec::len), Some(1));

    let seen = &sandbox.requests(Some(PAYER)).await.expect("a list")[0];
    assert_eq!(seen["quote_request"], quote_body());
    assert_eq!(seen["status"], "success");
}

#[tokio::test]
async fn a_base_payer_gets_transactions_of_that_chain() {
    let stack = parts(None).await;
    let mut body = quote_body();
    body["user"] = EVM.into();
    body["refundTo"] = EVM.into();
    body["originChainId"] = 8453.into();
    body["originCurrency"] = "0x0000000000000000000000000000000000000000".into();
    let eth = ask(&stack.sandbox(), &body).await.json;
    let data = &eth["steps"][0]["items"][0]["data"];
    assert_eq!(data["value"], eth["details"]["currencyIn"]["amount"]);
    assert_eq!((&data["from"], &data["chainId"]), (&json!(EVM), &json!(8453)));

    body["originCurrency"] = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913".into();
    let usdc = ask(&stack.sandbox(), &body).await.json;
    assert_eq!((&usdc["steps"][0]["id"], &usdc["steps"][1]["id"]), (&json!("approve"), &json!("deposit")));
    assert_eq!(usdc["details"]["operation"], "bridge");

    body["amount"] = "47000".into();
    body["appFees"][0]["fee"] = "300".into();
    let small = ask(&stack.sandbox(), &body).await;
    assert_eq!((small.status, &small.json["errorCode"]), (400, &json!("AMOUNT_TOO_LOW")));
}

#[tokio::test]
async fn bad_requests_are_refused_in_the_providers_way() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    for (field, value, code) in [
        ("user", json!(EVM), json!("INVALID_ADDRESS")),
        ("recipient", json!("nobody"), json!("INVALID_ADDRESS")),
        ("originChainId", json!(1), json!("UNSUPPORTED_CHAIN")),
        ("destinationCurrency", json!(EVM), json!("INVALID_OUTPUT_CURRENCY")),
        ("amount", json!("1.5"), Value::Null),
        ("amount", json!("0"), json!("AMOUNT_TOO_LOW")),
        ("tradeType", json!("EXACT_INPUT"), Value::Null),
        ("appFees", json!([{ "recipient": EVM, "fee": 490 }]), Value::Null),
        ("ttl", json!(-1), Value::Null),
    ] {
        let mut body = quote_body();
        body[field] = value;
        let reply = ask(&sandbox, &body).await;
        assert_eq!((reply.status, &reply.json["errorCode"]), (400, &code), "{field}: {}", reply.text());
        assert!(reply.json["message"].is_string());
    }
    let no_key = sandbox.request(Method::GET, "/requests/v3?id=0x00").send().await.expect("an answer");
    assert_eq!(no_key.status, 401);
    let wrong_key = sandbox.request(Method::POST, "/quote/v2").header("x-api-key", "x").json(&quote_body());
    assert_eq!(wrong_key.send().await.expect("an answer").status, 401);
    let unknown = sandbox.request(Method::GET, "/intents/status/v3?requestId=0x00").send().await.expect("an answer");
    assert_eq!((unknown.status, unknown.json.is_object()), (404, true));
}
