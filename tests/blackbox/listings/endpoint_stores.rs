//! The contract of an endpoint's secret, for both stores: one suite, played with each.

use crochet_tests::{Failure, Market, Outcome, Replies, Setup, World, text, with_setup};
use serde_json::{Value, json};

fn route(market: &Market<'_>) -> String {
    format!("/listings/{}/endpoint", market.listing.id)
}

async fn put(market: &Market<'_>, change: Value) -> Result<Value, Failure> {
    Ok(market.seller.put(&route(market)).json(&change).send().await?.ok(200)["gateway_endpoint"].clone())
}

async fn rotated(market: &Market<'_>, rotation: Value) -> Result<String, Failure> {
    let reply = market.seller.post(&format!("{}/rotate-secret", route(market))).json(&rotation).send().await?;
    Ok(text(&reply.ok(200)["gateway_endpoint"], "signing_secret").to_owned())
}

/// A call, as the seller received it at this path.
async fn received(market: &Market<'_>, path: &str, n: usize) -> Result<Value, Failure> {
    market.call(&json!({ "n": n })).send().await?;
    let mut calls = market.world.seller.calls(&[("path", path)]).await?;
    calls.pop().ok_or_else(|| Failure::new("the seller received nothing"))
}

fn signatures(call: &Value) -> usize {
    text(&call["headers"], "webhook-signature").split(' ').count()
}

/// How many secrets Secrets Manager holds.
async fn kept(world: &World) -> Result<usize, Failure> {
    Ok(world.secrets().await?.len())
}

/// The suite. `each` is how many secrets an endpoint adds to Secrets Manager.
async fn contract(world: &World, each: usize) -> Outcome {
    let market = world.free_market(&world.echo_path()).await?;
    assert_eq!(kept(world).await?, each);

    // A new endpoint is called and signed for, in every instance.
    let call = received(&market, &market.path, 1).await?;
    assert_eq!((signatures(&call), &call["verified"]), (1, &json!(true)));
    let (other, _) = world.another_instance().await?;
    other.post(&format!("/gateway/{}", market.listing.id)).key(&market.buyer.api_key).json(&json!({})).send().await?.ok(200);
    let test = market.seller.post(&format!("{}/test", route(&market))).send().await?;
    assert_eq!(test.ok(200)["test"]["ok"], true);

    // Another URL keeps the signing secret; a header is added, and removed.
    let moved = world.echo_path();
    world.seller.add_secret(&market.listing.signing_secret, &moved).await?;
    let header = json!({ "name": "X-Seller-Key", "value": "hush-of-the-seller" });
    let shown = put(&market, json!({ "private_endpoint_url": world.seller.url(&moved), "auth_header": header })).await?;
    assert!(shown.get("signing_secret").is_none() && !shown.to_string().contains("hush"), "{shown}");
    assert!(shown.get("sealed").is_none(), "{shown}");
    let call = received(&market, &moved, 2).await?;
    assert_eq!((&call["verified"], &call["headers"]["x-seller-key"]), (&json!(true), &json!("hush-of-the-seller")));
    put(&market, json!({ "auth_header": null })).await?;
    let call = received(&market, &moved, 3).await?;
    assert_eq!((&call["verified"], &call["headers"]["x-seller-key"]), (&json!(true), &Value::Null));

    // The same values are no change; another setting writes no secret.
    let version = put(&market, json!({ "private_endpoint_url": world.seller.url(&moved) })).await?["secret_version"].clone();
    assert_eq!(put(&market, json!({ "timeout_ms": 5_000 })).await?["secret_version"], version);

    // A rotation: both sign for as long as asked, then the new one alone.
    let second = rotated(&market, json!({ "overlap_seconds": 600 })).await?;
    let call = received(&market, &moved, 4).await?;
    assert_eq!((signatures(&call), &call["verified"]), (2, &json!(true)), "with the secret before");
    world.seller.add_secret(&second, &moved).await?;
    world.later(601).await?;
    let call = received(&market, &moved, 5).await?;
    assert_eq!((signatures(&call), &call["verified"]), (1, &json!(true)), "with the new one alone");
    let third = rotated(&market, json!({ "immediate": true })).await?;
    let call = received(&market, &moved, 6).await?;
    assert_eq!((signatures(&call), &call["verified"]), (1, &json!(false)));
    world.seller.add_secret(&third, &moved).await?;
    assert_eq!(received(&market, &moved, 7).await?["verified"], true);
    assert!(market.listing.signing_secret != second && second != third);

    // Of ten changes at the same time, each either counts or is refused, and the last one works.
    let changes = futures::future::join_all((0..10).map(|_| rotated_or_refused(&market)));
    let secrets: Vec<String> = changes.await.into_iter().flatten().flatten().collect();
    assert!(!secrets.is_empty(), "one of them counts");
    for secret in &secrets {
        world.seller.add_secret(secret, &moved).await?;
    }
    assert_eq!(received(&market, &moved, 8).await?["verified"], true);

    // Removed, it is gone everywhere; a new one has another secret.
    assert_eq!(kept(world).await?, each);
    market.seller.put(&route(&market)).json(&json!({ "private_endpoint_url": null })).send().await?.ok(200);
    assert_eq!(kept(world).await?, 0);
    market.call(&json!({ "n": 9 })).send().await?.refused(409, "LISTING_HAS_NO_GATEWAY");
    let again = put(&market, json!({ "private_endpoint_url": world.seller.url(&moved) })).await?;
    let fourth = text(&again, "signing_secret").to_owned();
    assert!(!secrets.contains(&fourth));
    world.seller.add_secret(&fourth, &moved).await?;
    assert_eq!(received(&market, &moved, 10).await?["verified"], true);

    // A second listing shares nothing with the first, and nothing secret is in the table.
    let second = world.market(1.0).await?;
    second.buy(&json!({ "n": 1 })).await?;
    assert_eq!(second.all_received().await?[0]["verified"], true);
    assert_eq!(kept(world).await?, 2 * each);
    let stored = world.stored().await?.ok_or_else(|| Failure::new("the table cannot be read"))?;
    for secret in [&market.listing.signing_secret, &fourth, &second.listing.signing_secret, &moved, &second.path] {
        let bare = secret.strip_prefix("whsec_").unwrap_or(secret);
        assert!(!stored.contains(bare), "a secret is in the table");
    }
    assert!(!stored.contains("hush-of-the-seller"));
    Ok(())
}

