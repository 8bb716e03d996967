//! The controls: states, faults, webhooks.

use reqwest::Method;
use serde_json::{Value, json};

use super::{API_KEY, PAYER, SELLER, ask, parts, quote, quote_body, record, records, status};
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
        ("/sandbox/requests/0x00", json!({ "after_ms": 1 }), "status"),
        ("/sandbox/requests/0x00", json!({ "forget": true, "status": "success" }), "forget"),
        ("/sandbox/requests/0x00", json!({ "forget": true }), "0x00"),
        ("/elsewhere", json!({}), "/quote/v2"),
    ] {
        let reply = sandbox.request(Method::POST, path).json(&body).send().await.expect("an answer");
        assert!(matches!(reply.status, 400 | 404), "{path}");
        assert!(reply.json["message"].as_str().is_some_and(|message| message.contains(says)), "{path}: {}", reply.text());
    }
}

#[tokio::test]
async fn the_provider_forgets_an_id_and_knows_it_again() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let (id, _) = quote(&sandbox).await;
    let path = format!("/intents/status/v3?requestId={id}");
    let code = async || sandbox.request(Method::GET, &path).send().await.expect("an answer").status;
    sandbox.set(&id, &json!({ "forget": true, "after_ms": 60_000 })).await.expect("set");
    assert_eq!((code().await, records(&sandbox, &id).await.as_array().map(Vec::len)), (200, Some(1)));
    sandbox.advance_clock(60_000).await.expect("moved");
    assert_eq!((code().await, records(&sandbox, &id).await), (404, json!([])));
    assert_eq!(status(&sandbox, &id).await, json!({ "message": "Request not found" }));
    assert_eq!(sandbox.payment(&id).await.expect("the controls still show it")["forgotten"], true);
    // A payment of a forgotten id is not seen.
    sandbox.pay(&id).await.expect("paid");
    assert_eq!(code().await, 404);
    sandbox.recall(&id).await.expect("known again");
    assert_eq!(status(&sandbox, &id).await["status"], "success");
    sandbox.forget(&id).await.expect("forgotten");
    assert_eq!(code().await, 404);
}

#[tokio::test]
async fn a_payment_goes_back_and_its_record_comes_later() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let (id, _) = quote(&sandbox).await;
    for state in ["pending", "waiting", "failure", "success", "waiting", "refund", "pending", "waiting"] {
        sandbox.set(&id, &json!({ "status": state })).await.expect("any state after any");
        assert_eq!(status(&sandbox, &id).await["status"], state);
    }
    assert_eq!(record(&sandbox, &id).await["data"]["inTxs"], json!([]), "no deposit is seen any more");

    sandbox.pay_with_late_record(&id, 30_000).await.expect("paid");
    assert_eq!(status(&sandbox, &id).await["status"], "success");
    let before = record(&sandbox, &id).await;
    assert_eq!((&before["status"], &before["data"]["route"]["actual"]), (&json!("waiting"), &Value::Null));
    assert_eq!(before["data"]["appFees"]["actual"], json!([]));
    sandbox.advance_clock(30_000).await.expect("moved");
    let after = record(&sandbox, &id).await;
    assert_eq!((&after["status"], &after["data"]["appFees"]["actual"][0]["bps"]), (&json!("success"), &json!("490")));
    assert_eq!(after["protocol"]["settlement"]["destination"]["fills"].as_array().map(Vec::len), Some(1));

    // A refund shows the quoted route, as the provider does, but no fill; with a fill kept, both.
    sandbox.set(&id, &json!({ "status": "refund" })).await.expect("set");
    let refunded = record(&sandbox, &id).await;
    assert!(refunded["data"]["route"]["actual"]["destination"].is_object());
    let settlement = &refunded["protocol"]["settlement"]["destination"];
    assert_eq!((settlement["fills"].as_array().map(Vec::len), settlement["refunds"].as_array().map(Vec::len)), (Some(0), Some(1)));
    sandbox.set(&id, &json!({ "status": "refund", "fill": true })).await.expect("set");
    let settlement = record(&sandbox, &id).await["protocol"]["settlement"]["destination"].clone();
    assert_eq!((settlement["fills"].as_array().map(Vec::len), settlement["refunds"].as_array().map(Vec::len)), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_payment_is_superseded_and_keeps_its_state() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let (first, _) = quote(&sandbox).await;
    let (second, _) = quote(&sandbox).await;
    sandbox.set(&first, &json!({ "status": "pending" })).await.expect("set");
    sandbox.supersede(&first, &second).await.expect("superseded");
    assert_eq!(status(&sandbox, &first).await["status"], "pending");
    assert_eq!(record(&sandbox, &first).await["supersededByRequestId"], second.as_str());
    // In a circle.
    sandbox.supersede(&second, &first).await.expect("superseded");
    assert_eq!(record(&sandbox, &second).await["supersededByRequestId"], first.as_str());
    assert_eq!(sandbox.requests(None).await.expect("a list").len(), 2);
}

