//! `POST /listings/:id/endpoint/rotate-secret`.

use crochet_tests::{
    EndpointProgram, Failure, Fault, Market, Outcome, Program, Proxy, Replies, Reply, Setup, is_time, isolated, list, shared, text,
    with_setup,
};
use serde_json::{Value, json};

use crochet_tests::signature_page::snippet;

fn route(market: &Market<'_>) -> String {
    format!("/listings/{}/endpoint", market.listing.id)
}

async fn rotate(market: &Market<'_>, rotation: Value) -> Result<Reply, Failure> {
    Ok(market.seller.post(&format!("{}/rotate-secret", route(market))).json(&rotation).send().await?)
}

/// Rotates the secret and returns the new one.
async fn rotated(market: &Market<'_>, rotation: Value) -> Result<String, Failure> {
    Ok(text(&rotate(market, rotation).await?.ok(200)["gateway_endpoint"], "signing_secret").to_owned())
}

async fn endpoint(market: &Market<'_>) -> Result<Value, Failure> {
    Ok(market.seller.get(&route(market)).send().await?.ok(200)["gateway_endpoint"].clone())
}

/// A call as received by the seller.
async fn received(market: &Market<'_>, n: usize) -> Result<Value, Failure> {
    market.call(&json!({ "n": n })).send().await?;
    market.all_received().await?.pop().ok_or_else(|| Failure::new("the seller received nothing"))
}

fn signatures(call: &Value) -> usize {
    text(&call["headers"], "webhook-signature").split(' ').count()
}

#[test]
fn it_shows_the_new_secret_once_and_both_sign_for_a_day() -> Outcome {
    isolated(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        assert_eq!(signatures(&received(&market, 1).await?), 1);
        let before = endpoint(&market).await?;
        let reply = market.seller.post(&format!("{}/rotate-secret", route(&market))).send().await?;
        let shown = reply.ok(200)["gateway_endpoint"].clone();
        let new = text(&shown, "signing_secret").to_owned();
        assert!(new.starts_with("whsec_") && new != market.listing.signing_secret);
        assert!(is_time(&shown["previous_secret_expires_at"]), "{shown}");
        assert_ne!(shown["secret_version"], before["secret_version"]);
        assert_ne!(shown["secret_created_at"], before["secret_created_at"]);
        let mut quiet = shown.clone();
        quiet.as_object_mut().ok_or_else(|| Failure::new("no endpoint"))?.remove("signing_secret");
        assert_eq!(endpoint(&market).await?, quiet, "it is shown once");
        let call = received(&market, 2).await?;
        assert_eq!((signatures(&call), &call["verified"]), (2, &json!(true)), "with the old secret alone");
        world.later(86_300).await?;
        assert_eq!(received(&market, 3).await?["verified"], true, "just before the end");
        world.later(200).await?;
        let call = received(&market, 4).await?;
        assert_eq!((signatures(&call), &call["verified"]), (1, &json!(false)), "the old secret is over");
        market.call(&json!({ "n": 5 })).send().await?.refused(502, "SELLER_REFUSED");
        assert!(endpoint(&market).await?["previous_secret_expires_at"].is_null(), "the new one signs alone");
        world.seller.add_secret(&new, &market.path).await?;
        assert_eq!(received(&market, 6).await?["verified"], true);
        Ok(())
    })
}

#[test]
fn immediate_ends_the_old_one_at_once() -> Outcome {
    shared(async |world| {
        for rotation in [json!({ "immediate": true }), json!({ "overlap_seconds": 0 })] {
            let market = world.free_market(&world.echo_path()).await?;
            rotated(&market, json!({})).await?;
            let new = rotated(&market, rotation).await?;
            let call = received(&market, 1).await?;
            assert_eq!((signatures(&call), &call["verified"]), (1, &json!(false)));
            assert!(endpoint(&market).await?["previous_secret_expires_at"].is_null());
            world.seller.add_secret(&new, &market.path).await?;
            assert_eq!(received(&market, 2).await?["verified"], true);
        }
        Ok(())
    })
}

