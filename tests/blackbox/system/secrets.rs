//! No key, session, recovery code or signature is stored in plain text or logged.
//!
//! A separate process makes a full run with the most verbose log of every library. Its table and its output are then searched
//! for every secret of the run, in each encoding.

use std::collections::BTreeSet;
use std::process::Command;

use crochet_tests::{Agent, Failure, Outcome, Person, Replies, Setup, Wallet, World, text, with_setup};
use serde_json::{Value, json};

/// In the process of the run: the file for its secrets.
const FOUND: &str = "CROCHET_TEST_FULL_RUN";
const THIS: &str = "system::secrets::nothing_secret_is_kept_in_clear_or_logged_in_a_full_run";
/// Shorter texts may occur by chance.
const SHORTEST: usize = 16;

/// The secret members of requests and replies.
const SECRET_MEMBERS: [&str; 4] = ["api_key", "signature", "signing_secret", "recovery_code"];

#[derive(Default)]
struct Secrets(BTreeSet<String>);

impl Secrets {
    fn add(&mut self, secret: &str) {
        assert!(secret.len() >= SHORTEST, "too short to be searched for");
        self.0.insert(secret.to_owned());
        // What stands for a prefix is no secret, and bytes may be spelt otherwise.
        let bare = secret.strip_prefix("0x").or_else(|| secret.strip_prefix("whsec_")).unwrap_or(secret);
        self.0.extend([bare.to_owned(), bare.to_ascii_lowercase(), hex::encode(secret), bare.replace('-', "")]);
    }

