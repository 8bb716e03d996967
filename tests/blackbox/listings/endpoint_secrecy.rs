//! An endpoint's URL, auth header and secrets reach the seller only. The test searches every reply, the table and the log for
//! them.

use std::io;
use std::sync::{Mutex, PoisonError};

use crochet_tests::{Failure, Outcome, Replies, Reply, Setup, list, unique_name, with_setup};
use serde_json::{Value, json};

/// The prefix of this file's canaries, unique in the suite.
const MARK: &str = "canary-of-an-endpoint-";

/// Log lines that contain a canary.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A log writer that keeps only lines with a canary.
struct Sniffer;

impl io::Write for Sniffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        if line.contains(MARK) || line.contains("whsec_") {
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The most verbose log of the service's own code.
fn listen() {
    let filter = "info,crochet=trace,crochet_gateway=trace,crochet_listings=trace,crochet_catalog=trace";
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(|| Sniffer).init();
}

#[track_caller]
fn silent(reply: Reply, canaries: &[&str]) -> Reply {
    let mut told = reply.text();
    for (name, value) in &reply.headers {
        told.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    }
    for canary in canaries {
        assert!(!told.contains(canary), "{canary} is told: {told}");
    }
    reply
}

#[test]
fn an_endpoints_auth_header_reaches_the_seller_and_nobody_else() -> Outcome {
    listen();
    with_setup(Setup::default(), async |world| {
        let path = format!("/echo/{MARK}path-{}", unique_name());
        let market = world.market_at(&json!(1), &path).await?;
        let value = format!("{MARK}value-{}", unique_name());
        let route = format!("/listings/{}/endpoint", market.listing.id);
        let secret = market.listing.signing_secret.clone();
        let canaries = [MARK, secret.trim_start_matches("whsec_")];
        let change = json!({ "auth_header": { "name": "X-Seller-Key", "value": value } });
        silent(market.seller.put(&route).json(&change).send().await?, &canaries).ok(200);

        // It reaches the seller, with a test and with calls.
        silent(market.seller.post(&format!("{route}/test")).send().await?, &canaries).ok(200);
        let body = json!({ "n": 1 });
        let offer = silent(market.call(&body).send().await?, &canaries);
        let quote = crochet_tests::Quote::of(offer);
        world.sandbox.pay(&quote.id).await?;
        let answer = market.redeem(&quote, &body).await?;
        answer.ok(200);
        silent(answer, &canaries);
        silent(market.redeem(&quote, &body).await?, &canaries);
        let calls = world.seller.calls(&[("path", &path)]).await?;
        assert_eq!(calls.len(), 2);
        assert!(calls.iter().all(|call| call["headers"]["x-seller-key"] == json!(value)), "it reaches the seller");

        // Another seller gets nothing of it.
        let other = world.free_market(&world.echo_path()).await?;
        other.call(&body).send().await?.ok(200);
        assert!(!other.all_received().await?[0]["header_list"].to_string().contains(MARK));

        // Every reply about the listing, to whomever.
        let listing = format!("/listings/{}", market.listing.id);
        for reply in [
            market.seller.get(&route).send().await?,
            market.seller.get(&listing).send().await?,
            world.client.get(&listing).send().await?,
            world.client.get("/listings").query("q", "service").send().await?,
            market.seller.get("/listings").query("seller", "me").send().await?,
            market.buyer.get("/gateway-requests").send().await?,
            market.seller.get("/gateway-requests").send().await?,
            market.buyer.get("/ledger").send().await?,
            market.seller.get("/ledger").send().await?,
            market.seller.patch(&listing).json(&json!({ "description": "Other." })).send().await?,
            market.seller.put(&route).json(&json!({ "timeout_ms": 5_000 })).send().await?,
        ] {
            silent(reply, &canaries).ok(200);
        }
        let rotated = silent(market.seller.post(&format!("{route}/rotate-secret")).send().await?, &canaries);
        assert_eq!(list(&rotated.ok(200)["gateway_endpoint"], "auth_header_names"), [json!("X-Seller-Key")], "and it stays");

        // Every failure, to both sides.
        for path in ["/fail/500", "/close", "/redirect", "/garbage", "/huge/300000"] {
            let url = format!("{}?{MARK}{}", world.seller.url(path), unique_name());
            silent(market.seller.put(&route).json(&json!({ "private_endpoint_url": url })).send().await?, &canaries).ok(200);
            silent(market.seller.post(&format!("{route}/test")).send().await?, &canaries).ok(200);
            let body = json!({ "path": path });
            let quote = market.paid(&body).await?;
            let refused = silent(market.redeem(&quote, &body).await?, &canaries);
            assert_eq!(refused.status, 502, "{}", refused.text());
            silent(market.buyer.get("/gateway-requests").send().await?, &canaries).ok(200);
            silent(market.seller.get(&route).send().await?, &canaries).ok(200);
        }

        // Mistakes with it.
        for change in [
            json!({ "auth_header": format!("X-Key: {MARK}1") }),
            json!({ "auth_header": { "name": "X-Key", "value": format!("{MARK}2\n") } }),
            json!({ "auth_header": { "name": format!("{MARK}3 "), "value": "v" } }),
            json!({ "private_endpoint_url": format!("ftp://{MARK}4.example/") }),
            json!({ "private_endpoint_url": { "url": format!("{MARK}5") } }),
            json!({ "timeout_ms": format!("{MARK}6") }),
            json!({ "private_endpoint_url": null, "auth_header": { "name": "X-Key", "value": format!("{MARK}7") } }),
        ] {
            let refused = silent(market.seller.put(&route).json(&change).send().await?, &canaries);
            assert!(matches!(refused.status, 400 | 409), "{}", refused.text());
        }

        let stored = world.stored().await?.unwrap_or_default();
        for canary in canaries {
            assert!(!stored.contains(canary), "the table holds {canary}");
        }
        let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(*told, Vec::<String>::new(), "the log tells it");
        Ok(())
    })
}

#[test]
fn an_unreachable_endpoint_tells_nobody_where_it_is() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let closed = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["private_endpoint_url"] = format!("http://{closed}/{MARK}x").into();
        let market = world.market_with(&fields, "/echo").await?;
        let port = format!(":{}", closed.port());
        let canaries = [MARK, port.as_str(), "127.0.0.1"];
        let test = market.seller.post(&format!("/listings/{}/endpoint/test", market.listing.id)).send().await?;
        assert_eq!(silent(test, &canaries).ok(200)["test"]["failure"]["class"], "unreachable");
        let quote = market.paid(&Value::Null).await?;
        let refused = market.redeem(&quote, &Value::Null).await?;
        refused.refused(502, "SELLER_UNREACHABLE");
        silent(refused, &[MARK, port.as_str()]);
        let row: Result<Value, Failure> = market.row(&quote.id).await;
        assert!(!row?.to_string().contains(&port));
        Ok(())
    })
}
