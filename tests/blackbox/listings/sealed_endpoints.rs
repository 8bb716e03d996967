//! Sealed endpoints: the secrets that they have superseded, and what happens when their key is lost.

use crochet_tests::{Failure, Market, Outcome, Replies, Setup, World, text, with_setup};
use serde_json::{Value, json};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// How far point-in-time recovery of the table reaches.
const RECOVERABLE: i64 = 35 * DAY;

/// How many secrets the sweep deletes.
async fn swept(world: &World) -> Result<usize, Failure> {
    let swept = world.sweep_secrets().await?;
    assert_eq!((swept.failed, swept.endpoints_removed), (0, 0), "{swept:?}");
    Ok(swept.left_behind)
}

async fn put(market: &Market<'_>, change: Value) -> Result<Value, Failure> {
    let route = format!("/listings/{}/endpoint", market.listing.id);
    Ok(market.seller.put(&route).json(&change).send().await?.ok(200)["gateway_endpoint"].clone())
}

/// What a seller does whose secret is lost.
async fn set_url_again(world: &World, market: &Market<'_>) -> Outcome {
    let endpoint = put(market, json!({ "private_endpoint_url": world.seller.url(&market.path) })).await?;
    Ok(world.seller.add_secret(text(&endpoint, "signing_secret"), &market.path).await?)
}

#[test]
fn a_superseded_secret_goes_when_no_table_can_be_restored_that_names_it() -> Outcome {
    let sealed = Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]);
    with_setup(sealed, async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        world.admin("endpoints move per-listing").await?;
        world.later(HOUR).await?;
        world.admin("endpoints move sealed").await?;
        assert!(world.keeps_secret_of(&market.listing.id).await?);
        world.later(RECOVERABLE - HOUR).await?;
        put(&market, json!({ "auth_header": { "name": "X-Key", "value": "v" } })).await?;
        assert_eq!(swept(world).await?, 0);
        world.later(HOUR).await?;
        assert_eq!(swept(world).await?, 1, "a change of what is sealed keeps nothing longer");
        assert!(!world.keeps_secret_of(&market.listing.id).await?);
        market.call(&json!({ "n": 1 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_secret_that_a_move_left_behind_was_never_in_force_and_goes_after_an_hour() -> Outcome {
    let sealed = Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]);
    with_setup(sealed, async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        world.later(1).await?;
        world.leave_secret(&format!("crochet/listing/{}", market.listing.id)).await?;
        world.later(HOUR - 60).await?;
        assert_eq!(swept(world).await?, 0, "the move may go on");
        world.later(60).await?;
        assert_eq!(swept(world).await?, 1);
        market.call(&json!({ "n": 1 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_lease_that_lapsed_before_the_secret_was_deleted_pins_nothing_afterwards() -> Outcome {
    let sealed = Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]);
    with_setup(sealed, async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        world.later(1).await?;
        // A move that has written its version, and has been asleep since.
        world.leave_secret(&format!("crochet/listing/{}", market.listing.id)).await?;
        let version = "0123456789abcdef0123456789abcdef";
        let lease = json!({ "M": { "version": { "S": version }, "until_ms": { "N": "1" } } });
        market.set_endpoint(&[("claim", lease)]).await?;
        let is_leased = async || -> Result<bool, Failure> {
            let stored = world.stored().await?.ok_or_else(|| Failure::new("the table cannot be read"))?;
            Ok(stored.contains(version))
        };
        assert!(is_leased().await?);
        world.later(HOUR).await?;
        assert_eq!(swept(world).await?, 1);
        assert!(!is_leased().await?, "the move would pin a version that is deleted");
        market.call(&json!({ "n": 1 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_sealed_endpoint_whose_key_is_lost_says_so_and_a_url_makes_it_anew() -> Outcome {
    let sealed = Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]);
    with_setup(sealed, async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        world.lose_keyring().await?;
        // Instances read the keyring every five minutes.
        world.later(301).await?;
        market.call(&json!({ "n": 1 })).send().await?.refused(503, "SERVICE_UNAVAILABLE");
        let header = json!({ "auth_header": { "name": "X-Key", "value": "v" } });
        let route = format!("/listings/{}/endpoint", market.listing.id);
        let refused = market.seller.put(&route).json(&header).send().await?;
        let summary = text(&refused.refused(503, "SERVICE_UNAVAILABLE")["recovery"], "summary");
        assert!(summary.contains("private_endpoint_url"), "{summary}");
        set_url_again(world, &market).await?;
        assert_eq!(market.call(&json!({ "n": 1 })).send().await?.ok(200)["seller_response"]["verified"], true);
        Ok(())
    })
}

#[test]
fn nothing_is_sold_while_a_key_is_lost_and_what_was_paid_is_owed_after_a_day() -> Outcome {
    let sealed = Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]);
    with_setup(sealed, async |world| {
        let market = world.market(1.0).await?;
        let (mended, lost) = (json!({ "n": 1 }), json!({ "n": 2 }));
        let (first, second) = (market.quote(&mended).await?, market.quote(&lost).await?);
        world.lose_keyring().await?;
        world.later(301).await?;
        market.call(&json!({ "n": 3 })).send().await?.refused(503, "SERVICE_UNAVAILABLE");
        world.sandbox.pay(&first.id).await?;
        world.sandbox.pay(&second.id).await?;
        for (quote, body) in [(&first, &mended), (&second, &lost)] {
            let refused = market.redeem(quote, body).await?;
            assert_eq!(refused.refused(502, "SELLER_UNAVAILABLE")["details"]["settled"], true);
        }
        // Who comes again after the seller has mended it is served; who does not is owed.
        set_url_again(world, &market).await?;
        assert_eq!(market.redeem(&first, &mended).await?.ok(200)["seller_response"]["verified"], true);
        world.later(DAY + 1).await?;
        market.redeem(&second, &lost).await?.refused(502, "CALL_UNDELIVERED");
        assert_eq!(market.row(&second.id).await?["charge"]["state"], "owed");
        Ok(())
    })
}

#[test]
fn a_sealed_endpoint_that_cannot_be_opened_is_made_anew_by_a_url() -> Outcome {
    let sealed = Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]);
    with_setup(sealed, async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let other = world.free_market(&world.echo_path()).await?;
        market.steal_sealed(&other).await?;
        market.call(&json!({ "n": 1 })).send().await?.refused(503, "SERVICE_UNAVAILABLE");
        set_url_again(world, &market).await?;
        assert_eq!(market.call(&json!({ "n": 1 })).send().await?.ok(200)["seller_response"]["verified"], true);
        Ok(())
    })
}

#[test]
fn a_keyring_that_nobody_can_read_is_not_the_sellers_fault() -> Outcome {
    let sealed = Setup::settings(&[("CROCHET_ENDPOINT_SECRETS", "sealed")]);
    with_setup(sealed, async |world| {
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });
        let paid = market.paid(&body).await?;
        world.spoil_keyring(true).await?;
        // An instance that has read it before goes on with that.
        let (cold, _) = world.another_instance().await?;
        let route = format!("/gateway/{}", market.listing.id);
        let redeemed = cold.post(&route).key(&market.buyer.api_key).paid_with(&paid.id).json(&body).send().await?;
        redeemed.refused(503, "SERVICE_UNAVAILABLE");
        world.spoil_keyring(false).await?;
        world.later(DAY + HOUR).await?;
        world.sweep().await?;
        assert_eq!(market.redeem(&paid, &body).await?.ok(200)["seller_response"]["verified"], true);
        Ok(())
    })
}
