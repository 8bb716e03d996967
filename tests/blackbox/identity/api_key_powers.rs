//! API keys at every route: scopes, expiry and revocation.

use crochet_tests::{Agent, Outcome, Replies, Request, isolated, members, shared, text};
use serde_json::json;

use crochet_tests::api_keys::{in_seconds, keys, revoke};

/// Requests of every group of routes, with the scope that each requires.
fn every_group(agent: &Agent, listing: &str) -> Vec<(&'static str, Request)> {
    vec![
        ("read", agent.get("/me")),
        ("read", agent.get("/me/wallets")),
        ("read", agent.get("/api-keys")),
        ("read", agent.get("/listings").query("seller", "me")),
        ("read", agent.get("/gateway-requests")),
        ("read", agent.get("/gateway-requests/gw_req_01ARZ3NDEKTSV4RRFFQ69G5FAV")),
        ("read", agent.get("/ledger")),
        ("write", agent.patch("/me").json(&json!({ "description": "Changed." }))),
        ("write", agent.post("/api-keys").json(&json!({ "name": "another" }))),
        ("write", agent.delete("/api-keys/key_0000000000")),
        ("write", agent.post("/me/wallets").json(&json!({}))),
        ("write", agent.patch("/me/wallets/01890a5d-ac96-774b-bcce-b302099a8057").json(&json!({}))),
        ("write", agent.post("/listings/challenge")),
        ("write", agent.post("/listings").json(&json!({}))),
        ("write", agent.patch(&format!("/listings/{listing}")).json(&json!({ "description": "Other." }))),
        ("write", agent.delete("/listings/01890a5d-ac96-774b-bcce-b302099a8057")),
        ("write", agent.call(listing, &json!({ "n": 1 }))),
        ("write", agent.call(listing, &json!({ "n": 1 })).idempotency_key("k")),
        ("write", agent.call(listing, &json!({ "n": 1 })).paid_with("0xab")),
    ]
}

/// Public routes, which still reject an invalid key.
fn public_with_a_key(agent: &Agent, listing: &str) -> Vec<Request> {
    vec![agent.get("/listings"), agent.get(&format!("/listings/{listing}"))]
}

async fn is_refused_everywhere(agent: &Agent, listing: &str) -> Outcome {
    let guarded = every_group(agent, listing).into_iter().map(|(_, request)| request);
    for request in guarded.chain(public_with_a_key(agent, listing)) {
        request.send().await?.refused(401, "INVALID_API_KEY");
    }
    Ok(())
}

#[test]
fn scopes_are_enforced_on_every_route() -> Outcome {
    shared(async |world| {
        let market = world.free_market("/status/200").await?;
        let (agent, listing) = (&market.seller, market.listing.id.as_str());
        for (own, other) in [("read", "write"), ("write", "read")] {
            let key = agent.create_key(&json!({ "name": own, "scopes": [own] })).await?;
            for (needed, request) in every_group(&key, listing) {
                let reply = request.send().await?;
                if needed == own {
                    assert_ne!((reply.status, reply.code()), (403, "INSUFFICIENT_SCOPE"), "{needed} by {own}: {}", reply.text());
                    assert_ne!(reply.status, 401, "{}", reply.text());
                } else {
                    let error = reply.refused(403, "INSUFFICIENT_SCOPE");
                    assert_eq!(text(&error["details"], "required_scope"), other);
                }
            }
            // What everybody may read, every good key may read.
            for request in public_with_a_key(&key, listing) {
                request.send().await?.ok(200);
            }
        }
        Ok(())
    })
}