#[tokio::test]
async fn costs_change() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let paid = async || quote(&sandbox).await.1["details"]["currencyIn"]["amountUsd"].clone();
    assert_eq!(paid().await, "1.021031");
    sandbox.set_costs(Some(0)).await.expect("set");
    assert_eq!(paid().await, "1.000000");
    sandbox.set_costs(None).await.expect("set");
    assert_eq!(paid().await, "1.021031");
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

#[tokio::test]
async fn a_webhook_is_sent_when_its_time_has_come_and_a_missing_route_is_asked_once() {
    let receiver = parts(None).await;
    let stack = parts(Some(receiver.seller().url("/text"))).await;
    let (id, _) = quote(&stack.sandbox()).await;
    let soon = stack.sandbox().set(&id, &json!({ "status": "success", "after_ms": 50 })).await.expect("set");
    assert_eq!(soon["webhooks"], json!([]));
    let mut polls = 0;
    while receiver.seller().calls(&[]).await.expect("calls").is_empty() {
        polls += 1;
        assert!(polls < 10_000, "nobody asked the provider, and the webhook came nevertheless");
    }

    let nowhere = parts(Some(format!("{}/webhooks", receiver.relay_url()))).await;
    let (id, _) = quote(&nowhere.sandbox()).await;
    let told = nowhere.sandbox().pay(&id).await.expect("paid");
    assert_eq!(told["webhooks"], json!([{ "request_id": id, "answered": 404 }]));
    assert_eq!(status(&nowhere.sandbox(), &id).await["status"], "success");
}

#[tokio::test]
async fn the_requests_of_a_key_are_listed_page_by_page() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let list = async |query: &str| {
        let path = format!("/requests/v3?apiKey={API_KEY}&{query}");
        sandbox.request(Method::GET, &path).header("x-api-key", API_KEY).send().await.expect("an answer").json
    };
    let ids = |page: &Value| -> Vec<String> {
        page["requests"].as_array().expect("a list").iter().map(|record| record["id"].as_str().expect("an id").to_owned()).collect()
    };
    let mut quoted = Vec::new();
    for _ in 0..5 {
        quoted.push(quote(&sandbox).await.0);
    }
    let mut seconds = 0;
    for n in [3, 0, 4, 1] {
        sandbox.advance_clock(1_000).await.expect("moved");
        seconds = stack.clock().now().unix_timestamp();
        sandbox.pay(&quoted[n]).await.expect("paid");
    }
    sandbox.forget(&quoted[4]).await.expect("forgotten");
    let query = "status=success&sortBy=updatedAt&sortDirection=asc&limit=2";
    let first = list(query).await;
    assert_eq!(ids(&first), [quoted[3].clone(), quoted[0].clone()], "in the order of the changes");
    let next = first["continuation"].as_str().expect("a second page");
    let second = list(&format!("{query}&continuation={next}")).await;
    assert_eq!((ids(&second), &second["continuation"]), (vec![quoted[1].clone()], &Value::Null));
    assert_eq!(ids(&list("").await).first(), Some(&quoted[3]), "the newest, without the forgotten one");
    assert_eq!(ids(&list(&format!("sortBy=updatedAt&startTimestamp={seconds}")).await), [quoted[1].clone()]);

    for query in ["?", "?apiKey=another", &format!("?apiKey={API_KEY}&sortBy=price"), &format!("?apiKey={API_KEY}&term=x")] {
        let request = sandbox.request(Method::GET, &format!("/requests/v3{query}")).header("x-api-key", API_KEY);
        assert_eq!(request.send().await.expect("an answer").status, 400, "{query}");
    }
}
