//! `/api-keys`: making, listing and ending keys, and what each may do.

use crochet_tests::{Agent, Failure, Outcome, Replies, Reply, Request, World, alone, is_time, list, members, shared, text};
use serde_json::{Value, json};

/// Keys that a profile may have.
const MOST: usize = 45;

async fn keys(agent: &Agent) -> Result<Vec<Value>, Failure> {
    Ok(list(agent.get("/api-keys").send().await?.ok(200), "keys").to_vec())
}

async fn revoke(by: &Agent, key: &Agent) -> Result<Reply, Failure> {
    Ok(by.delete(&format!("/api-keys/{}", text(&key.issued["key"], "id"))).send().await?)
}

/// One request or more of every group of routes, with the scope that it needs.
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

/// Public routes: a key that is sent must be good all the same.
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
fn a_key_is_made_with_201_and_shown_once() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let reply = agent.post("/api-keys").json(&json!({ "name": " laptop " })).send().await?;
        let data = reply.ok(201);
        assert_eq!(members(data), ["api_key", "authorization_header", "key"]);
        let (key, made) = (text(data, "api_key"), &data["key"]);
        assert_eq!(text(data, "authorization_header"), format!("Bearer {key}"));
        assert_eq!((key.len(), &key[..5]), (53, "am_k_"));
        assert!(key[5..].bytes().all(|b| b.is_ascii_alphanumeric()), "Base62");
        assert_eq!(members(made), ["created_at", "expires_at", "id", "last_used_at", "name", "prefix", "scopes"]);
        assert_eq!(text(made, "prefix"), &key[..15]);
        assert_eq!(text(made, "id"), format!("key_{}", &key[5..15]));
        assert_eq!((text(made, "name"), &made["scopes"]), ("laptop", &json!(["read", "write"])));
        assert!(made["expires_at"].is_null() && made["last_used_at"].is_null() && is_time(&made["created_at"]));
        assert_eq!(reply.header("cache-control"), "no-store");
        let me = world.client.get("/me").header("authorization", text(data, "authorization_header")).send().await?;
        assert_eq!(me.ok(200)["auth"]["key_id"], made["id"]);
        assert_eq!(me.data()["profile"]["id"], agent.profile_id);
        Ok(())
    })
}

#[test]
fn the_list_shows_metadata_only_oldest_first() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let second = agent.create_key(&json!({ "name": "second", "scopes": ["read"] })).await?;
        let reply = agent.get("/api-keys").send().await?;
        let listed = list(reply.ok(200), "keys");
        assert_eq!(members(reply.data()), ["keys"]);
        assert_eq!(listed.len(), 2);
        assert_eq!((&listed[0]["id"], &listed[1]), (&agent.issued["key"]["id"], &second.issued["key"]));
        assert!(is_time(&listed[0]["last_used_at"]), "this request used it");
        for key in [&agent, &second] {
            assert!(!reply.text().contains(&key.api_key[15..]), "a secret is shown again");
        }
        let other = world.agent().await?;
        assert_eq!(keys(&other).await?.len(), 1, "everybody sees their own");
        Ok(())
    })
}

#[test]
fn what_is_asked_of_a_key_is_checked() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for (field, bad) in [
            ("name", json!({})),
            ("name", json!({ "name": "" })),
            ("name", json!({ "name": "  " })),
            ("name", json!({ "name": "two\nlines" })),
            ("name", json!({ "name": "x".repeat(81) })),
            ("name", json!({ "name": 7 })),
            ("scopes", json!({ "name": "k", "scopes": [] })),
            ("scopes", json!({ "name": "k", "scopes": ["read", "read"] })),
            ("scopes", json!({ "name": "k", "scopes": ["read", "write", "read"] })),
            ("scopes[0]", json!({ "name": "k", "scopes": ["admin"] })),
            ("scopes", json!({ "name": "k", "scopes": "read" })),
            ("expires_at", json!({ "name": "k", "expires_at": "tomorrow" })),
            ("expires_at", json!({ "name": "k", "expires_at": "2030-01-01" })),
            ("expires_at", json!({ "name": "k", "expires_at": "2020-01-01T00:00:00Z" })),
            ("expires_at", json!({ "name": "k", "expires_at": "9999-12-31T23:59:59Z" })),
            ("expires_at", json!({ "name": "k", "expires_at": 1_900_000_000 })),
        ] {
            let reply = agent.post("/api-keys").json(&bad).send().await?;
            assert_eq!(text(&reply.refused(400, "INVALID_REQUEST")["details"], "field"), field, "{bad}");
        }
        let reply = agent.post("/api-keys").json(&json!({ "name": "k", "profile_id": agent.profile_id })).send().await?;
        reply.refused(400, "UNKNOWN_FIELD");
        assert_eq!(keys(&agent).await?.len(), 1, "a refused request makes no key");
        for good in [
            json!({ "name": "é".repeat(80) }),
            json!({ "name": "k", "scopes": null, "expires_at": null }),
            json!({ "name": "k", "scopes": ["write", "read"], "expires_at": "2030-01-31T12:00:00.5+02:00" }),
        ] {
            agent.create_key(&good).await?;
        }
        assert_eq!(keys(&agent).await?[3]["expires_at"], "2030-01-31T10:00:00.500Z");
        Ok(())
    })
}

