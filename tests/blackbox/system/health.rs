//! `GET /health`, and what every reply has in common.

use std::collections::HashSet;

use crochet_tests::{Outcome, Replies, Setup, list, shared, text, with_setup};
use http::Method;
use serde_json::json;

#[test]
fn health_answers_without_a_key() -> Outcome {
    shared(async |world| {
        world.client.get("/health").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn every_response_of_ours_has_its_own_x_request_id() -> Outcome {
    shared(async |world| {
        let mut seen = HashSet::new();
        for path in ["/health", "/health", "/nowhere", "/me", "/categories", "/listings/none", "/listings"] {
            let reply = world.client.get(path).send().await?;
            assert!(!reply.header("x-request-id").is_empty(), "{path}");
            assert!(seen.insert(reply.header("x-request-id").to_owned()), "{path} repeats an id");
        }
        Ok(())
    })
}

#[test]
fn unknown_routes_answer_in_the_same_envelope() -> Outcome {
    shared(async |world| {
        for path in ["/nowhere", "/listings/a/b/c", "/", "/me/nothing/here"] {
            world.client.get(path).send().await?.refused(404, "NOT_FOUND");
        }
        for path in ["/nowhere", "/api/v2/me"] {
            world.client.site(Method::POST, path).json(&json!({})).send().await?.refused(404, "NOT_FOUND");
        }
        Ok(())
    })
}

#[test]
fn wrong_methods_answer_in_the_same_envelope() -> Outcome {
    shared(async |world| {
        let routes = [
            (Method::DELETE, "/health"),
            (Method::GET, "/register"),
            (Method::GET, "/auth/challenge"),
            (Method::PUT, "/auth/recover"),
            (Method::DELETE, "/me"),
            (Method::POST, "/categories"),
            (Method::PUT, "/listings"),
            (Method::GET, "/listings/challenge"),
            (Method::PUT, "/listings/0198c0de-0000-7000-8000-000000000000"),
            (Method::GET, "/gateway/anything"),
            (Method::POST, "/gateway-requests"),
            (Method::DELETE, "/gateway-requests/gw_req_1"),
            (Method::POST, "/ledger"),
        ];
        for (method, path) in routes {
            let reply = world.client.request(method.clone(), path).send().await?;
            // GET /listings/challenge reads a listing of that name; all others have no such method.
            if (method.as_str(), path) == ("GET", "/listings/challenge") {
                assert!(matches!(reply.status, 404 | 405), "{}", reply.text());
                continue;
            }
            reply.refused(405, "METHOD_NOT_ALLOWED");
            assert!(!reply.header("allow").is_empty(), "{method} {path}: no Allow header");
        }
        Ok(())
    })
}

#[test]
fn bodies_that_are_no_json_are_refused_everywhere() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let bad: [(&str, &[u8]); 8] = [
            ("no JSON", b"task=run"),
            ("cut off", b"{\"wallet_address\":"),
            ("a key twice", b"{\"wallet_address\":\"a\",\"wallet_address\":\"b\"}"),
            ("a key twice, spelt differently", b"{\"name\":1,\"n\\u0061me\":2}"),
            ("invalid UTF-8", b"{\"wallet_address\":\"\xff\"}"),
            ("beyond a double", b"{\"wallet_address\":1e400}"),
            ("a lone surrogate", b"{\"wallet_address\":\"\\ud800\"}"),
            ("two values", b"{} {}"),
        ];
        for path in ["/auth/challenge", "/register", "/auth/recover", "/listings"] {
            for (what, body) in bad {
                let reply = agent.post(path).header("content-type", "application/json").raw_body(body.to_vec()).send().await?;
                assert_eq!((reply.status, reply.code()), (400, "INVALID_JSON"), "{path}: {what}: {}", reply.text());
                reply.refused(400, "INVALID_JSON");
            }
        }
        Ok(())
    })
}

#[test]
fn unknown_fields_in_a_request_are_refused_naming_the_field() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let mut challenge = json!({ "wallet_address": agent.wallet.address() });
        challenge["colour"] = "red".into();
        let mut listing = world.paid_fields(&json!(1), "/echo");
        listing["colour"] = "red".into();
        listing["pow_nonce"] = "0".into();
        let register = json!({ "wallet_address": agent.wallet.address(), "signature": "x", "nonce": "x", "pow_nonce": "x",
            "display_name": "x", "colour": "red" });
        for (path, body) in [("/auth/challenge", &challenge), ("/register", &register), ("/listings", &listing)] {
            let reply = agent.post(path).json(body).send().await?;
            let error = reply.refused(400, "UNKNOWN_FIELD");
            assert!(text(error, "message").contains("colour"), "{path}: {error}");
        }
        for path in ["/listings", "/gateway-requests", "/ledger"] {
            let reply = agent.get(path).query("colour", "red").send().await?;
            assert!(text(reply.refused(400, "UNKNOWN_FIELD"), "message").contains("colour"), "{path}");
        }
        Ok(())
    })
}

