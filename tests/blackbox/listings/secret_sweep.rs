//! The sweep that deletes secrets which nobody names any more.

use std::collections::BTreeSet;

use crochet_tests::policy::{rights_for, rights_of};
use crochet_tests::{Agent, Failure, Fault, Market, Outcome, Proxy, Replies, Setup, World, alone, text, with_setup};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The name of a listing's secret.
fn named(listing: &str) -> String {
    format!("crochet/listing/{listing}")
}

/// A new id that no listing has.
fn unused_id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| Failure::new(e.to_string()))?;
    let hex = hex::encode(bytes);
    Ok(format!("{}-{}-7{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]))
}

/// What was left behind and deleted, and how many endpoints were removed.
async fn swept(world: &World) -> Result<(usize, usize), Failure> {
    let swept = world.sweep_secrets().await?;
    assert_eq!(swept.failed, 0, "{swept:?}");
    Ok((swept.left_behind, swept.endpoints_removed))
}

async fn patch(market: &Market<'_>, change: Value) -> Result<crochet_tests::Reply, Failure> {
    Ok(market.seller.patch(&format!("/listings/{}", market.listing.id)).json(&change).send().await?)
}

/// A market whose listing its owner has suspended.
async fn suspended(world: &World) -> Result<Market<'_>, Failure> {
    let market = world.market(1.0).await?;
    patch(&market, json!({ "status": "suspended" })).await?.ok(200);
    Ok(market)
}

async fn bare_listing(seller: &Agent) -> Result<String, Failure> {
    let fields = json!({ "name": "Bare", "description": "x", "pricing_model": "free" });
    Ok(seller.create_listing(&fields).await?.id)
}

/// Gives a listing its first endpoint, at this path of the demo seller, and puts it on offer. Returns the signing secret.
async fn offer(world: &World, seller: &Agent, id: &str, path: &str) -> Result<String, Failure> {
    let change = json!({ "private_endpoint_url": world.seller.url(path), "status": "active" });
    let offered = seller.patch(&format!("/listings/{id}")).json(&change).send().await?;
    Ok(text(&offered.ok(200)["gateway_endpoint"], "signing_secret").to_owned())
}

/// With a proxy in front of the table.
fn proxied(proxy: &Proxy) -> Setup {
    Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }
}

#[test]
fn the_secret_of_a_listing_that_was_never_written_goes_after_an_hour() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(proxied(proxy), async |world| {
        let market = world.market(1.0).await?;
        let kept = BTreeSet::from([named(&market.listing.id)]);
        proxy.lose("TransactItems");
        market.seller.try_create_listing(&world.free_fields("/echo")).await?.refused(503, "SERVICE_UNAVAILABLE");
        assert!(proxy.end());
        assert_eq!(world.secrets().await?.len(), 2);
        world.later(HOUR - 60).await?;
        assert_eq!(swept(world).await?, (0, 0), "the listing might still be written");
        assert_eq!(world.secrets().await?.len(), 2);
        world.later(60).await?;
        assert_eq!(swept(world).await?, (1, 0));
        assert_eq!(world.secrets().await?, kept);
        assert_eq!(swept(world).await?, (0, 0));
        market.buy(&json!({ "n": 1 })).await?.1.ok(200);
        Ok(())
    })
}

