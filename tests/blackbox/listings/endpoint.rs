//! `GET` and `PUT /listings/:id/endpoint`.

use crochet_tests::{Failure, Outcome, Replies, Reply, Setup, Shop, is_time, list, members, shared, text, with};
use serde_json::{Value, json};

fn route(shop: &Shop<'_>) -> String {
    format!("/listings/{}/endpoint", shop.listing.id)
}

async fn put(shop: &Shop<'_>, change: Value) -> Result<Reply, Failure> {
    Ok(shop.seller.put(&route(shop)).json(&change).send().await?)
}

async fn get(shop: &Shop<'_>) -> Result<Value, Failure> {
    Ok(shop.seller.get(&route(shop)).send().await?.ok(200)["gateway_endpoint"].clone())
}

#[test]
fn get_shows_the_members_of_the_contract_and_nothing_secret() -> Outcome {
    shared(async |world| {
        let shop = world.shop(1.0).await?;
        let reply = shop.seller.get(&route(&shop)).send().await?;
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
        assert_eq!((text(&endpoint, "listing_id"), text(&endpoint, "status")), (shop.listing.id.as_str(), "active"));
        assert_eq!((&endpoint["timeout_ms"], &endpoint["max_response_bytes"]), (&json!(15_000), &json!(262_144)));
        assert!(list(&endpoint, "auth_header_names").is_empty() && is_time(&endpoint["secret_created_at"]));
        for unset in ["rate_limit_per_minute", "previous_secret_expires_at", "last_test"] {
            assert!(endpoint[unset].is_null(), "{unset}");
        }
        assert!(!reply.text().contains("whsec_") && !reply.text().contains(&shop.path), "{}", reply.text());
        let by_slug = shop.seller.get(&format!("/listings/{}/endpoint", shop.listing.slug)).send().await?;
        assert_eq!(by_slug.ok(200)["gateway_endpoint"], endpoint);
        Ok(())
    })
}

#[test]
fn an_endpoint_is_its_owners_only() -> Outcome {
    shared(async |world| {
        let shop = world.shop(1.0).await?;
        let mut fields = world.free_fields(&world.echo_path());
        fields["status"] = "draft".into();
        let draft = shop.seller.create_listing(&fields).await?;
        let routes = |id: &str| {
            let base = format!("/listings/{id}/endpoint");
            [
                (http::Method::GET, base.clone()),
                (http::Method::PUT, base.clone()),
                (http::Method::POST, format!("{base}/test")),
                (http::Method::POST, format!("{base}/rotate-secret")),
            ]
        };
        for (method, path) in routes(&shop.listing.id) {
            let body = json!({});
            shop.buyer.request(method.clone(), &path).json(&body).send().await?.refused(403, "NOT_LISTING_OWNER");
            world.client.request(method.clone(), &path).json(&body).send().await?.refused(401, "UNAUTHORIZED");
            shop.seller.request(method, &path).json(&body).send().await?.ok(200);
        }
        for (method, path) in routes(&draft.id) {
            shop.buyer.request(method, &path).json(&json!({})).send().await?.refused(404, "LISTING_NOT_FOUND");
        }
        for (method, path) in routes("0198c0de-0000-7000-8000-000000000000") {
            shop.seller.request(method, &path).json(&json!({})).send().await?.refused(404, "LISTING_NOT_FOUND");
        }
        assert!(world.seller.calls(&[("path", &shop.path)]).await?.len() == 1, "only the owner's test went out");
        Ok(())
    })
}

#[test]
fn put_merges_what_is_left_out_stays_and_null_removes() -> Outcome {
    shared(async |world| {
        let shop = world.shop(1.0).await?;
        let all = json!({ "timeout_ms": 2_000, "max_response_bytes": 4_096, "rate_limit_per_minute": 7, "status": "paused",
            "auth_header": { "name": "X-Api-Key", "value": "hush-key" } });
        let reply = put(&shop, all.clone()).await?;
        let endpoint = reply.ok(200)["gateway_endpoint"].clone();
        for member in ["timeout_ms", "max_response_bytes", "rate_limit_per_minute", "status"] {
            assert_eq!(endpoint[member], all[member], "{member}");
        }
        assert_eq!(endpoint["auth_header_names"], json!(["X-Api-Key"]));
        assert!(endpoint.get("signing_secret").is_none(), "it is no first endpoint: {endpoint}");
        let one = put(&shop, json!({ "timeout_ms": 3_000 })).await?.ok(200)["gateway_endpoint"].clone();
        let mut expected = endpoint.clone();
        expected["timeout_ms"] = 3_000.into();
        assert_eq!(one, expected, "what is left out stays");
        let nulls = json!({ "timeout_ms": null, "max_response_bytes": null, "rate_limit_per_minute": null, "auth_header": null });
        let removed = put(&shop, nulls).await?.ok(200)["gateway_endpoint"].clone();
        assert_eq!((&removed["timeout_ms"], &removed["max_response_bytes"]), (&json!(15_000), &json!(262_144)), "as usual");
        assert!(removed["rate_limit_per_minute"].is_null() && list(&removed, "auth_header_names").is_empty());
        assert_eq!(removed["status"], "paused", "what was left out has stayed");
        assert_eq!(get(&shop).await?, removed);
        Ok(())
    })
}

