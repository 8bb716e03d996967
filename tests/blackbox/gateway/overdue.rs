//! What a seller owes is shown, and suspends its listings when it is overdue.

use crochet_tests::{Failure, Market, Outcome, Quote, Replies, Wallet, World, isolated, number, text};
use futures::future::try_join_all;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

async fn owing(world: &World) -> Result<(Market<'_>, String), Failure> {
    let market = world.market_at(&json!(1), "/fail/500").await?;
    let id = market.undelivered(&[json!({ "n": 1 })]).await?.remove(0);
    Ok((market, id))
}

/// What the seller's public profile and the listing show.
async fn shown(market: &Market<'_>) -> Result<(Value, Value), Failure> {
    let client = &market.world.client;
    let profile = client.get(&format!("/agents/{}", market.seller.profile_id)).send().await?.ok(200)["profile"].clone();
    let listing = client.get(&format!("/listings/{}", market.listing.id)).send().await?.ok(200)["listing"].clone();
    Ok((profile, listing))
}

fn is_overdue(listing: &Value) -> bool {
    let marks = (text(listing, "status"), &listing["suspended_by"], &listing["suspended_reason"]);
    marks == ("suspended", &json!("operator"), &json!("REFUND_OVERDUE"))
}

#[test]
fn the_sum_is_shown_and_after_seven_days_the_listings_are_suspended_until_it_is_paid() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        assert_eq!(world.look_at_debts().await?, 1);
        let (profile, listing) = shown(&market).await?;
        assert_eq!((number(&profile["owes"], "amount_micros"), number(&listing["owes"], "amount_micros")), (951_000, 951_000));
        assert_eq!((text(&listing, "status"), &listing["suspended_reason"]), ("active", &Value::Null));
        assert_eq!(market.seller.get("/me").send().await?.ok(200)["profile"]["owes"], profile["owes"]);

        world.later(7 * DAY - 3_600).await?;
        assert_eq!(world.look_at_debts().await?, 0, "nothing is due before that");
        world.later(3_600).await?;
        assert_eq!(world.look_at_debts().await?, 1);
        let (profile, listing) = shown(&market).await?;
        assert!(is_overdue(&listing), "{listing}");
        assert_eq!(number(&profile["owes"], "amount_micros"), 951_000);
        market.call(&json!({ "n": 2 })).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        let found = world.client.get("/listings").query("seller", &market.seller.profile_id).send().await?;
        assert_eq!(found.ok(200)["listings"], json!([]));

        market.refunded(&id).await?;
        let (profile, listing) = shown(&market).await?;
        assert_eq!((text(&listing, "status"), &listing["suspended_reason"]), ("active", &Value::Null));
        assert_eq!((&listing["owes"], &profile["owes"]), (&Value::Null, &Value::Null));
        Quote::of(market.call(&json!({ "n": 2 })).send().await?);
        assert_eq!(world.look_at_debts().await?, 0, "everything is done");
        Ok(())
    })
}