#[test]
fn the_secret_of_a_listing_without_an_endpoint_goes_after_an_hour_and_a_new_endpoint_works_at_once() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let id = bare_listing(&market.seller).await?;
        world.leave_secret(&named(&id)).await?;
        assert_eq!(swept(world).await?, (0, 0));
        world.later(HOUR).await?;
        assert_eq!(swept(world).await?, (1, 0));
        assert_eq!(world.secrets().await?, BTreeSet::from([named(&market.listing.id)]));
        let path = world.echo_path();
        world.seller.add_secret(&offer(world, &market.seller, &id, &path).await?, &path).await?;
        market.buyer.call(&id, &json!({ "n": 1 })).send().await?.ok(200);
        // One that a new endpoint has adopted is named again.
        let adopted = bare_listing(&market.seller).await?;
        world.leave_secret(&named(&adopted)).await?;
        let path = world.echo_path();
        world.seller.add_secret(&offer(world, &market.seller, &adopted, &path).await?, &path).await?;
        world.later(DAY).await?;
        assert_eq!(swept(world).await?, (0, 0));
        market.buyer.call(&adopted, &json!({ "n": 1 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn the_endpoint_of_a_listing_goes_thirty_days_after_its_owner_has_suspended_it() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let market = suspended(world).await?;
        let route = format!("/listings/{}", market.listing.id);
        world.later(30 * DAY - 60).await?;
        assert_eq!(swept(world).await?, (0, 0));
        market.seller.get(&format!("{route}/endpoint")).send().await?.ok(200);
        world.later(60).await?;
        assert_eq!(swept(world).await?, (0, 1));
        assert!(world.secrets().await?.is_empty());
        market.seller.get(&format!("{route}/endpoint")).send().await?.refused(404, "ENDPOINT_NOT_FOUND");
        let shown = market.seller.get(&route).send().await?.ok(200)["listing"].clone();
        assert_eq!((text(&shown, "status"), &shown["gateway_url"]), ("suspended", &Value::Null));
        // Its text can be edited. To be on offer again, it needs an endpoint.
        patch(&market, json!({ "description": "Comes back soon." })).await?.ok(200);
        let refused = patch(&market, json!({ "status": "active" })).await?;
        let recovery = &refused.refused(400, "ENDPOINT_REQUIRED")["recovery"];
        assert_eq!(text(recovery, "next_action"), "add_private_endpoint_url");
        let url = world.seller.url(&market.path);
        let back = patch(&market, json!({ "status": "active", "private_endpoint_url": url })).await?;
        let secret = text(&back.ok(200)["gateway_endpoint"], "signing_secret").to_owned();
        world.seller.add_secret(&secret, &market.path).await?;
        assert_eq!(market.buy(&json!({ "n": 1 })).await?.1.ok(200)["seller_response"]["verified"], true);
        world.later(31 * DAY).await?;
        assert_eq!(swept(world).await?, (0, 0));
        Ok(())
    })
}

#[test]
fn every_other_listing_keeps_its_endpoint() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let active = world.market(1.0).await?;
        let by_operator = world.market(1.0).await?;
        by_operator.suspend_as_operator().await?;
        let both = suspended(world).await?;
        both.suspend_as_operator().await?;
        let edited = suspended(world).await?;
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["status"] = "draft".into();
        active.seller.create_listing(&fields).await?;
        world.later(20 * DAY).await?;
        patch(&edited, json!({ "description": "Not forgotten." })).await?.ok(200);
        world.later(20 * DAY).await?;
        assert_eq!(swept(world).await?, (0, 0));
        let markets = [&active, &by_operator, &both, &edited].map(|market| named(&market.listing.id));
        assert_eq!(world.secrets().await?, markets.into_iter().collect());
        Ok(())
    })
}

#[test]
fn a_change_by_the_seller_in_the_same_moment_stands() -> Outcome {
    let proxy = &Proxy::start()?;
    // The held write is repeated after a second, so the change must not wait for other tests.
    alone(proxied(proxy), async |world| {
        for change in [json!({ "status": "active" }), json!({ "description": "Not forgotten." })] {
            let market = suspended(world).await?;
            world.later(30 * DAY).await?;
            // The listings in brief, the listing, and the write that removes its endpoint, which is held.
            proxy.plan(Fault::Delay, 3);
            let meanwhile = async {
                proxy.is_holding().await;
                patch(&market, change.clone()).await?.ok(200);
                proxy.release();
                Ok(())
            };
            let (swept, ()) = futures::future::try_join(swept(world), meanwhile).await?;
            assert!(proxy.end());
            assert_eq!(swept, (0, 0), "{change}");
            patch(&market, json!({ "status": "active" })).await?.ok(200);
            assert_eq!(market.buy(&json!({ "n": 1 })).await?.1.ok(200)["seller_response"]["verified"], true);
        }
        Ok(())
    })
}

