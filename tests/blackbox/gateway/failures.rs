//! `POST /gateway/:listingId` when the seller fails, and what counts as delivered.

use crochet_tests::{LONGEST_RETRY_WAIT, Market, Outcome, Quote, Replies, is_time, isolated, list, number, shared, text};
use serde_json::{Value, json};

/// Asserts what every reply to a paid call of a failing seller contains.
#[track_caller]
fn says_how_it_stands(error: &Value) {
    let details = &error["details"];
    assert_eq!((&details["settled"], &details["delivered"]), (&json!(true), &json!(false)), "{error}");
    assert!(is_time(&details["redeliver_until"]), "{error}");
    assert_eq!(error["recovery"]["retryable"], true, "a paid id may be retried without paying again");
    assert!(error["recovery"]["preserve"].to_string().contains("relay_request_id"), "{error}");
}

#[test]
fn the_seller_fails_each_with_its_code() -> Outcome {
    shared(async |world| {
        let cases = [
            ("/fail/500", 502, "SELLER_ERROR"),
            ("/fail/503", 502, "SELLER_ERROR"),
            ("/fail/599", 502, "SELLER_ERROR"),
            ("/fail/401", 502, "SELLER_REFUSED"),
            ("/fail/402", 502, "SELLER_REFUSED"),
            ("/fail/403", 502, "SELLER_REFUSED"),
            ("/fail/405", 502, "SELLER_REFUSED"),
            ("/fail/429", 502, "SELLER_REFUSED"),
            ("/redirect", 502, "SELLER_REFUSED"),
            ("/redirect?status=301", 502, "SELLER_REFUSED"),
            ("/garbage", 502, "SELLER_INVALID_JSON"),
            ("/text", 502, "SELLER_INVALID_JSON"),
            ("/huge/262145", 502, "SELLER_RESPONSE_TOO_LARGE"),
            ("/huge/5000000", 502, "SELLER_RESPONSE_TOO_LARGE"),
            ("/close", 502, "SELLER_UNREACHABLE"),
        ];
        for (path, status, code) in cases {
            let market = world.market_at(&json!(1), path).await?;
            let body = json!({ "n": 1 });
            let quote = market.paid(&body).await?;
            let reply = market.redeem(&quote, &body).await?;
            assert_eq!((reply.status, reply.code()), (status, code), "{path}: {}", reply.text());
            says_how_it_stands(reply.refused(status, code));
            assert!(!reply.text().contains(&world.seller.url("")), "no address leaks: {}", reply.text());
            let row = market.row(&quote.id).await?;
            assert_eq!((&row["status"], &row["charge"]["state"]), (&json!("settled"), &json!("charged")), "{path}");
            assert_eq!(row["attempts"][0]["outcome"], code, "{path}");
            assert_eq!(market.entries(&market.buyer, text(&row, "id")).await?.len(), 1, "charged once");
        }
        Ok(())
    })
}

#[test]
fn redirects_are_refused_and_not_followed() -> Outcome {
    shared(async |world| {
        let target = world.echo_path();
        let market = world.market_at(&json!(1), &format!("/redirect?to={target}&status=307")).await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_REFUSED");
        assert!(world.seller.calls(&[("path", &target)]).await?.is_empty());
        Ok(())
    })
}

/// Sends plain text to every caller.
async fn speaks_no_tls() -> Result<std::net::SocketAddr, crochet_tests::Failure> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whether the caller still listens is its own affair.
            let _ = stream.writable().await;
            let _ = stream.try_write(b"220 mail.example ready\r\n");
            tokio::spawn(async move { tokio::io::copy(&mut tokio::io::BufReader::new(stream), &mut tokio::io::sink()).await });
        }
    });
    Ok(address)
}

#[test]
fn a_seller_that_cannot_be_reached_is_seller_unreachable_and_no_tls_is_seller_tls() -> Outcome {
    shared(async |world| {
        let closed = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let closed_url = format!("http://{}/nobody", closed.local_addr()?);
        drop(closed);
        let no_tls = format!("https://{}/x", speaks_no_tls().await?);
        for (url, code) in [(closed_url, "SELLER_UNREACHABLE"), (no_tls, "SELLER_TLS")] {
            let mut fields = world.paid_fields(&json!(1), "/echo");
            fields["private_endpoint_url"] = url.as_str().into();
            let market = world.market_with(&fields, "/echo").await?;
            let body = json!({ "n": 1 });
            let quote = market.paid(&body).await?;
            let reply = market.redeem(&quote, &body).await?;
            says_how_it_stands(reply.refused(502, code));
            assert!(!reply.text().contains(&url), "{}", reply.text());
        }
        Ok(())
    })
}

#[test]
fn answers_that_speak_about_the_buyers_request_are_delivered_and_billable() -> Outcome {
    shared(async |world| {
        for status in [400, 404, 409, 410, 413, 415, 422, 201, 202] {
            let market = world.market_at(&json!(1), &format!("/status/{status}")).await?;
            let body = json!({ "n": 1 });
            let (quote, reply) = market.buy(&body).await?;
            let data = reply.data();
            assert_eq!((&data["billable"], &data["seller_status_code"]), (&json!(true), &json!(status)));
            assert_eq!(data["seller_response"]["status"], status);
            let again = market.redeem(&quote, &body).await?;
            assert!(again.is_replay() && again.body == reply.body, "{status}");
        }
        Ok(())
    })
}

