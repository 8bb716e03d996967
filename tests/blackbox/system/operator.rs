//! `crochet-admin`: suspensions, keys, switches, stuck calls, the provider's records, and the audit trail.

use crochet_tests::{Failure, Outcome, Person, Proxy, Quote, Replies, Setup, isolated, list, opinion, text, with_setup};
use serde_json::json;

#[test]
fn a_listing_that_the_operator_suspends_is_off_offer_for_a_public_reason_until_it_is_lifted() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let id = &market.listing.id;
        let paid = market.paid(&json!({ "n": 1 })).await?;
        world.admin(&format!("listings suspend {id} FRAUD")).await?;
        let shown = world.client.get(&format!("/listings/{id}")).send().await?.ok(200)["listing"].clone();
        let state = (text(&shown, "status"), text(&shown, "suspended_by"), text(&shown, "suspended_reason"));
        assert_eq!(state, ("suspended", "operator", "FRAUD"));
        let found = world.client.get("/listings").send().await?.ok(200).clone();
        assert!(list(&found, "listings").iter().all(|listing| listing["id"] != json!(id)), "catalogues see it");
        market.call(&json!({ "n": 2 })).send().await?.refused(409, "LISTING_NOT_ACTIVE");
        // Paid calls are still delivered, and its owner cannot lift it.
        market.redeem(&paid, &json!({ "n": 1 })).await?.ok(200);
        let change =
            async |status: &str| market.seller.patch(&format!("/listings/{id}")).json(&json!({ "status": status })).send().await;
        change("active").await?.refused(409, "LISTING_SUSPENDED");
        // Its owner may withdraw it meanwhile. Everybody goes on reading why it is suspended, and it does not come back by itself.
        assert_eq!(change("suspended").await?.ok(200)["listing"]["suspended_reason"], "FRAUD");
        change("active").await?.refused(409, "LISTING_SUSPENDED");
        market.seller.patch("/me").json(&json!({ "role": "buyer" })).send().await?.ok(200);
        market.seller.patch("/me").json(&json!({ "role": "both" })).send().await?.ok(200);
        world.admin(&format!("listings lift {id}")).await?;
        let shown = world.client.get(&format!("/listings/{id}")).send().await?.ok(200)["listing"].clone();
        assert_eq!((text(&shown, "status"), text(&shown, "suspended_by")), ("suspended", "owner"));
        change("active").await?.ok(200);
        Quote::of(market.call(&json!({ "n": 2 })).send().await?);
        assert!(world.admin(&format!("listings suspend {id} REFUND_OVERDUE")).await.is_err());
        Ok(())
    })
}

#[test]
fn a_suspended_profile_sells_and_buys_nothing_new_and_what_is_paid_is_delivered() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let id = &market.listing.id;
        let paid = market.paid(&json!({ "n": 1 })).await?;
        let open = market.quote(&json!({ "n": 3 })).await?;
        for profile in [&market.seller.profile_id, &market.buyer.profile_id] {
            world.admin(&format!("profiles suspend {profile} HARMFUL")).await?;
            let shown = world.client.get(&format!("/agents/{profile}")).send().await?.ok(200)["profile"].clone();
            assert_eq!(shown["suspended_reason"], "HARMFUL");
        }
        let shown = world.client.get(&format!("/listings/{id}")).send().await?.ok(200)["listing"].clone();
        assert_eq!((text(&shown, "status"), text(&shown, "suspended_reason")), ("suspended", "HARMFUL"));
        market.redeem(&paid, &json!({ "n": 1 })).await?.ok(200);
        let change = market.seller.patch(&format!("/listings/{id}")).json(&json!({ "status": "active" })).send().await?;
        change.refused(409, "LISTING_SUSPENDED");
        let more = json!({ "name": "One more", "description": "d", "pricing_model": "free" });
        market.seller.try_create_listing(&more).await?.refused(403, "PROFILE_SUSPENDED");
        // The seller's listing is on offer again; its buyer still gets no quote.
        world.admin(&format!("profiles lift {}", market.seller.profile_id)).await?;
        market.call(&json!({ "n": 2 })).send().await?.refused(403, "PROFILE_SUSPENDED");
        // What it was offered before is not offered again. If it has paid, it is served.
        let again = market.call(&json!({ "n": 3 })).send().await?;
        assert_eq!(again.refused(403, "PROFILE_SUSPENDED")["details"]["relay_request_id"], open.id.as_str());
        assert!(again.json["data"].is_null(), "no steps to pay");
        assert!(market.row(&open.id).await?["payment"]["requirements"].is_null(), "nor in the history");
        world.sandbox.pay(&open.id).await?;
        market.redeem(&open, &json!({ "n": 3 })).await?.ok(200);
        world.admin(&format!("profiles lift {}", market.buyer.profile_id)).await?;
        Quote::of(market.call(&json!({ "n": 2 })).send().await?);
        Ok(())
    })
}

