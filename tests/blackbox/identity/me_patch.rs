//! `PATCH /me`: changes of a profile and their effects.

use crochet_tests::{Agent, Failure, Fault, Outcome, Proxy, Replies, Setup, list, members, shared, text, unique_name, with_setup};
use futures::future::{join, join_all};
use http::Method;
use serde_json::{Value, json};

async fn patch(agent: &Agent, fields: &Value) -> Result<Value, Failure> {
    Ok(agent.patch("/me").json(fields).send().await?.ok(200)["profile"].clone())
}

/// The seller's name on the page of each listing.
async fn shown(agent: &Agent) -> Result<Vec<String>, Failure> {
    let own = agent.get("/listings").query("seller", "me").query("limit", 100).send().await?;
    let listings = list(own.ok(200), "listings").to_vec();
    Ok(listings.iter().map(|listing| text(&listing["seller"], "display_name").to_owned()).collect())
}

#[test]
fn each_field_changes_alone() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let before = agent.issued["profile"].clone();
        let reply = agent.patch("/me").json(&json!({ "display_name": " Grace " })).send().await?;
        assert_eq!(members(reply.ok(200)), ["profile"]);
        assert_eq!(text(&reply.data()["profile"], "display_name"), "Grace");
        let described = patch(&agent, &json!({ "description": "Line one.\nLine two." })).await?;
        assert_eq!(text(&described, "description"), "Line one.\nLine two.");
        let sells = patch(&agent, &json!({ "role": "provider" })).await?;
        assert_eq!(text(&sells, "role"), "seller", "an alias");
        let mut expected = before;
        expected["display_name"] = "Grace".into();
        expected["description"] = "Line one.\nLine two.".into();
        expected["role"] = "seller".into();
        assert_eq!(sells, expected, "what is left out stays");
        assert_eq!(agent.get("/me").send().await?.ok(200)["profile"], expected);
        let public = world.client.get(&format!("/agents/{}", agent.profile_id)).send().await?;
        assert_eq!(public.ok(200)["profile"], expected);
        for nothing in [Value::Null, json!("  ")] {
            patch(&agent, &json!({ "description": "Something." })).await?;
            assert!(patch(&agent, &json!({ "description": nothing })).await?["description"].is_null(), "null removes");
        }
        Ok(())
    })
}

#[test]
fn at_least_one_field_and_each_within_its_bounds() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for bad in [
            json!({}),
            json!({ "display_name": null }),
            json!({ "display_name": "" }),
            json!({ "display_name": "two\nlines" }),
            json!({ "display_name": "x".repeat(81) }),
            json!({ "description": "x".repeat(1_001) }),
            json!({ "role": null }),
            json!({ "role": "owner" }),
            json!([]),
        ] {
            agent.patch("/me").json(&bad).send().await?.refused(400, "INVALID_REQUEST");
        }
        for unknown in [json!({ "score": 1000 }), json!({ "display_name": "A", "account_type": "human" })] {
            agent.patch("/me").json(&unknown).send().await?.refused(400, "UNKNOWN_FIELD");
        }
        assert_eq!(agent.get("/me").send().await?.ok(200)["profile"], agent.issued["profile"], "nothing changed");
        patch(&agent, &json!({ "display_name": "é".repeat(80), "description": "x".repeat(1_000) })).await?;
        world.client.request(Method::PATCH, "/me").json(&json!({ "display_name": "A" })).send().await?.refused(401, "UNAUTHORIZED");
        Ok(())
    })
}

