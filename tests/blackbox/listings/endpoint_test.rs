//! `POST /listings/:id/endpoint/test`.

use crochet_tests::{
    Failure, Mood, MoodySeller, Outcome, Replies, Setup, Shop, World, is_time, members, number, shared, text, with,
};
use serde_json::{Value, json};

fn route(shop: &Shop<'_>) -> String {
    format!("/listings/{}/endpoint", shop.listing.id)
}

async fn test(shop: &Shop<'_>) -> Result<Value, Failure> {
    let reply = shop.seller.post(&format!("{}/test", route(shop))).send().await?;
    Ok(reply.ok(200)["test"].clone())
}

async fn last_test(shop: &Shop<'_>) -> Result<Value, Failure> {
    let reply = shop.seller.get(&route(shop)).send().await?;
    Ok(reply.ok(200)["gateway_endpoint"]["last_test"].clone())
}

/// A shop whose listing is called at any URL.
async fn shop_at_url<'a>(world: &'a World, url: &str) -> Result<Shop<'a>, Failure> {
    let mut fields = world.free_fields("/echo");
    fields["private_endpoint_url"] = url.into();
    world.shop_with(&fields, "/echo").await
}

#[test]
fn it_sends_a_signed_call_and_answers_what_came_of_it() -> Outcome {
    shared(async |world| {
        let shop = world.shop(1.0).await?;
        let test = test(&shop).await?;
        let expected = ["failure", "latency_ms", "ok", "request_id", "response_bytes", "seller_status_code"];
        assert_eq!(members(&test), expected);
        assert_eq!((&test["ok"], &test["seller_status_code"], &test["failure"]), (&json!(true), &json!(200), &Value::Null));
        assert!(number(&test, "latency_ms") >= 0 && number(&test, "response_bytes") > 0);
        let id = text(&test, "request_id");
        assert!(id.starts_with("gw_req_"));
        let call = &shop.received(id).await?[0];
        let headers = &call["headers"];
        assert_eq!((&call["verified"], text(call, "body")), (&json!(true), "{\"crochet_test\":true}"));
        assert_eq!((text(headers, "x-crochet-test"), text(headers, "x-crochet-attempt")), ("1", "1"));
        assert_eq!(headers["x-crochet-signature"], headers["webhook-signature"]);
        assert_eq!((text(headers, "webhook-id"), text(headers, "x-crochet-request-id")), (id, id));
        assert_eq!(text(headers, "x-crochet-listing-id"), shop.listing.id);
        assert_eq!(text(headers, "x-crochet-buyer-id"), shop.seller.profile_id);
        assert!(text(headers, "content-type").starts_with("application/json"));
        assert!(!call["header_list"].to_string().contains("am_k_"), "no key travels");
        let mut noted = last_test(&shop).await?;
        assert!(is_time(&noted["tested_at"]));
        noted.as_object_mut().ok_or_else(|| Failure::new("no last_test"))?.remove("tested_at");
        assert_eq!(noted, test, "stored as last_test");
        let history = shop.seller.get("/gateway-requests").send().await?;
        assert!(history.ok(200)["gateway_requests"].as_array().is_some_and(Vec::is_empty), "a test is no call");
        Ok(())
    })
}

#[test]
fn the_test_call_has_the_headers_of_a_real_one_and_the_test_mark() -> Outcome {
    shared(async |world| {
        let shop = world.free_shop(&world.echo_path()).await?;
        shop.call(&json!({ "n": 1 })).send().await?.ok(200);
        test(&shop).await?;
        let calls = shop.all_received().await?;
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
        let shop = world.free_shop(&world.echo_path()).await?;
        let example = r#"{ "example_request": { "b" : 1.0,  "a": [1e2] } }"#;
        let patch = shop.seller.patch(&format!("/listings/{}", shop.listing.id));
        patch.header("content-type", "application/json").raw_body(example).send().await?.ok(200);
        let test = test(&shop).await?;
        assert_eq!(test["ok"], true);
        let call = &shop.received(text(&test, "request_id")).await?[0];
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
            let shop = world.free_shop(path).await?;
            shop.seller.put(&route(&shop)).json(&json!({ "timeout_ms": 1_000 })).send().await?.ok(200);
            let reply = shop.seller.post(&format!("{}/test", route(&shop))).send().await?;
            let test = &reply.ok(200)["test"];
            assert_eq!(
                (&test["ok"], &test["failure"]["class"], &test["seller_status_code"]),
                (&json!(false), &json!(class), &status),
                "{path}"
            );
            assert!(text(&test["failure"], "message").ends_with('.'), "{test}");
            assert!(!reply.text().contains("127.0.0.1") && !reply.text().contains("localhost"), "{}", reply.text());
            assert_eq!(last_test(&shop).await?["failure"], test["failure"]);
        }
        for (path, status) in [("/empty", 204), ("/status/201", 201), ("/huge/262144", 200)] {
            let test = test(&world.free_shop(path).await?).await?;
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
            let shop = shop_at_url(world, &url).await?;
            let reply = shop.seller.post(&format!("{}/test", route(&shop))).send().await?;
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
        let shop = world.shop_with(&fields, &path).await?;
        assert_eq!(test(&shop).await?["ok"], true, "a draft");
        let shop = world.shop(1.0).await?;
        shop.seller.put(&route(&shop)).json(&json!({ "status": "paused" })).send().await?.ok(200);
        assert_eq!(test(&shop).await?["ok"], true, "paused");
        shop.seller.delete(&format!("/listings/{}", shop.listing.id)).send().await?.ok(200);
        assert_eq!(test(&shop).await?["ok"], true, "suspended");
        Ok(())
    })
}

