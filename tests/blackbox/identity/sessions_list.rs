//! `GET /sessions`, `DELETE /sessions/:id`, and logging out everywhere together with the keys.

use crochet_tests::{Failure, Outcome, Person, Replies, World, isolated, list, members, shared, text, unique_name};
use http::Method;
use serde_json::{Value, json};

async fn sessions(person: &Person) -> Result<Vec<Value>, Failure> {
    let reply = person.get("/sessions").send().await?;
    Ok(list(reply.ok(200), "sessions").to_vec())
}

async fn own_id(person: &Person) -> Result<String, Failure> {
    let all = sessions(person).await?;
    let own: Vec<&Value> = all.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(own.len(), 1, "one session is the present one: {all:?}");
    Ok(text(own[0], "id").to_owned())
}

#[test]
fn sessions_are_listed_last_used_first_and_the_present_one_is_marked() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        world.later(60).await?;
        let laptop = person.log_in().await?;
        world.later(60).await?;
        let code = json!({ "recovery_code": person.recovery_codes[0] });
        world.client.from_page(Method::POST, "/auth/passkey/recover").json(&code).send().await?.ok(200);
        let seen = sessions(&laptop).await?;
        let names = ["created_at", "current", "expires_at", "id", "last_seen_at", "opened_with"];
        assert!(seen.iter().all(|session| members(session) == names), "{seen:?}");
        let brief: Vec<_> = seen.iter().map(|session| (text(session, "opened_with"), session["current"] == true)).collect();
        assert_eq!(brief, [("recovery_code", false), ("passkey", true), ("passkey", false)]);
        let token = laptop.cookie.split_once('=').map(|(_, token)| token).unwrap_or_default();
        assert!(!seen.iter().any(|session| session.to_string().contains(token)), "a token is shown");
        // The one that is used last is the first.
        world.later(600).await?;
        assert_eq!(sessions(&person).await?[0]["current"], true);
        // What has expired is not listed.
        world.later(12 * 3_600).await?;
        let back = person.log_in().await?;
        assert_eq!(sessions(&back).await?.len(), 1);
        Ok(())
    })
}

#[test]
fn one_session_is_ended_from_another_and_its_own_takes_the_cookie_back() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let (laptop, phone) = (person.log_in().await?, person.log_in().await?);
        let ended = laptop.delete(&format!("/sessions/{}", own_id(&phone).await?)).send().await?;
        assert_eq!(ended.ok(200)["session"]["current"], false);
        assert_eq!(ended.header("set-cookie"), "");
        phone.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
        assert_eq!(sessions(&laptop).await?.len(), 2);

        let path = format!("/sessions/{}", own_id(&laptop).await?);
        let ended = laptop.delete(&path).send().await?;
        assert_eq!(ended.ok(200)["session"]["current"], true);
        assert!(ended.header("set-cookie").contains("Max-Age=0"));
        laptop.get("/sessions").send().await?.refused(401, "SESSION_REQUIRED");
        person.delete(&path).send().await?.refused(404, "SESSION_NOT_FOUND");
        Ok(())
    })
}

#[test]
fn sessions_of_others_do_not_exist() -> Outcome {
    shared(async |world| {
        let [ada, eve] = [Person::sign_up(&world.client, "Ada").await?, Person::sign_up(&world.client, "Eve").await?];
        let path = format!("/sessions/{}", own_id(&ada).await?);
        for path in [path.as_str(), "/sessions/ses_00000000000000000000", "/sessions/ses_", "/sessions/x"] {
            let refused = eve.delete(path).send().await?;
            let error = refused.refused(404, "SESSION_NOT_FOUND");
            assert_eq!(text(&error["recovery"], "next_action"), "list_sessions");
        }
        ada.get("/session").send().await?.ok(200);
        world.client.get("/sessions").send().await?.refused(401, "SESSION_REQUIRED");
        Ok(())
    })
}

async fn key(world: &World, person: &Person) -> Result<String, Failure> {
    let made = person.post("/api-keys").json(&json!({ "name": format!("key {}", unique_name()) })).send().await?;
    let key = text(made.ok(201), "api_key").to_owned();
    world.client.get("/me").key(&key).send().await?.ok(200);
    Ok(key)
}

#[test]
fn logging_out_everywhere_ends_the_keys_only_if_asked_to() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let other = person.log_in().await?;
        let made = [key(world, &person).await?, key(world, &other).await?];
        person.delete("/session").query("keys", true).send().await?.refused(400, "INVALID_REQUEST");
        person.delete("/session").query("everywhere", true).query("keys", "all").send().await?.refused(400, "INVALID_REQUEST");
        other.delete("/session").query("everywhere", true).query("keys", false).send().await?.ok(200);
        for key in &made {
            world.client.get("/me").key(key).send().await?.ok(200);
        }

        let back = person.log_in().await?;
        let stranger = Person::sign_up(&world.client, "Bob").await?;
        let strangers = key(world, &stranger).await?;
        let mut everything = made.to_vec();
        for _ in 2..45 {
            world.later(2).await?;
            if everything.len() % 20 == 0 {
                world.later(60).await?;
                back.reauthenticate().await?;
            }
            everything.push(key(world, &back).await?);
        }
        // Ending keys asks for the passkey again. Ending sessions never does.
        world.later(301).await?;
        let all = || back.delete("/session").query("everywhere", true).query("keys", true).send();
        all().await?.refused(403, "REAUTHENTICATION_REQUIRED");
        back.get("/session").send().await?.ok(200);
        back.reauthenticate().await?;
        all().await?.ok(200);
        back.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
        for key in &everything {
            world.client.get("/me").key(key).send().await?.refused(401, "INVALID_API_KEY");
        }
        world.client.get("/me").key(&strangers).send().await?.ok(200);
        let again = person.log_in().await?;
        assert_eq!(list(again.get("/api-keys").send().await?.ok(200), "keys").len(), 0);
        Ok(())
    })
}