#[test]
fn an_answer_of_nothing_is_delivered_as_null() -> Outcome {
    shared(async |world| {
        for (path, status) in [("/empty", 204), ("/status/204", 204)] {
            let market = world.market_at(&json!(1), path).await?;
            let (_, reply) = market.buy(&json!({})).await?;
            assert_eq!(
                (reply.data().get("seller_response"), &reply.data()["seller_status_code"]),
                (Some(&Value::Null), &json!(status))
            );
        }
        Ok(())
    })
}

#[test]
fn an_answer_of_exactly_max_response_bytes_is_delivered() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/huge/262144").await?;
        market.buy(&json!({})).await?;
        Ok(())
    })
}

async fn point_to(market: &Market<'_>, path: &str) -> Result<(), crochet_tests::Failure> {
    let change = json!({ "private_endpoint_url": market.world.seller.url(path) });
    market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?.ok(200);
    Ok(())
}

#[test]
fn a_409_by_the_seller_is_delivered_on_the_first_attempt_only() -> Outcome {
    shared(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        point_to(&market, "/status/409").await?;
        says_how_it_stands(market.redeem(&quote, &body).await?.refused(502, "SELLER_REFUSED"));
        point_to(&market, "/status/422").await?;
        assert_eq!(market.redeem(&quote, &body).await?.ok(200)["seller_status_code"], 422);
        Ok(())
    })
}

#[test]
fn a_paid_id_may_be_retried_without_paying_again_under_the_same_webhook_id() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/flaky/2").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let first = market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR").clone();
        world.later(2).await?;
        // Without the id as well; and the time to deliver does not move.
        let second = market.call(&body).send().await?.refused(502, "SELLER_ERROR").clone();
        assert_eq!(first["details"]["redeliver_until"], second["details"]["redeliver_until"]);
        world.later(4).await?;
        let reply = market.redeem(&quote, &body).await?;
        let id = text(reply.ok(200), "request_id").to_owned();
        let calls = market.received(&id).await?;
        let attempts: Vec<&str> = calls.iter().map(|call| text(&call["headers"], "x-crochet-attempt")).collect();
        assert_eq!(attempts, ["1", "2", "3"]);
        assert!(calls.iter().all(|call| call["verified"] == true), "each attempt is signed for its own moment");
        let row = market.row(&quote.id).await?;
        let outcomes: Vec<&str> = list(&row, "attempts").iter().map(|attempt| text(attempt, "outcome")).collect();
        assert_eq!(outcomes, ["SELLER_ERROR", "SELLER_ERROR", "delivered"]);
        assert_eq!(market.entries(&market.buyer, &id).await?.len(), 1, "charged once");
        assert_eq!(world.sandbox.requests(Some(market.buyer.wallet.address())).await?.len(), 1, "quoted once");
        Ok(())
    })
}

#[test]
fn failures_are_states_and_the_same_key_goes_on() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/flaky/1").await?;
        let body = json!({ "n": 1 });
        let quote = Quote::of(market.call(&body).idempotency_key("k").send().await?);
        world.sandbox.pay(&quote.id).await?;
        market.call(&body).idempotency_key("k").send().await?.refused(502, "SELLER_ERROR");
        world.later(2).await?;
        let reply = market.call(&body).idempotency_key("k").send().await?;
        reply.ok(200);
        assert!(!reply.is_replay());
        assert!(market.call(&body).idempotency_key("k").send().await?.is_replay());
        Ok(())
    })
}

#[test]
fn a_retry_is_forwarded_without_asking_the_provider_again() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/flaky/1").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        for route in ["status", "requests", "quote"] {
            world.sandbox.fault(route, "down", 60_000).await?;
        }
        world.later(2).await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}

/// The default timeout is fifteen seconds. Both ways to be late are tested concurrently.
#[test]
fn a_seller_that_is_too_slow_or_never_ends_is_504_seller_timeout() -> Outcome {
    shared(async |world| {
        let (slow, drip) = (world.market_at(&json!(1), "/slow/25000").await?, world.market_at(&json!(1), "/drip/500").await?);
        let body = json!({ "n": 1 });
        let (slow_quote, drip_quote) = (slow.paid(&body).await?, drip.paid(&body).await?);
        let began = std::time::Instant::now();
        let (one, other) = futures::future::try_join(slow.redeem(&slow_quote, &body), drip.redeem(&drip_quote, &body)).await?;
        let took = began.elapsed().as_millis();
        assert!((14_500..19_000).contains(&took), "one total deadline of 15 s: {took} ms");
        for reply in [one, other] {
            says_how_it_stands(reply.refused(504, "SELLER_TIMEOUT"));
        }
        Ok(())
    })
}

