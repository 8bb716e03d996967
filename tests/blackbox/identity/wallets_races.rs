//! Concurrent linking, changing and use of challenges.

use crochet_tests::{Failure, Outcome, Replies, Reply, Wallet, shared, text};
use futures::future::join_all;
use serde_json::{Value, json};

#[test]
fn of_50_profiles_that_link_one_wallet_at_once_one_gets_it() -> Outcome {
    shared(async |world| {
        let wallet = &Wallet::evm();
        let mut agents = Vec::new();
        for _ in 0..50 {
            let agent = world.agent().await?;
            agents.push((agent.link_request(wallet).await?, agent));
        }
        let replies = join_all(agents.iter().map(|(body, agent)| agent.post("/me/wallets").json(body).send())).await;
        let mut linked = 0;
        for (reply, (_, agent)) in replies.into_iter().zip(&agents) {
            let reply = reply?;
            let has = agent.wallets().await?.len();
            match reply.status {
                201 => assert_eq!(has, 2),
                // Where the table is too busy with the fifty, nobody knows.
                503 => drop(reply.refused(503, "SERVICE_UNAVAILABLE").clone()),
                _ => {
                    reply.refused(409, "WALLET_ALREADY_LINKED");
                    assert_eq!(has, 1);
                }
            }
            if has == 2 {
                linked += 1;
                assert_eq!(world.client.recover(wallet, false).await?.profile_id, agent.profile_id);
            }
        }
        assert_eq!(linked, 1);
        Ok(())
    })
}

#[test]
fn two_wallets_linked_to_one_profile_at_once_are_both_linked() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for _ in 0..5 {
            let bodies = [agent.link_request(&Wallet::evm()).await?, agent.link_request(&Wallet::solana()).await?];
            let replies = join_all(bodies.iter().map(|body| agent.post("/me/wallets").json(body).send())).await;
            for reply in replies {
                reply?.ok(201);
            }
        }
        assert_eq!(agent.wallets().await?.len(), 11);
        Ok(())
    })
}

#[test]
fn of_two_wallets_that_are_disabled_at_once_one_stays() -> Outcome {
    shared(async |world| {
        for _ in 0..5 {
            let agent = world.agent().await?;
            let second = Wallet::evm();
            let first = text(&agent.issued["wallets"][0], "id").to_owned();
            let ids = [first, text(&agent.link_wallet(&second).await?["wallet"], "id").to_owned()];
            let off = json!({ "status": "disabled" });
            let bodies =
                [agent.change_request(&second, &ids[0], &off).await?, agent.change_request(&agent.wallet, &ids[1], &off).await?];
            let sent = ids.iter().zip(&bodies).map(|(id, body)| agent.patch(&format!("/me/wallets/{id}")).json(body).send());
            let mut changed = 0;
            for reply in join_all(sent).await {
                let reply = reply?;
                changed += usize::from(reply.status == 200);
                // Who comes second signs with a disabled wallet.
                assert!(reply.status == 200 || reply.code() == "PROOF_WALLET_NOT_ALLOWED", "{}", reply.text());
            }
            assert_eq!(changed, 1);
            let active = agent.wallets().await?.iter().filter(|wallet| wallet["status"] == "active").count();
            assert_eq!(active, 1);
        }
        Ok(())
    })
}

/// Sends one request a hundred times concurrently. Returns how many succeeded; the others found the challenge used,
/// or the table too busy with the hundred.
async fn done_of_a_hundred(send: impl AsyncFn() -> Result<Reply, Failure>) -> Result<usize, Failure> {
    let mut done = 0;
    for reply in join_all((0..100).map(|_| send())).await {
        let reply = reply?;
        match reply.status {
            200 | 201 => done += 1,
            503 => drop(reply.refused(503, "SERVICE_UNAVAILABLE").clone()),
            _ => drop(reply.refused(400, "CHALLENGE_INVALID").clone()),
        }
    }
    Ok(done)
}

#[test]
fn of_a_hundred_parallel_uses_of_one_nonce_one_succeeds() -> Outcome {
    shared(async |world| {
        let client = &world.client;
        let wallet = Wallet::solana();
        let mut body = client.proof(&wallet, "register", &Value::Null).await?;
        body["display_name"] = "Once".into();
        let done = done_of_a_hundred(async || Ok(client.post("/register").json(&body).send().await?)).await?;
        assert_eq!(done, 1, "register");

        let agent = client.recover(&wallet, false).await?;
        let keys = async || Ok::<_, Failure>(agent.get("/api-keys").send().await?.ok(200)["api_keys"].as_array().map(Vec::len));
        let before = keys().await?;
        let body = client.proof(&wallet, "recover", &Value::Null).await?;
        let done = done_of_a_hundred(async || Ok(client.post("/auth/recover").json(&body).send().await?)).await?;
        assert_eq!(done, 1, "recover");
        assert_eq!(keys().await?, before.map(|keys| keys + 1));

        let body = agent.link_request(&Wallet::evm()).await?;
        let done = done_of_a_hundred(async || Ok(agent.post("/me/wallets").json(&body).send().await?)).await?;
        assert_eq!(done, 1, "link");
        let shared = Wallet::evm();
        let fields = json!({ "profile_id": agent.profile_id, "new_wallet_address": shared.address() });
        let challenge = client.challenge(wallet.address(), "link_wallet", &fields).await?;
        let body = json!({ "existing_wallet": challenge.answer(&wallet), "new_wallet": challenge.answer(&shared) });
        let done = done_of_a_hundred(async || Ok(agent.post("/me/wallets").json(&body).send().await?)).await?;
        assert_eq!(done, 1, "link, both with one text");
        assert_eq!(agent.wallets().await?.len(), 3);

        let id = text(&agent.wallet_at(shared.address()).await?, "id").to_owned();
        let body = agent.change_request(&wallet, &id, &json!({ "status": "disabled" })).await?;
        let done = done_of_a_hundred(async || Ok(agent.patch(&format!("/me/wallets/{id}")).json(&body).send().await?)).await?;
        assert_eq!(done, 1, "change");
        Ok(())
    })
}