#[test]
fn wrong_overlaps_are_refused_and_change_nothing() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let before = endpoint(&market).await?;
        for rotation in [
            json!({ "overlap_seconds": 604_801 }),
            json!({ "overlap_seconds": -1 }),
            json!({ "overlap_seconds": "60" }),
            json!({ "overlap_seconds": 60, "immediate": true }),
            json!({ "overlap_seconds": 0, "immediate": true }),
        ] {
            let reply = rotate(&market, rotation.clone()).await?;
            assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], "overlap_seconds", "{rotation}");
        }
        rotate(&market, json!({ "immediate": "yes" })).await?.refused(400, "INVALID_REQUEST");
        rotate(&market, json!({ "signing_secret": market.listing.signing_secret })).await?.refused(400, "UNKNOWN_FIELD");
        assert_eq!(endpoint(&market).await?, before);
        rotated(&market, json!({ "overlap_seconds": 604_800, "immediate": false })).await?;
        Ok(())
    })
}

#[test]
fn a_second_rotation_keeps_earlier_secrets_for_its_overlap_at_most_and_five_sign_at_a_time() -> Outcome {
    isolated(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        for n in 2..=5 {
            rotated(&market, json!({ "overlap_seconds": 600 })).await?;
            let call = received(&market, n).await?;
            assert_eq!((signatures(&call), &call["verified"]), (n, &json!(true)), "the first secret still signs");
        }
        let refused = rotate(&market, json!({ "overlap_seconds": 600 })).await?;
        let error = refused.refused(409, "TOO_MANY_LIVE_SECRETS");
        assert!(is_time(&error["details"]["next_secret_ends_at"]), "{error}");
        let wait = error["recovery"]["retry_after_seconds"].as_i64().unwrap_or_default();
        assert!((1..=600).contains(&wait), "{error}");
        world.later(wait).await?;
        let newest = rotated(&market, json!({ "overlap_seconds": 600 })).await?;
        world.seller.add_secret(&newest, &market.path).await?;
        assert_eq!(received(&market, 6).await?["verified"], true, "the first way out");
        rotated(&market, json!({ "immediate": true })).await?;
        assert_eq!(signatures(&received(&market, 7).await?), 1, "the second way out");
        // A shorter overlap ends earlier secrets sooner.
        rotated(&market, json!({ "overlap_seconds": 600 })).await?;
        rotated(&market, json!({ "overlap_seconds": 60 })).await?;
        world.later(61).await?;
        assert_eq!(signatures(&received(&market, 8).await?), 1);
        Ok(())
    })
}

#[test]
fn a_rotation_counts_from_the_next_call_without_a_look_up_per_call() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let costs = world.costs().ok_or_else(|| Failure::new("a stack of this process knows its costs"))?;
        let market = world.free_market("/status/200").await?;
        let paths = async || {
            let mut paths = Vec::new();
            for n in 0..2 {
                let reply = market.call(&json!({ "n": n })).send().await?;
                reply.ok(200);
                paths.push(costs.of("call", &reply).ok_or_else(|| Failure::new("no cost"))?.1);
            }
            Ok::<_, Failure>(paths)
        };
        market.call(&json!("warm")).send().await?.ok(200);
        let warm = paths().await?;
        assert!(warm.iter().all(|path| !path.contains("secrets")), "{warm:?}");
        rotated(&market, json!({})).await?;
        let after = paths().await?;
        assert!(!after[1].contains("secrets"), "at most the first call of an instance reads the new version: {after:?}");
        Ok(())
    })
}

