//! What adds or ends a way in asks for the passkey again when the last time is over five minutes ago.

use crochet_tests::{
    Agent, Ceremony, Failure, Outcome, Passkey, Person, Replies, Request, Tampering, World, isolated, list, shared, text,
    unique_name,
};
use http::Method;
use serde_json::{Value, json};

/// A person with two passkeys, a key and an agent, and what they could do to their ways in.
struct Stage {
    person: Person,
    second: String,
    key: String,
    operated: Agent,
    free: Agent,
}

impl Stage {
    async fn set(world: &World) -> Result<Self, Failure> {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let (_, second) = person.add_passkey("Second").await?;
        let made = person.post("/api-keys").json(&json!({ "name": "sheet" })).send().await?;
        let key = text(&made.ok(201)["key"], "id").to_owned();
        let (operated, free) = (world.agent().await?, world.agent().await?);
        let stage = Self { person, second, key, operated, free };
        stage.claim(&stage.operated).await?.send().await?.ok(200);
        Ok(stage)
    }

    async fn claim(&self, agent: &Agent) -> Result<Request, Failure> {
        let fields = json!({ "profile_id": agent.profile_id, "operator_id": self.person.profile_id });
        let proof = self.person.client.proof(&agent.wallet, "claim_agent", &fields).await?;
        Ok(self.person.post(&format!("/agents/{}/claim", agent.profile_id)).json(&proof))
    }

    /// Each of them, once. The last leaves no session.
    async fn requests(&self) -> Result<Vec<(&'static str, Request)>, Failure> {
        let person = &self.person;
        Ok(vec![
            ("add a passkey", person.post("/auth/passkey/register/start").json(&json!({}))),
            ("remove a passkey", person.delete(&format!("/auth/passkey/credentials/{}", self.second))),
            ("new codes", person.post("/auth/passkey/recovery-codes")),
            ("make a key", person.post("/api-keys").json(&json!({ "name": unique_name() }))),
            ("end a key", person.delete(&format!("/api-keys/{}", self.key))),
            ("claim", self.claim(&self.free).await?),
            ("release", person.delete(&format!("/agents/{}/claim", self.operated.profile_id))),
            ("end everything", person.delete("/session").query("everywhere", true).query("keys", true)),
        ])
    }
}

#[test]
fn every_change_of_a_way_in_asks_again_and_obeying_the_error_leads_out() -> Outcome {
    isolated(async |world| {
        let stage = Stage::set(world).await?;
        let person = &stage.person;
        world.later(301).await?;
        for (what, request) in stage.requests().await? {
            let refused = request.send().await?;
            assert_eq!((refused.status, refused.code()), (403, "REAUTHENTICATION_REQUIRED"), "{what}: {}", refused.text());
            let error = refused.refused(403, "REAUTHENTICATION_REQUIRED");
            let advice = &error["recovery"];
            assert_eq!((text(advice, "next_action"), &advice["retryable"]), ("reauthenticate", &json!(true)));
            // Obeys it: the routes are named in the order in which they are called.
            let routes: Vec<&str> = text(advice, "summary")
                .split([' ', ','])
                .filter(|word| word.starts_with("/auth/passkey/reauthenticate/"))
                .collect();
            let [start, finish] = routes[..] else { return Err(Failure::new(format!("{what} names {routes:?}"))) };
            let ceremony = Ceremony::of(&person.post(start).send().await?)?;
            let answer = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
            person.post(finish).json(&ceremony.finish(&answer)).send().await?.ok(200);
            // Nothing was done before, and the same request is good now. The clock goes on for the next.
            let (_, again) = stage
                .requests()
                .await?
                .into_iter()
                .find(|(name, _)| *name == what)
                .ok_or_else(|| Failure::new("the same request"))?;
            let done = again.send().await?;
            assert!((200..300).contains(&done.status), "{what}: {}", done.text());
            world.later(301).await?;
        }
        Ok(())
    })
}

#[test]
fn five_minutes_count_from_the_log_in_and_from_each_use() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let add = async || person.post("/auth/passkey/register/start").json(&json!({})).send().await;
        world.later(290).await?;
        add().await?.ok(200);
        world.later(11).await?;
        add().await?.refused(403, "REAUTHENTICATION_REQUIRED");
        let before = person.get("/session").send().await?;
        let reply = person.try_reauthenticate(&person.passkey).await?;
        let after = reply.ok(200);
        assert_eq!(reply.header("set-cookie"), "", "the session stays the same");
        let at = |data: &Value| text(&data["session"], "authenticated_at").to_owned();
        assert!(at(after) > at(before.ok(200)), "{after}");
        assert_eq!(after["session"]["created_at"], before.data()["session"]["created_at"]);
        assert_eq!(at(person.get("/session").send().await?.ok(200)), at(after));
        assert_eq!(list(person.get("/sessions").send().await?.ok(200), "sessions").len(), 1);
        world.later(290).await?;
        add().await?.ok(200);
        world.later(11).await?;
        add().await?.refused(403, "REAUTHENTICATION_REQUIRED");
        // A log-in opens a session of its own, and leaves this one as it is.
        person.log_in().await?.post("/auth/passkey/register/start").json(&json!({})).send().await?.ok(200);
        add().await?.refused(403, "REAUTHENTICATION_REQUIRED");
        Ok(())
    })
}

