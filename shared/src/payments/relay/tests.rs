//! Relay's replies about payments, from a server that plays them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

use super::*;
use crochet_domain::call::ExpectedPayout;
use crochet_domain::money::Micros;

/// A key, and the one before.
fn key(key: &str, previous: &str) -> OperatorSecret<ProviderSecret> {
    OperatorSecret::fixed(ProviderSecret { key: key.into(), previous: previous.into(), previous_until_ms: i64::MAX })
}

const SELLER: &str = "0x00000000000000000000000000000000000000AB";

/// What the provider replies: status code and body by route (`status`, `requests`) and id.
type Replies = HashMap<(&'static str, String), (u16, String)>;

#[derive(Clone, Default)]
struct Played {
    replies: Arc<Mutex<Replies>>,
    asked: Arc<Mutex<Vec<&'static str>>>,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Played {
    fn says(self, route: &'static str, id: &str, status: u16, body: impl ToString) -> Self {
        self.replies.lock().expect("unpoisoned").insert((route, id.to_owned()), (status, body.to_string()));
        self
    }

    fn status(self, id: &str, status: &str) -> Self {
        self.says("status", id, 200, json!({ "status": status, "failReason": "N/A" }))
    }

    fn record(self, id: &str, record: Value) -> Self {
        self.says("requests", id, 200, json!({ "requests": [record] }))
    }

    /// Serves the replies at the URL that is returned.
    async fn serve(&self) -> (Url, tokio::task::JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base: Url = format!("http://{}", listener.local_addr().expect("an address")).parse().expect("a URL");
        let router = Router::new().fallback(reply).with_state(self.clone());
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
                tokio::spawn(connection);
            }
        });
        (base, server)
    }

    /// Asks about `id`. Returns the reply, and which routes were asked.
    async fn payment(self, id: &str, wanted: RecordWanted) -> (Result<ProviderPayment, ProviderUnavailable>, Vec<&'static str>) {
        let (base, server) = self.serve().await;
        let payment = Relay::new(&base, key("key", "")).payment(id, wanted).await;
        server.abort();
        let mut asked = self.asked.lock().expect("unpoisoned").clone();
        asked.sort_unstable();
        (payment, asked)
    }
}

async fn reply(State(played): State<Played>, uri: Uri, Query(query): Query<HashMap<String, String>>) -> impl IntoResponse {
    let route = if uri.path() == "/requests/v3" { "requests" } else { "status" };
    played.asked.lock().expect("unpoisoned").push(route);
    played.queries.lock().expect("unpoisoned").push(uri.query().unwrap_or_default().to_owned());
    let id = query.get("id").or(query.get("requestId")).cloned().unwrap_or_default();
    let none = (200, json!({ "requests": [] }).to_string());
    let (status, body) = played.replies.lock().expect("unpoisoned").get(&(route, id)).cloned().unwrap_or(none);
    (StatusCode::from_u16(status).expect("a status"), body)
}

/// An id of the provider.
fn id(n: u8) -> String {
    format!("0x{}", hex::encode([n; 32]))
}

/// A record that shows a route to the seller, as executed or repeated from the quote.
fn record(id: &str) -> Value {
    json!({
        "id": id, "recipient": SELLER, "supersededByRequestId": null, "requestType": "Bridge",
        "data": {
            "outTxs": [],
            "appFees": {"actual": [{"bps": "5", "amount": "5000000", "amountUsd": "4.9979809"}]},
            "route": {"actual": {"destination": {
                "outputCurrency": {"currency": {"chainId": 8453, "address": "0xab"}, "amount": "5"}
            }}},
        },
    })
}

fn superseded(id: &str, by: &str) -> Value {
    json!({ "id": id, "recipient": SELLER, "supersededByRequestId": by, "data": {} })
}

