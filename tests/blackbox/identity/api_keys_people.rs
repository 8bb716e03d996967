//! `/me` and `/api-keys` with a session: people read, and neither buy nor sell.

use crochet_tests::{Agent, Failure, Outcome, Person, Replies, Wallet, World, is_time, list, members, shared, text, unique_name};
use serde_json::json;

async fn person(world: &World) -> Result<Person, Failure> {
    Ok(Person::sign_up(&world.client, &format!("Person {}", unique_name())).await?)
}

/// An agent that uses this key.
fn holder(world: &World, person: &Person, api_key: &str) -> Agent {
    Agent {
        client: world.client.clone(),
        wallet: Wallet::evm(),
        api_key: api_key.to_owned(),
        profile_id: person.profile_id.clone(),
        issued: json!({}),
    }
}

#[test]
fn me_accepts_a_session() -> Outcome {
    shared(async |world| {
        let person = person(world).await?;
        let reply = person.get("/me").send().await?;
        let data = reply.ok(200);
        assert_eq!(members(data), ["auth", "claimed_agents", "profile", "wallets"]);
        assert_eq!((&data["profile"]["id"], text(&data["profile"], "account_type")), (&json!(person.profile_id), "human"));
        assert_eq!((list(data, "wallets").len(), list(data, "claimed_agents").len()), (0, 0));
        let auth = &data["auth"];
        assert_eq!((text(auth, "type"), &auth["key_id"], &auth["scopes"]), ("session", &json!(null), &json!(["read"])));
        assert!(is_time(&auth["expires_at"]));
        Ok(())
    })
}

#[test]
fn a_person_changes_name_and_description_but_has_no_role_to_choose() -> Outcome {
    shared(async |world| {
        let person = person(world).await?;
        let body = json!({ "display_name": "Renamed", "description": "Operates." });
        let reply = person.patch("/me").json(&body).send().await?;
        assert_eq!(text(&reply.ok(200)["profile"], "display_name"), "Renamed");
        for role in ["buyer", "seller", "both"] {
            let refused = person.patch("/me").json(&json!({ "role": role })).send().await?;
            assert_eq!(text(&refused.refused(400, "INVALID_REQUEST")["details"], "field"), "role");
        }
        let from_elsewhere = world.client.request(http::Method::PATCH, "/me").header("cookie", &person.cookie);
        from_elsewhere.header("sec-fetch-site", "cross-site").json(&body).send().await?.refused(403, "CROSS_SITE_REQUEST");
        Ok(())
    })
}

#[test]
fn keys_made_with_a_session_are_read_only() -> Outcome {
    shared(async |world| {
        let person = person(world).await?;
        let made = person.post("/api-keys").json(&json!({ "name": "dashboard" })).send().await?;
        assert_eq!(made.ok(201)["key"]["scopes"], json!(["read"]));
        for scopes in [json!(["write"]), json!(["read", "write"])] {
            let refused = person.post("/api-keys").json(&json!({ "name": "k", "scopes": scopes })).send().await?;
            let error = refused.refused(403, "INSUFFICIENT_SCOPE");
            assert_eq!(text(&error["details"], "required_scope"), "write");
            assert_eq!(text(&error["recovery"], "next_action"), "ask_for_read_scope", "no other key would do");
        }
        let key = holder(world, &person, text(made.data(), "api_key"));
        let me = key.get("/me").send().await?;
        assert_eq!(me.ok(200)["profile"]["id"], person.profile_id);
        assert_eq!(text(&me.data()["auth"], "type"), "api_key");
        let listed = person.get("/api-keys").send().await?;
        assert_eq!(list(listed.ok(200), "keys")[0]["id"], made.data()["key"]["id"]);
        for refused in [
            key.patch("/me").json(&json!({ "display_name": "A" })),
            key.post("/api-keys").json(&json!({ "name": "k" })),
            key.post("/listings/challenge"),
            key.call("anything", &json!({})),
        ] {
            refused.send().await?.refused(403, "INSUFFICIENT_SCOPE");
        }
        let path = format!("/api-keys/{}", text(&made.data()["key"], "id"));
        key.delete(&path).send().await?.refused(403, "INSUFFICIENT_SCOPE");
        person.delete(&path).send().await?.ok(200);
        key.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        Ok(())
    })
}

#[test]
fn a_session_that_has_ended_makes_no_key() -> Outcome {
    shared(async |world| {
        let person = person(world).await?;
        person.delete("/session").send().await?.ok(200);
        person.post("/api-keys").json(&json!({ "name": "k" })).send().await?.refused(401, "SESSION_REQUIRED");
        person.get("/api-keys").send().await?.refused(401, "SESSION_REQUIRED");
        Ok(())
    })
}
