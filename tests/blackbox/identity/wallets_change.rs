//! `PATCH /me/wallets/:id`.

use crochet_tests::{Agent, Failure, Outcome, Quote, Replies, Wallet, at, members, shared, text};
use serde_json::{Value, json};

/// The id of an agent's first wallet.
fn first_id(agent: &Agent) -> String {
    text(at(&agent.issued, "/wallets/0"), "id").to_owned()
}

/// Links a wallet and returns its id.
async fn linked(agent: &Agent, wallet: &Wallet) -> Result<String, Failure> {
    Ok(text(&agent.link_wallet(wallet).await?["wallet"], "id").to_owned())
}

async fn defaults(agent: &Agent) -> Result<Vec<Value>, Failure> {
    Ok(agent.wallets().await?.iter().map(|wallet| wallet["default_for"].clone()).collect())
}

#[test]
fn a_change_answers_200_with_the_wallet_and_what_leave_out_stays() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let second = Wallet::evm();
        let id = linked(&agent, &second).await?;
        let reply = agent.try_update_wallet(&agent.wallet, &id, &json!({ "capabilities": ["payout", "auth"] })).await?;
        let data = reply.ok(200);
        assert_eq!(members(data), ["wallet"]);
        assert_eq!(data["wallet"]["capabilities"], json!(["auth", "payout"]));
        assert_eq!((&data["wallet"]["default_for"], &data["wallet"]["status"]), (&json!(["payout"]), &json!("active")));
        let read = agent.get(&format!("/me/wallets/{id}")).send().await?;
        assert_eq!(read.ok(200), data);
        assert_eq!(agent.wallets().await?[0], agent.issued["wallets"][0], "the other one is as it was");
        let disabled = agent.update_wallet(&id, &json!({ "status": "disabled" })).await?;
        assert_eq!(disabled["wallet"]["capabilities"], json!(["auth", "payout"]));
        assert_eq!((&disabled["wallet"]["default_for"], &disabled["wallet"]["status"]), (&json!([]), &json!("disabled")));
        // null is as good as left out.
        let body = json!({ "status": "active", "capabilities": null });
        assert_eq!(agent.update_wallet(&id, &body).await?["wallet"]["status"], "active");
        Ok(())
    })
}

#[test]
fn defaults_per_chain_family_move_and_always_tell_the_truth() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let (second, evm) = (linked(&agent, &Wallet::solana()).await?, linked(&agent, &Wallet::evm()).await?);
        let both = json!(["payment", "payout"]);
        assert_eq!(defaults(&agent).await?, [both.clone(), json!([]), both.clone()]);
        agent.update_wallet(&second, &json!({ "default_for": ["payout"] })).await?;
        assert_eq!(defaults(&agent).await?, [json!(["payment"]), json!(["payout"]), both.clone()], "away from its sibling");
        agent.update_wallet(&second, &json!({ "status": "disabled" })).await?;
        assert_eq!(defaults(&agent).await?, [both.clone(), json!([]), both.clone()], "disabling passes them on");
        agent.update_wallet(&second, &json!({ "status": "active", "default_for": ["payment"] })).await?;
        assert_eq!(defaults(&agent).await?, [json!(["payout"]), json!(["payment"]), both.clone()]);
        agent.update_wallet(&second, &json!({ "default_for": [] })).await?;
        assert_eq!(defaults(&agent).await?, [both.clone(), json!([]), both.clone()], "given up, to the oldest that can");
        agent.update_wallet(&evm, &json!({ "default_for": [] })).await?;
        assert_eq!(defaults(&agent).await?[2], both, "the only choice stays it");
        agent.update_wallet(&evm, &json!({ "capabilities": ["recovery"] })).await?;
        assert_eq!(defaults(&agent).await?[2], json!([]));
        Ok(())
    })
}

