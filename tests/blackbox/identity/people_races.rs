//! Requests whose session ends, or whose claim is released, between authorization and write.
//!
//! The request's transaction is held by the proxy while somebody else completes a request.

use crochet_tests::{
    Agent, Ceremony, Failure, Outcome, Passkey, Person, Proxy, Replies, Reply, Request, Setup, Tampering, Wallet, World,
    eventually, list, shared, text, with_setup,
};
use futures::future::try_join_all;
use http::Method;
use serde_json::{Value, json};

fn with_proxy(test: impl AsyncFnOnce(&World, &Proxy) -> Outcome) -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| test(world, proxy).await)
}

/// The reply to a request whose transaction reaches the database after `meanwhile`.
async fn overtaken(proxy: &Proxy, request: Request, meanwhile: impl AsyncFnOnce() -> Outcome) -> Result<Reply, Failure> {
    proxy.hold_next_transaction();
    let acts = async {
        proxy.holds_a_transaction().await?;
        meanwhile().await?;
        proxy.let_go();
        Ok::<_, Failure>(())
    };
    let (reply, acted) = tokio::join!(request.send(), acts);
    acted?;
    Ok(reply?)
}

async fn proof(world: &World, purpose: &str, wallet: &Wallet, agent: &Agent, person: &Person) -> Result<Value, Failure> {
    let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
    Ok(world.client.proof(wallet, purpose, &fields).await?)
}

async fn claim(world: &World, person: &Person, agent: &Agent) -> Result<Request, Failure> {
    let proof = proof(world, "claim_agent", &agent.wallet, agent, person).await?;
    Ok(person.post(&format!("/agents/{}/claim", agent.profile_id)).json(&proof))
}

/// Everything that an attacker's session could do to keep access.
async fn grabs(world: &World, thief: &Person, agent: &Agent, spare: &str) -> Result<Vec<(&'static str, Request)>, Failure> {
    let ceremony = Ceremony::of(&thief.post("/auth/passkey/register/start").json(&json!({})).send().await?)?;
    let (_, credential) = Passkey::create(&ceremony.public_key, &thief.origin, &Tampering::default())?;
    Ok(vec![
        ("claim", claim(world, thief, agent).await?),
        ("add a passkey", thief.post("/auth/passkey/register/finish").json(&ceremony.finish(&credential))),
        ("remove a passkey", thief.delete(&format!("/auth/passkey/credentials/{spare}"))),
        ("new codes", thief.post("/auth/passkey/recovery-codes")),
        ("make a key", thief.post("/api-keys").json(&json!({ "name": "Mine" }))),
    ])
}