#[test]
fn a_first_endpoint_that_is_set_in_the_same_moment_stands() -> Outcome {
    let proxy = &Proxy::start()?;
    // The held write is repeated after a second, so the change must not wait for other tests.
    alone(proxied(proxy), async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let id = bare_listing(&market.seller).await?;
        world.leave_secret(&named(&id)).await?;
        world.later(HOUR).await?;
        proxy.plan(Fault::Delay, 3);
        let meanwhile = async {
            proxy.is_holding().await;
            let secret = offer(world, &market.seller, &id, &market.path).await?;
            proxy.release();
            Ok(secret)
        };
        let (_, secret) = futures::future::try_join(swept(world), meanwhile).await?;
        world.seller.add_secret(&secret, &market.path).await?;
        assert!(proxy.end() && world.keeps_secret_of(&id).await?);
        market.buyer.call(&id, &json!({ "n": 1 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_sweep_that_dies_before_it_deletes_the_secret_leaves_it_to_the_next() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(proxied(proxy), async |world| {
        let market = suspended(world).await?;
        world.later(30 * DAY).await?;
        proxy.plan(Fault::CrashAfter, 3);
        assert_eq!(world.sweep_secrets().await?.failed, 1);
        assert!(proxy.end() && world.keeps_secret_of(&market.listing.id).await?);
        market.seller.get(&format!("/listings/{}/endpoint", market.listing.id)).send().await?.refused(404, "ENDPOINT_NOT_FOUND");
        world.later(DAY).await?;
        assert_eq!(swept(world).await?, (1, 0));
        assert!(world.secrets().await?.is_empty());
        Ok(())
    })
}

#[test]
fn sweeps_in_parallel_are_one_sweep() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let market = suspended(world).await?;
        world.leave_secret(&named(&unused_id()?)).await?;
        world.later(30 * DAY).await?;
        futures::future::try_join_all((0..4).map(|_| swept(world))).await?;
        assert!(world.secrets().await?.is_empty());
        let url = json!({ "status": "active", "private_endpoint_url": world.seller.url(&market.path) });
        world.later(60).await?;
        patch(&market, url).await?.ok(200);
        Ok(())
    })
}

#[test]
fn what_belongs_to_others_stays() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let ids = [unused_id()?, unused_id()?, unused_id()?, unused_id()?];
        world.leave_secret(&format!("crochet/other/{}", ids[0])).await?;
        world.leave_secret(&named(&format!("deeper/{}", ids[1]))).await?;
        world.leave_secret(&named("no-id")).await?;
        world.leave_secret_described(&named(&ids[2]), "Endpoint of a listing in the table other").await?;
        world.leave_secret_described(&named(&ids[3]), "").await?;
        let before = world.secrets().await?;
        world.later(40 * DAY).await?;
        assert_eq!(world.sweep_secrets().await?, crochet_local::SecretsSwept::default());
        assert_eq!((before.len(), world.secrets().await?), (5, before));
        Ok(())
    })
}

#[test]
fn thousands_of_secrets_are_swept_page_by_page() -> Outcome {
    const LEFT: usize = 2_050;
    with_setup(Setup::default(), async |world| {
        let market = world.market(1.0).await?;
        let leave = |n: usize| async move {
            world.leave_secret(&named(&unused_id()?)).await?;
            Ok::<_, Failure>(n)
        };
        stream::iter((0..LEFT).map(leave)).buffer_unordered(32).try_for_each(|_| std::future::ready(Ok(()))).await?;
        let last = world.market(1.0).await?;
        world.later(HOUR).await?;
        let swept = world.sweep_secrets().await?;
        assert_eq!((swept.listed, swept.left_behind, swept.endpoints_removed, swept.failed), (LEFT + 2, LEFT, 0, 0));
        assert_eq!(world.secrets().await?, [&market, &last].map(|market| named(&market.listing.id)).into_iter().collect());
        Ok(())
    })
}

#[test]
fn the_secret_sweepers_policy_allows_all_that_a_sweep_needs_and_nothing_else() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(proxied(proxy), async |world| {
        suspended(world).await?;
        world.leave_secret(&named(&unused_id()?)).await?;
        world.leave_secret(&named(&bare_listing(&world.agent().await?).await?)).await?;
        world.later(30 * DAY).await?;
        proxy.record();
        assert_eq!(swept(world).await?, (2, 1));
        let used: BTreeSet<_> = proxy.recorded().iter().flat_map(|(operation, request)| rights_for(operation, request)).collect();
        assert_eq!(used, rights_of("SecretSweeper")?);
        Ok(())
    })
}