#[test]
fn oversized_bodies_answer_in_the_same_envelope() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let body = json!({ "wallet_address": "x".repeat(300 * 1024) });
        for path in ["/auth/challenge", "/register", "/listings", "/gateway/anything"] {
            let reply = agent.post(path).json(&body).send().await?;
            // A gateway may say first that there is no such listing.
            if path == "/gateway/anything" && reply.status == 404 {
                continue;
            }
            reply.refused(413, "PAYLOAD_TOO_LARGE");
        }
        Ok(())
    })
}

#[test]
fn bodies_of_another_media_type_are_refused() -> Outcome {
    shared(async |world| {
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let request = world.client.post("/auth/challenge").header("content-type", media_type);
            request.raw_body("{}").send().await?.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let wallet = crochet_tests::Wallet::solana();
        let body = json!({ "wallet_address": wallet.address() }).to_string();
        for media_type in ["application/json; charset=utf-8", "APPLICATION/JSON"] {
            let request = world.client.post("/auth/challenge").header("content-type", media_type);
            request.raw_body(body.clone()).send().await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn long_headers_and_queries_are_refused() -> Outcome {
    shared(async |world| {
        let long = "x".repeat(9_000);
        world.client.get("/health").header("x-long", &long).send().await?.refused(431, "HEADER_TOO_LARGE");
        world.client.get("/listings").query("q", &long).send().await?.refused(431, "HEADER_TOO_LARGE");
        Ok(())
    })
}

#[test]
fn deep_nesting_is_refused() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let request = agent.post("/listings").header("content-type", "application/json");
        request.raw_body(format!("{{\"tags\":{deep}}}")).send().await?.refused(400, "INVALID_JSON");
        Ok(())
    })
}

#[test]
fn limited_routes_send_the_rate_limit_fields() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for path in ["/me", "/ledger", "/gateway-requests", "/categories", "/listings"] {
            let reply = agent.get(path).send().await?;
            assert!(reply.header("ratelimit").contains(";r="), "{path}: RateLimit is {:?}", reply.header("ratelimit"));
            assert!(reply.header("ratelimit-policy").contains(";q="), "{path}: {:?}", reply.header("ratelimit-policy"));
        }
        Ok(())
    })
}

#[test]
fn limits_are_exact_per_key_and_per_ip_and_say_when_to_come_back() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "")]), async |world| {
        let agent = world.agent().await?;
        world.at_a_minutes_start().await?;
        let first = agent.get("/me").send().await?;
        first.ok(200);
        let policy = first.header("ratelimit-policy");
        let quota = policy.split(";q=").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default();
        let quota: usize = quota.parse().map_err(|_| crochet_tests::Failure::new(format!("no quota in {policy}")))?;
        let mut replies = Vec::new();
        // Some at a time: where the table answers late, the service asks again and counts twice, which errs on the safe side.
        while replies.len() < quota + 5 {
            let together = (quota + 5 - replies.len()).min(10);
            replies.extend(futures::future::try_join_all((0..together).map(|_| agent.get("/me").send())).await?);
        }
        let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
        assert_eq!(refused.len(), 6, "of {} after the first", replies.len());
        for reply in refused {
            let error = reply.refused(429, "RATE_LIMITED");
            assert_eq!(text(&error["recovery"], "next_action"), "wait_and_retry");
            assert_eq!(list(&error["recovery"], "discard").len(), 0);
        }
        // Another key is not touched by it.
        world.agent().await?.get("/me").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn failed_authentication_is_counted_per_ip() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "")]), async |world| {
        world.at_a_minutes_start().await?;
        let mut refused = 0;
        for _ in 0..40 {
            let reply = world.client.get("/me").key("am_k_nonsense").send().await?;
            match reply.status {
                401 => {
                    reply.refused(401, "INVALID_API_KEY");
                }
                _ => {
                    reply.refused(429, "RATE_LIMITED");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "forty bad keys in a row were looked at");
        Ok(())
    })
}

#[test]
fn the_canary_sees_a_deployment_that_works_and_one_that_does_not() -> Outcome {
    shared(async |world| {
        assert_eq!(crochet_site::canary::ask(world.client.base()).await, Ok(()));
        let cause = crochet_site::canary::ask("http://127.0.0.1:9").await.expect_err("nobody listens there");
        assert_eq!(cause.matches("no connection").count(), 4, "{cause}");
        // An origin that answers, and is not the deployment.
        let cause = crochet_site::canary::ask(&format!("{}/nowhere", world.client.base())).await.expect_err("no such routes");
        assert_eq!(cause.matches(": 404").count(), 4, "{cause}");
        Ok(())
    })
}