#[test]
fn a_default_needs_the_capability_and_an_active_wallet() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let second = Wallet::evm();
        let id = text(&agent.link_wallet_for(&second, &["payout"]).await?["wallet"], "id").to_owned();
        let before = agent.wallets().await?;
        for change in [
            json!({ "default_for": ["payment"] }),
            json!({ "default_for": ["payout"], "capabilities": ["auth"] }),
            json!({ "default_for": ["payout"], "status": "disabled" }),
        ] {
            let reply = agent.try_update_wallet(&agent.wallet, &id, &change).await?;
            assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], "default_for", "{change}");
        }
        assert_eq!(agent.wallets().await?, before);
        Ok(())
    })
}

#[test]
fn nothing_may_leave_a_profile_without_an_active_recovery_wallet() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let id = first_id(&agent);
        agent.link_wallet_for(&Wallet::evm(), &["auth", "payment", "payout"]).await?;
        for change in [
            json!({ "status": "disabled" }),
            json!({ "capabilities": [] }),
            json!({ "capabilities": ["auth", "payment", "payout"] }),
            json!({ "capabilities": ["recovery"], "status": "disabled" }),
        ] {
            let reply = agent.try_update_wallet(&agent.wallet, &id, &change).await?;
            let error = reply.refused(409, "WOULD_STRAND_PROFILE");
            assert!(text(&error["recovery"], "summary").contains("POST /me/wallets"), "{error}");
        }
        // The way out, literally.
        let heir = Wallet::evm();
        agent.link_wallet(&heir).await?;
        agent.update_wallet(&id, &json!({ "status": "disabled" })).await?;
        assert_eq!(world.client.recover(&heir, false).await?.profile_id, agent.profile_id);
        Ok(())
    })
}

#[test]
fn the_proof_comes_from_any_active_recovery_wallet_of_the_profile() -> Outcome {
    shared(async |world| {
        let (agent, other) = (world.agent().await?, world.agent().await?);
        let (second, payer) = (Wallet::evm(), Wallet::evm());
        let id = linked(&agent, &second).await?;
        agent.link_wallet_for(&payer, &["auth", "payment", "payout"]).await?;
        let change = json!({ "capabilities": ["recovery", "payment"] });
        for signer in [&agent.wallet, &second] {
            agent.try_update_wallet(signer, &id, &change).await?.ok(200);
        }
        for signer in [&payer, &other.wallet, &Wallet::solana()] {
            let reply = agent.try_update_wallet(signer, &id, &json!({ "status": "disabled" })).await?;
            assert_eq!(reply.refused(403, "PROOF_WALLET_NOT_ALLOWED")["details"]["required_capability"], "recovery");
        }
        agent.try_update_wallet(&second, &id, &json!({ "capabilities": ["auth"] })).await?.ok(200);
        agent.try_update_wallet(&second, &id, &change).await?.refused(403, "PROOF_WALLET_NOT_ALLOWED");
        Ok(())
    })
}

