//! Every secret is rotated while calls run. No call fails.

use crochet_admin::Input;
use crochet_local::sandbox::API_KEY as FIRST_KEY;
use crochet_tests::{Failure, Load, Market, Outcome, Replies, Reply, Setup, World, isolated, list, text, with_setup};
use serde_json::{Value, json};

/// The cursor of the second page, and the page's first row.
async fn second_page(market: &Market<'_>, cursor: Option<&str>) -> Result<(String, Value), Failure> {
    let first = market.buyer.get("/gateway-requests").query("limit", 1).send().await?;
    let next = text(first.ok(200), "next_cursor").to_owned();
    let page = market.buyer.get("/gateway-requests").query("limit", 1).query("cursor", cursor.unwrap_or(&next)).send().await?;
    Ok((next, list(page.ok(200), "gateway_requests")[0].clone()))
}

async fn rotated(market: &Market<'_>) -> Outcome {
    let path = format!("/listings/{}/endpoint/rotate-secret", market.listing.id);
    let reply = market.seller.post(&path).send().await?;
    let secret = text(&reply.ok(200)["gateway_endpoint"], "signing_secret").to_owned();
    Ok(market.world.seller.add_secret(&secret, &market.path).await?)
}

async fn rotations(world: &World, load: &Load, free: &Market<'_>, paid: &Market<'_>) -> Outcome {
    load.more(12).await;
    let (old_cursor, _) = second_page(paid, None).await?;

    // The provider accepts both keys for a while, then the new one alone.
    world.sandbox.accept_keys(&[FIRST_KEY, "second-key"]).await?;
    world.admin_with("rotate-keys provider", Input::Text("second-key\n".into())).await?;
    load.more(12).await;
    world.sandbox.accept_keys(&["second-key"]).await?;
    load.more(12).await;
    // It accepts one key only, and the next is put in a moment before.
    world.admin_with("rotate-keys provider", Input::Text("third-key".into())).await?;
    world.sandbox.accept_keys(&["third-key"]).await?;
    load.more(12).await;

    assert!(world.admin("rotate-keys cursors").await?.contains("new key"));
    assert!(world.admin("rotate-keys receipts").await?.contains("new key"));
    load.more(12).await;
    for _ in 0..3 {
        load.later(world, 301).await?;
        load.more(12).await;
    }
    let (new_cursor, _) = second_page(paid, None).await?;
    for cursor in [old_cursor, new_cursor] {
        second_page(paid, Some(&cursor)).await?;
    }
    let again = world.admin("rotate-keys cursors").await;
    assert!(again.is_err_and(|error| format!("{error:?}").contains("too recent")));
    load.later(world, 3_600).await?;
    assert!(world.admin("rotate-keys cursors").await?.contains("new key"));
    load.more(12).await;

    for market in [free, paid] {
        rotated(market).await?;
        load.more(12).await;
    }
    Ok(())
}

#[test]
fn no_call_fails_while_every_secret_is_rotated() -> Outcome {
    with_setup(Setup { webhooks: true, ..Setup::default() }, async |world| {
        let (free, paid) = (world.free_market(&world.echo_path()).await?, world.market(1.0).await?);
        for n in 0..3 {
            paid.buy(&json!({ "before": n })).await?;
        }
        let load = Load::default();
        let (calls, payments, pages, steps) = tokio::join!(
            load.repeat(async |n| {
                free.call(&json!({ "n": n })).send().await?.ok(200);
                Ok(())
            }),
            load.repeat(async |n| {
                let (quote, _) = paid.buy(&json!({ "n": n })).await?;
                let id = text(&paid.row(&quote.id).await?, "id").to_owned();
                let receipt = paid.buyer.get(&format!("/gateway-requests/{id}/receipt")).send().await?;
                assert!(!text(&receipt.ok(200)["receipt"], "jws").is_empty());
                Ok(())
            }),
            load.repeat(async |_| second_page(&paid, None).await.map(drop)),
            load.during(rotations(world, &load, &free, &paid)),
        );
        steps?;
        calls?;
        payments?;
        pages?;
        all_verified(&[&free, &paid]).await?;
        println!("{} calls, none failed", load.done());
        Ok(())
    })
}