#[test]
fn the_stock_libraries_verify_before_during_and_after_a_rotation_and_the_old_secret_fails_after_its_end() -> Outcome {
    let programs: Vec<Program> = [Program::python("verify.py"), Program::javascript("verify.mjs")].into_iter().flatten().collect();
    isolated(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let old = market.listing.signing_secret.clone();
        let before = received(&market, 1).await?;
        // Shorter than the five minutes within which every library takes a time for its own.
        let new = rotated(&market, json!({ "overlap_seconds": 120 })).await?;
        world.seller.add_secret(&new, &market.path).await?;
        let during = received(&market, 2).await?;
        world.later(121).await?;
        let after = received(&market, 3).await?;
        for call in [&before, &during, &after] {
            assert_eq!(call["verified"], true, "the demo seller's library");
        }
        let moments = [("before", &before, true, false), ("during", &during, true, true), ("after", &after, false, true)];
        for program in &programs {
            for (moment, call, by_old, by_new) in moments {
                for (secret, expected) in [(&old, by_old), (&new, by_new)] {
                    let input = json!({ "secret": secret, "headers": call["headers"], "body": call["body"] });
                    let told = program.run(&input)?;
                    assert_eq!(told, json!({ "verified": expected }), "{moment}: {program:?}");
                }
            }
        }
        // Go has no script: the endpoint of the signature page is built, and takes or refuses what was forwarded.
        let Some(go) = EndpointProgram::go(snippet("go"))? else { return Ok(()) };
        let (by_old, by_new) = (go.start(&old).await?, go.start(&new).await?);
        for (moment, call, old_takes, new_takes) in moments {
            for (endpoint, takes) in [(&by_old, old_takes), (&by_new, new_takes)] {
                let mut request = world.client.request(http::Method::POST, endpoint.url());
                for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
                    request = request.header(name, text(&call["headers"], name));
                }
                let status = request.raw_body(text(call, "body").to_owned()).send().await?.status;
                assert_eq!(status == 200, takes, "{moment}: Go says {status}");
            }
        }
        Ok(())
    })
}

#[test]
fn no_call_fails_while_secrets_are_rotated() -> Outcome {
    shared(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let calls = async {
            for n in 0..60 {
                let reply = market.call(&json!({ "n": n })).send().await?;
                assert_eq!(reply.ok(200)["seller_response"]["verified"], true, "{n}");
            }
            Ok::<_, Failure>(())
        };
        let rotations = async {
            for _ in 0..4 {
                let new = rotated(&market, json!({ "overlap_seconds": 3_600 })).await?;
                world.seller.add_secret(&new, &market.path).await?;
            }
            Ok(())
        };
        futures::future::try_join(calls, rotations).await?;
        Ok(())
    })
}

/// One rotation with one fault. Returns `false` if it made fewer requests.
async fn survives(market: &Market<'_>, proxy: &Proxy, fault: Fault, k: usize) -> Result<bool, Failure> {
    proxy.plan(fault, k);
    let reply = rotate(market, json!({ "overlap_seconds": 3_600 })).await?;
    proxy.recover();
    let struck = proxy.end();
    assert!(
        reply.status == 200 || matches!(reply.code(), "SERVICE_UNAVAILABLE" | "EDIT_CONFLICT"),
        "{fault:?} at {k}: {}",
        reply.text()
    );
    // Whatever came of it, the secret that the seller knows still signs.
    let called = market.call(&json!({ "fault": format!("{fault:?}"), "k": k })).send().await?;
    assert_eq!(called.ok(200)["seller_response"]["verified"], true, "{fault:?} at {k}");
    // A claim that was left behind lapses, and a secret whose reply was lost is replaced by rotating again.
    market.world.later(31).await?;
    let new = rotated(market, json!({ "immediate": true })).await?;
    market.world.seller.add_secret(&new, &market.path).await?;
    let called = market.call(&json!({ "again": k })).send().await?;
    assert_eq!(called.ok(200)["seller_response"]["verified"], true, "{fault:?} at {k}");
    Ok(struck)
}

#[test]
fn a_fault_at_any_request_of_a_rotation_fails_no_call_and_rotating_again_leads_out() -> Outcome {
    let proxy = &Proxy::start()?;
    let setup = Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() };
    with_setup(setup, async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        for fault in [Fault::Conflict, Fault::LostReply, Fault::CrashAfter, Fault::CrashBefore] {
            let mut k = 1;
            while survives(&market, proxy, fault, k).await? {
                k += 1;
                assert!(k < 40, "a rotation makes fewer requests");
            }
            assert!(k > 3, "a rotation makes more requests than {k}");
        }
        assert!(list(&endpoint(&market).await?, "auth_header_names").is_empty());
        Ok(())
    })
}