#[test]
fn a_draft_shows_itself_to_keys_that_read_only() -> Outcome {
    shared(async |world| {
        let seller = world.agent().await?;
        let mut fields = world.free_fields("/echo");
        fields["status"] = "draft".into();
        let draft = format!("/listings/{}", seller.create_listing(&fields).await?.id);
        let reads = seller.create_key(&json!({ "name": "r", "scopes": ["read"] })).await?;
        let writes = seller.create_key(&json!({ "name": "w", "scopes": ["write"] })).await?;
        reads.get(&draft).send().await?.ok(200);
        writes.get(&draft).send().await?.refused(404, "LISTING_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn a_key_gives_no_more_than_it_has() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let writes = agent.create_key(&json!({ "name": "w", "scopes": ["write"], "expires_at": "2030-01-01T00:00:00Z" })).await?;
        let error = writes.post("/api-keys").json(&json!({ "name": "k", "scopes": ["read", "write"] })).send().await?;
        assert_eq!(text(&error.refused(403, "INSUFFICIENT_SCOPE")["details"], "required_scope"), "read");
        let later = writes.post("/api-keys").json(&json!({ "name": "k", "expires_at": "2030-01-01T00:00:01Z" })).send().await?;
        assert_eq!(text(&later.refused(400, "INVALID_REQUEST")["details"], "field"), "expires_at");
        let child = writes.create_key(&json!({ "name": "k" })).await?;
        assert_eq!(child.issued["key"]["scopes"], json!(["write"]), "as much as the one that asks");
        assert_eq!(child.issued["key"]["expires_at"], "2030-01-01T00:00:00.000Z", "and as long");
        let sooner = writes.create_key(&json!({ "name": "k", "expires_at": "2029-01-01T00:00:00Z" })).await?;
        assert_eq!(sooner.issued["key"]["expires_at"], "2029-01-01T00:00:00.000Z");
        Ok(())
    })
}

#[test]
fn a_revoked_key_stops_working_with_the_next_request_everywhere() -> Outcome {
    shared(async |world| {
        let market = world.free_market("/status/200").await?;
        let key = market.seller.create_key(&json!({ "name": "short-lived" })).await?;
        // Every instance has seen it by then.
        for (_, request) in every_group(&key, &market.listing.id) {
            assert_ne!(request.send().await?.status, 401);
        }
        let reply = revoke(&market.seller, &key).await?;
        assert_eq!(members(reply.ok(200)), ["key", "revoked"]);
        assert_eq!((&reply.data()["revoked"], &reply.data()["key"]["id"]), (&json!(true), &key.issued["key"]["id"]));
        is_refused_everywhere(&key, &market.listing.id).await?;
        assert!(keys(&market.seller).await?.iter().all(|other| other["id"] != key.issued["key"]["id"]));
        revoke(&market.seller, &key).await?.refused(404, "KEY_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn an_expired_key_stops_working_with_the_next_request_everywhere() -> Outcome {
    isolated(async |world| {
        let market = world.free_market("/status/200").await?;
        let end = in_seconds(world, 3_600).await?;
        let key = market.seller.create_key(&json!({ "name": "an hour", "expires_at": end })).await?;
        let me = key.get("/me").send().await?;
        assert_eq!(text(&me.ok(200)["auth"], "expires_at"), text(&key.issued["key"], "expires_at"));
        world.later(3_590).await?;
        key.get("/me").send().await?.ok(200);
        world.later(11).await?;
        is_refused_everywhere(&key, &market.listing.id).await?;
        // It is still in the list, and can be deleted.
        assert!(keys(&market.seller).await?.iter().any(|other| other["id"] == key.issued["key"]["id"]));
        revoke(&market.seller, &key).await?.ok(200);
        Ok(())
    })
}

#[test]
fn another_profiles_key_is_not_found() -> Outcome {
    shared(async |world| {
        let (agent, other) = (world.agent().await?, world.agent().await?);
        revoke(&agent, &other).await?.refused(404, "KEY_NOT_FOUND");
        for id in ["key_", "key_x", "key_00000000000", "0123456789", "key_012345678_", &other.api_key[..15], "%00", "key_ÄÄÄÄÄ"]
        {
            agent.delete(&format!("/api-keys/{id}")).send().await?.refused(404, "KEY_NOT_FOUND");
        }
        other.get("/me").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn the_last_key_can_be_revoked_and_recovery_is_the_way_back() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        revoke(&agent, &agent).await?.ok(200);
        agent.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        let back = world.client.recover(&agent.wallet, false).await?;
        assert_eq!(back.profile_id, agent.profile_id);
        assert_eq!(keys(&back).await?.len(), 1);
        agent.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        Ok(())
    })
}

#[test]
fn a_key_that_races_with_revoke_existing_keys_does_not_slip_through() -> Outcome {
    shared(async |world| {
        for _ in 0..6 {
            let agent = world.agent().await?;
            let body = json!({ "name": "sly" });
            let (recovered, made) = futures::future::join(
                world.client.recover(&agent.wallet, true),
                futures::future::join_all((0..3).map(|_| agent.post("/api-keys").json(&body).send())),
            )
            .await;
            let recovered = recovered?;
            for reply in made {
                let reply = reply?;
                if reply.status == 201 {
                    let key = text(reply.data(), "api_key").to_owned();
                    world.client.get("/me").key(&key).send().await?.refused(401, "INVALID_API_KEY");
                }
            }
            assert_eq!(keys(&recovered).await?.len(), 1);
        }
        Ok(())
    })
}