#[test]
fn the_owner_cannot_lift_it_and_nothing_else_goes_on_offer_meanwhile() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let seller = &market.seller;
        let mut fields = world.free_fields(&world.echo_path());
        fields["status"] = "draft".into();
        let draft = seller.create_listing(&fields).await?.id;
        fields["status"] = "active".into();
        let withdrawn = seller.create_listing(&fields).await?.id;
        seller.delete(&format!("/listings/{withdrawn}")).send().await?.ok(200);
        let deleted = seller.create_listing(&fields).await?.id;
        world.later(7 * DAY).await?;
        world.look_at_debts().await?;
        world.later(7 * DAY).await?;
        world.look_at_debts().await?;
        for listing in [&market.listing.id, &draft, &withdrawn] {
            let lift = seller.patch(&format!("/listings/{listing}")).json(&json!({ "status": "active" })).send().await?;
            let error = lift.refused(409, "REFUND_OVERDUE");
            assert_eq!(text(&error["recovery"], "next_action"), "pay_refunds");
        }
        let text_only = seller.patch(&format!("/listings/{}", market.listing.id)).json(&json!({ "description": "Mended." }));
        assert!(is_overdue(&text_only.send().await?.ok(200)["listing"]));
        seller.try_create_listing(&fields).await?.refused(409, "REFUND_OVERDUE");
        fields["status"] = "draft".into();
        seller.create_listing(&fields).await?;
        seller.patch("/me").json(&json!({ "role": "buyer" })).send().await?.refused(409, "LISTINGS_STILL_ACTIVE");
        // The owner may withdraw what is suspended: it stays suspended afterwards.
        let own = seller.delete(&format!("/listings/{deleted}")).send().await?;
        assert_eq!((&own.ok(200)["listing"]["suspended_by"], own.data()["deleted"] == true), (&json!("owner"), false));

        market.refunded(&id).await?;
        let status = async |listing: &str| -> Result<Value, Failure> {
            let reply = seller.get(&format!("/listings/{listing}")).send().await?;
            Ok(reply.ok(200)["listing"]["status"].clone())
        };
        assert_eq!(status(&market.listing.id).await?, "active");
        for (listing, expected) in [(&draft, "draft"), (&withdrawn, "suspended"), (&deleted, "suspended")] {
            assert_eq!(status(listing).await?, expected);
            seller.patch(&format!("/listings/{listing}")).json(&json!({ "status": "active" })).send().await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn what_no_route_carries_never_becomes_overdue() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        world.look_at_debts().await?;
        for _ in 0..2 {
            world.later(7 * DAY).await?;
            world.sandbox.fault("quote", "no_route", 60_000).await?;
            assert_eq!(world.look_at_debts().await?, 1);
            assert!(!is_overdue(&shown(&market).await?.1));
            world.sandbox.fault("quote", "down", 60_000).await?;
            assert_eq!(world.look_at_debts().await?, 0, "it is looked at again after seven days");
            world.sandbox.clear_faults().await?;
        }
        world.later(7 * DAY).await?;
        world.sandbox.fault("quote", "down", 60_000).await?;
        assert_eq!(world.look_at_debts().await?, 1);
        assert!(!is_overdue(&shown(&market).await?.1), "the provider gave no answer");
        world.sandbox.clear_faults().await?;
        assert_eq!(world.look_at_debts().await?, 1, "so it stays due");
        assert!(is_overdue(&shown(&market).await?.1));
        market.refunded(&id).await?;
        assert!(!is_overdue(&shown(&market).await?.1));
        Ok(())
    })
}

/// A seller that can make one quote fail would otherwise owe for ever.
#[test]
fn one_currency_without_a_good_answer_does_not_keep_a_seller_from_being_overdue() -> Outcome {
    isolated(async |world| {
        let (market, _) = owing(world).await?;
        market.seller.link_wallet(&Wallet::evm()).await?;
        world.look_at_debts().await?;
        world.later(7 * DAY).await?;
        world.sandbox.fault_for(market.seller.wallet.address(), "smaller_output", 60_000).await?;
        assert_eq!(world.look_at_debts().await?, 1);
        assert!(is_overdue(&shown(&market).await?.1), "another currency carries it");
        Ok(())
    })
}

/// What it owes can be paid, and what a buyer is owed is not lost with its wallets.
#[test]
fn a_buyer_that_was_erased_is_paid_at_the_address_that_paid() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        world.admin(&format!("profiles erase {}", market.buyer.profile_id)).await?;
        world.look_at_debts().await?;
        world.later(7 * DAY).await?;
        world.look_at_debts().await?;
        assert!(is_overdue(&shown(&market).await?.1));
        let offer = Quote::of(market.refund(&id).await?);
        assert_eq!(world.sandbox.payment(&offer.id).await?["recipient"], market.buyer.wallet.address());
        market.refunded(&id).await?;
        assert!(!is_overdue(&shown(&market).await?.1));
        Ok(())
    })
}