#[test]
fn a_suspended_buyer_makes_no_free_calls_with_any_key_until_that_is_lifted() -> Outcome {
    isolated(async |world| {
        let market = world.free_market(&world.echo_path()).await?;
        let profile = &market.buyer.profile_id;
        let call = async |n: u32| market.call(&json!({ "n": n })).send().await;
        let named = async |n: u32| market.call(&json!({ "n": n })).header("Idempotency-Key", &format!("k{n}")).send().await;
        let answer = named(1).await?.ok(200)["request_id"].clone();
        call(2).await?.ok(200);
        world.admin(&format!("profiles suspend {profile} FRAUD")).await?;
        for refused in [call(2).await?, named(3).await?] {
            assert_eq!(refused.refused(403, "PROFILE_SUSPENDED")["details"]["suspended_reason"], "FRAUD");
        }
        assert_eq!(named(1).await?.ok(200)["request_id"], answer, "what was answered can be fetched again");
        // A key that is made meanwhile is no way around it.
        let another = market.buyer.create_key(&json!({ "name": "another" })).await?;
        another.call(&market.listing.id, &json!({ "n": 4 })).send().await?.refused(403, "PROFILE_SUSPENDED");
        world.admin(&format!("profiles lift {profile}")).await?;
        call(2).await?.ok(200);
        another.call(&market.listing.id, &json!({ "n": 4 })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_suspended_profile_publishes_nothing() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        market.buy(&json!({ "n": 1 })).await?;
        let reviews = format!("/reviews/{}", market.listing.id);
        let written = market.buyer.post(&reviews).json(&opinion(4)).send().await?;
        let review = text(&written.ok(201)["review"], "id").to_owned();
        let person = Person::sign_up(&world.client, "Grace").await?;
        for profile in [&market.buyer.profile_id, &market.seller.profile_id, &person.profile_id] {
            world.admin(&format!("profiles suspend {profile} HARMFUL")).await?;
        }
        let name = json!({ "display_name": "Another name" });
        let answer = json!({ "comment": "Thank you." });
        let fields = json!({ "profile_id": market.buyer.profile_id, "operator_id": person.profile_id });
        let proof = world.client.proof(&market.buyer.wallet, "claim_agent", &fields).await?;
        for refused in [
            market.buyer.put(&reviews).json(&opinion(1)).send().await?,
            market.seller.post(&format!("{reviews}/{review}/answer")).json(&answer).send().await?,
            market.seller.patch("/me").json(&name).send().await?,
            person.patch("/me").json(&name).send().await?,
            person.post(&format!("/agents/{}/claim", market.buyer.profile_id)).json(&proof).send().await?,
        ] {
            assert_eq!(refused.refused(403, "PROFILE_SUSPENDED")["details"]["suspended_reason"], "HARMFUL");
        }
        Ok(())
    })
}

#[test]
fn revoked_keys_end_with_the_next_request() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let profile = &market.buyer.profile_id;
        let keys = world.admin_json(&format!("keys {profile}")).await?;
        assert!(!keys.to_string().contains("hash"), "{keys}");
        let key = text(&keys[0], "id").to_owned();
        assert!(world.admin(&format!("keys revoke {} {key}", market.seller.profile_id)).await.is_err(), "another profile's key");
        world.admin(&format!("keys revoke {profile} {key}")).await?;
        market.buyer.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        world.admin(&format!("keys revoke {}", market.seller.profile_id)).await?;
        market.seller.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        Ok(())
    })
}