/// The sellers could verify every call.
async fn all_verified(markets: &[&Market<'_>]) -> Outcome {
    for market in markets {
        let unverified = market.all_received().await?.iter().filter(|call| call["verified"] != true).count();
        assert_eq!(unverified, 0, "calls that the seller could not verify");
    }
    Ok(())
}

async fn moves(world: &World, load: &Load, free: &Market<'_>, paid: &Market<'_>) -> Outcome {
    let kept = async || -> Result<usize, Failure> { Ok(world.secrets().await?.len()) };
    load.more(10).await;
    assert_eq!(kept().await?, 2);
    assert!(world.admin("endpoints move sealed").await?.starts_with("2 endpoints were moved, 0 were in place"));
    assert!(world.admin("endpoints move sealed").await?.starts_with("0 endpoints were moved, 2 were in place"));
    load.more(12).await;
    // What Secrets Manager held stays for as long as a table can be restored that names it.
    assert_eq!((world.sweep_secrets().await?.left_behind, kept().await?), (0, 2));
    load.later(world, 35 * 86_400).await?;
    load.more(10).await;
    assert_eq!((world.sweep_secrets().await?.left_behind, kept().await?), (2, 0), "sealed endpoints cost no secret");
    load.more(12).await;

    assert!(world.admin("rotate-keys endpoints").await?.contains("new key"));
    assert!(world.admin("endpoints move sealed").await?.starts_with("0 endpoints were moved"), "its time has not come");
    for _ in 0..2 {
        load.later(world, 301).await?;
        load.more(12).await;
    }
    assert!(world.admin("endpoints move sealed").await?.starts_with("2 endpoints were moved"), "sealed with the new key");
    load.more(12).await;
    // The seller goes on changing it, wherever it is.
    for market in [free, paid] {
        rotated(market).await?;
    }
    load.more(12).await;
    assert!(world.admin("endpoints move per-listing").await?.contains("in place"));
    assert_eq!(kept().await?, 2);
    load.more(12).await;
    assert!(world.admin("endpoints move sealed").await?.starts_with("2 endpoints were moved"));
    assert!(world.admin("endpoints move per-listing").await?.starts_with("2 endpoints were moved"), "what was left is adopted");
    load.more(12).await;
    Ok(())
}

#[test]
fn no_call_fails_while_endpoints_are_moved_between_the_stores() -> Outcome {
    isolated(async |world| {
        let (free, paid) = (world.free_market(&world.echo_path()).await?, world.market(1.0).await?);
        let path = format!("/listings/{}/endpoint/test", free.listing.id);
        assert_eq!(free.seller.post(&path).send().await?.ok(200)["test"]["ok"], true);
        let load = Load::default();
        let (calls, payments, steps) = tokio::join!(
            load.repeat(async |n| {
                free.call(&json!({ "n": n })).send().await?.ok(200);
                Ok(())
            }),
            load.repeat(async |n| paid.buy(&json!({ "n": n })).await.map(drop)),
            load.during(Box::pin(moves(world, &load, &free, &paid))),
        );
        steps?;
        calls?;
        payments?;
        all_verified(&[&free, &paid]).await?;
        println!("{} calls, none failed", load.done());
        Ok(())
    })
}

#[test]
fn a_move_keeps_what_the_last_test_has_shown() -> Outcome {
    isolated(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let path = format!("/listings/{}/endpoint", market.listing.id);
        market.seller.post(&format!("{path}/test")).send().await?.ok(200);
        let before = market.seller.get(&path).send().await?.ok(200)["gateway_endpoint"].clone();
        world.admin("endpoints move sealed").await?;
        let after = market.seller.get(&path).send().await?.ok(200)["gateway_endpoint"].clone();
        assert_ne!(after["secret_version"], before["secret_version"]);
        assert_eq!((&after["last_test"], &after["secret_created_at"]), (&before["last_test"], &before["secret_created_at"]));
        Ok(())
    })
}

#[test]
fn a_payment_is_noticed_that_was_quoted_with_the_key_before() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({ "n": 1 })).await?;
        world.sandbox.accept_keys(&["second-key", FIRST_KEY]).await?;
        world.admin_with("rotate-keys provider", Input::Text("second-key".into())).await?;
        world.sandbox.pay(&quote.id).await?;
        world.sweep().await?;
        assert_eq!(market.row(&quote.id).await?["charge"]["state"], "charged", "listed under the key before");
        world.sandbox.accept_keys(&["second-key"]).await?;
        let quote = market.quote(&json!({ "n": 2 })).await?;
        world.sandbox.pay(&quote.id).await?;
        world.sweep().await?;
        let row = market.row(&quote.id).await?;
        assert_eq!(row["charge"]["state"], "charged", "the provider knows the key before no more: {row}");
        Ok(())
    })
}

#[test]
fn a_wrong_key_is_told_and_a_right_one_counts_at_once() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        world.sandbox.accept_keys(&["second-key"]).await?;
        let refused: Reply = market.call(&json!({ "n": 1 })).send().await?;
        refused.refused(503, "PAYMENT_PROVIDER_UNAVAILABLE");
        assert!(world.admin("rotate-keys provider").await.is_err(), "no key was handed in");
        assert!(world.admin_with("rotate-keys provider", Input::Text(FIRST_KEY.into())).await.is_err(), "the key in use");
        assert!(world.admin_with("rotate-keys node", Input::Text("http://node.example".into())).await.is_err());
        world.admin_with("rotate-keys node", Input::Text("https://node.example/hush".into())).await?;
        world.admin_with("rotate-keys provider", Input::Text("second-key".into())).await?;
        market.quote(&json!({ "n": 1 })).await?;
        let lines = world.audited()?.iter().map(Value::to_string).collect::<String>();
        assert!(lines.contains("rotate-keys") && !lines.contains("second-key") && !lines.contains("hush"), "{lines}");
        Ok(())
    })
}
