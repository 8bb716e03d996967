//! People operate agents: `POST` and `DELETE /agents/{id}/claim`, and the ledger that an operator sees.

use crochet_tests::{Agent, Failure, Outcome, Person, Replies, Reply, Wallet, World, list, shared, text, unique_name};
use futures::future::try_join_all;
use serde_json::{Value, json};

async fn person(world: &World) -> Result<Person, Failure> {
    Ok(Person::sign_up(&world.client, &format!("Person {}", unique_name())).await?)
}

/// A proof that names this agent and this operator.
async fn proof(world: &World, wallet: &Wallet, agent_id: &str, operator_id: &str) -> Result<Value, Failure> {
    let fields = json!({ "profile_id": agent_id, "operator_id": operator_id });
    Ok(world.client.proof(wallet, "claim_agent", &fields).await?)
}

async fn claim(world: &World, person: &Person, agent: &Agent) -> Result<Reply, Failure> {
    let proof = proof(world, &agent.wallet, &agent.profile_id, &person.profile_id).await?;
    claim_with(person, agent, &proof).await
}

async fn claim_with(person: &Person, agent: &Agent, proof: &Value) -> Result<Reply, Failure> {
    Ok(person.post(&format!("/agents/{}/claim", agent.profile_id)).json(proof).send().await?)
}

async fn public(world: &World, id: &str) -> Result<Value, Failure> {
    Ok(world.client.get(&format!("/agents/{id}")).send().await?.ok(200)["profile"].clone())
}

#[test]
fn a_claimed_agent_shows_its_operator_and_keeps_everything_that_is_its_own() -> Outcome {
    shared(async |world| {
        let (person, market) = (person(world).await?, world.market(1.0).await?);
        let agent = &market.seller;
        let before = public(world, &agent.profile_id).await?;
        assert_eq!((&before["account_type"], &before["operator"]), (&json!("agent"), &Value::Null));

        let claimed = claim(world, &person, agent).await?;
        let profile = &claimed.ok(200)["profile"];
        assert_eq!(profile["account_type"], "human_claimed_agent");
        let name = text(&person.get("/me").send().await?.ok(200)["profile"], "display_name").to_owned();
        assert_eq!(profile["operator"], json!({ "id": person.profile_id, "display_name": name }));
        assert_eq!(&public(world, &agent.profile_id).await?, profile);
        for kept in ["id", "display_name", "description", "role", "score", "tier", "is_verified", "created_at"] {
            assert_eq!(profile[kept], before[kept], "{kept}");
        }

        let me = agent.get("/me").send().await?;
        assert_eq!(&me.ok(200)["profile"], profile);
        assert_eq!(list(me.data(), "wallets").len(), 1, "wallets stay the agent's");
        let listing = world.client.get(&format!("/listings/{}", market.listing.id)).send().await?;
        assert_eq!(listing.ok(200)["listing"]["seller"]["claimed"], true);

        let me = person.get("/me").send().await?;
        assert_eq!(list(me.ok(200), "claimed_agents"), std::slice::from_ref(profile));
        assert_eq!(me.data()["auth"]["type"], "session");
        Ok(())
    })
}

#[test]
fn a_released_agent_is_a_plain_agent_again_and_may_be_claimed_by_another() -> Outcome {
    shared(async |world| {
        let (one, other, agent) = (person(world).await?, person(world).await?, world.agent().await?);
        claim(world, &one, &agent).await?.ok(200);
        let path = format!("/agents/{}/claim", agent.profile_id);
        other.delete(&path).send().await?.refused(403, "NOT_OPERATOR");
        let released = one.delete(&path).send().await?;
        let profile = &released.ok(200)["profile"];
        assert_eq!((&profile["account_type"], &profile["operator"]), (&json!("agent"), &Value::Null));
        assert_eq!(list(one.get("/me").send().await?.ok(200), "claimed_agents").len(), 0);
        one.delete(&path).send().await?.refused(403, "NOT_OPERATOR");
        claim(world, &other, &agent).await?.ok(200);
        Ok(())
    })
}

