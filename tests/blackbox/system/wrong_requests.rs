//! What is told of requests that were sent in a form that is not read.

use crochet_tests::{Outcome, Replies, Request, shared, text};
use http::Method;
use serde_json::{Value, json};

/// The gzip form of `{}`.
const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";

#[test]
fn a_content_encoding_is_refused_by_name_wherever_a_body_is_read() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let agent = &market.seller;
        let listing = format!("/gateway/{}", market.listing.id);
        let routes = || -> Vec<Request> {
            vec![
                world.client.post("/register"),
                world.client.post("/auth/challenge"),
                world.client.post("/auth/passkey/login/start"),
                agent.post("/listings/challenge"),
                agent.post("/listings"),
                agent.patch("/me"),
                market.buyer.post(&listing),
            ]
        };
        for coding in ["gzip", "br", "zstd", "identity, gzip", "x"] {
            for request in routes() {
                let request = request.header("content-type", "application/json").header("content-encoding", coding);
                let reply = request.raw_body(GZIPPED).send().await?;
                let error = reply.refused(415, "UNSUPPORTED_MEDIA_TYPE");
                assert!(text(error, "message").contains("Content-Encoding"), "{error}");
                assert!(text(&error["recovery"], "summary").contains("Content-Encoding"), "{error}");
            }
        }
        agent.patch("/me").header("content-encoding", "identity").json(&json!({ "description": "Plain." })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_byte_order_mark_before_a_body_is_named() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let body = "\u{feff}{\"a\":1}";
        for request in [
            world.client.post("/register"),
            market.seller.post("/listings/challenge"),
            market.buyer.post(&format!("/gateway/{}", market.listing.id)),
        ] {
            let reply = request.header("content-type", "application/json").raw_body(body).send().await?;
            let error = reply.refused(400, "INVALID_JSON");
            assert!(text(error, "message").contains("byte order mark"), "{error}");
        }
        Ok(())
    })
}

#[test]
fn a_time_whose_plus_was_not_escaped_is_explained_and_a_range_must_not_end_before_it_begins() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for (query, told) in [
            ("from=2026-11-01T00:00:00+02:00", "%2B"),
            ("to=2026-11-01T00:00:00.5+02:00", "%2B"),
            ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "`to`"),
            ("from=yesterday+noon", "2026-01-31T00:00:00Z"),
        ] {
            let reply = agent.get(&format!("/ledger?{query}")).send().await?;
            let error = reply.refused(400, "INVALID_REQUEST");
            assert!(text(error, "message").contains(told), "{query}: {error}");
        }
        for query in [
            "from=2026-11-01T00:00:00%2B02:00",
            "from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00Z",
            // Two offsets: the earlier time has the later clock.
            "from=2026-11-01T01:00:00%2B02:00&to=2026-11-01T00:00:00Z",
        ] {
            agent.get(&format!("/ledger?{query}")).send().await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn all_that_is_wrong_with_the_fields_is_told_at_once() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let rows = |error: &Value| -> Vec<String> {
            let row = |row: &Value| {
                let meant = row["did_you_mean"].as_str().map(|meant| format!(" → {meant}")).unwrap_or_default();
                format!("{} {}{meant}", text(row, "field"), text(row, "problem"))
            };
            error["details"]["fields"].as_array().into_iter().flatten().map(row).collect()
        };
        let body = json!({ "pow": "1", "displayName": "Ada", "role": "king", "x": 1, "nonce": 5 });
        let reply = world.client.post("/register").json(&body).send().await?;
        let error = reply.refused(400, "UNKNOWN_FIELD");
        assert_eq!(
            rows(error),
            [
                "pow unknown → pow_nonce",
                "displayName unknown → display_name",
                "x unknown",
                "wallet_address missing",
                "signature missing",
                "role invalid",
                "nonce invalid"
            ],
            "{error}"
        );
        assert!(!text(&error["recovery"], "summary").contains("Remove `pow`"), "{error}");
        // Values that only their meaning refuses are told together, too.
        let wallet = "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV";
        let body = json!({ "wallet_address": wallet, "signature": "", "nonce": "x", "pow_nonce": "", "display_name": "\u{200b}" });
        let reply = world.client.post("/register").json(&body).send().await?;
        let names: Vec<String> = rows(reply.refused(400, "INVALID_REQUEST"));
        assert_eq!(names, ["signature invalid", "nonce invalid", "pow_nonce invalid", "display_name invalid"]);
        let fields = json!({ "name": "A name", "description": "Text.", "pricing_model": "per_call", "category": "no", "pow": "1", "price": 1 });
        let reply = agent.post("/listings").json(&fields).send().await?;
        assert_eq!(rows(reply.refused(400, "UNKNOWN_FIELD")), ["pow unknown → pow_nonce", "price unknown → pricing_amount"]);
        let fields = json!({ "name": "A name", "description": "Text.", "pricing_model": "per_call", "category": "no", "pow_nonce": "1", "pricing_amount": "1" });
        let reply = agent.post("/listings").json(&fields).send().await?;
        let told = rows(reply.refused(400, "INVALID_REQUEST"));
        assert_eq!(told, ["pricing_amount invalid", "private_endpoint_url invalid", "category invalid"]);
        let reply = world.client.get("/listings").query("search", "a").query("sort", "x").query("page", "0").send().await?;
        assert_eq!(rows(reply.refused(400, "UNKNOWN_FIELD")), ["search unknown → q"]);
        let reply = world.client.get("/listings").query("sort", "x").query("page", "0").query("min_price", "-").send().await?;
        assert_eq!(rows(reply.refused(400, "INVALID_REQUEST")), ["min_price invalid", "sort invalid", "page invalid"]);
        Ok(())
    })
}

#[test]
fn a_query_is_refused_where_there_is_none_and_ignored_by_pages() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for request in [agent.get("/me?verbose=1"), world.client.get("/health?x="), agent.post("/listings/challenge?pow=1")] {
            request.send().await?.refused(400, "UNKNOWN_FIELD");
        }
        let reply = world.client.get(&format!("/me?api_key={}", agent.api_key)).send().await?;
        let error = reply.refused(400, "UNKNOWN_FIELD");
        assert!(text(error, "message").contains("Authorization"), "{error}");
        for path in ["/?utm_source=x", "/docs/api-reference.txt?x=1", "/api/v1/openapi.json?x=1"] {
            assert_eq!(world.client.site(Method::GET, path).send().await?.status, 200, "{path}");
        }
        Ok(())
    })
}

#[test]
fn who_has_no_key_is_told_how_to_get_one_and_where_to_send_it() -> Outcome {
    shared(async |world| {
        let summary = |error: &Value| text(&error["recovery"], "summary").to_owned();
        let reply = world.client.get("/me").send().await?;
        let told = summary(reply.refused(401, "UNAUTHORIZED"));
        let order = ["/auth/challenge", "/register"].map(|route| told.find(route));
        assert!(order[0].is_some() && order[0] < order[1], "{told}");
        let agent = world.agent().await?;
        for (name, value, word) in [
            ("x-api-key", agent.api_key.clone(), "x-api-key"),
            ("authorization", agent.api_key.clone(), "Bearer"),
            ("authorization", "Basic Zm9v".into(), "Bearer"),
        ] {
            let reply = world.client.get("/me").header(name, &value).send().await?;
            let error = reply.refused(401, "UNAUTHORIZED");
            assert!(text(error, "message").contains(word), "{error}");
        }
        Ok(())
    })
}
