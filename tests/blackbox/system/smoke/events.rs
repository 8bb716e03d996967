//! Requests in the form in which API Gateway hands them on: it joins repeated headers, keeps cookies apart, and encodes binary bodies.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crochet_tests::{Event, Function, Outcome, Person, Replies, shared, text, unique_name};
use serde_json::json;

#[test]
fn an_encoded_path_names_what_the_plain_one_names() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let reply = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
        let slug = text(&reply.ok(200)["listing"], "slug").to_owned();
        let encoded: String = slug.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let event = Event { path: format!("/api/v1/listings/{encoded}"), ..Event::default() };
        let returned = world.event(Function::Catalog, &event).await?;
        assert_eq!(returned.status, 200, "{:?}", returned.body);
        assert_eq!(text(&returned.json()?["data"]["listing"], "id"), market.listing.id);
        // A slash that is encoded is no separator.
        let event = Event { path: format!("/api/v1/listings%2F{slug}"), ..Event::default() };
        assert_eq!(world.event(Function::Catalog, &event).await?.status, 404);
        Ok(())
    })
}

#[test]
fn an_encoded_query_is_decoded_once() -> Outcome {
    shared(async |world| {
        let event = Event { path: "/api/v1/listings".into(), query: "q=a%2520b&limit=1", ..Event::default() };
        assert_eq!(world.event(Function::Catalog, &event).await?.status, 200);
        let event = Event { path: "/api/v1/listings".into(), query: "limit=1%30%30%30", ..Event::default() };
        let returned = world.event(Function::Catalog, &event).await?;
        assert_eq!((returned.status, returned.code().as_str()), (400, "INVALID_REQUEST"));
        Ok(())
    })
}

#[test]
fn a_body_in_base64_is_the_body() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let body = json!({ "text": "Grüße, 世界" });
        let event = Event {
            method: "POST",
            path: format!("/api/v1/gateway/{}", market.listing.id),
            headers: vec![
                ("authorization", format!("Bearer {}", market.buyer.api_key)),
                ("content-type", "application/json".into()),
            ],
            body: Some(STANDARD.encode(body.to_string())),
            is_base64: true,
            ..Event::default()
        };
        let returned = world.event(Function::Gateway, &event).await?;
        assert_eq!(returned.status, 200, "{:?}", returned.body);
        assert_eq!(returned.json()?["data"]["seller_response"]["echo"], body);
        Ok(())
    })
}

#[test]
fn two_idempotency_keys_that_were_joined_are_refused() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let mut event = Event {
            method: "POST",
            path: format!("/api/v1/gateway/{}", market.listing.id),
            headers: vec![
                ("authorization", format!("Bearer {}", market.buyer.api_key)),
                ("content-type", "application/json".into()),
                ("idempotency-key", "a,b".into()),
            ],
            body: Some(r#"{"n":1}"#.into()),
            ..Event::default()
        };
        let returned = world.event(Function::Gateway, &event).await?;
        assert_eq!((returned.status, returned.code().as_str()), (400, "INVALID_IDEMPOTENCY_KEY"));
        event.headers[2].1 = "a".into();
        let returned = world.event(Function::Gateway, &event).await?;
        assert_eq!((returned.status, returned.code().as_str()), (402, "PAYMENT_REQUIRED"));
        // Two payment ids are no id.
        event.headers.push(("x-crochet-relay-request-id", format!("0x{0},0x{0}", "ab".repeat(32))));
        let returned = world.event(Function::Gateway, &event).await?;
        assert!(matches!(returned.status, 400 | 404), "{:?}", returned.body);
        Ok(())
    })
}

#[test]
fn cookies_arrive_apart_from_the_headers_and_leave_so() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, &format!("Person {}", unique_name())).await?;
        let event =
            Event { path: "/api/v1/session".into(), cookies: vec!["theme=dark".into(), person.cookie.clone()], ..Event::default() };
        assert_eq!(world.event(Function::Identity, &event).await?.status, 200);
        let leaving = Event {
            method: "DELETE",
            headers: vec![("sec-fetch-site", "same-origin".into()), ("origin", person.origin.clone())],
            ..event.clone()
        };
        let returned = world.event(Function::Identity, &leaving).await?;
        assert_eq!(returned.status, 200, "{:?}", returned.body);
        assert!(returned.cookies.iter().any(|cookie| cookie.contains("Max-Age=0")), "{:?}", returned.cookies);
        assert_eq!(world.event(Function::Identity, &event).await?.status, 401);
        Ok(())
    })
}

#[test]
fn a_compressed_reply_is_returned_in_base64() -> Outcome {
    shared(async |world| {
        let headers = vec![("accept-encoding", "gzip".to_owned())];
        let event = Event { path: "/docs/api-reference.txt".into(), headers, ..Event::default() };
        let returned = world.event(Function::Site, &event).await?;
        assert_eq!((returned.status, returned.headers["content-encoding"].as_str()), (200, Some("gzip")));
        let mut read = String::new();
        flate2::read::GzDecoder::new(&*returned.body).read_to_string(&mut read)?;
        assert!(read.contains("/gateway/"));
        Ok(())
    })
}