#[test]
fn an_open_circuit_breaker_does_not_stop_a_test_and_one_that_succeeds_closes_it() -> Outcome {
    shared(async |world| {
        let seller = MoodySeller::start(Mood::HangsUp).await?;
        let (shop, other) = (shop_at_url(world, seller.url()).await?, world.agent().await?);
        // One buyer's calls alone would not open it.
        for n in 0..5 {
            let buyer = if n % 2 == 0 { &shop.buyer } else { &other };
            buyer.call(&shop.listing.id, &json!({ "n": n })).send().await?.refused(502, "SELLER_UNREACHABLE");
        }
        shop.call(&json!("open")).send().await?.refused(502, "SELLER_UNAVAILABLE");
        assert_eq!(test(&shop).await?["failure"]["class"], "unreachable", "the test goes out");
        shop.call(&json!("open")).send().await?.refused(502, "SELLER_UNAVAILABLE");
        seller.turns(Mood::Answers(200));
        assert_eq!(test(&shop).await?["ok"], true);
        shop.call(&json!("closed")).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn ten_tests_a_minute_and_listing() -> Outcome {
    with(Setup::settings(&[("CROCHET_RATE_LIMITS", "exact")]), async |world| {
        world.at_a_minutes_start().await?;
        let (shop, other) = (world.free_shop("/empty").await?, world.free_shop("/empty").await?);
        for _ in 0..10 {
            test(&shop).await?;
        }
        let limited = shop.seller.post(&format!("{}/test", route(&shop))).send().await?;
        limited.refused(429, "RATE_LIMITED");
        assert!(limited.header("ratelimit-policy").contains("endpoint-tests"), "{:?}", limited.headers);
        test(&other).await?;
        world.at_a_minutes_start().await?;
        test(&shop).await?;
        Ok(())
    })
}

#[test]
fn a_test_speaks_about_the_configuration_it_was_made_with() -> Outcome {
    shared(async |world| {
        let shop = world.free_shop(&world.echo_path()).await?;
        test(&shop).await?;
        shop.seller.put(&route(&shop)).json(&json!({ "timeout_ms": 9_000 })).send().await?.ok(200);
        assert_eq!(last_test(&shop).await?["ok"], true, "a change of members keeps it");
        let header = json!({ "auth_header": { "name": "X-Key", "value": "v" } });
        shop.seller.put(&route(&shop)).json(&header).send().await?.ok(200);
        assert!(last_test(&shop).await?.is_null(), "nothing is known of the new configuration");
        Ok(())
    })
}

#[test]
fn a_note_loses_no_edit_and_no_edit_loses_a_test() -> Outcome {
    shared(async |world| {
        let shop = world.free_shop(&world.echo_path()).await?;
        let path = format!("/listings/{}", shop.listing.id);
        for round in 0..5 {
            let tag = format!("t{round}");
            let change = json!({ "tags": [tag] });
            let edit = async { Ok::<_, Failure>(shop.seller.patch(&path).json(&change).send().await?) };
            let pause = json!({ "rate_limit_per_minute": 1_000 + round });
            let set = async { Ok::<_, Failure>(shop.seller.put(&route(&shop)).json(&pause).send().await?) };
            let (edited, set, tested) = futures::future::try_join3(edit, set, test(&shop)).await?;
            edited.ok(200);
            set.ok(200);
            let listing = world.client.get(&path).send().await?.ok(200)["listing"].clone();
            assert_eq!(listing["tags"], json!([tag]));
            let endpoint = shop.seller.get(&route(&shop)).send().await?.ok(200)["gateway_endpoint"].clone();
            assert_eq!(endpoint["rate_limit_per_minute"], pause["rate_limit_per_minute"]);
            assert_eq!(endpoint["last_test"]["request_id"], tested["request_id"]);
        }
        Ok(())
    })
}

#[test]
fn a_test_takes_no_body_and_no_parameters() -> Outcome {
    shared(async |world| {
        let shop = world.free_shop("/empty").await?;
        let path = format!("{}/test", route(&shop));
        shop.seller.post(&path).json(&json!({})).send().await?.ok(200);
        shop.seller.post(&path).json(&json!({ "body": 1 })).send().await?.refused(400, "UNKNOWN_FIELD");
        Ok(())
    })
}