#[tokio::test]
async fn the_record_is_asked_for_beside_the_status_or_on_success() {
    let (paid, waiting, refunded) = (id(1), id(2), id(3));
    let played = || {
        Played::default()
            .status(&paid, "success")
            .record(&paid, record(&paid))
            .status(&waiting, "waiting")
            .status(&refunded, "refund")
    };
    for (id, wanted, asked) in [
        (&paid, RecordWanted::Beside, &["requests", "status"][..]),
        (&paid, RecordWanted::OnSuccess, &["requests", "status"]),
        (&waiting, RecordWanted::Beside, &["requests", "status"]),
        (&waiting, RecordWanted::OnSuccess, &["status"]),
        (&refunded, RecordWanted::OnSuccess, &["requests", "status"]),
    ] {
        let (payment, routes) = played().payment(id, wanted).await;
        assert!(payment.is_ok());
        assert_eq!(routes, asked, "{id} {wanted:?}");
    }
    let (payment, _) = played().payment(&paid, RecordWanted::OnSuccess).await;
    let payment = payment.expect("a reply");
    let expected = ExpectedPayout { recipient: SELLER.into(), chain_id: 8_453, currency: "0xab".into(), output: 5 };
    assert_eq!((payment.status, payment.paid_out), (ProviderStatus::Success, Some(expected)));
    assert_eq!(payment.fee_collected, Some(Micros(4_997_980)), "rounded down");
    assert_eq!((payment.own_status, payment.superseded_by), (ProviderStatus::Success, Vec::new()));
}

#[tokio::test]
async fn only_a_well_formed_404_means_that_the_id_is_unknown() {
    let known = id(1);
    let unknown = json!({ "message": "Request not found" });
    for wanted in [RecordWanted::Beside, RecordWanted::OnSuccess] {
        let (payment, _) = Played::default().says("status", &known, 404, &unknown).payment(&known, wanted).await;
        let payment = payment.expect("a reply");
        assert_eq!((payment.status, payment.own_status), (ProviderStatus::Unknown, ProviderStatus::Unknown));
    }
    for (status, body) in [
        (404, "<html>404 Not Found</html>".to_owned()),
        (404, "{}".to_owned()),
        (404, json!({ "message": "Route GET:/intents/status/v3 not found", "error": "Not Found", "statusCode": 404 }).to_string()),
        (429, unknown.to_string()),
        (500, unknown.to_string()),
        (503, unknown.to_string()),
        (200, unknown.to_string()),
        (200, json!({ "status": "unknown" }).to_string()),
    ] {
        let (payment, _) = Played::default().says("status", &known, status, &body).payment(&known, RecordWanted::OnSuccess).await;
        assert!(payment.is_err(), "{status} {body}");
    }
    // A record of an id that the other route denies knowing.
    let contradiction = Played::default().says("status", &known, 404, &unknown).record(&known, record(&known));
    assert!(contradiction.payment(&known, RecordWanted::Beside).await.0.is_err());
}

#[tokio::test]
async fn a_success_without_a_record_shows_no_payout() {
    let paid = id(1);
    let mut without = record(&paid);
    without["data"]["route"]["actual"] = Value::Null;
    for played in [Played::default(), Played::default().record(&paid, without)] {
        let (payment, _) = played.status(&paid, "success").payment(&paid, RecordWanted::Beside).await;
        let payment = payment.expect("a reply");
        assert_eq!((payment.status, payment.paid_out, payment.fee_collected), (ProviderStatus::Success, None, None));
    }
    let unreadable = Played::default().status(&paid, "success").says("requests", &paid, 503, "{}");
    assert!(unreadable.payment(&paid, RecordWanted::OnSuccess).await.0.is_err());
}

#[tokio::test]
async fn a_refund_is_a_success_only_if_a_fill_is_recorded() {
    let paid = id(1);
    let fill =
        json!({ "settlement": { "destination": { "fills": [{ "chainId": 8453, "transactionId": "0x01" }], "refunds": [] } } });
    let no_fill = json!({ "settlement": { "destination": { "fills": [], "refunds": [] } } });
    let moved = |to: &str, diff: &str| json!([{ "stateChanges": [{ "address": to, "change": { "balanceDiff": diff } }] }]);
    for (status, protocol, transactions, becomes) in [
        // The provider repeats the quoted route where nothing was executed.
        ("refund", Value::Null, json!([]), ProviderStatus::Refunded),
        ("failure", no_fill.clone(), json!([]), ProviderStatus::Failed),
        ("refund", no_fill, moved("0xpayer", "5"), ProviderStatus::Refunded),
        ("refund", Value::Null, moved(SELLER, "-5"), ProviderStatus::Refunded),
        ("refund", fill.clone(), json!([]), ProviderStatus::Success),
        ("failure", fill, json!([]), ProviderStatus::Success),
        ("refund", Value::Null, moved(&SELLER.to_lowercase(), "5"), ProviderStatus::Success),
    ] {
        let mut recorded = record(&paid);
        recorded["protocol"] = protocol;
        recorded["data"]["outTxs"] = transactions;
        let (payment, _) =
            Played::default().status(&paid, status).record(&paid, recorded.clone()).payment(&paid, RecordWanted::OnSuccess).await;
        let payment = payment.expect("a reply");
        assert_eq!(payment.status, becomes, "{status} {recorded}");
        let is_paid = becomes == ProviderStatus::Success;
        assert_eq!((payment.paid_out.is_some(), payment.fee_collected.is_some()), (is_paid, is_paid));
    }
}