#[test]
fn a_wallet_of_another_profile_is_404() -> Outcome {
    shared(async |world| {
        let (agent, other) = (world.agent().await?, world.agent().await?);
        let unknown = "0198c0de-0000-7000-8000-000000000000".to_owned();
        for id in [first_id(&other), unknown] {
            agent.get(&format!("/me/wallets/{id}")).send().await?.refused(404, "WALLET_NOT_FOUND");
            let reply = agent.try_update_wallet(&agent.wallet, &id, &json!({ "status": "disabled" })).await?;
            reply.refused(404, "WALLET_NOT_FOUND");
        }
        let body = agent.change_request(&agent.wallet, &first_id(&agent), &json!({ "status": "active" })).await?;
        for id in ["x", "0198c0de", &"0".repeat(36)] {
            agent.get(&format!("/me/wallets/{id}")).send().await?.refused(404, "WALLET_NOT_FOUND");
            agent.patch(&format!("/me/wallets/{id}")).json(&body).send().await?.refused(404, "WALLET_NOT_FOUND");
        }
        assert_eq!(other.wallets().await?, [other.issued["wallets"][0].clone()]);
        // A path that can name no wallet uses nothing up.
        agent.patch(&format!("/me/wallets/{}", first_id(&agent))).json(&body).send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn what_is_malformed_changes_nothing_and_uses_nothing_up() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let path = format!("/me/wallets/{}", first_id(&agent));
        let good = agent.change_request(&agent.wallet, &first_id(&agent), &json!({ "capabilities": ["recovery"] })).await?;
        for (member, value, code, field) in [
            ("capabilities", Value::Null, "INVALID_REQUEST", "status"),
            ("capabilities", json!(["recovery", "recovery"]), "INVALID_REQUEST", "capabilities"),
            ("capabilities", json!(["own"]), "INVALID_REQUEST", "capabilities"),
            ("default_for", json!(["auth"]), "INVALID_REQUEST", "default_for"),
            ("default_for", json!(["payment", "payment"]), "INVALID_REQUEST", "default_for"),
            ("status", json!("gone"), "INVALID_REQUEST", "status"),
            ("proof", Value::Null, "INVALID_REQUEST", "proof"),
            ("proof", json!({}), "INVALID_REQUEST", "proof.wallet_address"),
            ("address", json!("0x"), "UNKNOWN_FIELD", "address"),
            ("change", json!({ "status": "active" }), "UNKNOWN_FIELD", "change"),
        ] {
            let mut body = good.clone();
            body[member] = value.clone();
            let reply = agent.patch(&path).json(&body).send().await?;
            let named = text(&reply.refused(400, code)["details"], "field");
            assert!(named.starts_with(field), "{member} {value}: {named}");
        }
        let mut body = good.clone();
        body["proof"]["nonce"] = "?".into();
        let reply = agent.patch(&path).json(&body).send().await?;
        assert_eq!(reply.refused(400, "INVALID_REQUEST")["details"]["field"], "proof.nonce");
        assert_eq!(agent.wallets().await?, [agent.issued["wallets"][0].clone()]);
        agent.patch(&path).json(&good).send().await?.ok(200);
        agent.patch(&path).json(&good).send().await?.refused(400, "CHALLENGE_INVALID");
        Ok(())
    })
}

#[test]
fn the_first_well_formed_attempt_uses_the_challenge_up_good_or_bad() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let id = first_id(&agent);
        let path = format!("/me/wallets/{id}");
        let change = json!({ "capabilities": ["recovery", "payout"] });
        let good = agent.change_request(&agent.wallet, &id, &change).await?;
        let mut bad = good.clone();
        bad["proof"]["signature"] = agent.wallet.sign("something else").into();
        agent.patch(&path).json(&bad).send().await?.refused(401, "SIGNATURE_INVALID");
        agent.patch(&path).json(&good).send().await?.refused(400, "CHALLENGE_INVALID");
        // What is signed is what is done: another change was not signed, and its list in another order is another.
        for (member, value) in [("capabilities", json!(["payout", "recovery"])), ("status", json!("active"))] {
            let good = agent.change_request(&agent.wallet, &id, &change).await?;
            let mut other = good.clone();
            other[member] = value;
            agent.patch(&path).json(&other).send().await?.refused(400, "CHALLENGE_INVALID");
            agent.patch(&path).json(&good).send().await?.refused(400, "CHALLENGE_INVALID");
        }
        assert_eq!(agent.wallets().await?, [agent.issued["wallets"][0].clone()]);
        // A refusal for what the profile is uses it up as well.
        let off = json!({ "status": "disabled" });
        let stranding = agent.change_request(&agent.wallet, &id, &off).await?;
        agent.patch(&path).json(&stranding).send().await?.refused(409, "WOULD_STRAND_PROFILE");
        agent.link_wallet(&Wallet::evm()).await?;
        agent.patch(&path).json(&stranding).send().await?.refused(400, "CHALLENGE_INVALID");
        Ok(())
    })
}