#[test]
fn numbers_and_states_out_of_bounds_are_refused_and_change_nothing() -> Outcome {
    shared(async |world| {
        let shop = world.shop(1.0).await?;
        let before = get(&shop).await?;
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
            let reply = put(&shop, change).await?;
            let error = reply.refused(400, "INVALID_REQUEST");
            assert!(text(&error["details"], "field").starts_with(member), "{member} {value}: {error}");
        }
        for bounds in [
            json!({ "timeout_ms": 1_000, "max_response_bytes": 1_024, "rate_limit_per_minute": 1 }),
            json!({ "timeout_ms": 25_000, "max_response_bytes": 1_048_576, "rate_limit_per_minute": 100_000 }),
        ] {
            put(&shop, bounds).await?.ok(200);
        }
        put(&shop, json!({ "signing_secret": "whsec_x" })).await?.refused(400, "UNKNOWN_FIELD");
        let unknown = put(&shop, json!({ "auth_header": { "name": "X-Key", "value": "v", "scheme": "x" } })).await?;
        assert_eq!(unknown.refused(400, "UNKNOWN_FIELD")["details"]["field"], "auth_header.scheme");
        let nothing = put(&shop, json!({})).await?.ok(200)["gateway_endpoint"].clone();
        assert_eq!(nothing["secret_version"], before["secret_version"]);
        Ok(())
    })
}

#[test]
fn headers_that_are_not_the_sellers_to_set_are_refused() -> Outcome {
    shared(async |world| {
        let shop = world.shop(1.0).await?;
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
            let reply = put(&shop, json!({ "auth_header": { "name": name, "value": "v" } })).await?;
            assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], "auth_header.name", "{name}");
        }
        let key = json!({ "auth_header": { "name": "Authorization", "value": format!("Bearer {}", shop.buyer.api_key) } });
        let reply = put(&shop, key).await?;
        assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], "auth_header.value");
        assert!(!reply.text().contains(&shop.buyer.api_key));
        assert!(list(&get(&shop).await?, "auth_header_names").is_empty());
        Ok(())
    })
}

#[test]
fn a_new_url_counts_from_the_next_call_and_keeps_the_secret() -> Outcome {
    shared(async |world| {
        let shop = world.shop(1.0).await?;
        shop.buy(&json!({ "n": 1 })).await?;
        let before = get(&shop).await?;
        let new = world.echo_path();
        world.seller.add_secret(&shop.listing.signing_secret, &new).await?;
        let open = shop.paid(&json!({ "n": 2 })).await?;
        let moved = put(&shop, json!({ "private_endpoint_url": world.seller.url(&new) })).await?;
        let endpoint = &moved.ok(200)["gateway_endpoint"];
        assert_ne!(endpoint["secret_version"], before["secret_version"]);
        assert_eq!(endpoint["secret_created_at"], before["secret_created_at"], "the signing secret is the same");
        let reply = shop.redeem(&open, &json!({ "n": 2 })).await?;
        assert_eq!(reply.ok(200)["seller_response"]["verified"], true, "an open quote goes to the new URL");
        assert_eq!(world.seller.calls(&[("path", &new)]).await?.len(), 1);
        assert_eq!(shop.all_received().await?.len(), 1, "the old one was called once");
        let again = put(&shop, json!({ "private_endpoint_url": world.seller.url(&new) })).await?;
        assert_eq!(again.ok(200)["gateway_endpoint"], *endpoint, "the same again is no change");
        Ok(())
    })
}

#[test]
fn urls_are_refused_here_as_at_creation() -> Outcome {
    with(Setup::settings(&[("CROCHET_INSECURE_ENDPOINTS", "0")]), async |world| {
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
        let shop = world.shop(1.0).await?;
        let version = get(&shop).await?["secret_version"].clone();
        let body = json!({ "n": 1 });
        let quote = shop.paid(&body).await?;
        let paused = put(&shop, json!({ "status": "paused" })).await?.ok(200)["gateway_endpoint"].clone();
        assert_eq!((&paused["status"], &paused["secret_version"]), (&json!("paused"), &version), "no secret is written");
        shop.call(&json!({ "n": 2 })).send().await?.refused(409, "ENDPOINT_PAUSED");
        let details = shop.redeem(&quote, &body).await?.refused(502, "SELLER_UNAVAILABLE")["details"].clone();
        assert_eq!((&details["settled"], &details["delivered"]), (&json!(true), &json!(false)));
        put(&shop, json!({ "status": "active" })).await?.ok(200);
        shop.redeem(&quote, &body).await?.ok(200);
        assert_eq!(shop.all_received().await?.len(), 1);
        Ok(())
    })
}

#[test]
fn timeout_size_and_rate_limit_hold_from_the_next_call() -> Outcome {
    shared(async |world| {
        let slow = world.free_shop("/slow/3000").await?;
        put(&slow, json!({ "timeout_ms": 1_000 })).await?.ok(200);
        slow.call(&json!({})).send().await?.refused(504, "SELLER_TIMEOUT");
        let huge = world.free_shop("/huge/2048").await?;
        put(&huge, json!({ "max_response_bytes": 2_047 })).await?.ok(200);
        huge.call(&json!({})).send().await?.refused(502, "SELLER_RESPONSE_TOO_LARGE");
        put(&huge, json!({ "max_response_bytes": 2_048 })).await?.ok(200);
        huge.call(&json!({})).send().await?.ok(200);
        let limited = world.free_shop(&world.echo_path()).await?;
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