fn nothing_is_left_of_a_session(everywhere: bool) -> Outcome {
    with_proxy(async |world, proxy| {
        let victim = Person::sign_up(&world.client, "Victim").await?;
        let (_, spare) = victim.add_passkey("Spare").await?;
        let agent = world.client.register(&Wallet::solana(), "A thief's agent").await?;
        for grab in 0..5 {
            let (owner, thief) = (victim.log_in().await?, victim.log_in().await?);
            let (what, request) = grabs(world, &thief, &agent, &spare).await?.swap_remove(grab);
            let reply = overtaken(proxy, request, async || {
                let ends = if everywhere { owner.delete("/session").query("everywhere", true) } else { thief.delete("/session") };
                ends.send().await?.ok(200);
                Ok(())
            });
            let reply = reply.await?;
            assert_eq!((reply.status, reply.code()), (401, "SESSION_REQUIRED"), "{what}: {}", reply.text());
            let next_action = text(&reply.error()["recovery"], "next_action").to_owned();
            assert_eq!(next_action, "log_in", "{what}");
        }
        let owner = victim.log_in().await?;
        assert_eq!(list(owner.get("/me").send().await?.ok(200), "claimed_agents").len(), 0);
        assert_eq!(list(owner.get("/auth/passkey/credentials").send().await?.ok(200), "passkeys").len(), 2);
        assert_eq!(list(owner.get("/api-keys").send().await?.ok(200), "keys").len(), 0);
        let code = json!({ "recovery_code": victim.recovery_codes[0] });
        world.client.from_page(Method::POST, "/auth/passkey/recover").json(&code).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn nothing_is_written_for_a_session_that_was_logged_out_meanwhile() -> Outcome {
    nothing_is_left_of_a_session(false)
}

#[test]
fn nothing_is_written_for_a_session_that_was_logged_out_everywhere_meanwhile() -> Outcome {
    nothing_is_left_of_a_session(true)
}

/// Logging out everywhere wins, however much an attacker's session writes.
#[test]
fn logging_out_everywhere_is_not_held_up_by_what_a_session_writes() -> Outcome {
    shared(async |world| {
        for _ in 0..4 {
            let victim = Person::sign_up(&world.client, "Victim").await?;
            let thief = victim.log_in().await?;
            let writes = async || {
                // Until the session is over, or has written as often as it may.
                while thief.post("/auth/passkey/recovery-codes").send().await?.status / 100 != 4 {}
                Ok::<_, Failure>(())
            };
            // On a busy machine the database is slower than the store may wait for it; then the reply says to try again.
            let log_out = eventually("everybody is logged out", async || {
                let out = victim.delete("/session").query("everywhere", true).send().await?;
                Ok(if out.status == 503 { None } else { Some(out) })
            });
            let (_, out) = tokio::try_join!(try_join_all((0..24).map(|_| writes())), log_out)?;
            out.ok(200);
            thief.get("/session").send().await?.refused(401, "SESSION_REQUIRED");
            let codes = victim.log_in().await?.post("/auth/passkey/recovery-codes").send().await?;
            let code = json!({ "recovery_code": codes.ok(200)["recovery_codes"][0] });
            world.client.from_page(Method::POST, "/auth/passkey/recover").json(&code).send().await?.ok(200);
        }
        Ok(())
    })
}

/// The solved challenge for `operator_login`, as a body.
async fn operator_login(world: &World, wallet: &Wallet, agent: &Agent, person: &Person) -> Result<Request, Failure> {
    let mut body = proof(world, "operator_login", wallet, agent, person).await?;
    body["profile_id"] = agent.profile_id.as_str().into();
    body["operator_id"] = person.profile_id.as_str().into();
    Ok(world.client.from_page(Method::POST, "/auth/passkey/recover").json(&body))
}

#[test]
fn an_agent_that_is_released_meanwhile_lets_nobody_in() -> Outcome {
    with_proxy(async |world, proxy| {
        let person = Person::sign_up(&world.client, "Operator").await?;
        let agent = world.client.register(&Wallet::solana(), "Released").await?;
        claim(world, &person, &agent).await?.send().await?.ok(200);
        let login = operator_login(world, &agent.wallet, &agent, &person).await?;
        let reply = overtaken(proxy, login, async || {
            person.delete(&format!("/agents/{}/claim", agent.profile_id)).send().await?.ok(200);
            Ok(())
        });
        reply.await?.refused(403, "NOT_OPERATOR");
        Ok(())
    })
}

#[test]
fn a_wallet_that_is_disabled_before_everybody_is_logged_out_lets_nobody_in() -> Outcome {
    with_proxy(async |world, proxy| {
        let person = Person::sign_up(&world.client, "Operator").await?;
        let agent = world.client.register(&Wallet::solana(), "Robbed").await?;
        let stolen = Wallet::evm();
        let id = text(&agent.link_wallet(&stolen).await?["wallet"], "id").to_owned();
        claim(world, &person, &agent).await?.send().await?.ok(200);
        let login = operator_login(world, &stolen, &agent, &person).await?;
        let reply = overtaken(proxy, login, async || {
            agent.update_wallet(&id, &json!({ "status": "disabled" })).await?;
            person.delete("/session").query("everywhere", true).send().await?.ok(200);
            Ok(())
        });
        reply.await?.refused(403, "NOT_OPERATOR");
        Ok(())
    })
}
