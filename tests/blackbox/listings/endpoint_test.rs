//! `POST /listings/:id/endpoint/test`.

use crochet_tests::{
    Behavior, Failure, Market, Outcome, Replies, ScriptedSeller, Setup, World, is_time, members, number, shared, text, with_setup,
};
use serde_json::{Value, json};

fn route(market: &Market<'_>) -> String {
    format!("/listings/{}/endpoint", market.listing.id)
}

async fn test(market: &Market<'_>) -> Result<Value, Failure> {
    let reply = market.seller.post(&format!("{}/test", route(market))).send().await?;
    Ok(reply.ok(200)["test"].clone())
}

async fn last_test(market: &Market<'_>) -> Result<Value, Failure> {
    let reply = market.seller.get(&route(market)).send().await?;
    Ok(reply.ok(200)["gateway_endpoint"]["last_test"].clone())
}

/// A market whose listing has this URL.
async fn market_at_url<'a>(world: &'a World, url: &str) -> Result<Market<'a>, Failure> {
    let mut fields = world.free_fields("/echo");
    fields["private_endpoint_url"] = url.into();
    world.market_with(&fields, "/echo").await
}

#[test]
fn it_sends_a_signed_call_and_answers_what_came_of_it() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let test = test(&market).await?;
        let expected = ["failure", "latency_ms", "ok", "request_id", "response_bytes", "seller_status_code"];
        assert_eq!(members(&test), expected);
        assert_eq!((&test["ok"], &test["seller_status_code"], &test["failure"]), (&json!(true), &json!(200), &Value::Null));
        assert!(number(&test, "latency_ms") >= 0 && number(&test, "response_bytes") > 0);
        let id = text(&test, "request_id");
        assert!(id.starts_with("gw_req_"));
        let call = &market.received(id).await?[0];
        let headers = &call["headers"];
        assert_eq!((&call["verified"], text(call, "body")), (&json!(true), "{\"crochet_test\":true}"));
        assert_eq!((text(headers, "x-crochet-test"), text(headers, "x-crochet-attempt")), ("1", "1"));
        assert_eq!(headers["x-crochet-signature"], headers["webhook-signature"]);
        assert_eq!((text(headers, "webhook-id"), text(headers, "x-crochet-request-id")), (id, id));
        assert_eq!(text(headers, "x-crochet-listing-id"), market.listing.id);
        assert_eq!(text(headers, "x-crochet-buyer-id"), market.seller.profile_id);
        assert!(text(headers, "content-type").starts_with("application/json"));
        assert!(!call["header_list"].to_string().contains("am_k_"), "no key travels");
        let mut noted = last_test(&market).await?;
        assert!(is_time(&noted["tested_at"]));
        noted.as_object_mut().ok_or_else(|| Failure::new("no last_test"))?.remove("tested_at");
        assert_eq!(noted, test, "stored as last_test");
        let history = market.seller.get("/gateway-requests").send().await?;
        assert!(history.ok(200)["gateway_requests"].as_array().is_some_and(Vec::is_empty), "a test is no call");
        Ok(())
    })
}

#[test]
fn the_test_call_has_the_headers_of_a_real_one_and_the_test_mark() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        market.call(&json!({ "n": 1 })).send().await?.ok(200);
        test(&market).await?;
        let calls = market.all_received().await?;
        let names: Vec<Vec<String>> = calls.iter().map(|call| members(&call["headers"])).collect();
        let mut marked = names[0].clone();
        marked.push("x-crochet-test".to_owned());
        marked.sort();
        assert_eq!(names[1], marked);
        Ok(())
    })
}

#[test]
fn example_request_is_sent_as_it_was_written() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let example = r#"{ "example_request": { "b" : 1.0,  "a": [1e2] } }"#;
        let patch = market.seller.patch(&format!("/listings/{}", market.listing.id));
        patch.header("content-type", "application/json").raw_body(example).send().await?.ok(200);
        let test = test(&market).await?;
        assert_eq!(test["ok"], true);
        let call = &market.received(text(&test, "request_id")).await?[0];
        assert_eq!(text(call, "body"), r#"{ "b" : 1.0,  "a": [1e2] }"#);
        Ok(())
    })
}

#[test]
fn each_failure_has_its_class_and_a_message_without_the_address() -> Outcome {
    shared(async |world| {
        let cases = [
            ("/fail/500", "status", json!(500)),
            ("/fail/404", "status", json!(404)),
            ("/fail/401", "status", json!(401)),
            ("/status/422", "status", json!(422)),
            ("/redirect", "status", json!(307)),
            ("/garbage", "not_json", json!(200)),
            ("/text", "not_json", json!(200)),
            ("/huge/262145", "too_large", json!(200)),
            ("/slow/2500", "timeout", Value::Null),
            ("/drip/100", "timeout", Value::Null),
            ("/close", "unreachable", Value::Null),
        ];
        for (path, class, status) in cases {
            let market = world.free_market(path).await?;
            market.seller.put(&route(&market)).json(&json!({ "timeout_ms": 1_000 })).send().await?.ok(200);
            let reply = market.seller.post(&format!("{}/test", route(&market))).send().await?;
            let test = &reply.ok(200)["test"];
            assert_eq!(
                (&test["ok"], &test["failure"]["class"], &test["seller_status_code"]),
                (&json!(false), &json!(class), &status),
                "{path}"
            );
            assert!(text(&test["failure"], "message").ends_with('.'), "{test}");
            assert!(!reply.text().contains("127.0.0.1") && !reply.text().contains("localhost"), "{}", reply.text());
            assert_eq!(last_test(&market).await?["failure"], test["failure"]);
        }
        for (path, status) in [("/empty", 204), ("/status/201", 201), ("/huge/262144", 200)] {
            let test = test(&world.free_market(path).await?).await?;
            assert_eq!((&test["ok"], &test["seller_status_code"]), (&json!(true), &json!(status)), "{path}");
        }
        Ok(())
    })
}

