//! `/api-keys`: creating and listing keys, and the maximum number.

use crochet_tests::api_keys::{in_seconds, keys, revoke};
use crochet_tests::{Failure, Outcome, Replies, is_time, isolated, list, members, shared, text};
use serde_json::{Value, json};

/// Maximum number of keys of a profile.
const MOST: usize = 45;

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
fn forty_five_keys_are_the_limit_and_those_that_have_ended_make_room() -> Outcome {
    isolated(async |world| {
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
        let (mut made, mut unsure) = (0, 0);
        for reply in replies {
            let reply = reply?;
            match reply.status {
                201 => made += 1,
                409 => drop(reply.refused(409, "KEY_LIMIT").clone()),
                // Where the database answers too late, nobody knows.
                _ => {
                    reply.refused(503, "SERVICE_UNAVAILABLE");
                    unsure += 1;
                }
            }
        }
        let listed = keys(&agent).await?.len() - (MOST - 3);
        assert!(listed <= 3, "{listed} beyond the limit");
        assert!((made..=made + unsure).contains(&listed), "{made} made, {unsure} unsure, {listed} listed");
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
    isolated(async |world| {
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