#[test]
fn still_undelivered_24_h_after_the_first_failed_attempt_closes_the_call() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/500").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        world.later(23 * 3_600).await?;
        market.redeem(&quote, &body).await?.refused(502, "SELLER_ERROR");
        world.later(2 * 3_600).await?;
        for _ in 0..2 {
            market.redeem(&quote, &body).await?.refused(502, "CALL_UNDELIVERED");
        }
        let row = market.row(&quote.id).await?;
        assert_eq!((&row["status"], &row["charge"]["state"]), (&json!("undelivered"), &json!("owed")));
        let id = text(&row, "id").to_owned();
        assert_eq!(market.received(&id).await?.len(), 2, "the seller is not called any more");
        // Adjustments say what seller and operator owe the buyer.
        let entries = market.entries(&market.buyer, &id).await?;
        let owed: i64 = adjustments(&entries);
        assert_eq!(owed, 1_000_000, "{entries:?}");
        let entries = market.entries(&market.seller, &id).await?;
        assert_eq!(adjustments(&entries), -951_000, "{entries:?}");
        Ok(())
    })
}

fn adjustments(entries: &[Value]) -> i64 {
    entries.iter().filter(|entry| entry["type"] == "adjustment").map(|entry| number(&entry["amount"], "amount_micros")).sum()
}

#[test]
fn at_most_20_attempts() -> Outcome {
    isolated(async |world| {
        let market = world.market_at(&json!(1), "/fail/403").await?;
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let mut tries = 0;
        let closed = loop {
            let reply = market.redeem(&quote, &body).await?;
            tries += 1;
            match reply.code() {
                "SELLER_REFUSED" if tries <= 20 => world.later(LONGEST_RETRY_WAIT).await?,
                _ => break reply,
            }
        };
        closed.refused(502, "CALL_UNDELIVERED");
        let row = market.row(&quote.id).await?;
        assert_eq!(list(&row, "attempts").len(), 20);
        Ok(())
    })
}

#[test]
fn a_free_call_that_fails_owes_nothing_and_its_key_goes_on_with_it() -> Outcome {
    isolated(async |world| {
        let cases = [
            ("/fail/500", "SELLER_ERROR"),
            ("/fail/403", "SELLER_REFUSED"),
            ("/garbage", "SELLER_INVALID_JSON"),
            ("/huge/262145", "SELLER_RESPONSE_TOO_LARGE"),
            ("/close", "SELLER_UNREACHABLE"),
        ];
        for (path, code) in cases {
            let market = world.free_market(path).await?;
            let reply = market.call(&json!({ "n": 1 })).send().await?;
            let details = &reply.refused(502, code)["details"];
            assert_eq!((&details["settled"], &details["delivered"]), (&json!(false), &json!(false)), "{path}: {details}");
            assert_eq!(
                (&details["redeliver_until"], &details["attempts_left"]),
                (&Value::Null, &json!(0)),
                "nobody can ask for it"
            );
            let named = market.call(&json!({ "n": 2 })).idempotency_key("k").send().await?;
            let details = named.refused(502, code)["details"].clone();
            assert_eq!(details["settled"], false, "{path}: {details}");
            assert!(is_time(&details["redeliver_until"]) && details["attempts_left"] == 19, "{path}: {details}");
            world.later(2).await?;
            let again = market.call(&json!({ "n": 2 })).idempotency_key("k").send().await?;
            let again = &again.refused(502, code)["details"];
            assert_eq!((&again["request_id"], &again["attempts_left"]), (&details["request_id"], &json!(18)), "{path}: {again}");
        }
        Ok(())
    })
}

/// The buyer learns the failure class and nothing about the endpoint.
#[test]
fn what_a_buyer_is_told_names_no_host_port_or_header_of_the_sellers() -> Outcome {
    shared(async |world| {
        let (host, port) = world.seller.url("").rsplit_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap_or_default();
        let host = host.rsplit('/').next().unwrap_or_default().to_owned();
        for path in [
            "/fail/500",
            "/fail/403",
            "/redirect?to=http://elsewhere.example/&status=302",
            "/garbage",
            "/text",
            "/huge/300000",
            "/close",
        ] {
            let market = world.free_market(path).await?;
            let change = json!({ "auth_header": { "name": "X-Seller-Token", "value": "hush-token" } });
            market.seller.put(&format!("/listings/{}/endpoint", market.listing.id)).json(&change).send().await?.ok(200);
            let reply = market.call(&json!({ "n": 1 })).send().await?;
            assert_eq!(reply.status, 502, "{path}");
            // Links to our own documents name our own host and port.
            let error = reply.error();
            let told = format!("{} {}", error["message"], error["details"]);
            for secret in [host.as_str(), port.as_str(), "elsewhere", "hush-token", path] {
                assert!(!told.contains(secret), "{path}: {secret} in {told}");
            }
            let headers: Vec<&str> = reply.headers.keys().map(|name| name.as_str()).collect();
            assert!(!headers.contains(&"location") && !headers.contains(&"x-seller-token"), "{headers:?}");
            assert!(!text(error, "message").contains("timeout_ms"), "that is for the seller: {error}");
        }
        Ok(())
    })
}