#[test]
fn a_key_that_is_made_while_all_are_revoked_ends_too() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        let owner = world.agent().await?;
        let thief = owner.create_key(&json!({ "name": "Stolen" })).await?;
        let revoke = format!("keys revoke {}", owner.profile_id);
        let makes_another = async {
            proxy.holds_a_transaction().await?;
            let made = thief.create_key(&json!({ "name": "Another" })).await?;
            proxy.let_go();
            Ok::<_, Failure>(made)
        };
        proxy.hold_next_transaction();
        let (revoked, made) = tokio::join!(world.admin(&revoke), makes_another);
        assert!(revoked?.starts_with("3 keys"));
        for key in [owner, thief, made?] {
            key.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        }
        assert!(world.admin("keys revoke 01890a5d-ac96-774b-bcce-b302099a8057").await.is_err(), "there is no such profile");
        Ok(())
    })
}

#[test]
fn a_suspension_that_does_not_reach_every_listing_fails_and_can_be_repeated() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        let market = world.market(1.0).await?;
        let suspend = format!("profiles suspend {} FRAUD", market.seller.profile_id);
        proxy.lose(&market.listing.id);
        let failed = world.admin(&suspend).await;
        assert!(failed.is_err_and(|why| format!("{why:?}").contains("not all its listings yet")));
        assert!(proxy.end());
        let status = async || -> Result<String, Failure> {
            let shown = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
            Ok(text(&shown.ok(200)["listing"], "status").to_owned())
        };
        assert_eq!(status().await?, "active");
        world.admin(&suspend).await?;
        assert_eq!(status().await?, "suspended");
        Ok(())
    })
}

#[test]
fn what_the_operator_has_closed_is_closed_and_paid_calls_are_delivered() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let paid = market.paid(&json!({ "n": 1 })).await?;
        for name in ["registrations", "listings", "quotes", "endpoint-secrets"] {
            world.admin(&format!("switches close {name}")).await?;
        }
        // An instance goes on quoting for 15 seconds.
        world.later(15).await?;
        let refused = market.call(&json!({ "n": 2 })).send().await?;
        refused.refused(503, "SERVICE_UNAVAILABLE");
        assert_eq!(refused.error()["details"]["closed"], "quotes");
        market.redeem(&paid, &json!({ "n": 1 })).await?.ok(200);
        assert!(world.agent().await.is_err_and(|failure| format!("{failure:?}").contains("has closed registrations")));
        let another = json!({ "name": "Another", "description": "d", "pricing_model": "free" });
        market.seller.try_create_listing(&another).await?.refused(503, "SERVICE_UNAVAILABLE");
        let shown = world.admin_json("switches").await?;
        assert!(shown.as_array().is_some_and(|all| all.iter().all(|one| one["closed"] == true)), "{shown}");
        for name in ["registrations", "listings", "quotes", "endpoint-secrets"] {
            world.admin(&format!("switches open {name}")).await?;
        }
        Quote::of(market.call(&json!({ "n": 2 })).send().await?);
        market.seller.try_create_listing(&another).await?.ok(201);
        world.agent().await?;
        Ok(())
    })
}

#[test]
fn the_smoke_test_passes_while_quotes_are_closed_as_in_a_restore() -> Outcome {
    isolated(async |world| {
        world.admin("switches close quotes").await?;
        world.later(15).await?;
        let endpoint = world.seller.url(&world.echo_path());
        crochet_local::smoke_test::run(&world.client, &endpoint).await?;
        // Whatever else is closed is no success.
        world.admin("switches open quotes").await?;
        world.admin("switches close listings").await?;
        assert!(crochet_local::smoke_test::run(&world.client, &endpoint).await.is_err());
        Ok(())
    })
}

#[test]
fn a_deployment_takes_so_many_registrations_in_a_day_and_no_more() -> Outcome {
    let limits = [("CROCHET_REGISTRATIONS_PER_DAY", "2"), ("CROCHET_RATE_LIMITS", "")];
    with_setup(Setup::settings(&limits), async |world| {
        world.at_noon().await?;
        world.agent().await?;
        world.agent().await?;
        assert!(world.agent().await.is_err_and(|failure| format!("{failure:?}").contains("no more registrations today")));
        world.later(86_400).await?;
        world.agent().await?;
        Ok(())
    })
}

