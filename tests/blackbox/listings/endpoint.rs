//! `GET` and `PUT /listings/:id/endpoint`.

use crochet_tests::{Failure, Market, Outcome, Replies, Reply, Setup, is_time, list, members, shared, text, with_setup};
use serde_json::{Value, json};

fn route(market: &Market<'_>) -> String {
    format!("/listings/{}/endpoint", market.listing.id)
}

async fn put(market: &Market<'_>, change: Value) -> Result<Reply, Failure> {
    Ok(market.seller.put(&route(market)).json(&change).send().await?)
}

async fn get(market: &Market<'_>) -> Result<Value, Failure> {
    Ok(market.seller.get(&route(market)).send().await?.ok(200)["gateway_endpoint"].clone())
}

#[test]
fn get_shows_the_members_of_the_contract_and_nothing_secret() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let reply = market.seller.get(&route(&market)).send().await?;
        let endpoint = reply.ok(200)["gateway_endpoint"].clone();
        assert_eq!(members(reply.data()), ["gateway_endpoint"]);
        let expected = [
            "auth_header_names",
            "last_test",
            "listing_id",
            "max_response_bytes",
            "previous_secret_expires_at",
            "rate_limit_per_minute",
            "secret_created_at",
            "secret_version",
            "status",
            "timeout_ms",
        ];
        assert_eq!(members(&endpoint), expected);
        assert_eq!((text(&endpoint, "listing_id"), text(&endpoint, "status")), (market.listing.id.as_str(), "active"));
        assert_eq!((&endpoint["timeout_ms"], &endpoint["max_response_bytes"]), (&json!(15_000), &json!(262_144)));
        assert!(list(&endpoint, "auth_header_names").is_empty() && is_time(&endpoint["secret_created_at"]));
        for unset in ["rate_limit_per_minute", "previous_secret_expires_at", "last_test"] {
            assert!(endpoint[unset].is_null(), "{unset}");
        }
        assert!(!reply.text().contains("whsec_") && !reply.text().contains(&market.path), "{}", reply.text());
        let by_slug = market.seller.get(&format!("/listings/{}/endpoint", market.listing.slug)).send().await?;
        assert_eq!(by_slug.ok(200)["gateway_endpoint"], endpoint);
        Ok(())
    })
}

#[test]
fn an_endpoint_is_its_owners_only() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let mut fields = world.free_fields(&world.echo_path());
        fields["status"] = "draft".into();
        let draft = market.seller.create_listing(&fields).await?;
        let routes = |id: &str| {
            let base = format!("/listings/{id}/endpoint");
            [
                (http::Method::GET, base.clone()),
                (http::Method::PUT, base.clone()),
                (http::Method::POST, format!("{base}/test")),
                (http::Method::POST, format!("{base}/rotate-secret")),
            ]
        };
        for (method, path) in routes(&market.listing.id) {
            let body = json!({});
            market.buyer.request(method.clone(), &path).json(&body).send().await?.refused(403, "NOT_LISTING_OWNER");
            world.client.request(method.clone(), &path).json(&body).send().await?.refused(401, "UNAUTHORIZED");
            market.seller.request(method, &path).json(&body).send().await?.ok(200);
        }
        for (method, path) in routes(&draft.id) {
            market.buyer.request(method, &path).json(&json!({})).send().await?.refused(404, "LISTING_NOT_FOUND");
        }
        for (method, path) in routes("0198c0de-0000-7000-8000-000000000000") {
            market.seller.request(method, &path).json(&json!({})).send().await?.refused(404, "LISTING_NOT_FOUND");
        }
        assert!(world.seller.calls(&[("path", &market.path)]).await?.len() == 1, "only the owner's test went out");
        Ok(())
    })
}