#[test]
fn nobody_there_is_unreachable_and_no_tls_is_tls() -> Outcome {
    shared(async |world| {
        let closed = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
        let plain = world.seller.url("/echo").replace("http://", "https://");
        for (url, class) in [(format!("http://{closed}/hush-x"), "unreachable"), (plain, "tls")] {
            let market = market_at_url(world, &url).await?;
            let reply = market.seller.post(&format!("{}/test", route(&market))).send().await?;
            assert_eq!(reply.ok(200)["test"]["failure"]["class"], class, "{url}");
            assert!(!reply.text().contains("127.0.0.1") && !reply.text().contains(&closed.port().to_string()));
        }
        Ok(())
    })
}

#[test]
fn drafts_paused_and_suspended_listings_are_tested_too() -> Outcome {
    shared(async |world| {
        let path = world.echo_path();
        let mut fields = world.paid_fields(&json!(1), &path);
        fields["status"] = "draft".into();
        let market = world.market_with(&fields, &path).await?;
        assert_eq!(test(&market).await?["ok"], true, "a draft");
        let market = world.market(1.0).await?;
        market.seller.put(&route(&market)).json(&json!({ "status": "paused" })).send().await?.ok(200);
        assert_eq!(test(&market).await?["ok"], true, "paused");
        market.seller.delete(&format!("/listings/{}", market.listing.id)).send().await?.ok(200);
        assert_eq!(test(&market).await?["ok"], true, "suspended");
        Ok(())
    })
}

#[test]
fn an_open_breaker_does_not_stop_a_test_and_one_that_succeeds_closes_it() -> Outcome {
    shared(async |world| {
        let seller = ScriptedSeller::start(Behavior::DropsConnection).await?;
        let (market, other) = (market_at_url(world, seller.url()).await?, world.agent().await?);
        // One buyer's calls alone would not open it.
        for n in 0..5 {
            let buyer = if n % 2 == 0 { &market.buyer } else { &other };
            buyer.call(&market.listing.id, &json!({ "n": n })).send().await?.refused(502, "SELLER_UNREACHABLE");
        }
        market.call(&json!("open")).send().await?.refused(502, "SELLER_UNAVAILABLE");
        assert_eq!(test(&market).await?["failure"]["class"], "unreachable", "the test goes out");
        market.call(&json!("open")).send().await?.refused(502, "SELLER_UNAVAILABLE");
        seller.set(Behavior::Status(200));
        assert_eq!(test(&market).await?["ok"], true);
        market.call(&json!("closed")).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn ten_tests_a_minute_and_listing() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "exact")]), async |world| {
        world.at_a_minutes_start().await?;
        let (market, other) = (world.free_market("/empty").await?, world.free_market("/empty").await?);
        for _ in 0..10 {
            test(&market).await?;
        }
        let limited = market.seller.post(&format!("{}/test", route(&market))).send().await?;
        limited.refused(429, "RATE_LIMITED");
        assert!(limited.header("ratelimit-policy").contains("endpoint-tests"), "{:?}", limited.headers);
        test(&other).await?;
        world.at_a_minutes_start().await?;
        test(&market).await?;
        Ok(())
    })
}

#[test]
fn a_test_speaks_about_the_configuration_it_was_made_with() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        test(&market).await?;
        market.seller.put(&route(&market)).json(&json!({ "timeout_ms": 9_000 })).send().await?.ok(200);
        assert_eq!(last_test(&market).await?["ok"], true, "a change of members keeps it");
        let header = json!({ "auth_header": { "name": "X-Key", "value": "v" } });
        market.seller.put(&route(&market)).json(&header).send().await?.ok(200);
        assert!(last_test(&market).await?.is_null(), "nothing is known of the new configuration");
        Ok(())
    })
}

#[test]
fn a_note_loses_no_edit_and_no_edit_loses_a_test() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let path = format!("/listings/{}", market.listing.id);
        for round in 0..5 {
            let tag = format!("t{round}");
            let change = json!({ "tags": [tag] });
            let edit = async { Ok::<_, Failure>(market.seller.patch(&path).json(&change).send().await?) };
            let pause = json!({ "rate_limit_per_minute": 1_000 + round });
            let set = async { Ok::<_, Failure>(market.seller.put(&route(&market)).json(&pause).send().await?) };
            let (edited, set, tested) = futures::future::try_join3(edit, set, test(&market)).await?;
            edited.ok(200);
            set.ok(200);
            let listing = world.client.get(&path).send().await?.ok(200)["listing"].clone();
            assert_eq!(listing["tags"], json!([tag]));
            let endpoint = market.seller.get(&route(&market)).send().await?.ok(200)["gateway_endpoint"].clone();
            assert_eq!(endpoint["rate_limit_per_minute"], pause["rate_limit_per_minute"]);
            assert_eq!(endpoint["last_test"]["request_id"], tested["request_id"]);
        }
        Ok(())
    })
}

#[test]
fn a_test_takes_no_body_and_no_parameters() -> Outcome {
    shared(async |world| {
        let market = world.free_market("/empty").await?;
        let path = format!("{}/test", route(&market));
        market.seller.post(&path).json(&json!({})).send().await?.ok(200);
        market.seller.post(&path).json(&json!({ "body": 1 })).send().await?.refused(400, "UNKNOWN_FIELD");
        Ok(())
    })
}