#[test]
fn an_agent_has_one_operator() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let people = try_join_all((0..12).map(|_| person(world))).await?;
        let replies = try_join_all(people.iter().map(|person| claim(world, person, &agent))).await?;
        let won = replies.iter().filter(|reply| reply.status == 200).count();
        let lost = replies.iter().filter(|reply| reply.code() == "ALREADY_CLAIMED").count();
        assert_eq!((won, lost), (1, 11));
        let operator = public(world, &agent.profile_id).await?["operator"]["id"].clone();
        for (person, reply) in people.iter().zip(&replies) {
            let has = list(person.get("/me").send().await?.ok(200), "claimed_agents").len();
            assert_eq!(has, usize::from(reply.status == 200));
            assert_eq!(reply.status == 200, operator == json!(person.profile_id));
        }
        // Claiming what one operates already changes nothing.
        let winner = people.iter().find(|person| operator == json!(person.profile_id)).expect("one has won");
        claim(world, winner, &agent).await?.ok(200);
        assert_eq!(list(winner.get("/me").send().await?.ok(200), "claimed_agents").len(), 1);
        Ok(())
    })
}

#[test]
fn a_proof_counts_for_this_agent_and_this_person_only() -> Outcome {
    shared(async |world| {
        let (ada, eve) = (person(world).await?, person(world).await?);
        let (agent, other) = (world.agent().await?, world.agent().await?);
        let lured = [
            proof(world, &agent.wallet, &agent.profile_id, &ada.profile_id).await?,
            proof(world, &agent.wallet, &other.profile_id, &eve.profile_id).await?,
            world.client.proof(&agent.wallet, "register", &Value::Null).await?,
            world.client.proof(&agent.wallet, "recover", &Value::Null).await?,
            {
                let fields = json!({ "profile_id": agent.profile_id, "operator_id": eve.profile_id });
                world.client.proof(&agent.wallet, "operator_login", &fields).await?
            },
        ];
        for proof in lured {
            claim_with(&eve, &agent, &proof).await?.refused(400, "CHALLENGE_INVALID");
        }
        // Its own wallet signs, but it is none of the agent's.
        let stranger = Wallet::evm();
        let proof_of_stranger = proof(world, &stranger, &agent.profile_id, &eve.profile_id).await?;
        claim_with(&eve, &agent, &proof_of_stranger).await?.refused(403, "PROOF_WALLET_NOT_ALLOWED");
        let fields = json!({ "profile_id": agent.profile_id, "operator_id": eve.profile_id });
        let challenge = world.client.challenge(agent.wallet.address(), "claim_agent", &fields).await?;
        assert!(challenge.message.contains(&agent.profile_id) && challenge.message.contains(&eve.profile_id));
        let mut forged = challenge.answer(&other.wallet);
        forged["wallet_address"] = agent.wallet.address().into();
        claim_with(&eve, &agent, &forged).await?.refused(401, "SIGNATURE_INVALID");
        claim_with(&eve, &agent, &challenge.answer(&agent.wallet)).await?.refused(400, "CHALLENGE_INVALID");
        assert_eq!(public(world, &agent.profile_id).await?["operator"], Value::Null);
        Ok(())
    })
}

#[test]
fn a_wallet_proves_an_agent_only_while_it_may_sign() -> Outcome {
    shared(async |world| {
        let (ada, agent, payer) = (person(world).await?, world.agent().await?, Wallet::evm());
        let linked = agent.link_wallet_for(&payer, &["payment"]).await?;
        let by_payer = proof(world, &payer, &agent.profile_id, &ada.profile_id).await?;
        let refused = claim_with(&ada, &agent, &by_payer).await?;
        assert_eq!(refused.refused(403, "PROOF_WALLET_NOT_ALLOWED")["details"]["required_capability"], "auth");
        agent.update_wallet(text(&linked["wallet"], "id"), &json!({ "capabilities": ["auth"] })).await?;
        let by_signer = proof(world, &payer, &agent.profile_id, &ada.profile_id).await?;
        claim_with(&ada, &agent, &by_signer).await?.ok(200);
        Ok(())
    })
}

