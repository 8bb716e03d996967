//! The controls: states, faults, webhooks.

use reqwest::Method;
use serde_json::{Value, json};

use super::{API_KEY, PAYER, SELLER, ask, parts, quote, quote_body, record, status};
use crate::sandbox::webhook;

#[tokio::test]
async fn controls_say_what_a_payment_becomes_and_when() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let (id, _) = quote(&sandbox).await;
    sandbox.set(&id, &json!({ "status": "pending" })).await.expect("set");
    let later = json!({ "status": "success", "after_ms": 3_600_000, "output": "950999", "recipient": PAYER });
    sandbox.set(&id, &later).await.expect("set");
    assert_eq!(status(&sandbox, &id).await["status"], "pending");
    assert_eq!(sandbox.advance_clock(3_600_000).await.expect("moved"), 3_600_000);
    let paid = record(&sandbox, &id).await;
    assert_eq!((&paid["status"], &paid["recipient"]), (&json!("success"), &json!(PAYER)));
    assert_eq!(paid["data"]["route"]["actual"]["destination"]["outputCurrency"]["amount"], "950999");

    sandbox.set(&id, &json!({ "status": "refund", "fail_reason": "DOUBLE_SPEND", "fill": true })).await.expect("set");
    let refunded = record(&sandbox, &id).await;
    assert_eq!(refunded["data"]["failReason"], "DOUBLE_SPEND");
    assert_eq!(refunded["data"]["outTxs"].as_array().map(Vec::len), Some(2), "the fill that was kept, and the refund");

    let other = format!("0x{}", "ab".repeat(32));
    sandbox.set(&id, &json!({ "status": "pending", "superseded_by": other })).await.expect("set");
    assert_eq!(record(&sandbox, &id).await["supersededByRequestId"], other.as_str());
    sandbox.pay(&other).await.expect("the new payment can be paid");
    assert_eq!(record(&sandbox, &other).await["status"], "success");

    for (path, body, says) in [
        ("/sandbox/clock", json!({ "advance_ms": 1, "backwards": true }), "backwards"),
        ("/sandbox/faults", json!({ "route": "status", "mode": "replay_id", "for_ms": 1 }), "mode"),
        ("/sandbox/faults", json!({ "route": "nothing", "mode": "down", "for_ms": 1 }), "nothing"),
        ("/sandbox/requests/0x00", json!({ "status": "success" }), "0x00"),
        ("/sandbox/requests/0x00", json!({ "state": "success" }), "state"),
        ("/elsewhere", json!({}), "/quote/v2"),
    ] {
        let reply = sandbox.request(Method::POST, path).json(&body).send().await.expect("an answer");
        assert!(matches!(reply.status, 400 | 404), "{path}");
        assert!(reply.json["message"].as_str().is_some_and(|message| message.contains(says)), "{path}: {}", reply.text());
    }
}

#[tokio::test]
async fn faults_come_and_go() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let (first, _) = quote(&sandbox).await;
    let minute = 60_000;
    sandbox.fault("quote", "down", minute).await.expect("a fault");
    assert_eq!(ask(&sandbox, &quote_body()).await.status, 503);
    sandbox.fault("quote", "garbage", minute).await.expect("a fault");
    let garbage = ask(&sandbox, &quote_body()).await;
    assert_eq!((garbage.status, &garbage.json), (200, &Value::Null));
    sandbox.fault("quote", "replay_id", minute).await.expect("a fault");
    assert_eq!(quote(&sandbox).await.0, first);
    sandbox.fault("quote", "wrong_recipient", minute).await.expect("a fault");
    assert_ne!(quote(&sandbox).await.1["details"]["recipient"], SELLER);
    sandbox.fault("quote", "smaller_output", minute).await.expect("a fault");
    assert_eq!(quote(&sandbox).await.1["details"]["currencyOut"]["amount"], "950999");
    sandbox.fault("quote", "wrong_currency", minute).await.expect("a fault");
    assert_eq!(quote(&sandbox).await.1["details"]["currencyOut"]["currency"]["symbol"], "SOL");
    sandbox.fault("requests", "wrong_recipient", minute).await.expect("a fault");
    assert_ne!(record(&sandbox, &first).await["recipient"], SELLER);
    sandbox.clear_faults().await.expect("cleared");
    let (second, quoted) = quote(&sandbox).await;
    assert_ne!(second, first);
    assert_eq!(quoted["details"]["recipient"], SELLER);
}

#[tokio::test]
async fn webhooks_are_signed_and_sent_when_a_change_takes_effect() {
    let receiver = parts(None).await;
    let stack = parts(Some(receiver.seller().url("/text"))).await;
    let sandbox = stack.sandbox();
    let (id, _) = quote(&sandbox).await;
    let told = sandbox.set(&id, &json!({ "status": "pending" })).await.expect("set");
    assert_eq!(told["webhooks"], json!([{ "request_id": id, "answered": 200 }]));
    sandbox.set(&id, &json!({ "status": "success", "after_ms": 60_000 })).await.expect("set");
    assert_eq!(receiver.seller().calls(&[]).await.expect("calls").len(), 1);
    sandbox.advance_clock(60_000).await.expect("moved");

    let calls = receiver.seller().calls(&[]).await.expect("calls");
    assert_eq!(calls.len(), 2);
    let event: Value = serde_json::from_str(calls[1]["body"].as_str().expect("text")).expect("JSON");
    assert_eq!(event["event"], "request.status.updated");
    assert_eq!((&event["data"]["status"], &event["data"]["requestId"]), (&json!("success"), &json!(id)));
    assert_eq!(event["data"]["referrer"], "call-1");
    let headers = &calls[1]["headers"];
    let signed = |name: &str| headers[name].as_str().expect("a header").to_owned();
    let expected = webhook::sign(API_KEY, &signed("x-signature-timestamp"), calls[1]["body"].as_str().expect("text"));
    assert_eq!(signed("x-signature-sha256"), expected);
}
