//! A person's passkeys and sessions, and the agent that they operate.

use crochet_tests::{Agent, Ceremony, Failure, Outcome, Passkey, Person, Replies, Tampering, World, list, text};
use http::Method;
use serde_json::{Value, json};

/// Everything that a person can do.
pub(super) async fn operate(world: &World, agent: &Agent) -> Outcome {
    let client = &world.client;
    let person = Person::sign_up(client, "Grace").await?;
    let ceremony = client.begin_log_in().await?;
    let credential = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
    let answer = ceremony.finish(&credential);
    client.from_page(Method::POST, "/auth/passkey/login/finish").json(&answer).send().await?.ok(200);
    person.get("/session").send().await?.ok(200);
    let ceremony = Ceremony::of(&person.post("/auth/passkey/reauthenticate/start").json(&json!({})).send().await?)?;
    let credential = person.passkey.get(&ceremony.public_key, &person.origin, &Tampering::default())?;
    person.post("/auth/passkey/reauthenticate/finish").json(&ceremony.finish(&credential)).send().await?.ok(200);
    let sessions = person.get("/sessions").send().await?;
    let other = list(sessions.ok(200), "sessions").iter().find(|session| session["current"] == false);
    let path = format!("/sessions/{}", text(other.unwrap_or(&Value::Null), "id"));
    person.delete(&path).send().await?.ok(200);
    let second = second_passkey(&person).await?;
    person.get("/auth/passkey/credentials").send().await?.ok(200);
    person.delete(&format!("/auth/passkey/credentials/{second}")).send().await?.ok(200);
    let code = json!({ "recovery_code": person.recovery_codes[0] });
    client.from_page(Method::POST, "/auth/passkey/recover").json(&code).send().await?.ok(200);
    person.post("/auth/passkey/recovery-codes").send().await?.ok(200);
    let path = format!("/agents/{}/claim", agent.profile_id);
    let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
    let proof: Value = client.proof(&agent.wallet, "claim_agent", &fields).await?;
    person.post(&path).json(&proof).send().await?.ok(200);
    person.delete(&path).send().await?.ok(200);
    person.delete("/session").query("everywhere", true).send().await?.ok(200);
    Ok(())
}

/// Adds another passkey. Returns its id.
async fn second_passkey(person: &Person) -> Result<String, Failure> {
    let ceremony = Ceremony::of(&person.post("/auth/passkey/register/start").json(&json!({})).send().await?)?;
    let (_, credential) = Passkey::create(&ceremony.public_key, &person.origin, &Tampering::default())?;
    let mut body = ceremony.finish(&credential);
    body["name"] = "Laptop".into();
    let added = person.post("/auth/passkey/register/finish").json(&body).send().await?;
    Ok(text(&added.ok(201)["passkey"], "id").to_owned())
}
