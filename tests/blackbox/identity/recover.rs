//! `POST /auth/recover`.

use crochet_tests::{Failure, Outcome, Replies, Setup, Wallet, members, shared, text, with_setup};
use serde_json::{Value, json};

#[test]
fn recovery_answers_200_with_a_fresh_key_beside_the_others() -> Outcome {
    shared(async |world| {
        for wallet in [Wallet::evm(), Wallet::solana()] {
            let agent = world.client.register(&wallet, "Forgetful").await?;
            let body = world.client.proof(&wallet, "recover", &Value::Null).await?;
            let reply = world.client.post("/auth/recover").json(&body).send().await?;
            let data = reply.ok(200);
            assert_eq!(members(data), ["api_key", "authorization_header", "key", "profile", "wallets"]);
            assert_eq!(data["profile"]["id"], agent.profile_id);
            assert_ne!(text(data, "api_key"), agent.api_key);
            for key in [text(data, "api_key"), &agent.api_key] {
                world.client.get("/me").key(key).send().await?.ok(200);
            }
        }
        Ok(())
    })
}

#[test]
fn revoke_existing_keys_ends_all_others_with_the_next_request() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let second = world.client.recover(&agent.wallet, false).await?;
        let third = world.client.recover(&agent.wallet, true).await?;
        for ended in [&agent, &second] {
            ended.get("/me").send().await?.refused(401, "INVALID_API_KEY");
            ended.post("/listings/challenge").send().await?.refused(401, "INVALID_API_KEY");
            ended.call("anything", &json!({})).send().await?.refused(401, "INVALID_API_KEY");
        }
        third.get("/me").send().await?.ok(200);
        // revoke_existing_keys:false is as good as nothing.
        let mut body = world.client.proof(&agent.wallet, "recover", &Value::Null).await?;
        body["revoke_existing_keys"] = false.into();
        world.client.post("/auth/recover").json(&body).send().await?.ok(200);
        third.get("/me").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_wallet_that_nobody_registered_recovers_nothing() -> Outcome {
    shared(async |world| {
        let body = world.client.proof(&Wallet::evm(), "recover", &Value::Null).await?;
        world.client.post("/auth/recover").json(&body).send().await?.refused(404, "WALLET_NOT_REGISTERED");
        Ok(())
    })
}

#[test]
fn recovery_needs_the_wallets_own_signature_and_work() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let mut body = world.client.proof(&agent.wallet, "recover", &Value::Null).await?;
        body["signature"] = Wallet::solana().sign("anything").into();
        world.client.post("/auth/recover").json(&body).send().await?.refused(401, "SIGNATURE_INVALID");
        let mut body = world.client.proof(&agent.wallet, "recover", &Value::Null).await?;
        body["pow_nonce"] = "not this".into();
        world.client.post("/auth/recover").json(&body).send().await?.refused(400, "POW_INVALID");
        Ok(())
    })
}

#[test]
fn of_parallel_recoveries_that_revoke_existing_keys_one_key_is_left() -> Outcome {
    shared(async |world| {
        let wallet = Wallet::solana();
        let first = world.client.register(&wallet, "Forgetful").await?;
        let recovered = futures::future::join_all((0..4).map(|_| world.client.recover(&wallet, true))).await;
        let mut good = 0;
        for agent in recovered.into_iter().flatten().chain([first]) {
            good += usize::from(agent.get("/me").send().await?.status == 200);
        }
        assert_eq!(good, 1, "each ended all others");
        Ok(())
    })
}

/// Timing can reveal as much as messages: a rejection reads the same items for every wallet.
#[test]
fn a_refusal_costs_the_same_whether_or_not_the_wallet_is_registered() -> Outcome {
    with_setup(Setup::default(), async |world| {
        let Some(costs) = world.costs() else { return Ok(()) };
        let registered = Wallet::solana();
        world.client.register(&registered, "Registered").await?;
        let mut told = Vec::new();
        for wallet in [&registered, &Wallet::solana()] {
            let body = json!({ "wallet_address": wallet.address(), "signature": wallet.sign("1"), "nonce": "0".repeat(32), "pow_nonce": "1" });
            let reply = world.client.post("/auth/recover").json(&body).send().await?;
            reply.refused(400, "CHALLENGE_INVALID");
            let (row, path) = costs.of("refused", &reply).ok_or_else(|| Failure::new("no cost was noted"))?;
            told.push(format!("{row} {path}"));
        }
        assert_eq!(told[0], told[1]);
        Ok(())
    })
}
