//! Signing up and logging in with passkeys, with a correct browser and authenticator.

use crochet_tests::{Ceremony, Outcome, Passkey, Person, Replies, Tampering, is_time, is_uuid, list, members, shared, text};
use http::Method;
use serde_json::{Value, json};

const START: &str = "/auth/passkey/register/start";
const FINISH: &str = "/auth/passkey/register/finish";

#[test]
fn humans_sign_up_with_a_passkey() -> Outcome {
    shared(async |world| {
        let origin = world.client.origin().await?;
        let start = world.client.from_page(Method::POST, START).json(&json!({ "display_name": "Ada L." })).send().await?;
        let data = start.ok(200);
        assert_eq!(members(data), ["ceremony_id", "expires_in", "public_key"]);
        assert_eq!(data["expires_in"], 300);
        let options = &data["public_key"];
        assert_eq!(options["rp"]["id"], "localhost");
        assert_eq!((&options["user"]["name"], &options["user"]["displayName"]), (&json!("Ada L."), &json!("Ada L.")));
        assert_eq!((&options["attestation"], &options["excludeCredentials"]), (&json!("none"), &json!([])));

        let ceremony = Ceremony::of(&start)?;
        let (passkey, credential) = Passkey::create(&ceremony.public_key, &origin, &Tampering::default())?;
        let reply = world.client.from_page(Method::POST, FINISH).json(&ceremony.finish(&credential)).send().await?;
        let data = reply.ok(201);
        assert_eq!(members(data), ["profile", "recovery_codes", "session"]);
        let profile = &data["profile"];
        assert_eq!((&profile["account_type"], &profile["display_name"]), (&json!("human"), &json!("Ada L.")));
        assert!(is_uuid(&profile["id"]) && profile["operator"].is_null(), "{profile}");
        assert_eq!(hex::encode(passkey.user_handle()), text(profile, "id").replace('-', ""), "the user handle is the profile");
        let session = &data["session"];
        assert_eq!(members(session), ["authenticated_at", "created_at", "expires_at", "last_seen_at", "recovery_codes_left"]);
        assert!(is_time(&session["created_at"]) && is_time(&session["expires_at"]), "{session}");
        assert_eq!(session["recovery_codes_left"], 10);
        assert_eq!(reply.header("cache-control"), "no-store");

        let person = Person::signed_up(&world.client, passkey, origin, &reply)?;
        let seen = person.get("/session").send().await?;
        assert_eq!(members(seen.ok(200)), ["profile", "session"]);
        assert_eq!(seen.data()["profile"], *profile);
        Ok(())
    })
}

#[test]
fn humans_log_in_with_a_passkey_and_say_no_name() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Grace").await?;
        // The body may be left out.
        let start = world.client.from_page(Method::POST, "/auth/passkey/login/start").send().await?;
        let options = &start.ok(200)["public_key"];
        assert_eq!((&options["rpId"], &options["userVerification"]), (&json!("localhost"), &json!("required")));
        assert_eq!((&options["allowCredentials"], options.get("mediation")), (&json!([]), None));
        let ceremony = Ceremony::of(&start)?;
        let body = ceremony.finish(&person.passkey.get(options, &person.origin, &Tampering::default())?);
        let reply = world.client.from_page(Method::POST, "/auth/passkey/login/finish").json(&body).send().await?;
        let data = reply.ok(200);
        assert_eq!(members(data), ["profile", "session"]);
        assert_eq!(text(&data["profile"], "id"), person.profile_id);
        assert_eq!(data["session"]["recovery_codes_left"], 10);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(!reply.text().contains(reply.header("set-cookie").split([';', '=']).nth(1).unwrap_or("?")), "the token is told");
        // Two browsers, two sessions.
        for browser in [&person, &person.log_in().await?] {
            browser.get("/session").send().await?.ok(200);
        }
        Ok(())
    })
}

#[test]
fn a_cookie_of_a_session_that_is_over_keeps_nobody_from_signing_up_or_logging_in() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Returning").await?;
        person.delete("/session").send().await?.ok(200);
        let start = person.post("/auth/passkey/login/start").json(&json!({})).send().await?;
        let ceremony = Ceremony::of(&start)?;
        let answer = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
        person.post("/auth/passkey/login/finish").json(&ceremony.finish(&answer)).send().await?.ok(200);
        let ceremony = Ceremony::of(&person.post(START).json(&json!({ "display_name": "Somebody New" })).send().await?)?;
        let (_, credential) = Passkey::create(&ceremony.public_key, &person.origin, &Tampering::default())?;
        let reply = person.post(FINISH).json(&ceremony.finish(&credential)).send().await?;
        assert_ne!(text(&reply.ok(201)["profile"], "id"), person.profile_id);
        Ok(())
    })
}

