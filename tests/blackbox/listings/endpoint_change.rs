//! `PUT /listings/:id/endpoint`: adding and removing an endpoint, and the limit on changes.

use crochet_tests::{Failure, Market, Outcome, Replies, Reply, Setup, shared, text, with_setup};
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
fn a_listing_without_an_endpoint_says_how_to_get_one_and_its_first_secret_is_shown_once() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let listing = seller.create_listing(&json!({ "name": "Bare", "description": "x", "pricing_model": "free" })).await?;
        let path = format!("/listings/{}/endpoint", listing.id);
        seller.get(&path).send().await?.refused(404, "ENDPOINT_NOT_FOUND");
        seller.post(&format!("{path}/test")).send().await?.refused(404, "ENDPOINT_NOT_FOUND");
        seller.post(&format!("{path}/rotate-secret")).send().await?.refused(404, "ENDPOINT_NOT_FOUND");
        for change in [json!({ "timeout_ms": 5_000 }), json!({ "auth_header": { "name": "X-Key", "value": "v" } }), json!({})] {
            let reply = seller.put(&path).json(&change).send().await?;
            let recovery = &reply.refused(404, "ENDPOINT_NOT_FOUND")["recovery"];
            assert!(text(recovery, "summary").contains("private_endpoint_url"), "{recovery}");
        }
        let echo = world.echo_path();
        let first = json!({ "private_endpoint_url": world.seller.url(&echo), "timeout_ms": 5_000, "rate_limit_per_minute": 9,
            "auth_header": { "name": "X-Key", "value": "hush-v" } });
        let reply = seller.put(&path).json(&first).send().await?;
        let endpoint = reply.ok(200)["gateway_endpoint"].clone();
        assert_eq!((&endpoint["timeout_ms"], &endpoint["rate_limit_per_minute"]), (&json!(5_000), &json!(9)));
        assert_eq!(endpoint["auth_header_names"], json!(["X-Key"]));
        world.seller.add_secret(text(&endpoint, "signing_secret"), &echo).await?;
        let called = seller.call(&listing.id, &json!({ "n": 1 })).send().await?;
        assert_eq!(called.ok(200)["seller_response"]["verified"], true);
        assert_eq!(world.seller.calls(&[("path", &echo)]).await?[0]["headers"]["x-key"], "hush-v");
        let shown = world.client.get(&format!("/listings/{}", listing.id)).send().await?;
        assert!(shown.ok(200)["listing"]["gateway_url"].is_string(), "buyers see where it is called");
        let again = seller.get(&path).send().await?;
        assert!(again.ok(200)["gateway_endpoint"].get("signing_secret").is_none());
        Ok(())
    })
}

#[test]
fn a_null_url_removes_a_free_listings_endpoint_and_a_new_one_has_a_new_secret() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        market.call(&json!({ "n": 1 })).send().await?.ok(200);
        let with_more = put(&market, json!({ "private_endpoint_url": null, "timeout_ms": 5_000 })).await?;
        assert_eq!(with_more.refused(400, "INVALID_REQUEST")["details"]["field"], "private_endpoint_url");
        for _ in 0..2 {
            let reply = put(&market, json!({ "private_endpoint_url": null })).await?;
            assert!(reply.ok(200)["gateway_endpoint"].is_null(), "{}", reply.text());
        }
        market.seller.get(&route(&market)).send().await?.refused(404, "ENDPOINT_NOT_FOUND");
        market.call(&json!({ "n": 2 })).send().await?.refused(409, "LISTING_HAS_NO_GATEWAY");
        let listing = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
        assert!(listing.ok(200)["listing"]["gateway_url"].is_null());
        let new = world.echo_path();
        let again = put(&market, json!({ "private_endpoint_url": world.seller.url(&new) })).await?;
        let secret = text(&again.ok(200)["gateway_endpoint"], "signing_secret").to_owned();
        assert_ne!(secret, market.listing.signing_secret);
        world.seller.add_secret(&secret, &new).await?;
        market.call(&json!({ "n": 3 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_per_call_listing_keeps_its_endpoint_and_the_way_out_leads_out() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let refused = put(&market, json!({ "private_endpoint_url": null })).await?;
        assert_eq!(refused.refused(409, "ENDPOINT_IN_USE")["recovery"]["next_action"], "pause_endpoint");
        put(&market, json!({ "status": "paused" })).await?.ok(200);
        put(&market, json!({ "private_endpoint_url": null })).await?.refused(409, "ENDPOINT_IN_USE");
        let free = json!({ "pricing_model": "free" });
        market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&free).send().await?.ok(200);
        assert!(put(&market, json!({ "private_endpoint_url": null })).await?.ok(200)["gateway_endpoint"].is_null());
        let paid = json!({ "pricing_model": "per_call", "pricing_amount": 1 });
        let reply = market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&paid).send().await?;
        reply.refused(400, "ENDPOINT_REQUIRED");
        Ok(())
    })
}