#[test]
fn a_refund_that_is_paid_and_not_asked_about_again_is_settled_all_the_same() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        world.later(7 * DAY).await?;
        world.look_at_debts().await?;
        world.look_at_debts().await?;
        assert!(is_overdue(&shown(&market).await?.1));
        let offer = Quote::of(market.refund(&id).await?);
        world.sandbox.pay(&offer.id).await?;
        world.later(900).await?;
        assert!(world.look_at_debts().await? >= 1);
        assert_eq!(market.charge(&id).await?, "refunded");
        assert!(!is_overdue(&shown(&market).await?.1));
        world.later(2 * DAY).await?;
        assert_eq!(world.look_at_debts().await?, 0, "nothing is due any more");
        Ok(())
    })
}

#[test]
fn a_late_fill_of_an_unpaid_refund_is_found_within_a_day() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        world.look_at_debts().await?;
        let offer = Quote::of(market.refund(&id).await?);
        world.later(900).await?;
        assert_eq!(world.look_at_debts().await?, 1, "it was never paid");
        world.sandbox.pay(&offer.id).await?;
        assert_eq!(world.look_at_debts().await?, 0);
        world.later(3_600).await?;
        assert_eq!(world.look_at_debts().await?, 1);
        assert_eq!(market.charge(&id).await?, "refunded");
        Ok(())
    })
}

#[test]
fn sweeps_that_come_late_and_in_parallel_are_one_sweep() -> Outcome {
    isolated(async |world| {
        let (market, id) = owing(world).await?;
        let four_sweeps = async || try_join_all((0..4).map(|_| world.look_at_debts())).await;
        world.later(30 * DAY).await?;
        four_sweeps().await?;
        assert!(is_overdue(&shown(&market).await?.1), "the first look is a late one");
        assert_eq!(world.look_at_debts().await?, 0, "it is due again in a day");
        let offer = Quote::of(market.refund(&id).await?);
        world.sandbox.pay(&offer.id).await?;
        world.later(2 * DAY).await?;
        four_sweeps().await?;
        world.look_at_debts().await?;
        assert_eq!(market.charge(&id).await?, "refunded");
        let (profile, listing) = shown(&market).await?;
        assert_eq!((text(&listing, "status"), &listing["owes"], &profile["owes"]), ("active", &Value::Null, &Value::Null));
        world.later(DAY).await?;
        assert_eq!(world.look_at_debts().await?, 0, "nothing is due any more");
        Ok(())
    })
}

#[test]
fn sweeps_do_all_that_their_role_is_for() -> Outcome {
    isolated(async |world| {
        let sweep = async || world.sweep().await;
        // A review whose call is paid back.
        let served = world.market(1.0).await?;
        let (_, delivered) = served.buy(&json!({ "n": 1 })).await?;
        let delivered = text(delivered.ok(200), "request_id").to_owned();
        let review =
            json!({ "accuracy_rating": 4, "reliability_rating": 4, "value_rating": 4, "title": "Good", "comment": "Right." });
        served.buyer.post(&format!("/reviews/{}", served.listing.id)).json(&review).send().await?.ok(201);
        served.refunded(&delivered).await?;
        sweep().await?;
        let (market, id) = owing(world).await?;
        // A payment that nobody presents, one that comes late, and a refund of which the same is true.
        let unpaid = market.quote(&json!({ "n": 2 })).await?;
        market.paid(&json!({ "n": 3 })).await?;
        sweep().await?;
        world.later(900).await?;
        sweep().await?;
        // The record of the body does not list it any more when it is filled.
        world.later(2 * 3_600).await?;
        market.quote(&json!({ "n": 2 })).await?;
        world.sandbox.pay(&unpaid.id).await?;
        world.later(7 * DAY).await?;
        sweep().await?;
        assert!(is_overdue(&shown(&market).await?.1));
        let offer = Quote::of(market.refund(&id).await?);
        world.later(900).await?;
        sweep().await?;
        world.sandbox.pay(&offer.id).await?;
        world.later(3_600).await?;
        sweep().await?;
        assert_eq!(market.charge(&id).await?, "refunded");
        world.later(30 * DAY).await?;
        // What closes in a sweep may be shown by the next one.
        sweep().await?;
        sweep().await?;
        assert_eq!(number(&shown(&market).await?.0["owes"], "amount_micros"), 1_902_000, "the others have closed");
        Ok(())
    })
}