/// Who has lost every passkey logs in with a code, and adds a passkey at once.
#[test]
fn a_recovery_code_counts_as_proof() -> Outcome {
    isolated(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        world.later(3_600).await?;
        let code = json!({ "recovery_code": person.recovery_codes[0] });
        let reply = world.client.from_page(Method::POST, "/auth/passkey/recover").json(&code).send().await?;
        reply.ok(200);
        let cookie = reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        let back = Person { cookie, ..person };
        back.add_passkey("New").await?;
        world.later(301).await?;
        back.post("/auth/passkey/recovery-codes").send().await?.refused(403, "REAUTHENTICATION_REQUIRED");
        Ok(())
    })
}

#[test]
fn reads_and_what_agents_do_never_ask() -> Outcome {
    isolated(async |world| {
        let stage = Stage::set(world).await?;
        world.later(3_000).await?;
        for path in ["/me", "/session", "/sessions", "/api-keys", "/auth/passkey/credentials"] {
            stage.person.get(path).send().await?.ok(200);
        }
        stage.person.patch("/me").json(&json!({ "description": "Operates." })).send().await?.ok(200);
        let made = stage.free.create_key(&json!({ "name": "spare" })).await?;
        stage.free.delete(&format!("/api-keys/{}", text(&made.issued["key"], "id"))).send().await?.ok(200);
        stage.person.delete("/session").query("everywhere", true).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn another_passkey_session_or_ceremony_proves_nothing() -> Outcome {
    isolated(async |world| {
        let [ada, eve] = [Person::sign_up(&world.client, "Ada").await?, Person::sign_up(&world.client, "Eve").await?];
        let phone = ada.log_in().await?;
        world.later(301).await?;
        let start = async |person: &Person| -> Result<Ceremony, Failure> {
            Ok(Ceremony::of(&person.post("/auth/passkey/reauthenticate/start").json(&json!({})).send().await?)?)
        };
        let finish = async |person: &Person, ceremony: &Ceremony, passkey: &Passkey, tampering: &Tampering| {
            let answer = passkey.get(&ceremony.public_key, &person.origin, tampering).map_err(Failure::from)?;
            Ok::<_, Failure>(person.post("/auth/passkey/reauthenticate/finish").json(&ceremony.finish(&answer)).send().await?)
        };
        let honest = Tampering::default();
        // Somebody else's passkey; and the same one, pretending to be Ada's.
        ada.try_reauthenticate(&eve.passkey).await?.refused(401, "PASSKEY_REFUSED");
        let lie = Tampering { user_handle: Some(ada.passkey.user_handle().to_vec()), ..Tampering::default() };
        finish(&ada, &start(&ada).await?, &eve.passkey, &lie).await?.refused(401, "PASSKEY_REFUSED");
        for tampering in [
            Tampering { no_user_verification: true, ..Tampering::default() },
            Tampering { bogus_signature: true, ..Tampering::default() },
            Tampering { cross_origin: true, ..Tampering::default() },
            Tampering { origin: Some("https://evil.example".into()), ..Tampering::default() },
        ] {
            finish(&ada, &start(&ada).await?, &ada.passkey, &tampering).await?.refused(401, "PASSKEY_REFUSED");
        }
        // A ceremony belongs to the session that started it, and to its purpose.
        let phones = start(&phone).await?;
        finish(&ada, &phones, &ada.passkey, &honest).await?.refused(400, "CEREMONY_INVALID");
        finish(&phone, &phones, &ada.passkey, &honest).await?.refused(400, "CEREMONY_INVALID");
        let log_in = world.client.begin_log_in().await?;
        finish(&ada, &log_in, &ada.passkey, &honest).await?.refused(400, "CEREMONY_INVALID");
        let again = start(&ada).await?;
        let answer = ada.passkey.get(&again.public_key, &ada.origin, &honest)?;
        let as_log_in = world.client.from_page(Method::POST, "/auth/passkey/login/finish").json(&again.finish(&answer));
        as_log_in.send().await?.refused(400, "CEREMONY_INVALID");
        // It expires.
        let late = start(&ada).await?;
        world.later(300).await?;
        finish(&ada, &late, &ada.passkey, &honest).await?.refused(400, "CEREMONY_INVALID");
        ada.post("/auth/passkey/recovery-codes").send().await?.refused(403, "REAUTHENTICATION_REQUIRED");
        // It is finished once.
        let good = start(&ada).await?;
        let answer = good.finish(&ada.passkey.get(&good.public_key, &ada.origin, &honest)?);
        let send = || ada.post("/auth/passkey/reauthenticate/finish").json(&answer).send();
        send().await?.ok(200);
        send().await?.refused(400, "CEREMONY_INVALID");
        ada.post("/auth/passkey/recovery-codes").send().await?.ok(200);
        phone.post("/auth/passkey/recovery-codes").send().await?.refused(403, "REAUTHENTICATION_REQUIRED");
        Ok(())
    })
}

#[test]
fn a_session_that_has_ended_cannot_be_renewed() -> Outcome {
    shared(async |world| {
        let person = Person::sign_up(&world.client, "Ada").await?;
        let laptop = person.log_in().await?;
        let ceremony = Ceremony::of(&laptop.post("/auth/passkey/reauthenticate/start").send().await?)?;
        person.delete("/session").query("everywhere", true).send().await?.ok(200);
        let answer = ceremony.finish(&person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?);
        laptop.post("/auth/passkey/reauthenticate/finish").json(&answer).send().await?.refused(401, "SESSION_REQUIRED");
        let back = person.log_in().await?;
        back.post("/auth/passkey/reauthenticate/finish").json(&answer).send().await?.refused(400, "CEREMONY_INVALID");
        Ok(())
    })
}