#[test]
fn at_most_20_edits_a_day_write_a_secret_version_and_the_rest_may_still_change() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "exact"), ("CROCHET_MAX_LISTINGS", "20")]), async |world| {
        world.at_a_minutes_start().await?;
        let market = world.market(1.0).await?;
        for n in 0..20 {
            put(&market, json!({ "auth_header": { "name": "X-N", "value": format!("v{n}") } })).await?.ok(200);
        }
        let limited = put(&market, json!({ "auth_header": { "name": "X-N", "value": "one more" } })).await?;
        let wait: i64 = limited.refused(429, "EDIT_LIMIT")["recovery"]["retry_after_seconds"].as_i64().unwrap_or_default();
        assert!((1..=86_400).contains(&wait), "{wait}");
        let rotation = market.seller.post(&format!("{}/rotate-secret", route(&market))).send().await?;
        rotation.refused(429, "EDIT_LIMIT");
        put(&market, json!({ "auth_header": { "name": "X-N", "value": "v19" } })).await?.ok(200);
        put(&market, json!({ "status": "paused", "timeout_ms": 9_000 })).await?.ok(200);
        world.later(wait + 3_600).await?;
        put(&market, json!({ "auth_header": { "name": "X-N", "value": "one more" } })).await?.ok(200);
        Ok(())
    })
}

#[test]
fn parallel_edits_are_all_there_or_refused() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let changes: Vec<Value> = (0..6)
            .map(|n| match n % 3 {
                0 => json!({ "timeout_ms": 2_000 + n }),
                1 => json!({ "auth_header": { "name": format!("X-N{n}"), "value": "v" } }),
                _ => json!({ "rate_limit_per_minute": 100 + n }),
            })
            .collect();
        let path = route(&market);
        let replies =
            futures::future::try_join_all(changes.iter().map(|change| market.seller.put(&path).json(change).send())).await?;
        for reply in &replies {
            assert!(reply.status == 200 || (reply.status, reply.code()) == (409, "EDIT_CONFLICT"), "{}", reply.text());
        }
        assert!(replies.iter().any(|reply| reply.status == 200), "somebody gets through");
        let endpoint = get(&market).await?;
        for member in ["timeout_ms", "rate_limit_per_minute", "auth_header"] {
            let done = replies.iter().zip(&changes).filter(|(reply, change)| reply.status == 200 && change.get(member).is_some());
            let kept = done.filter(|(_, change)| match member {
                "auth_header" => endpoint["auth_header_names"][0] == change[member]["name"],
                _ => endpoint[member] == change[member],
            });
            let asked = replies.iter().zip(&changes).any(|(reply, change)| reply.status == 200 && change.get(member).is_some());
            assert_eq!(kept.count(), usize::from(asked), "one of those that were told 200 is there: {member}");
        }
        // No turn is left behind: the next one gets through at once.
        put(&market, json!({ "auth_header": { "name": "X-Last", "value": "v" } })).await?.ok(200);
        assert_eq!(get(&market).await?["auth_header_names"], json!(["X-Last"]));
        market.buy(&json!({ "n": 1 })).await?;
        Ok(())
    })
}