#[test]
fn put_merges_what_leave_out_stays_and_null_removes() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let all = json!({ "timeout_ms": 2_000, "max_response_bytes": 4_096, "rate_limit_per_minute": 7, "status": "paused",
            "auth_header": { "name": "X-Api-Key", "value": "hush-key" } });
        let reply = put(&market, all.clone()).await?;
        let endpoint = reply.ok(200)["gateway_endpoint"].clone();
        for member in ["timeout_ms", "max_response_bytes", "rate_limit_per_minute", "status"] {
            assert_eq!(endpoint[member], all[member], "{member}");
        }
        assert_eq!(endpoint["auth_header_names"], json!(["X-Api-Key"]));
        assert!(endpoint.get("signing_secret").is_none(), "it is no first endpoint: {endpoint}");
        let one = put(&market, json!({ "timeout_ms": 3_000 })).await?.ok(200)["gateway_endpoint"].clone();
        let mut expected = endpoint.clone();
        expected["timeout_ms"] = 3_000.into();
        assert_eq!(one, expected, "what is left out stays");
        let nulls = json!({ "timeout_ms": null, "max_response_bytes": null, "rate_limit_per_minute": null, "auth_header": null });
        let removed = put(&market, nulls).await?.ok(200)["gateway_endpoint"].clone();
        assert_eq!((&removed["timeout_ms"], &removed["max_response_bytes"]), (&json!(15_000), &json!(262_144)), "as usual");
        assert!(removed["rate_limit_per_minute"].is_null() && list(&removed, "auth_header_names").is_empty());
        assert_eq!(removed["status"], "paused", "what was left out has stayed");
        assert_eq!(get(&market).await?, removed);
        Ok(())
    })
}

#[test]
fn numbers_and_states_out_of_bounds_are_refused_and_change_nothing() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let before = get(&market).await?;
        let wrong = [
            ("timeout_ms", json!(999)),
            ("timeout_ms", json!(25_001)),
            ("timeout_ms", json!(-1)),
            ("timeout_ms", json!("1000")),
            ("timeout_ms", json!(1_000.5)),
            ("max_response_bytes", json!(1_023)),
            ("max_response_bytes", json!(1_048_577)),
            ("rate_limit_per_minute", json!(0)),
            ("rate_limit_per_minute", json!(100_001)),
            ("status", json!("gone")),
            ("status", Value::Null),
            ("auth_header", json!("X-Key: hush-1")),
            ("auth_header", json!({ "name": "X-Key" })),
            ("auth_header", json!({ "name": "X-Key", "value": 5 })),
            ("auth_header", json!({ "name": "X-Key", "value": "hush-2\r\nX-Evil: 1" })),
            ("private_endpoint_url", json!(["hush-3"])),
        ];
        for (member, value) in wrong {
            let mut change = json!({ "timeout_ms": 5_000 });
            change[member] = value.clone();
            let reply = put(&market, change).await?;
            let error = reply.refused(400, "INVALID_REQUEST");
            assert!(text(&error["details"], "field").starts_with(member), "{member} {value}: {error}");
        }
        for bounds in [
            json!({ "timeout_ms": 1_000, "max_response_bytes": 1_024, "rate_limit_per_minute": 1 }),
            json!({ "timeout_ms": 25_000, "max_response_bytes": 1_048_576, "rate_limit_per_minute": 100_000 }),
        ] {
            put(&market, bounds).await?.ok(200);
        }
        put(&market, json!({ "signing_secret": "whsec_x" })).await?.refused(400, "UNKNOWN_FIELD");
        let unknown = put(&market, json!({ "auth_header": { "name": "X-Key", "value": "v", "scheme": "x" } })).await?;
        assert_eq!(unknown.refused(400, "UNKNOWN_FIELD")["details"]["field"], "auth_header.scheme");
        let nothing = put(&market, json!({})).await?.ok(200)["gateway_endpoint"].clone();
        assert_eq!(nothing["secret_version"], before["secret_version"]);
        Ok(())
    })
}

#[test]
fn headers_that_are_not_the_sellers_to_set_are_refused() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let refused = [
            "Host",
            "Content-Type",
            "Content-Length",
            "content-encoding",
            "Connection",
            "Keep-Alive",
            "Proxy-Authorization",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "webhook-id",
            "Webhook-Signature",
            "X-Crochet-Signature",
            "x-crochet-new",
            "User-Agent",
            "no spaces",
            "",
        ];
        for name in refused {
            let reply = put(&market, json!({ "auth_header": { "name": name, "value": "v" } })).await?;
            assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], "auth_header.name", "{name}");
        }
        let key = json!({ "auth_header": { "name": "Authorization", "value": format!("Bearer {}", market.buyer.api_key) } });
        let reply = put(&market, key).await?;
        assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], "auth_header.value");
        assert!(!reply.text().contains(&market.buyer.api_key));
        assert!(list(&get(&market).await?, "auth_header_names").is_empty());
        Ok(())
    })
}