#[tokio::test]
async fn a_swap_on_one_chain_shows_its_output_at_the_origin() {
    let paid = id(1);
    let amount = |address: &str, amount: &str| json!({ "currency": { "chainId": 8453, "address": address }, "amount": amount });
    let mut recorded = record(&paid);
    recorded["data"]["route"]["actual"] =
        json!({ "origin": { "inputCurrency": amount("0x00", "9"), "outputCurrency": amount("0xab", "5") }, "destination": null });
    for (kind, output) in [("Same-chain Swap", Some(5)), ("Crosschain Swap", None)] {
        recorded["requestType"] = kind.into();
        let played = Played::default().status(&paid, "success").record(&paid, recorded.clone());
        let payment = played.payment(&paid, RecordWanted::Beside).await.0.expect("a reply");
        assert_eq!(payment.paid_out.map(|paid_out| paid_out.output), output, "{kind}");
    }
}

#[tokio::test]
async fn superseding_payments_are_followed_three_times() {
    let ids: Vec<String> = (1..=5).map(id).collect();
    let chain = |length: usize| {
        let mut played = Played::default();
        for n in 0..length {
            played = played.status(&ids[n], "waiting").record(&ids[n], superseded(&ids[n], &ids[n + 1]));
        }
        played.status(&ids[length], "success").record(&ids[length], record(&ids[length]))
    };
    let payment = chain(3).payment(&ids[0], RecordWanted::Beside).await.0.expect("a reply");
    assert_eq!((payment.status, payment.own_status), (ProviderStatus::Success, ProviderStatus::Waiting));
    assert_eq!(payment.superseded_by, ids[1..4]);
    assert!(payment.paid_out.is_some());
    assert!(chain(4).payment(&ids[0], RecordWanted::Beside).await.0.is_err(), "too long");

    // Without the record, a payment that waits is not known to be superseded.
    let payment = chain(1).payment(&ids[0], RecordWanted::OnSuccess).await.0.expect("a reply");
    assert_eq!((payment.status, payment.superseded_by), (ProviderStatus::Waiting, Vec::new()));
    let played = chain(1).status(&ids[0], "failure");
    let payment = played.payment(&ids[0], RecordWanted::OnSuccess).await.0.expect("a reply");
    assert_eq!((payment.status, payment.own_status), (ProviderStatus::Success, ProviderStatus::Failed));

    for (by, why) in [(ids[0].as_str(), "itself"), (ids[1].as_str(), "a circle"), ("no", "no id")] {
        let last = if why == "itself" { 0 } else { 1 };
        let played = chain(1).status(&ids[last], "waiting").record(&ids[last], superseded(&ids[last], by));
        assert!(played.payment(&ids[0], RecordWanted::Beside).await.0.is_err(), "{why}");
    }
    let unknown = chain(1).says("status", &ids[1], 404, json!({ "message": "Request not found" }));
    let unknown = unknown.says("requests", &ids[1], 200, json!({ "requests": [] }));
    assert!(unknown.payment(&ids[0], RecordWanted::Beside).await.0.is_err(), "it supersedes with an id that it does not know");
}

#[test]
fn ids_are_told_from_other_text() {
    let relay = Relay::new(&"http://127.0.0.1".parse().expect("a URL"), key("key", ""));
    assert!(relay.is_payment_id(&id(0xab)) && relay.is_payment_id(&format!("0x{}", "AB".repeat(32))));
    for text in ["", "0x", &id(1)[2..], &id(1)[..65], &format!("{}0", id(1)), &format!("0x{}", "zz".repeat(32)), "gw_req_01"] {
        assert!(!relay.is_payment_id(text), "{text}");
    }
}