/// The new signing secret; `None` if another change came first.
async fn rotated_or_refused(market: &Market<'_>) -> Result<Option<String>, Failure> {
    let reply = market.seller.post(&format!("{}/rotate-secret", route(market))).json(&json!({ "immediate": true })).send().await?;
    if reply.status == 409 {
        reply.refused(409, "EDIT_CONFLICT");
        return Ok(None);
    }
    Ok(Some(text(&reply.ok(200)["gateway_endpoint"], "signing_secret").to_owned()))
}

fn with_store(store: &'static str, each: usize) -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", store)]), async |world| contract(world, each).await)
}

#[test]
fn secrets_of_one_listing_each_keep_the_contract() -> Outcome {
    with_store("per-listing", 1)
}

#[test]
fn sealed_endpoints_keep_the_contract_and_cost_no_secret() -> Outcome {
    with_store("sealed", 0)
}

#[test]
fn a_sealed_endpoint_opens_for_its_own_listing_only() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]), async |world| {
        let (one, other) = (world.free_market(&world.echo_path()).await?, world.free_market(&world.echo_path()).await?);
        one.steal_sealed(&other).await?;
        one.call(&json!({})).send().await?.refused(503, "SERVICE_UNAVAILABLE");
        other.call(&json!({})).send().await?.ok(200);
        assert_eq!((one.all_received().await?.len(), other.all_received().await?.len()), (0, 1));
        Ok(())
    })
}