#[test]
fn patch_with_private_endpoint_url_is_the_same_change() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        put(&market, json!({ "timeout_ms": 4_000, "auth_header": { "name": "X-Key", "value": "hush-v" } })).await?.ok(200);
        market.seller.post(&format!("{}/test", route(&market))).send().await?.ok(200);
        let before = get(&market).await?;
        let new = world.echo_path();
        world.seller.add_secret(&market.listing.signing_secret, &new).await?;
        let change = json!({ "private_endpoint_url": world.seller.url(&new) });
        let patch = || market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send();
        let after = patch().await?.ok(200)["gateway_endpoint"].clone();
        assert_ne!(after["secret_version"], before["secret_version"]);
        assert!(after["last_test"].is_null() && after["secret_created_at"] == before["secret_created_at"], "{after}");
        assert_eq!((&after["timeout_ms"], &after["auth_header_names"]), (&json!(4_000), &json!(["X-Key"])));
        assert_eq!(get(&market).await?, after);
        market.call(&json!({ "n": 1 })).send().await?.ok(200);
        assert_eq!(world.seller.calls(&[("path", &new)]).await?[0]["headers"]["x-key"], "hush-v", "the header has moved along");
        assert_eq!(patch().await?.ok(200)["gateway_endpoint"], after, "the same again is no change");
        Ok(())
    })
}

#[test]
fn a_first_endpoint_is_made_once_of_parallel_requests_and_its_secret_signs() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let listing = seller.create_listing(&json!({ "name": "Bare", "description": "x", "pricing_model": "free" })).await?;
        let path = format!("/listings/{}/endpoint", listing.id);
        let echo = world.echo_path();
        let first = json!({ "private_endpoint_url": world.seller.url(&echo) });
        let replies = futures::future::try_join_all((0..4).map(|_| seller.put(&path).json(&first).send())).await?;
        let mut secrets = Vec::new();
        for reply in &replies {
            assert!(reply.status == 200 || (reply.status, reply.code()) == (409, "EDIT_CONFLICT"), "{}", reply.text());
            secrets.extend(reply.data()["gateway_endpoint"]["signing_secret"].as_str());
        }
        let [secret] = secrets[..] else { return Err(Failure::new(format!("{} secrets were shown", secrets.len()))) };
        world.seller.add_secret(secret, &echo).await?;
        let called = seller.call(&listing.id, &json!({ "n": 1 })).send().await?;
        assert_eq!(called.ok(200)["seller_response"]["verified"], true);
        Ok(())
    })
}

#[test]
fn an_endpoint_that_is_removed_and_made_again_and_again_works_whenever_it_is_there() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let url = json!({ "private_endpoint_url": world.seller.url(&market.path) });
        let gone = json!({ "private_endpoint_url": null });
        for round in 0..5 {
            let path = route(&market);
            let both =
                futures::future::try_join(market.seller.put(&path).json(&gone).send(), market.seller.put(&path).json(&url).send());
            let (removed, made) = both.await?;
            for reply in [&removed, &made] {
                assert!(reply.status == 200 || (reply.status, reply.code()) == (409, "EDIT_CONFLICT"), "{}", reply.text());
            }
            if let Some(secret) = made.data()["gateway_endpoint"]["signing_secret"].as_str() {
                world.seller.add_secret(secret, &market.path).await?;
            }
            let called = market.call(&json!({ "n": round })).send().await?;
            match called.code() {
                // Whatever is there has its secret.
                "" => assert_eq!(called.ok(200)["seller_response"]["verified"], true),
                _ => {
                    called.refused(409, "LISTING_HAS_NO_GATEWAY");
                    let made = put(&market, url.clone()).await?;
                    let secret = text(&made.ok(200)["gateway_endpoint"], "signing_secret").to_owned();
                    world.seller.add_secret(&secret, &market.path).await?;
                }
            }
        }
        Ok(())
    })
}
