//! What people do: sign up, log in, recover, and operate agents.

use crochet_tests::{Ceremony, Outcome, Passkey, Person, Replies, Reply, Tampering, text};
use http::Method;
use serde_json::{Value, json};

use super::figures::Figures;

/// Passkeys and sessions.
pub(super) async fn people(figures: &mut Figures<'_>) -> Outcome {
    let client = &figures.world.client;
    let origin = client.origin().await?;
    let visit = async |path: &str, body: &Value| client.from_page(Method::POST, path).json(body).send().await;

    let started = visit("/auth/passkey/register/start", &json!({ "display_name": "Counted" })).await?;
    figures.note("start signing up", &started)?;
    let (passkey, made) = created(&started, &origin)?;
    let finished = visit("/auth/passkey/register/finish", &made).await?;
    figures.note("sign up", &finished)?;
    let person = Person::signed_up(client, passkey, origin.clone(), &finished)?;

    let started = visit("/auth/passkey/login/start", &json!({})).await?;
    figures.note("start logging in", &started)?;
    let ceremony = Ceremony::of(&started)?;
    let answer = ceremony.finish(&person.passkey.get(&ceremony.public_key, &origin, &Tampering::default())?);
    figures.note("log in", &visit("/auth/passkey/login/finish", &answer).await?)?;
    figures.note("session", &person.get("/session").send().await?)?;

    let started = person.post("/auth/passkey/register/start").json(&json!({})).send().await?;
    figures.note("start adding a passkey", &started)?;
    let (_, made) = created(&started, &origin)?;
    figures.note("add a passkey", &person.post("/auth/passkey/register/finish").json(&made).send().await?)?;
    figures.note("passkeys", &person.get("/auth/passkey/credentials").send().await?)?;

    let code = json!({ "recovery_code": person.recovery_codes[0] });
    figures.note("recovery code", &visit("/auth/passkey/recover", &code).await?)?;
    figures.note("new codes", &person.post("/auth/passkey/recovery-codes").send().await?)?;
    let started = person.post("/auth/passkey/reauthenticate/start").json(&json!({})).send().await?;
    figures.note("start using a passkey again", &started)?;
    let ceremony = Ceremony::of(&started)?;
    let answer = ceremony.finish(&person.passkey.get(&ceremony.public_key, &origin, &Tampering::default())?);
    let again = person.post("/auth/passkey/reauthenticate/finish").json(&answer).send().await?;
    figures.note("use a passkey again", &again)?;
    let sessions = person.get("/sessions").send().await?;
    figures.note("sessions (3)", &sessions)?;
    let other = person.log_in().await?.get("/sessions").send().await?;
    let other = other.ok(200)["sessions"].as_array().into_iter().flatten().find(|session| session["current"] == true);
    let path = format!("/sessions/{}", text(other.unwrap_or(&Value::Null), "id"));
    figures.note("end a session (of 4)", &person.delete(&path).send().await?)?;
    figures.note("log out", &person.log_in().await?.delete("/session").send().await?)?;
    // Signing up, logging in and the recovery code have opened one each.
    let everywhere = person.delete("/session").query("everywhere", true).send().await?;
    figures.note("log out everywhere (3 sessions)", &everywhere)?;
    let person = person.log_in().await?;
    person.post("/api-keys").json(&json!({ "name": "counted" })).send().await?.ok(201);
    let everything = person.delete("/session").query("everywhere", true).query("keys", true).send().await?;
    figures.note("log out everywhere (1 session, 1 key)", &everything)
}

/// Claims, of an agent with one listing.
pub(super) async fn claims(figures: &mut Figures<'_>) -> Outcome {
    let (world, client) = (figures.world, &figures.world.client);
    let (person, agent) = (Person::sign_up(client, "Operator").await?, world.agent().await?);
    agent.create_listing(&world.free_fields("/echo")).await?;
    let path = format!("/agents/{}/claim", agent.profile_id);
    let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
    let proof = client.proof(&agent.wallet, "claim_agent", &fields).await?;
    figures.note("claim an agent with a listing", &person.post(&path).json(&proof).send().await?)?;
    figures.note("claimed agent", &client.get(&format!("/agents/{}", agent.profile_id)).send().await?)?;
    let mut login = client.proof(&agent.wallet, "operator_login", &fields).await?;
    for name in ["profile_id", "operator_id"] {
        login[name] = fields[name].clone();
    }
    let back = client.from_page(Method::POST, "/auth/passkey/recover").json(&login).send().await?;
    figures.note("log in with an agent's wallet", &back)?;
    figures.note("release an agent with a listing", &person.delete(&path).send().await?)
}

/// Creates the passkey of a ceremony and the body that finishes it.
fn created(started: &Reply, origin: &str) -> Result<(Passkey, Value), crochet_tests::Failure> {
    let ceremony = Ceremony::of(started)?;
    let (passkey, credential) = Passkey::create(&ceremony.public_key, origin, &Tampering::default())?;
    let body = ceremony.finish(&credential);
    Ok((passkey, body))
}