#[test]
fn no_more_secrets_are_created_than_the_operator_allows() -> Outcome {
    let caps = [("CROCHET_ENDPOINT_SECRETS_PER_DAY", "2"), ("CROCHET_MAX_ENDPOINT_SECRETS", "3"), ("CROCHET_RATE_LIMITS", "")];
    with_setup(Setup::settings(&caps), async |world| {
        world.at_noon().await?;
        let (one, two) = (world.free_market(&world.echo_path()).await?, world.free_market(&world.echo_path()).await?);
        let fields = || world.free_fields(&world.echo_path());
        let full = one.seller.try_create_listing(&fields()).await?;
        assert_eq!(full.refused(429, "RATE_LIMITED")["details"]["limited"], "endpoint-secrets");
        // What exists goes on and can be changed, and a listing without an endpoint needs no secret.
        let secret = rotated(&one, json!({})).await?;
        world.seller.add_secret(&secret, &one.path).await?;
        one.call(&json!({ "n": 1 })).send().await?.ok(200);
        let bare = json!({ "name": "No endpoint", "description": "d", "pricing_model": "free" });
        one.seller.try_create_listing(&bare).await?.ok(201);

        world.later(86_400).await?;
        one.seller.try_create_listing(&fields()).await?.ok(201);
        let full = one.seller.try_create_listing(&fields()).await?;
        assert_eq!(full.refused(503, "SERVICE_UNAVAILABLE")["details"]["closed"], "endpoint-secrets");
        let gates = world.admin_json("switches").await?;
        let gate = |gates: &Value| gates.as_array().into_iter().flatten().find(|gate| gate["name"] == "endpoint-secrets").cloned();
        let state = |gates: &Value| gate(gates).map(|gate| (gate["passed_today"].clone(), gate["exist"].clone()));
        assert_eq!(state(&gates), Some((json!(1), json!(3))));

        // The daily sweep counts what is left.
        two.seller.put(&route(&two)).json(&json!({ "private_endpoint_url": null })).send().await?.ok(200);
        world.sweep_secrets().await?;
        assert_eq!(state(&world.admin_json("switches").await?), Some((json!(1), json!(2))));
        two.seller.put(&route(&two)).json(&json!({ "private_endpoint_url": world.seller.url(&two.path) })).send().await?.ok(200);
        world.admin("switches close endpoint-secrets").await?;
        one.seller.try_create_listing(&fields()).await?.refused(503, "SERVICE_UNAVAILABLE");
        Ok(())
    })
}

#[test]
fn one_seller_cannot_use_up_what_all_may_create() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", ""), ("CROCHET_ENDPOINT_SECRETS_PER_DAY", "41")]), async |world| {
        world.at_noon().await?;
        let one = world.free_market(&world.echo_path()).await?;
        let (seller, buyer) = (one.seller.clone(), one.buyer.clone());
        let two = world.market_of(buyer, seller, &world.free_fields(&one.path), &one.path).await?;
        // What was not created is not the seller's.
        world.admin("switches close endpoint-secrets").await?;
        for _ in 0..3 {
            let refused = one.seller.try_create_listing(&world.free_fields(&world.echo_path())).await?;
            refused.refused(503, "SERVICE_UNAVAILABLE");
        }
        world.admin("switches open endpoint-secrets").await?;
        // Each listing has its first one by now, and 19 of the 20 changes of a day follow.
        for market in [&one, &two] {
            for _ in 0..19 {
                put(market, json!({ "private_endpoint_url": null })).await?;
                put(market, json!({ "private_endpoint_url": world.seller.url(&market.path) })).await?;
            }
            world.later(3_600).await?;
        }
        put(&one, json!({ "private_endpoint_url": null })).await?;
        let again = json!({ "private_endpoint_url": world.seller.url(&one.path) });
        let refused = one.seller.put(&route(&one)).json(&again).send().await?;
        let error = refused.refused(429, "RATE_LIMITED");
        assert_eq!((&error["details"]["limited"], &error["details"]["limit"]), (&json!("endpoint-secrets"), &json!(40)));
        // What exists can be changed, and the last one of the day is left for somebody else.
        rotated(&two, json!({})).await?;
        world.free_market(&world.echo_path()).await?;
        let fields = world.free_fields(&world.echo_path());
        let full = world.agent().await?.try_create_listing(&fields).await?;
        full.refused(429, "RATE_LIMITED");
        world.later(86_400).await?;
        put(&one, again).await?;
        Ok(())
    })
}