#[test]
fn a_session_cookie_is_host_only_secure_and_unreadable_for_scripts() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Grace").await?;
        let reply = world.client.try_log_in(&person.passkey, &person.origin, &Tampering::default()).await?;
        reply.ok(200);
        assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 1);
        let cookie = reply.header("set-cookie");
        let (pair, flags) = cookie.split_once("; ").unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or_default();
        assert_eq!((name, value.len()), ("__Host-crochet", 43));
        assert_eq!(flags, "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=604800");
        Ok(())
    })
}

#[test]
fn a_second_passkey_logs_in() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Two Keys").await?;
        let start = person.post(START).json(&json!({})).send().await?;
        let excluded = list(&start.ok(200)["public_key"], "excludeCredentials");
        assert_eq!(excluded.len(), 1, "browsers are told which authenticator has one already");
        let (second, id) = person.add_passkey("Phone").await?;
        assert_eq!(second.user_handle(), person.passkey.user_handle());
        let browser = person.log_in_with(&second).await?;
        assert_eq!(browser.get("/session").send().await?.ok(200)["profile"]["id"], person.profile_id);

        let reply = person.get("/auth/passkey/credentials").send().await?;
        let passkeys = list(reply.ok(200), "passkeys");
        assert_eq!(passkeys.len(), 2);
        for passkey in passkeys {
            assert_eq!(members(passkey), ["created_at", "id", "last_used_at", "name"]);
            assert!(is_uuid(&passkey["id"]) && is_time(&passkey["created_at"]), "{passkey}");
        }
        assert_eq!((text(&passkeys[0], "name"), text(&passkeys[1], "name")), ("Passkey 1", "Phone"));
        assert_eq!((text(&passkeys[1], "id"), is_time(&passkeys[1]["last_used_at"])), (id.as_str(), true));
        assert_eq!(passkeys[0]["last_used_at"], Value::Null);
        Ok(())
    })
}

#[test]
fn a_removed_passkey_logs_nobody_in_and_the_last_one_cannot_be_removed() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Two Keys").await?;
        let reply = person.get("/auth/passkey/credentials").send().await?;
        let first = text(&list(reply.ok(200), "passkeys")[0], "id").to_owned();
        let path = |id: &str| format!("/auth/passkey/credentials/{id}");
        person.delete(&path(&first)).send().await?.refused(409, "LAST_PASSKEY");

        let (second, id) = person.add_passkey("Phone").await?;
        let other = Person::sign_up(&world.client, "Somebody Else").await?;
        other.delete(&path(&id)).send().await?.refused(404, "PASSKEY_NOT_FOUND");
        person.delete(&path("x")).send().await?.refused(404, "PASSKEY_NOT_FOUND");
        let removed = person.delete(&path(&first)).send().await?;
        assert_eq!(text(&removed.ok(200)["passkey"], "id"), first);
        person.delete(&path(&first)).send().await?.refused(404, "PASSKEY_NOT_FOUND");

        let refused = world.client.try_log_in(&person.passkey, &person.origin, &Tampering::default()).await?;
        refused.refused(401, "PASSKEY_REFUSED");
        person.log_in_with(&second).await?;
        person.delete(&path(&id)).send().await?.refused(409, "LAST_PASSKEY");
        Ok(())
    })
}

#[test]
fn of_parallel_removals_one_passkey_is_left() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Careless").await?;
        for name in ["B", "C", "D"] {
            person.add_passkey(name).await?;
        }
        let reply = person.get("/auth/passkey/credentials").send().await?;
        let ids: Vec<String> = list(reply.ok(200), "passkeys").iter().map(|passkey| text(passkey, "id").to_owned()).collect();
        let removals = ids.iter().map(|id| person.delete(&format!("/auth/passkey/credentials/{id}")).send());
        for reply in futures::future::join_all(removals).await {
            let reply = reply?;
            assert!(matches!((reply.status, reply.code()), (200, "") | (409, "LAST_PASSKEY")), "{}", reply.text());
        }
        let reply = person.get("/auth/passkey/credentials").send().await?;
        assert_eq!(list(reply.ok(200), "passkeys").len(), 1);
        Ok(())
    })
}

#[test]
fn a_person_has_at_most_ten_passkeys() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Collector").await?;
        // Begun while there was room.
        let late = Ceremony::of(&person.post(START).json(&json!({})).send().await?)?;
        for n in 2..=10 {
            person.add_passkey(&format!("Number {n}")).await?;
        }
        person.post(START).json(&json!({})).send().await?.refused(409, "PASSKEY_LIMIT");
        let (_, credential) = Passkey::create(&late.public_key, &person.origin, &Tampering::default())?;
        person.post(FINISH).json(&late.finish(&credential)).send().await?.refused(409, "PASSKEY_LIMIT");
        person.log_in().await?;
        Ok(())
    })
}

#[test]
fn a_person_neither_buys_nor_sells_and_is_no_agent() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "No Agent").await?;
        person.post("/listings/challenge").send().await?.refused(401, "UNAUTHORIZED");
        person.post("/gateway/anything").json(&json!({})).send().await?.refused(401, "UNAUTHORIZED");
        Ok(())
    })
}