/// Clocks differ around midnight, and one of them may be wrong.
#[test]
fn a_gate_that_counts_another_day_stops_nobody() -> Outcome {
    isolated(async |world| {
        for days in [1, 7] {
            world.later(days * 86_400).await?;
            world.agent().await?;
            world.later(-days * 86_400).await?;
            world.agent().await?;
        }
        Ok(())
    })
}

#[test]
fn calls_that_do_not_move_are_found_and_looked_at_again() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        let quote = market.quote(&json!({ "n": 1 })).await?;
        assert_eq!(world.admin("calls stuck").await?, "No call is stuck.\n");
        // Nobody presents it, and no sweep runs.
        world.sandbox.pay(&quote.id).await?;
        world.later(1_800).await?;
        let stuck = world.admin_json("calls stuck").await?;
        assert_eq!(text(&stuck[0], "why"), "the sweeper does not attend to it");
        let call = text(&stuck[0], "call").to_owned();
        world.admin(&format!("calls redrive {call}")).await?;
        world.sweep().await?;
        world.sweep().await?;
        world.later(3_600).await?;
        let stuck = world.admin_json("calls stuck").await?;
        assert_eq!((text(&stuck[0], "state"), text(&stuck[0], "why")), ("settled", "paid; its buyer does not present it"));
        assert!(world.admin(&format!("calls redrive {call}")).await.is_err(), "only its buyer has its body");
        market.redeem(&quote, &json!({ "n": 1 })).await?.ok(200);
        assert_eq!(world.admin("calls stuck --minutes 0").await?, "No call is stuck.\n");
        Ok(())
    })
}

#[test]
fn the_providers_records_of_a_day_are_compared_with_the_ledger() -> Outcome {
    isolated(async |world| {
        world.at_noon().await?;
        let market = world.market(1.0).await?;
        for n in 0..3 {
            market.buy(&json!({ "n": n })).await?;
        }
        let (_, refunded) = market.buy(&json!({ "n": 3 })).await?;
        market.refunded(text(refunded.ok(200), "request_id")).await?;
        let day = world.day()?;
        let same = world.admin_json(&format!("reconcile {day}")).await?;
        assert_eq!((&same["in_ledger"], list(&same, "differences").len()), (&json!(4), 0), "{same}");
        assert_eq!(same["at_provider"], 5, "four calls and a refund");
        // Paid at the provider, and not settled here.
        let unsettled = market.quote(&json!({ "n": 4 })).await?;
        world.sandbox.pay(&unsettled.id).await?;
        let differs = world.admin_json(&format!("reconcile {day}")).await?;
        let [difference] = list(&differs, "differences") else { panic!("{differs}") };
        assert_eq!(text(difference, "payment_id"), unsettled.id);
        assert_eq!(text(difference, "what"), "filled, and the ledger has no settlement");
        assert!(world.admin(&format!("reconcile {day}")).await?.contains("1 differences"));
        Ok(())
    })
}

#[test]
fn every_command_is_in_the_audit_trail_before_and_after_it_is_carried_out() -> Outcome {
    isolated(async |world| {
        let market = world.market(1.0).await?;
        world.admin(&format!("listings suspend {} FRAUD", market.listing.id)).await?;
        let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert!(world.admin(&format!("listings lift {unknown}")).await.is_err());
        assert!(world.admin("no such command").await.is_err());
        let lines = world.audited()?;
        let states: Vec<(&str, &str)> =
            lines.iter().map(|line| (text(line, "state"), line["command"][1].as_str().unwrap_or_default())).collect();
        assert_eq!(states, [("begun", "suspend"), ("done", "suspend"), ("begun", "lift"), ("failed", "lift")]);
        assert_eq!(lines[0]["command"], json!(["listings", "suspend", market.listing.id, "FRAUD"]));
        assert!(text(&lines[3], "failure").contains(unknown));
        Ok(())
    })
}