#[test]
fn scopes_are_enforced_on_every_route() -> Outcome {
    shared(async |world| {
        let shop = world.free_shop("/status/200").await?;
        let (agent, listing) = (&shop.seller, shop.listing.id.as_str());
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
        let shop = world.free_shop("/status/200").await?;
        let key = shop.seller.create_key(&json!({ "name": "short-lived" })).await?;
        // Every instance has seen it by then.
        for (_, request) in every_group(&key, &shop.listing.id) {
            assert_ne!(request.send().await?.status, 401);
        }
        let reply = revoke(&shop.seller, &key).await?;
        assert_eq!(members(reply.ok(200)), ["key", "revoked"]);
        assert_eq!((&reply.data()["revoked"], &reply.data()["key"]["id"]), (&json!(true), &key.issued["key"]["id"]));
        is_refused_everywhere(&key, &shop.listing.id).await?;
        assert!(keys(&shop.seller).await?.iter().all(|other| other["id"] != key.issued["key"]["id"]));
        revoke(&shop.seller, &key).await?.refused(404, "KEY_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn an_expired_key_stops_working_with_the_next_request_everywhere() -> Outcome {
    alone(async |world| {
        let shop = world.free_shop("/status/200").await?;
        let end = in_seconds(world, 3_600).await?;
        let key = shop.seller.create_key(&json!({ "name": "an hour", "expires_at": end })).await?;
        let me = key.get("/me").send().await?;
        assert_eq!(text(&me.ok(200)["auth"], "expires_at"), text(&key.issued["key"], "expires_at"));
        world.later(3_590).await?;
        key.get("/me").send().await?.ok(200);
        world.later(11).await?;
        is_refused_everywhere(&key, &shop.listing.id).await?;
        // It is still in the list, and can be deleted.
        assert!(keys(&shop.seller).await?.iter().any(|other| other["id"] == key.issued["key"]["id"]));
        revoke(&shop.seller, &key).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_key_lasts_ten_years_at_most() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let (day, ten_years) = (86_400, 3_653 * 86_400);
        for (seconds, status) in [(60, 201), (ten_years - day, 201), (ten_years + day, 400), (-1, 400)] {
            let body = json!({ "name": "k", "expires_at": in_seconds(world, seconds).await? });
            assert_eq!(agent.post("/api-keys").json(&body).send().await?.status, status, "{body}");
        }
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
fn forty_five_keys_are_the_limit_and_those_that_have_ended_make_room() -> Outcome {
    alone(async |world| {
        let agent = world.agent().await?;
        let end = in_seconds(world, 600).await?;
        let short = agent.create_key(&json!({ "name": "short", "expires_at": end })).await?;
        let mut last = short.clone();
        for n in 2..MOST {
            last = agent.create_key(&json!({ "name": format!("k{n}") })).await?;
        }
        assert_eq!(keys(&agent).await?.len(), MOST);
        let body = json!({ "name": "one too many" });
        let error = agent.post("/api-keys").json(&body).send().await?;
        assert_eq!(error.refused(409, "KEY_LIMIT")["details"]["max_keys"], MOST);
        assert_eq!(text(&error.error()["recovery"], "next_action"), "revoke_unused_key");
        revoke(&agent, &last).await?.ok(200);
        agent.create_key(&body).await?;
        agent.post("/api-keys").json(&body).send().await?.refused(409, "KEY_LIMIT");
        world.later(601).await?;
        agent.create_key(&json!({ "name": "in its place" })).await?;
        let listed = keys(&agent).await?;
        assert_eq!(listed.len(), MOST);
        assert!(listed.iter().all(|key| key["id"] != short.issued["key"]["id"]), "the one that has ended is gone");
        agent.post("/api-keys").json(&body).send().await?.refused(409, "KEY_LIMIT");
        // Whoever recovers gets in all the same, and no more than before are left.
        let back = world.client.recover(&agent.wallet, false).await?;
        assert_eq!(keys(&back).await?.len(), MOST);
        // A new role reaches each of them in one transaction.
        back.patch("/me").json(&json!({ "role": "buyer" })).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn parallel_keys_all_count() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for n in 0..MOST - 4 {
            agent.create_key(&json!({ "name": format!("k{n}") })).await?;
        }
        let bodies: Vec<Value> = (0..8).map(|n| json!({ "name": format!("p{n}") })).collect();
        let replies = futures::future::join_all(bodies.iter().map(|body| agent.post("/api-keys").json(body).send())).await;
        let mut made = 0;
        for reply in replies {
            let reply = reply?;
            match reply.status {
                201 => made += 1,
                409 => drop(reply.refused(409, "KEY_LIMIT").clone()),
                _ => drop(reply.refused(503, "SERVICE_UNAVAILABLE").clone()),
            }
        }
        let listed = keys(&agent).await?.len();
        assert!(made <= 3 && listed <= MOST, "{made} made, {listed} listed");
        assert_eq!(listed, MOST - 3 + made, "each answer tells the truth");
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

#[test]
fn a_bad_checksum_is_refused_before_any_look_up() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let mut mistyped = agent.api_key.clone().into_bytes();
        mistyped[30] = if mistyped[30] == b'a' { b'b' } else { b'a' };
        let mistyped = String::from_utf8(mistyped)?;
        for reply in [
            world.client.get("/me").key(&mistyped).send().await?,
            world.client.get("/listings").query("seller", "me").key(&mistyped).send().await?,
            world.client.post("/gateway/x").key(&mistyped).json(&json!({})).send().await?,
        ] {
            reply.refused(401, "INVALID_API_KEY");
            let Some(costs) = world.costs() else { return Ok(()) };
            let (cost, path) = costs.of("mistyped", &reply).ok_or_else(|| Failure::new("no cost was noted"))?;
            assert_eq!((cost.trips, cost.read_units, cost.write_units), (1, 0.0, 1.0), "the failed-auth counter alone: {path}");
        }
        Ok(())
    })
}

#[test]
fn the_last_use_is_written_at_most_once_an_hour() -> Outcome {
    alone(async |world| {
        let agent = world.agent().await?;
        let key = agent.create_key(&json!({ "name": "watched" })).await?;
        let last_used = async || -> Result<Value, Failure> {
            let listed = keys(&agent).await?;
            let found = listed.into_iter().find(|other| other["id"] == key.issued["key"]["id"]);
            Ok(found.ok_or_else(|| Failure::new("the key is gone"))?["last_used_at"].clone())
        };
        assert!(last_used().await?.is_null());
        let replies = futures::future::join_all((0..40).map(|_| key.get("/me").send())).await;
        let mut written = 0.0;
        for reply in replies {
            let reply = reply?;
            reply.ok(200);
            let costs = world.costs().and_then(|costs| costs.of("first uses", &reply));
            // One unit is the rate counter's.
            written += costs.map_or(0.0, |(cost, _)| cost.write_units - 1.0);
        }
        assert!(world.costs().is_none() || written == 1.0, "{written} notes of forty parallel first uses");
        let first = last_used().await?;
        assert!(is_time(&first));
        world.later(3_500).await?;
        key.get("/me").send().await?.ok(200);
        assert_eq!(last_used().await?, first, "within the hour");
        world.later(101).await?;
        key.get("/me").send().await?.ok(200);
        let second = last_used().await?;
        assert!(text(&json!({ "at": second }), "at") > text(&json!({ "at": first }), "at"));
        Ok(())
    })
}

/// A moment so many seconds from the stack's now, as RFC 3339 spells it.
async fn in_seconds(world: &World, seconds: i64) -> Result<String, Failure> {
    let health = world.client.get("/health").send().await?;
    let now = time::OffsetDateTime::parse(text(health.data(), "time"), &time::format_description::well_known::Rfc3339)
        .map_err(|error| Failure::new(error.to_string()))?;
    (now + time::Duration::seconds(seconds))
        .format(&time::format_description::well_known::Rfc3339)
        .map_err(|error| Failure::new(error.to_string()))
}
