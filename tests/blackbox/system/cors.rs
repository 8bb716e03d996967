//! Pages of other origins: what a key, or nobody, may call is open to them; what a session opens is closed.

use crochet_tests::{Outcome, Replies, Reply, Request, shared};
use http::Method;
use serde_json::{Value, json};

const ORIGIN: &str = "https://page.example";

#[track_caller]
fn is_open(reply: &Reply) {
    assert_eq!(reply.header("access-control-allow-origin"), "*", "{}", reply.text());
    assert!(reply.header("access-control-allow-credentials").is_empty(), "cookies stay out");
    let exposed = reply.header("access-control-expose-headers").to_ascii_lowercase();
    for name in ["retry-after", "ratelimit", "ratelimit-policy", "idempotent-replayed", "x-request-id"] {
        assert!(exposed.split(", ").any(|exposed| exposed == name), "{name} in {exposed}");
    }
}

#[track_caller]
fn is_closed(reply: &Reply) {
    for name in ["origin", "methods", "headers", "credentials"] {
        assert!(reply.header(&format!("access-control-allow-{name}")).is_empty(), "{name}: {}", reply.text());
    }
}

fn preflight(request: Request, method: &str) -> Request {
    request
        .header("origin", ORIGIN)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type,x-crochet-relay-request-id")
}

#[test]
fn every_route_for_keys_or_nobody_answers_a_preflight_and_those_for_sessions_do_not() -> Outcome {
    shared(async |world| {
        let document: Value = world.client.site(Method::GET, "/api/openapi.json").send().await?.json;
        for (path, operations) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let needs = operation["security"].as_array().cloned().unwrap_or_default();
                let is_for_people = path.contains("/passkey/") || path.contains("/webhooks/");
                let closed = is_for_people || (!needs.is_empty() && needs.iter().all(|need| need.get("session").is_some()));
                let method = method.to_uppercase();
                let reply = preflight(world.client.site(Method::OPTIONS, path), &method).send().await?;
                if closed {
                    is_closed(&reply);
                    continue;
                }
                assert_eq!(reply.status, 204, "{method} {path}");
                is_open(&reply);
                assert!(!reply.header("x-request-id").is_empty());
                let methods = reply.header("access-control-allow-methods");
                assert!(methods.split(", ").any(|allowed| allowed == method), "{method} {path}: {methods}");
                let headers = reply.header("access-control-allow-headers").to_ascii_lowercase();
                for name in
                    ["authorization", "content-type", "idempotency-key", "x-crochet-origin-currency", "x-crochet-relay-request-id"]
                {
                    assert!(headers.split(", ").any(|allowed| allowed == name), "{name} in {headers}");
                }
            }
        }
        Ok(())
    })
}

#[test]
fn every_answer_is_open_errors_and_402_too() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let from_page = |request: Request| request.header("origin", ORIGIN);
        for (request, status) in [
            (market.buyer.call(&market.listing.id, &json!({})), 402),
            (world.client.get("/listings"), 200),
            (world.client.get("/me"), 401),
            (market.buyer.get("/no/such/path"), 404),
            (market.buyer.get("/register"), 405),
            (market.buyer.post("/listings/challenge").raw_body("garbage"), 400),
            (world.client.site(Method::GET, "/docs/api-reference.txt"), 200),
        ] {
            let reply = from_page(request).send().await?;
            assert_eq!(reply.status, status, "{}", reply.text());
            is_open(&reply);
        }
        let plain = world.client.request(Method::OPTIONS, "/listings").send().await?;
        plain.refused(405, "METHOD_NOT_ALLOWED");
        Ok(())
    })
}

#[test]
fn what_a_session_opens_is_closed_to_other_origins() -> Outcome {
    shared(async |world| {
        for (method, path) in [
            (Method::GET, "/session"),
            (Method::DELETE, "/session"),
            (Method::GET, "/auth/passkey/credentials"),
            (Method::POST, "/auth/passkey/login/start"),
            (Method::POST, "/agents/0198c0de-0000-7000-8000-000000000000/claim"),
        ] {
            is_closed(&world.client.request(method.clone(), path).header("origin", ORIGIN).send().await?);
            is_closed(&preflight(world.client.request(Method::OPTIONS, path), method.as_str()).send().await?);
        }
        Ok(())
    })
}