#[test]
fn a_new_role_counts_for_every_key_from_the_next_request_on() -> Outcome {
    shared(async |world| {
        let market = world.free_market("/status/200").await?;
        let agent = &market.buyer;
        let second = agent.create_key(&json!({ "name": "second" })).await?;
        for key in [agent, &second] {
            key.post("/listings/challenge").send().await?.ok(200);
            key.call(&market.listing.id, &json!({})).send().await?.ok(200);
        }
        patch(agent, &json!({ "role": "buyer" })).await?;
        for key in [agent, &second] {
            let error = key.post("/listings/challenge").send().await?;
            let error = error.refused(403, "ROLE_REQUIRED");
            assert_eq!(text(&error["recovery"], "next_action"), "change_role");
            key.call(&market.listing.id, &json!({})).send().await?.ok(200);
        }
        // Followed literally, the way out leads out.
        patch(&second, &json!({ "role": "seller" })).await?;
        for key in [agent, &second] {
            key.post("/listings/challenge").send().await?.ok(200);
            key.call(&market.listing.id, &json!({})).send().await?.refused(403, "ROLE_REQUIRED");
        }
        let third = agent.create_key(&json!({ "name": "third" })).await?;
        third.call(&market.listing.id, &json!({})).send().await?.refused(403, "ROLE_REQUIRED");
        patch(&third, &json!({ "role": "both" })).await?;
        third.call(&market.listing.id, &json!({})).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn who_has_active_listings_stays_a_seller() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let listing = seller.create_listing(&world.free_fields("/echo")).await?;
        let mut draft = world.free_fields("/echo");
        draft["status"] = "draft".into();
        seller.create_listing(&draft).await?;
        let refused = seller.patch("/me").json(&json!({ "role": "buyer", "description": "Changed." })).send().await?;
        let error = refused.refused(409, "LISTINGS_STILL_ACTIVE");
        assert_eq!(error["details"], json!({ "active_listings": 1, "listing_ids": [listing.id] }));
        assert_eq!(text(&error["recovery"], "next_action"), "suspend_listings");
        assert!(seller.get("/me").send().await?.ok(200)["profile"]["description"].is_null(), "all or nothing");
        patch(&seller, &json!({ "role": "seller" })).await?;
        seller.delete(&format!("/listings/{}", listing.id)).send().await?.ok(200);
        patch(&seller, &json!({ "role": "buyer" })).await?;
        seller
            .patch(&format!("/listings/{}", listing.id))
            .json(&json!({ "status": "active" }))
            .send()
            .await?
            .refused(403, "ROLE_REQUIRED");
        Ok(())
    })
}

#[test]
fn listings_show_a_new_name_at_once() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut ids = Vec::new();
        for _ in 0..11 {
            ids.push(seller.create_listing(&world.free_fields("/echo")).await?.id);
        }
        let name = format!("Renamed {}", unique_name());
        patch(&seller, &json!({ "display_name": name })).await?;
        assert_eq!(shown(&seller).await?, vec![name.clone(); ids.len()]);
        for id in &ids {
            let reply = world.client.get(&format!("/listings/{id}")).send().await?;
            assert_eq!(text(&reply.ok(200)["listing"]["seller"], "display_name"), name);
        }
        let browsed = world.client.get("/listings").query("seller", &seller.profile_id).send().await?;
        let browsed = list(browsed.ok(200), "listings").to_vec();
        assert_eq!(browsed.len(), ids.len());
        assert!(browsed.iter().all(|listing| text(&listing["seller"], "display_name") == name), "in the catalogue, too");
        Ok(())
    })
}

#[test]
fn who_stops_selling_has_nothing_on_offer_even_in_the_same_moment() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let path = format!("/listings/{}", seller.create_listing(&world.free_fields("/echo")).await?.id);
        for _ in 0..25 {
            patch(&seller, &json!({ "role": "both" })).await?;
            seller.patch(&path).json(&json!({ "status": "suspended" })).send().await?.ok(200);
            let (stops, activates) = (json!({ "role": "buyer" }), json!({ "status": "active" }));
            let (stopped, activated) =
                join(seller.patch("/me").json(&stops).send(), seller.patch(&path).json(&activates).send()).await;
            let (stopped, activated) = (stopped?, activated?);
            assert!(matches!(stopped.code(), "" | "LISTINGS_STILL_ACTIVE"), "{}", stopped.text());
            assert!(matches!(activated.code(), "" | "ROLE_REQUIRED"), "{}", activated.text());
            let me = seller.get("/me").send().await?;
            let buys_only = me.ok(200)["profile"]["role"] == "buyer";
            let on_offer = world.client.get(&path).send().await?.ok(200)["listing"]["status"] == "active";
            assert_eq!((stopped.status == 200, activated.status == 200), (buys_only, on_offer));
            assert!(!(buys_only && on_offer), "a buyer could not take it off any more");
        }
        Ok(())
    })
}