#[test]
fn a_disabled_wallet_does_nothing_until_it_is_active_again() -> Outcome {
    shared(async |world| {
        let fields = json!({ "display_name": "Keeper", "capabilities": ["auth", "recovery"] });
        let agent = world.client.register_with(&Wallet::evm(), &fields).await?;
        let purse = Wallet::solana();
        let id = linked(&agent, &purse).await?;
        let listing = world.paid_fields(&json!(1), "/echo");
        let market = world.market(1.0).await?;
        let body = json!({ "n": 1 });

        agent.update_wallet(&id, &json!({ "status": "disabled" })).await?;
        // No recovery, no proof of a link or a change (its own least of all), no payout, no payment.
        let proof = world.client.proof(&purse, "recover", &Value::Null).await?;
        world.client.post("/auth/recover").json(&proof).send().await?.refused(403, "WALLET_CANNOT_RECOVER");
        let link = agent.link_request_by(&purse, &Wallet::evm()).await?;
        agent.post("/me/wallets").json(&link).send().await?.refused(403, "PROOF_WALLET_NOT_ALLOWED");
        let awake = json!({ "status": "active" });
        agent.try_update_wallet(&purse, &id, &awake).await?.refused(403, "PROOF_WALLET_NOT_ALLOWED");
        agent.try_create_listing(&listing).await?.refused(409, "PAYOUT_WALLET_REQUIRED");
        let reply = agent.call(&market.listing.id, &body).currency("SOL").send().await?;
        reply.refused(400, "PAYMENT_WALLET_REQUIRED");
        // It is nobody else's either.
        let mut again = world.client.proof(&purse, "register", &Value::Null).await?;
        again["display_name"] = "Thief".into();
        world.client.post("/register").json(&again).send().await?.refused(409, "WALLET_ALREADY_REGISTERED");

        agent.update_wallet(&id, &awake).await?;
        assert_eq!(world.client.recover(&purse, false).await?.profile_id, agent.profile_id);
        let link = agent.link_request_by(&purse, &Wallet::evm()).await?;
        agent.post("/me/wallets").json(&link).send().await?.ok(201);
        agent.try_update_wallet(&purse, &id, &awake).await?.ok(200);
        agent.try_create_listing(&listing).await?.ok(201);
        let quote = Quote::of(agent.call(&market.listing.id, &body).currency("SOL").send().await?);
        assert_eq!(quote.payment()["pay_from"]["wallet_id"], json!(id));
        Ok(())
    })
}

#[test]
fn what_is_paid_goes_to_the_default_payout_wallet_and_comes_from_the_default_payment_wallet() -> Outcome {
    shared(async |world| {
        let market = world.market(1.0).await?;
        let (till, purse) = (Wallet::solana(), Wallet::solana());
        let till_id = linked(&market.seller, &till).await?;
        let purse_id = linked(&market.buyer, &purse).await?;
        let route = async |n: u8| -> Result<(Value, Value), Failure> {
            let quote = market.quote(&json!({ "n": n })).await?;
            let paid_to = world.sandbox.payment(&quote.id).await?["recipient"].clone();
            Ok((quote.payment()["pay_from"]["address"].clone(), paid_to))
        };
        let (buyer, seller) = (market.buyer.wallet.address(), market.seller.wallet.address());
        assert_eq!(route(1).await?, (json!(buyer), json!(seller)));
        market.seller.update_wallet(&till_id, &json!({ "default_for": ["payout"] })).await?;
        market.buyer.update_wallet(&purse_id, &json!({ "default_for": ["payment"] })).await?;
        assert_eq!(route(2).await?, (json!(purse.address()), json!(till.address())));
        market.seller.update_wallet(&till_id, &json!({ "status": "disabled" })).await?;
        market.buyer.update_wallet(&purse_id, &json!({ "capabilities": ["payout"] })).await?;
        assert_eq!(route(3).await?, (json!(buyer), json!(seller)));
        Ok(())
    })
}