#[test]
fn a_new_url_counts_from_the_next_call_and_keeps_the_secret() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let before = get(&market).await?;
        let new = world.echo_path();
        world.seller.add_secret(&market.listing.signing_secret, &new).await?;
        let open = market.paid(&json!({ "n": 2 })).await?;
        let moved = put(&market, json!({ "private_endpoint_url": world.seller.url(&new) })).await?;
        let endpoint = &moved.ok(200)["gateway_endpoint"];
        assert_ne!(endpoint["secret_version"], before["secret_version"]);
        assert_eq!(endpoint["secret_created_at"], before["secret_created_at"], "the signing secret is the same");
        let reply = market.redeem(&open, &json!({ "n": 2 })).await?;
        assert_eq!(reply.ok(200)["seller_response"]["verified"], true, "an open quote goes to the new URL");
        assert_eq!(world.seller.calls(&[("path", &new)]).await?.len(), 1);
        assert_eq!(market.all_received().await?.len(), 1, "the old one was called once");
        let again = put(&market, json!({ "private_endpoint_url": world.seller.url(&new) })).await?;
        assert_eq!(again.ok(200)["gateway_endpoint"], *endpoint, "the same again is no change");
        Ok(())
    })
}

#[test]
fn urls_are_refused_here_as_at_creation() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_INSECURE_ENDPOINTS", "0")]), async |world| {
        let seller = world.agent().await?;
        let listing = seller.create_listing(&json!({ "name": "Bare", "description": "x", "pricing_model": "free" })).await?;
        let path = format!("/listings/{}/endpoint", listing.id);
        for url in
            ["http://example.com/", "https://127.0.0.1/", "https://user:hush-@example.com/", "https://localhost/", "nonsense"]
        {
            let reply = seller.put(&path).json(&json!({ "private_endpoint_url": url })).send().await?;
            let error = reply.refused(400, "ENDPOINT_URL_REFUSED");
            assert_eq!(error["details"]["field"], "private_endpoint_url", "{url}");
        }
        seller.get(&path).send().await?.refused(404, "ENDPOINT_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn a_pause_counts_from_the_next_call_and_makes_open_quotes_seller_unavailable() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let version = get(&market).await?["secret_version"].clone();
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let paused = put(&market, json!({ "status": "paused" })).await?.ok(200)["gateway_endpoint"].clone();
        assert_eq!((&paused["status"], &paused["secret_version"]), (&json!("paused"), &version), "no secret is written");
        market.call(&json!({ "n": 2 })).send().await?.refused(409, "ENDPOINT_PAUSED");
        let details = market.redeem(&quote, &body).await?.refused(502, "SELLER_UNAVAILABLE")["details"].clone();
        assert_eq!((&details["settled"], &details["delivered"]), (&json!(true), &json!(false)));
        put(&market, json!({ "status": "active" })).await?.ok(200);
        market.redeem(&quote, &body).await?.ok(200);
        assert_eq!(market.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn timeout_size_and_rate_limit_hold_from_the_next_call() -> Outcome {
    shared(async |world| {
        let slow = world.free_market("/slow/3000").await?;
        put(&slow, json!({ "timeout_ms": 1_000 })).await?.ok(200);
        slow.call(&json!({})).send().await?.refused(504, "SELLER_TIMEOUT");
        let huge = world.free_market("/huge/2048").await?;
        put(&huge, json!({ "max_response_bytes": 2_047 })).await?.ok(200);
        huge.call(&json!({})).send().await?.refused(502, "SELLER_RESPONSE_TOO_LARGE");
        put(&huge, json!({ "max_response_bytes": 2_048 })).await?.ok(200);
        huge.call(&json!({})).send().await?.ok(200);
        let limited = world.free_market(&world.echo_path()).await?;
        put(&limited, json!({ "rate_limit_per_minute": 1 })).await?.ok(200);
        let mut refused = false;
        for n in 0..3 {
            // A minute may begin between two of them, not between three.
            refused |= limited.call(&json!({ "n": n })).send().await?.code() == "LISTING_RATE_LIMITED";
        }
        assert!(refused, "the limit holds");
        Ok(())
    })
}