#[test]
fn nobody_but_a_person_claims_and_nothing_but_an_agent_is_claimed() -> Outcome {
    shared(async |world| {
        let (ada, bob, agent) = (person(world).await?, person(world).await?, world.agent().await?);
        let path = format!("/agents/{}/claim", agent.profile_id);
        let answer = async || proof(world, &agent.wallet, &agent.profile_id, &ada.profile_id).await;
        world.client.post(&path).json(&answer().await?).send().await?.refused(401, "SESSION_REQUIRED");
        agent.post(&path).json(&answer().await?).send().await?.refused(401, "SESSION_REQUIRED");
        let cross = ada.client.post(&path).header("cookie", &ada.cookie).header("sec-fetch-site", "cross-site");
        cross.json(&answer().await?).send().await?.refused(403, "CROSS_SITE_REQUEST");
        for id in [bob.profile_id.as_str(), "01890000-0000-7000-8000-000000000000", "nobody"] {
            let path = format!("/agents/{id}/claim");
            let agents = proof(world, &agent.wallet, &agent.profile_id, &ada.profile_id).await?;
            let refused = ada.post(&path).json(&agents).send().await?;
            assert!(matches!(refused.code(), "PROFILE_NOT_FOUND" | "CHALLENGE_INVALID"), "{}", refused.text());
            ada.delete(&path).send().await?.refused(404, "PROFILE_NOT_FOUND");
        }
        claim_with(&ada, &agent, &answer().await?).await?.ok(200);
        Ok(())
    })
}

#[test]
fn an_operator_sees_the_books_of_its_agents_and_nobody_elses() -> Outcome {
    shared(async |world| {
        let (ada, eve, market) = (person(world).await?, person(world).await?, world.market(1.0).await?);
        let (quote, _) = market.buy(&json!({ "n": 1 })).await?;
        let id = text(&market.row(&quote.id).await?, "id").to_owned();
        claim(world, &ada, &market.buyer).await?.ok(200);

        let key = ada.post("/api-keys").json(&json!({ "name": "books" })).send().await?;
        let key = text(key.ok(201), "api_key").to_owned();
        for (path, plural) in [("/gateway-requests", "gateway_requests"), ("/ledger", "entries")] {
            let own = market.buyer.get(path).send().await?;
            let seen = ada.get(path).query("agent_id", &market.buyer.profile_id).send().await?;
            assert_eq!(list(seen.ok(200), plural), list(own.ok(200), plural), "{path}");
            assert!(!list(seen.data(), plural).is_empty());
            let by_key = world.client.get(path).key(&key).query("agent_id", &market.buyer.profile_id).send().await?;
            assert_eq!(by_key.ok(200), seen.data());
            assert_eq!(list(ada.get(path).send().await?.ok(200), plural).len(), 0, "a person's own books are empty");
            let itself = market.buyer.get(path).query("agent_id", &market.buyer.profile_id).send().await?;
            assert_eq!(itself.ok(200), own.data());

            ada.get(path).query("agent_id", &market.seller.profile_id).send().await?.refused(403, "NOT_OPERATOR");
            eve.get(path).query("agent_id", &market.buyer.profile_id).send().await?.refused(403, "NOT_OPERATOR");
            market.seller.get(path).query("agent_id", &market.buyer.profile_id).send().await?.refused(403, "NOT_OPERATOR");
            for nobody in ["nobody", &eve.profile_id] {
                ada.get(path).query("agent_id", nobody).send().await?.refused(404, "PROFILE_NOT_FOUND");
            }
        }
        let one = format!("/gateway-requests/{id}");
        let seen = ada.get(&one).query("agent_id", &market.buyer.profile_id).send().await?;
        assert_eq!(text(&seen.ok(200)["gateway_request"], "id"), id);
        ada.get(&one).send().await?.refused(404, "CALL_NOT_FOUND");
        eve.get(&one).query("agent_id", &market.buyer.profile_id).send().await?.refused(403, "NOT_OPERATOR");

        ada.delete(&format!("/agents/{}/claim", market.buyer.profile_id)).send().await?.ok(200);
        ada.get("/ledger").query("agent_id", &market.buyer.profile_id).send().await?.refused(403, "NOT_OPERATOR");
        world.client.get(&one).key(&key).query("agent_id", &market.buyer.profile_id).send().await?.refused(403, "NOT_OPERATOR");
        Ok(())
    })
}