#[test]
fn a_profile_is_changed_thirty_times_a_minute_and_its_keys_end_all_the_same() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "exact")]), async |world| {
        world.at_a_minutes_start().await?;
        let agent = world.agent().await?;
        let second = agent.create_key(&json!({ "name": "second" })).await?;
        let link = agent.link_request(&crochet_tests::Wallet::evm()).await?;
        for n in 0..29 {
            patch(if n % 2 == 0 { &agent } else { &second }, &json!({ "description": format!("{n}") })).await?;
        }
        for refused in [
            agent.patch("/me").json(&json!({ "description": "One more." })),
            second.patch("/me").json(&json!({ "description": "One more." })),
            agent.post("/api-keys").json(&json!({ "name": "third" })),
            agent.post("/me/wallets").json(&link),
        ] {
            let reply = refused.send().await?;
            assert_eq!(reply.refused(429, "RATE_LIMITED")["details"], json!({ "limit": 30, "window_seconds": 60 }));
            assert!(reply.header("ratelimit-policy").starts_with("\"profile-writes\""), "{:?}", reply.headers);
        }
        // Whoever holds the one key cannot keep the other from ending it.
        let id = text(&second.issued["key"], "id").to_owned();
        agent.delete(&format!("/api-keys/{id}")).send().await?.ok(200);
        second.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        Ok(())
    })
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let same = json!({ "display_name": agent.issued["profile"]["display_name"], "description": null, "role": "both" });
        patch(&agent, &same).await?;
        let reply = agent.patch("/me").json(&same).send().await?;
        assert_eq!(reply.ok(200)["profile"], agent.issued["profile"]);
        if let Some((cost, path)) = world.costs().and_then(|costs| costs.of("no change", &reply)) {
            assert_eq!(cost.write_units, 2.0, "the rate counters alone: {path}");
        }
        Ok(())
    })
}

#[test]
fn parallel_changes_of_a_profile_all_happen() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let changes = [json!({ "display_name": "Grace" }), json!({ "description": "Counts." }), json!({ "role": "seller" })];
        for reply in join_all(changes.iter().map(|change| agent.patch("/me").json(change).send())).await {
            reply?.ok(200);
        }
        let me = agent.get("/me").send().await?;
        let profile = &me.ok(200)["profile"];
        assert_eq!((&profile["display_name"], &profile["description"]), (&json!("Grace"), &json!("Counts.")));
        assert_eq!(profile["role"], "seller");
        Ok(())
    })
}

#[test]
fn a_listing_made_during_a_rename_shows_the_new_name() -> Outcome {
    shared(async |world| {
        for round in 0..5 {
            let seller = world.agent().await?;
            let name = format!("Renamed {round} {}", unique_name());
            let (fields, other) = (world.free_fields("/echo"), world.free_fields("/echo"));
            let change = json!({ "display_name": name });
            let (made, renamed) =
                join(join(seller.create_listing(&fields), seller.create_listing(&other)), seller.patch("/me").json(&change).send())
                    .await;
            let (one, two) = made;
            drop((one?, two?));
            renamed?.ok(200);
            assert_eq!(shown(&seller).await?, [name.clone(), name]);
        }
        Ok(())
    })
}

#[test]
fn whatever_fails_on_the_way_the_next_look_finishes_a_rename() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        let seller = world.agent().await?;
        for _ in 0..3 {
            seller.create_listing(&world.free_fields("/echo")).await?;
        }
        for fault in [Fault::CrashAfter, Fault::CrashBefore, Fault::LostReply, Fault::Conflict] {
            for k in 1..40 {
                let name = format!("{fault:?} {k}");
                proxy.plan(fault, k);
                let reply = seller.patch("/me").json(&json!({ "display_name": name })).send().await?;
                proxy.recover();
                let struck = proxy.end();
                assert!(matches!(reply.status, 200 | 503), "{name}: {}", reply.text());
                let me = seller.get("/me").send().await?;
                let now = text(&me.ok(200)["profile"], "display_name").to_owned();
                assert!(now == name || reply.status == 503, "{name}: done, and not there");
                assert_eq!(shown(&seller).await?, vec![now; 3], "{name}");
                if !struck {
                    assert!(k > 4, "a rename makes more requests than {k}");
                    break;
                }
            }
        }
        Ok(())
    })
}
