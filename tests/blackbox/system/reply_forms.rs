//! The forms of a reply: problem documents, compressed bodies, headers alone.

use std::io::Read;

use crochet_tests::{Outcome, Replies, Reply, Request, isolated, members, shared, text};
use http::Method;
use serde_json::{Value, json};

fn unzipped(reply: &Reply) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*reply.body).read_to_string(&mut text).expect("gzip");
    text
}

#[test]
fn an_error_is_a_problem_document_for_those_who_ask_for_one() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let asked = [
            ("application/problem+json", true),
            ("application/json;q=0.5, application/problem+json", true),
            ("application/problem+json;q=0, */*", false),
            ("*/*", false),
        ];
        for (accept, is_problem) in asked {
            for (request, status, code) in [
                (world.client.get("/me"), 401, "UNAUTHORIZED"),
                (world.client.get("/nowhere"), 404, "NOT_FOUND"),
                (market.call(&json!({})), 402, "PAYMENT_REQUIRED"),
            ] {
                let reply = request.header("accept", accept).send().await?;
                let wanted = if is_problem { "application/problem+json" } else { "application/json" };
                assert_eq!((reply.status, reply.header("content-type")), (status, wanted), "{}", reply.text());
                assert!(reply.header("vary").contains("accept"), "{}", reply.header("vary"));
                assert_eq!((&reply.json["success"], reply.code()), (&json!(false), code));
                if code == "PAYMENT_REQUIRED" {
                    assert!(reply.data()["payment"]["relay_request_id"].is_string());
                }
                if !is_problem {
                    assert!(reply.json.get("type").is_none() && reply.json.get("status").is_none());
                    continue;
                }
                assert_eq!(reply.json["status"], status);
                assert_eq!(reply.json["type"], reply.error()["recovery"]["docs_url"]);
                assert_eq!(reply.json["detail"], reply.error()["message"]);
                assert!(text(&reply.json, "title").ends_with('.'));
                assert!(text(&reply.json, "instance").ends_with(reply.header("x-request-id")));
            }
        }
        // Successes stay as they are.
        let health = world.client.get("/health").header("accept", "application/problem+json").send().await?;
        assert_eq!(members(&health.json), ["data", "success"]);
        Ok(())
    })
}

#[test]
fn long_replies_are_compressed_for_those_who_read_gzip() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let listing = format!("/listings/{}", market.listing.id);
        let zipped = |request: Request| request.header("accept-encoding", "gzip, deflate, br");
        for (path, is_text) in [("/docs/api-reference.txt", true), ("/api/v1/openapi.json", false)] {
            let plain = world.client.site(Method::GET, path).send().await?;
            let small = zipped(world.client.site(Method::GET, path)).send().await?;
            assert_eq!((small.status, small.header("content-encoding")), (200, "gzip"), "{path}");
            assert!(small.body.len() * 3 < plain.body.len(), "{path}: {} of {}", small.body.len(), plain.body.len());
            assert_eq!(unzipped(&small), plain.text());
            assert!(plain.header("content-encoding").is_empty() && plain.header("vary").contains("accept-encoding"), "{path}");
            assert_eq!(small.header("etag"), format!("W/{}", plain.header("etag")));
            assert_eq!(plain.header("content-type").starts_with("text/"), is_text);
            // Either tag is known again.
            for tag in [small.header("etag"), plain.header("etag")] {
                let known = zipped(world.client.site(Method::GET, path)).header("if-none-match", tag).send().await?;
                assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
            }
        }
        let one = zipped(world.client.get(&listing)).send().await?;
        assert_eq!((one.header("content-encoding"), one.header("vary")), ("gzip", "authorization, accept-encoding"));
        let value: Value = serde_json::from_str(&unzipped(&one))?;
        assert_eq!(value["data"]["listing"]["id"], market.listing.id.as_str());
        // Errors and 402, too.
        let unpaid = zipped(market.call(&json!({}))).send().await?;
        assert_eq!((unpaid.status, unpaid.header("content-encoding")), (402, "gzip"));
        let short = zipped(world.client.get("/health")).send().await?;
        assert!(short.header("content-encoding").is_empty(), "{}", short.text());
        for refusing in ["identity", "gzip;q=0", "br"] {
            let plain = world.client.get(&listing).header("accept-encoding", refusing).send().await?;
            assert!(plain.header("content-encoding").is_empty(), "{refusing}");
        }
        Ok(())
    })
}

#[test]
fn where_there_is_get_there_is_head_with_the_same_headers() -> Outcome {
    // No other test adds a listing between the two.
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let paths = [
            "/".to_owned(),
            "/api/v1".into(),
            "/api/v1/health".into(),
            "/api/v1/categories".into(),
            "/api/v1/listings".into(),
            format!("/api/v1/listings/{}", market.listing.id),
            format!("/api/v1/listings/{}/endpoint", market.listing.id),
            "/api/v1/me".into(),
            "/api/v1/me/wallets".into(),
            "/api/v1/api-keys".into(),
            "/api/v1/gateway-requests".into(),
            "/api/v1/ledger".into(),
            "/docs/api-reference.txt".into(),
            "/nowhere".into(),
        ];
        for path in paths {
            for coding in ["identity", "gzip"] {
                let ask = |method| {
                    let request = world.client.site(method, &path).key(&market.seller.api_key);
                    request.header("accept-encoding", coding).send()
                };
                let (get, head) = (ask(Method::GET).await?, ask(Method::HEAD).await?);
                assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
                for name in ["content-type", "content-encoding", "etag", "vary", "cache-control"] {
                    assert_eq!(head.header(name), get.header(name), "{path}: {name}");
                }
            }
        }
        Ok(())
    })
}

#[test]
fn the_index_leads_to_everything_it_names() -> Outcome {
    shared(async |world| {
        let index = world.client.site(Method::GET, "/api/v1").send().await?;
        let mut followed = 0;
        for (_, group) in index.ok(200).as_object().into_iter().flatten() {
            for link in group.as_array().into_iter().flatten() {
                let url = text(link, "url");
                assert!(url.starts_with(world.client.base()), "{url}");
                let method: Method = text(link, "method").parse().expect("a method");
                let reply = world.client.request(method, &url.replace(['{', '}'], "")).send().await?;
                assert_ne!(reply.code(), "NOT_FOUND", "{url}");
                assert_ne!(reply.status, 405, "{url}");
                followed += 1;
            }
        }
        assert!(followed > 15, "{followed}");
        Ok(())
    })
}
