//! Claims under attack and under faults: an agent that keeps changing during its release, a process that crashes.

use std::sync::atomic::{AtomicBool, Ordering};

use crochet_tests::{
    Agent, Failure, Fault, Outcome, Person, Proxy, Replies, Reply, Setup, Wallet, World, list, shared, text, unique_name,
    with_setup,
};
use futures::future::{join, join_all};
use serde_json::{Value, json};

async fn person(world: &World) -> Result<Person, Failure> {
    Ok(Person::sign_up(&world.client, &format!("Person {}", unique_name())).await?)
}

async fn claim(world: &World, person: &Person, wallet: &Wallet, agent_id: &str) -> Result<Reply, Failure> {
    let fields = json!({ "profile_id": agent_id, "operator_id": person.profile_id });
    let proof = world.client.proof(wallet, "claim_agent", &fields).await?;
    Ok(person.post(&format!("/agents/{agent_id}/claim")).json(&proof).send().await?)
}

async fn release(person: &Person, agent: &Agent) -> Result<Reply, Failure> {
    Ok(person.delete(&format!("/agents/{}/claim", agent.profile_id)).send().await?)
}

/// Changes the agent's profile continuously, six at a time, while `work` runs.
async fn while_it_writes<T>(agent: &Agent, work: impl Future<Output = T>) -> T {
    let over = AtomicBool::new(false);
    let writing = join_all((0..6).map(async |writer| {
        let mut n = 0;
        while !over.load(Ordering::Relaxed) {
            n += 1;
            let _ = agent.patch("/me").json(&json!({ "description": format!("{writer} {n}") })).send().await;
        }
    }));
    let work = async {
        let done = work.await;
        over.store(true, Ordering::Relaxed);
        done
    };
    join(work, writing).await.0
}

#[test]
fn an_agent_that_writes_all_the_time_is_released_all_the_same() -> Outcome {
    shared(async |world| {
        let (person, agent) = (person(world).await?, world.agent().await?);
        agent.create_listing(&world.free_fields("/echo")).await?;
        for _ in 0..3 {
            claim(world, &person, &agent.wallet, &agent.profile_id).await?.ok(200);
            let released = while_it_writes(&agent, release(&person, &agent)).await?;
            assert_eq!(released.ok(200)["profile"]["account_type"], "agent");
            assert_eq!(list(person.get("/me").send().await?.ok(200), "claimed_agents").len(), 0);
            let own = agent.get("/listings").query("seller", "me").send().await?;
            assert_eq!(list(own.ok(200), "listings")[0]["seller"]["claimed"], false);
        }
        Ok(())
    })
}

#[test]
fn a_key_that_writes_all_the_time_keeps_nobody_from_recovering_the_profile() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_RATE_LIMITS", "exact")]), async |world| {
        world.at_a_minutes_start().await?;
        let agent = world.agent().await?;
        let mut proofs = Vec::new();
        for _ in 0..2 {
            proofs.push(world.client.proof(&agent.wallet, "recover", &Value::Null).await?);
        }
        // What the key may write in a minute is soon used up.
        let recovered = while_it_writes(&agent, async {
            crochet_tests::eventually("the limit of the writing key", async || {
                let reply = agent.patch("/me").json(&json!({ "description": unique_name() })).send().await?;
                Ok((reply.code() == "RATE_LIMITED").then_some(()))
            })
            .await?;
            let mut last = None;
            for mut proof in proofs {
                proof["revoke_existing_keys"] = true.into();
                let reply = world.client.post("/auth/recover").json(&proof).send().await?;
                last = Some(text(reply.ok(200), "api_key").to_owned());
            }
            Ok::<_, Failure>(last)
        })
        .await?;
        agent.get("/me").send().await?.refused(401, "INVALID_API_KEY");
        world.client.get("/me").key(&recovered.unwrap_or_default()).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn whatever_fails_on_the_way_a_look_at_the_agent_finishes_a_claim_and_a_release() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        let (person, agent) = (person(world).await?, world.agent().await?);
        let listing = format!("/listings/{}", agent.create_listing(&world.free_fields("/echo")).await?.id);
        let path = format!("/agents/{}", agent.profile_id);
        for fault in [Fault::CrashAfter, Fault::CrashBefore, Fault::LostReply, Fault::Conflict] {
            for (k, claims) in (1..30).flat_map(|k| [(k, true), (k, false)]) {
                // Where it stands before: claimed if it is to be released, and the other way round.
                let operated = !world.client.get(&path).send().await?.ok(200)["profile"]["operator"].is_null();
                match (claims, operated) {
                    (true, true) => drop(release(&person, &agent).await?.ok(200)),
                    (false, false) => drop(claim(world, &person, &agent.wallet, &agent.profile_id).await?.ok(200)),
                    _ => {}
                }
                let fields = json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id });
                let proof = world.client.proof(&agent.wallet, "claim_agent", &fields).await?;
                proxy.plan(fault, k);
                let route = format!("{path}/claim");
                let reply = if claims { person.post(&route).json(&proof) } else { person.delete(&route) }.send().await?;
                proxy.recover();
                let struck = proxy.end();
                let what = format!("{fault:?} {k}, claims: {claims}: {} {}", reply.status, reply.code());
                let shown = world.client.get(&path).send().await?;
                let operated = !shown.ok(200)["profile"]["operator"].is_null();
                assert!(reply.status >= 400 || operated == claims, "{what}");
                assert!(struck || reply.status == 200, "{what}");
                let sold = world.client.get(&listing).send().await?;
                assert_eq!(sold.ok(200)["listing"]["seller"]["claimed"], operated, "{what}");
                if !struck && !claims {
                    assert!(k > 4, "a release makes more requests than {k}");
                    break;
                }
            }
        }
        Ok(())
    })
}

#[test]
fn a_refused_claim_says_what_leads_out() -> Outcome {
    shared(async |world| {
        let (ada, eve) = (person(world).await?, person(world).await?);
        let wallet = Wallet::solana();
        let fields = json!({ "display_name": "Recovers only", "capabilities": ["recovery"] });
        let agent = world.client.register_with(&wallet, &fields).await?;
        let refused = claim(world, &ada, &wallet, &agent.profile_id).await?;
        let error = refused.refused(403, "PROOF_WALLET_NOT_ALLOWED");
        assert_eq!(error["details"]["required_capability"], "auth");
        assert_eq!(text(&error["recovery"], "next_action"), "use_auth_wallet");
        assert!(text(&error["recovery"], "summary").contains("agent's own API key"), "a person has no wallets");
        // People are no agents, and the challenge is used up by the time that is found out.
        let refused = claim(world, &ada, &wallet, &eve.profile_id).await?;
        let recovery = &refused.refused(404, "PROFILE_NOT_FOUND")["recovery"];
        assert_eq!(text(recovery, "next_action"), "request_new_challenge");
        assert_eq!(recovery["discard"], json!(["nonce", "pow_nonce", "signature"]));
        assert_eq!(recovery["preserve"], json!([]));
        Ok(())
    })
}

#[test]
fn the_text_of_a_claim_says_whom_it_lets_in() -> Outcome {
    shared(async |world| {
        let (ada, agent) = (person(world).await?, world.agent().await?);
        let fields = json!({ "profile_id": agent.profile_id, "operator_id": ada.profile_id });
        let challenge = world.client.challenge(agent.wallet.address(), "claim_agent", &fields).await?;
        assert!(challenge.message.contains("its recovery wallets can then log that person in"), "{}", challenge.message);
        Ok(())
    })
}