#[test]
fn a_payment_must_be_the_one_that_was_quoted() {
    let expected = |recipient: &str, output: u64| ExpectedPayout {
        recipient: recipient.into(),
        chain_id: 8_453,
        currency: "0xAB".into(),
        output,
    };
    assert!(expected("0xab", 5).matches(&expected("0xAB", 5)));
    assert!(!expected("0xab", 4).matches(&expected("0xAB", 5)));
    assert!(!expected("0xac", 5).matches(&expected("0xAB", 5)));
    assert!(!expected("abc", 5).matches(&expected("ABC", 5)), "Solana addresses are exact");
}

#[tokio::test]
async fn filled_payments_are_listed_page_by_page() {
    let mut paid = record(&id(1));
    paid["status"] = "success".into();
    let mut moved = superseded(&id(2), &id(1));
    moved["status"] = "success".into();
    let played = Played::default().says("requests", "", 200, json!({ "requests": [paid, moved], "continuation": "50" }));
    let (base, server) = played.serve().await;
    let relay = Relay::new(&base, key("key", ""));
    let page = relay.filled_since(1_774_993_296_999, Some(1_775_079_696_000), Some("next&page")).await.expect("a page");
    assert_eq!(page.next.as_deref(), Some("50"));
    let [(listed, payment)] = &page.payments[..] else { panic!("what was superseded is left out: {page:?}") };
    assert_eq!((listed, payment.status, payment.fee_collected), (&id(1), ProviderStatus::Success, Some(Micros(4_997_980))));
    assert_eq!(payment.paid_out.as_ref().map(|paid_out| paid_out.output), Some(5));
    let query = played.queries.lock().expect("unpoisoned").remove(0);
    assert_eq!(
        query,
        "status=success&sortBy=updatedAt&sortDirection=asc&startTimestamp=1774993296&limit=50&endTimestamp=1775079696&continuation=next%26page&apiKey=key"
    );
    server.abort();
}

#[tokio::test]
async fn after_a_rotation_what_was_quoted_with_the_key_before_is_listed_too() {
    let mut paid = record(&id(1));
    paid["status"] = "success".into();
    let played = Played::default().says("requests", "", 200, json!({ "requests": [paid] }));
    let (base, server) = played.serve().await;
    let relay = Relay::new(&base, key("new", "old"));
    let page = relay.filled_since(0, None, None).await.expect("a page");
    let last = relay.filled_since(0, None, page.next.as_deref()).await.expect("a page");
    assert!(page.next.is_some() && last.next.is_none());
    let asked = played.queries.lock().expect("unpoisoned").clone();
    assert!(
        asked[0].ends_with("&apiKey=new") && asked[1].ends_with("&apiKey=old") && !asked[1].contains("continuation"),
        "{asked:?}"
    );
    played.clone().says("requests", "", 400, json!({}));
    assert!(relay.filled_since(0, None, None).await.is_err());
    assert_eq!(relay.filled_since(0, None, page.next.as_deref()).await.expect("nothing").payments, []);
    server.abort();
}

#[tokio::test]
async fn when_the_key_before_has_ended_nothing_new_is_asked_with_it() {
    let ends_ms = 1_774_993_296_140;
    let secret = ProviderSecret { key: "new".into(), previous: "old".into(), previous_until_ms: ends_ms };
    let (base, server) = Played::default().serve().await;
    let relay = Relay::new(&base, OperatorSecret::fixed(secret));
    for (since_ms, is_asked) in [(ends_ms - 1, true), (ends_ms, false)] {
        let page = relay.filled_since(since_ms, None, None).await.expect("a page");
        assert_eq!(page.next.is_some(), is_asked, "since {since_ms}");
    }
    let body = json!({ "data": { "requestId": id(1) } }).to_string();
    let headers = webhook::signed("old", &ends_ms.to_string(), body.as_bytes());
    for (now_ms, expected) in [(ends_ms - 1, true), (ends_ms, false)] {
        let verified = relay.verify_webhook(&headers, body.as_bytes(), now_ms).await;
        assert_eq!(verified.is_ok(), expected, "at {now_ms}: {verified:?}");
    }
    server.abort();
}
