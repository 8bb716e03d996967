//! What is told of requests that were sent in a form that is not read.

use crochet_tests::{Outcome, Replies, Request, shared, text};
use serde_json::json;

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