    /// Every secret in a request or reply.
    fn collect(&mut self, json: &Value) {
        match json {
            Value::Object(members) => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(secret) if SECRET_MEMBERS.contains(&name.as_str()) => self.add(secret),
                        _ => self.collect(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            _ => {}
        }
    }

    fn cookie(&mut self, person: &Person) {
        self.add(person.cookie.split_once('=').map_or("", |(_, token)| token));
        person.recovery_codes.iter().for_each(|code| self.add(code));
    }

    /// The secrets in `text`, by their prefixes.
    fn within(&self, text: &str) -> Vec<String> {
        let lower = text.to_ascii_lowercase();
        let stands = |secret: &&String| text.contains(secret.as_str()) || lower.contains(secret.as_str());
        self.0.iter().filter(stands).map(|secret| format!("{}…", secret.chars().take(8).collect::<String>())).collect()
    }
}

/// Agents: keys, proofs good and bad, wallets.
async fn agents(world: &World, secrets: &mut Secrets) -> Result<Agent, Failure> {
    let client = &world.client;
    let agent = client.register(&Wallet::solana(), "Ada").await?;
    secrets.collect(&agent.issued);
    secrets.collect(&client.recover(&agent.wallet, false).await?.issued);
    for purpose in ["register", "recover"] {
        let mut body = client.proof(&Wallet::evm(), purpose, &Value::Null).await?;
        secrets.collect(&body);
        body["display_name"] = "Eve".into();
        body["pow_nonce"] = "wrong".into();
        client.post("/register").json(&body).send().await?;
    }
    let new = Wallet::evm();
    let link = agent.link_request(&new).await?;
    secrets.collect(&link);
    let linked = agent.post("/me/wallets").json(&link).send().await?;
    let change = agent.change_request(&new, text(&linked.ok(201)["wallet"], "id"), &json!({ "status": "disabled" })).await?;
    secrets.collect(&change);
    agent.patch(&format!("/me/wallets/{}", text(&linked.data()["wallet"], "id"))).json(&change).send().await?.ok(200);

    let key = agent.create_key(&json!({ "name": "leaked" })).await?;
    secrets.collect(&key.issued);
    // Keys where none belong: a query, a path, the name of a member, another scheme.
    let leaked = key.api_key.as_str();
    client.get("/listings").query("api_key", leaked).send().await?;
    client.get(&format!("/listings/{leaked}")).send().await?;
    client.get(&format!("/agents/{leaked}")).send().await?;
    agent.delete(&format!("/api-keys/{leaked}")).send().await?;
    agent.patch("/me").json(&json!({ leaked: 1 })).send().await?;
    client.get("/me").header("authorization", &format!("Basic {leaked}")).send().await?;
    client.post("/api-keys/report-leak").json(&json!({ "api_key": leaked })).send().await?.ok(200);
    client.get("/me").key(leaked).send().await?.refused(401, "INVALID_API_KEY");
    Ok(agent)
}

/// People: sessions, codes, claims.
async fn people(world: &World, agent: &Agent, secrets: &mut Secrets) -> Outcome {
    let ada = Person::sign_up(&world.client, "Ada").await?;
    secrets.cookie(&ada);
    let again = ada.log_in().await?;
    secrets.cookie(&again);
    ada.add_passkey("second").await?;
    let key = again.post("/api-keys").json(&json!({ "name": "read" })).send().await?;
    secrets.collect(key.ok(201));
    let fields = json!({ "profile_id": agent.profile_id, "operator_id": ada.profile_id });
    let claim = world.client.proof(&agent.wallet, "claim_agent", &fields).await?;
    secrets.collect(&claim);
    ada.post(&format!("/agents/{}/claim", agent.profile_id)).json(&claim).send().await?.ok(200);
    let mut login = world.client.proof(&agent.wallet, "operator_login", &fields).await?;
    secrets.collect(&login);
    for (name, value) in fields.as_object().into_iter().flatten() {
        login[name] = value.clone();
    }
    for body in [login, json!({ "recovery_code": ada.recovery_codes[0] })] {
        let back = world.client.from_page(http::Method::POST, "/auth/passkey/recover").json(&body).send().await?;
        back.ok(200);
        let cookie = back.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        secrets.cookie(&Person { cookie, ..ada.clone() });
    }
    let renewed = ada.post("/auth/passkey/recovery-codes").send().await?;
    let codes = renewed.ok(200)["recovery_codes"].as_array().cloned().unwrap_or_default();
    assert_eq!(codes.len(), 10);
    codes.iter().filter_map(Value::as_str).for_each(|code| secrets.add(code));
    ada.delete("/session?everywhere=true").send().await?.ok(200);
    ada.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
    Ok(())
}

/// Calls: a paid one, a free one, one whose seller fails.
async fn calls(world: &World, secrets: &mut Secrets) -> Outcome {
    let paid = world.market(1.0).await?;
    secrets.add(&paid.listing.signing_secret);
    secrets.add(&paid.path);
    paid.buy(&json!({ "n": 1 })).await?;
    let free = world.free_market(&world.echo_path()).await?;
    secrets.add(&free.path);
    free.call(&json!({ "n": 1 })).send().await?.ok(200);
    let failing = world.free_market("/fail/500").await?;
    failing.call(&json!({ "n": 1 })).send().await?;
    for agent in [&paid.buyer, &paid.seller, &free.buyer, &failing.buyer] {
        secrets.add(&agent.api_key);
    }
    Ok(())
}

/// The run itself, in a process of its own.
fn full_run(found: &str) -> Outcome {
    crochet::telemetry::start();
    with_setup(Setup::default(), async |world| {
        let mut secrets = Secrets::default();
        let agent = agents(world, &mut secrets).await?;
        people(world, &agent, &mut secrets).await?;
        calls(world, &mut secrets).await?;
        let stored = world.stored().await?.ok_or_else(|| Failure::new("the table cannot be read"))?;
        assert!(stored.contains(&agent.profile_id), "the table is not the one of this run");
        assert_eq!(secrets.within(&stored), Vec::<String>::new(), "secrets in the table");
        std::fs::write(found, serde_json::to_vec(&secrets.0)?)?;
        Ok(())
    })
}

#[test]
fn nothing_secret_is_kept_in_clear_or_logged_in_a_full_run() -> Outcome {
    if let Ok(found) = std::env::var(FOUND) {
        return full_run(&found);
    }
    if crochet_tests::leave_out() {
        return Ok(());
    }
    let found = std::env::temp_dir().join(format!("crochet-{}", crochet_tests::unique_name()));
    let run = Command::new(std::env::current_exe()?)
        .args([THIS, "--exact", "--nocapture"])
        .env(FOUND, &found)
        .env("CROCHET_LOG", "trace")
        // The record of this run would replace that of the whole suite.
        .env_remove("CROCHET_TEST_ACTIONS")
        .output()?;
    let logged = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    let secrets = std::fs::read(&found);
    let _ = std::fs::remove_file(&found);
    if !run.status.success() {
        let end: String = logged.chars().rev().take(2_000).collect::<Vec<_>>().into_iter().rev().collect();
        return Err(Failure::new(format!("the full run failed: {end}")));
    }
    let secrets = Secrets(serde_json::from_slice(&secrets?)?);
    let lines = logged.lines().filter(|line| line.contains("\"message\":\"request\"")).count();
    assert!(lines > 50, "only {lines} requests were logged");
    assert_eq!(secrets.within(&logged), Vec::<String>::new(), "secrets in the log");
    println!("{} spellings of secrets searched for in {} bytes of log", secrets.0.len(), logged.len());
    Ok(())
}
