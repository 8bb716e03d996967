//! The demo seller over HTTP.

use crochet_client::{Reply, Request, SellerControls};
use reqwest::Method;
use serde_json::json;
use standardwebhooks::Webhook;

use crate::{Options, Stack};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const OTHER_SECRET: &str = "whsec_YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI=";
const BODY: &str = r#"{ "task": "a",  "n": 1.0 }"#;

async fn parts() -> Stack {
    Stack::start(Options { routers: false, ..Options::ephemeral() }).await.expect("the parts start")
}

fn signed(seller: &SellerControls, stack: &Stack, path: &str, secret: &str, id: &str) -> Request {
    let timestamp = stack.clock().now().unix_timestamp();
    let signature = Webhook::new(secret).expect("a secret").sign(id, timestamp, BODY.as_bytes()).expect("a signature");
    seller
        .request(Method::POST, path)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", &timestamp.to_string())
        .header("webhook-signature", &format!("v1,AAAA {signature}"))
        .raw_body(BODY)
}

async fn send(request: Request) -> Reply {
    request.send().await.expect("an answer")
}

#[tokio::test]
async fn a_good_signature_is_echoed_and_a_bad_one_is_not() {
    let stack = parts().await;
    let seller = stack.seller();
    assert_eq!(send(signed(&seller, &stack, "/echo", SECRET, "m1")).await.status, 401, "no secret is known yet");
    seller.add_secret(SECRET, "/echo").await.expect("registered");
    seller.add_secret(OTHER_SECRET, "/echo").await.expect("registered beside the first");
    for secret in [SECRET, OTHER_SECRET] {
        let reply = send(signed(&seller, &stack, "/echo", secret, "m1")).await;
        assert_eq!(reply.json, json!({ "echo": { "task": "a", "n": 1.0 }, "verified": true, "webhook_id": "m1" }));
    }
    let other_path = send(signed(&seller, &stack, "/echo/elsewhere", SECRET, "m1")).await;
    assert_eq!(other_path.status, 401, "secrets are those of one path");
    let changed = signed(&seller, &stack, "/echo", SECRET, "m1").raw_body(r#"{"task":"b"}"#);
    assert_eq!(send(changed).await.status, 401);

    // The seller follows the stack's clock, although the library does not.
    stack.sandbox().advance_clock(86_400_000).await.expect("moved");
    assert_eq!(send(signed(&seller, &stack, "/echo", SECRET, "m2")).await.status, 200);
    let late = signed(&seller, &stack, "/echo", SECRET, "m2");
    stack.sandbox().advance_clock(301_000).await.expect("moved");
    assert_eq!(send(late).await.status, 401);
}

#[tokio::test]
async fn calls_are_kept_as_they_came() {
    let stack = parts().await;
    let seller = stack.seller();
    send(signed(&seller, &stack, "/echo", SECRET, "m1").header("x-twice", "a").header("x-twice", "b")).await;
    send(signed(&seller, &stack, "/text", SECRET, "m1")).await;
    send(signed(&seller, &stack, "/text", SECRET, "m2")).await;
    let calls = seller.calls(&[("webhook_id", "m1")]).await.expect("calls");
    assert_eq!(calls.len(), 2);
    assert_eq!((&calls[0]["body"], &calls[0]["path"]), (&json!(BODY), &json!("/echo")));
    assert_eq!(calls[0]["headers"]["x-twice"], "a, b");
    let counted = seller.request(Method::GET, "/calls?path=/text").send().await.expect("an answer").json;
    assert_eq!(counted["counts"], json!({ "m1": 1, "m2": 1 }));
    seller.forget_calls().await.expect("forgotten");
    assert!(seller.calls(&[]).await.expect("calls").is_empty());
}

#[tokio::test]
async fn it_misbehaves_as_told() {
    let stack = parts().await;
    let seller = stack.seller();
    let call = |path: &str| seller.request(Method::POST, path).header("webhook-id", "m1").json(&json!({ "x": 1 }));
    assert_eq!(send(call("/fail/503")).await.status, 503);
    assert_eq!(send(call("/status/418")).await.status, 418);
    assert_eq!(send(call("/empty")).await.status, 204);
    assert_eq!(send(call("/slow/1")).await.json["echo"], json!({ "x": 1 }));
    assert!(send(call("/garbage")).await.json.is_null());
    let huge = send(call("/huge/100000")).await;
    assert_eq!((huge.body.len(), huge.json.is_object()), (100_000, true));
    let redirect = send(call("/redirect?to=http://127.0.0.1:1/x&status=302")).await;
    assert_eq!((redirect.status, redirect.header("location")), (302, "http://127.0.0.1:1/x"));
    assert_eq!(send(call("/text")).await.header("content-type"), "text/plain; charset=utf-8");
    let statuses = [send(call("/flaky/2")).await, send(call("/flaky/2")).await, send(call("/flaky/2")).await];
    assert_eq!(statuses.map(|reply| reply.status), [503, 503, 200]);
    assert!(call("/close").send().await.is_err(), "no answer at all");
    let wrong = seller.request(Method::POST, "/secret").json(&json!({ "signing_secret": "whsec_!", "path": "/echo" }));
    assert_eq!(send(wrong).await.status, 400);
}

#[tokio::test]
async fn an_endless_answer_does_not_keep_the_stack_from_stopping() {
    let stack = parts().await;
    let seller = stack.seller();
    let reading = tokio::spawn(async move { seller.request(Method::POST, "/drip/1").send().await });
    // Only when the call is written down is the answer on its way.
    while stack.seller().calls(&[("path", "/drip/1")]).await.expect("calls").is_empty() {
        tokio::task::yield_now().await;
    }
    stack.stop().await;
    assert!(reading.await.expect("no panic").is_err(), "the answer was cut off");
}
