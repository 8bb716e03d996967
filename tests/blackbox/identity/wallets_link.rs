//! `GET /me/wallets`, `GET /me/wallets/:id` and `POST /me/wallets`.

use crochet_tests::{Failure, Outcome, Replies, Wallet, at, is_time, is_uuid, list, members, shared, text};
use serde_json::{Value, json};

#[test]
fn linking_answers_201_with_the_wallet_and_both_reads_show_it() -> Outcome {
    shared(async |world| {
        for (first, second) in [(Wallet::solana(), Wallet::evm()), (Wallet::evm(), Wallet::solana())] {
            let agent = world.client.register(&first, "Two wallets").await?;
            let reply = agent.try_link_wallet(&second).await?;
            let data = reply.ok(201);
            assert_eq!(members(data), ["wallet"]);
            let wallet = &data["wallet"];
            assert_eq!(members(wallet), ["address", "capabilities", "chain", "created_at", "default_for", "id", "status"]);
            assert_eq!(text(wallet, "address"), second.address());
            assert_eq!(wallet["chain"], if second.address().starts_with("0x") { "evm" } else { "solana" });
            assert_eq!(wallet["capabilities"], json!(["auth", "recovery", "payment", "payout"]), "all four unless fewer");
            assert_eq!(wallet["default_for"], json!(["payment", "payout"]), "its family had none");
            assert_eq!(wallet["status"], "active");
            assert!(is_uuid(&wallet["id"]) && is_time(&wallet["created_at"]), "{wallet}");
            let reply = agent.get("/me/wallets").send().await?;
            let all = reply.ok(200);
            assert_eq!(members(all), ["wallets"]);
            assert_eq!(list(all, "wallets"), [at(&agent.issued, "/wallets/0").clone(), wallet.clone()], "oldest first");
            let one = agent.get(&format!("/me/wallets/{}", text(wallet, "id"))).send().await?;
            assert_eq!(one.ok(200), data);
            assert_eq!(agent.get("/me").send().await?.ok(200)["wallets"], all["wallets"]);
        }
        Ok(())
    })
}

#[test]
fn a_linked_wallet_recovers_the_profile_and_registers_no_other() -> Outcome {
    shared(async |world| {
        let (agent, second) = (world.agent().await?, Wallet::evm());
        agent.link_wallet(&second).await?;
        let back = world.client.recover(&second, false).await?;
        assert_eq!(back.profile_id, agent.profile_id);
        let mut body = world.client.proof(&second, "register", &Value::Null).await?;
        body["display_name"] = "Again".into();
        world.client.post("/register").json(&body).send().await?.refused(409, "WALLET_ALREADY_REGISTERED");
        // And it may link a third one.
        let third = Wallet::solana();
        let body = agent.link_request_by(&second, &third).await?;
        agent.post("/me/wallets").json(&body).send().await?.ok(201);
        assert_eq!(agent.wallets().await?.len(), 3);
        Ok(())
    })
}

#[test]
fn capabilities_are_all_four_unless_fewer_are_asked_for() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for (asked, given, default_for) in [
            (json!(["payout", "auth", "payout"]), json!(["auth", "payout"]), json!(["payout"])),
            (json!(["payment"]), json!(["payment"]), json!(["payment"])),
            (json!(["auth", "payment", "recovery", "payout"]), json!(["auth", "recovery", "payment", "payout"]), json!([])),
            (Value::Null, json!(["auth", "recovery", "payment", "payout"]), json!([])),
        ] {
            let mut body = agent.link_request(&Wallet::evm()).await?;
            body["capabilities"] = asked.clone();
            let reply = agent.post("/me/wallets").json(&body).send().await?;
            let wallet = &reply.ok(201)["wallet"];
            assert_eq!((&wallet["capabilities"], &wallet["default_for"]), (&given, &default_for), "{asked}");
        }
        Ok(())
    })
}

#[test]
fn both_wallets_may_sign_one_and_the_same_text() -> Outcome {
    shared(async |world| {
        let (agent, second) = (world.agent().await?, Wallet::evm());
        let fields = json!({ "profile_id": agent.profile_id, "new_wallet_address": second.address() });
        let challenge = world.client.challenge(agent.wallet.address(), "link_wallet", &fields).await?;
        let body = json!({ "existing_wallet": challenge.answer(&agent.wallet), "new_wallet": challenge.answer(&second) });
        agent.post("/me/wallets").json(&body).send().await?.ok(201);
        // The other way round is no consent of the profile: that text was asked for by the new wallet alone.
        let third = Wallet::evm();
        let fields = json!({ "profile_id": agent.profile_id, "new_wallet_address": third.address() });
        let challenge = world.client.challenge(third.address(), "link_wallet", &fields).await?;
        let body = json!({ "existing_wallet": challenge.answer(&agent.wallet), "new_wallet": challenge.answer(&third) });
        agent.post("/me/wallets").json(&body).send().await?.refused(400, "CHALLENGE_INVALID");
        Ok(())
    })
}

#[test]
fn only_an_active_recovery_wallet_of_the_profile_speaks_for_it() -> Outcome {
    shared(async |world| {
        let (agent, other) = (world.agent().await?, world.agent().await?);
        let (payer, sleeper) = (Wallet::evm(), Wallet::evm());
        agent.link_wallet_for(&payer, &["auth", "payment", "payout"]).await?;
        let slept = agent.link_wallet(&sleeper).await?;
        agent.update_wallet(text(&slept["wallet"], "id"), &json!({ "status": "disabled" })).await?;
        let new = Wallet::solana();
        for existing in [&payer, &sleeper, &other.wallet, &Wallet::evm(), &new] {
            let body = agent.link_request_by(existing, &new).await?;
            let reply = agent.post("/me/wallets").json(&body).send().await?;
            let error = reply.refused(403, "PROOF_WALLET_NOT_ALLOWED");
            assert_eq!(error["details"]["required_capability"], "recovery");
        }
        assert_eq!(agent.wallets().await?.len(), 3);
        agent.link_wallet(&new).await?;
        Ok(())
    })
}

#[test]
fn a_wallet_belongs_to_one_profile() -> Outcome {
    shared(async |world| {
        let (agent, other) = (world.agent().await?, world.agent().await?);
        let reply = agent.try_link_wallet(&other.wallet).await?;
        let error = reply.refused(409, "WALLET_ALREADY_LINKED");
        assert!(!error.to_string().contains(&other.profile_id), "whose it is, is nobody's business: {error}");
        let linked = agent.link_wallet(&Wallet::evm()).await?;
        let own = Wallet::solana();
        let first = agent.link_wallet(&own).await?;
        let reply = agent.try_link_wallet(&own).await?;
        let error = reply.refused(409, "WALLET_ALREADY_LINKED");
        assert_eq!(error["details"]["wallet_id"], first["wallet"]["id"]);
        assert_eq!(error["recovery"]["next_action"], "use_linked_wallet");
        // A disabled wallet stays where it is.
        agent.update_wallet(text(&first["wallet"], "id"), &json!({ "status": "disabled" })).await?;
        other.try_link_wallet(&own).await?.refused(409, "WALLET_ALREADY_LINKED");
        assert_eq!((agent.wallets().await?.len(), other.wallets().await?.len()), (3, 1));
        assert_ne!(linked["wallet"]["id"], first["wallet"]["id"]);
        Ok(())
    })
}

#[test]
fn a_profile_has_at_most_20_wallets() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for _ in 1..20 {
            agent.link_wallet_for(&Wallet::solana(), &["payment"]).await?;
        }
        let reply = agent.try_link_wallet(&Wallet::evm()).await?;
        assert_eq!(reply.refused(409, "WALLET_LIMIT")["details"]["max_wallets"], 20);
        Ok(())
    })
}

#[test]
fn what_is_malformed_uses_no_challenge_up() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let good = agent.link_request(&Wallet::evm()).await?;
        let wrong: [(&str, &str, Value); 11] = [
            ("/capabilities", "capabilities", json!([])),
            ("/capabilities", "capabilities", json!(["fly"])),
            ("/capabilities", "capabilities", json!("auth")),
            ("/existing_wallet", "existing_wallet", Value::Null),
            ("/new_wallet", "new_wallet", Value::Null),
            ("/existing_wallet/nonce", "existing_wallet.nonce", json!("x")),
            ("/new_wallet/nonce", "new_wallet.nonce", json!("0".repeat(33))),
            ("/new_wallet/signature", "new_wallet.signature", json!("")),
            ("/existing_wallet/signature", "existing_wallet.signature", json!("x".repeat(20_000))),
            ("/new_wallet/wallet_address", "new_wallet.wallet_address", json!("0x0")),
            ("/new_wallet/pow_nonce", "new_wallet.pow_nonce", json!("é")),
        ];
        for (pointer, field, value) in wrong {
            let mut body = good.clone();
            let (parent, name) = pointer.rsplit_once('/').ok_or_else(|| Failure::new("no pointer"))?;
            let place = if parent.is_empty() { &mut body } else { &mut body[&parent[1..]] };
            place[name] = value;
            let reply = agent.post("/me/wallets").json(&body).send().await?;
            let code = if field.ends_with("address") { "INVALID_WALLET_ADDRESS" } else { "INVALID_REQUEST" };
            let named = text(&reply.refused(400, code)["details"], "field");
            assert!(named.starts_with(field), "{pointer}: {named}");
        }
        let mut body = good.clone();
        body["new_wallet"]["extra"] = 1.into();
        let reply = agent.post("/me/wallets").json(&body).send().await?;
        assert_eq!(reply.refused(400, "UNKNOWN_FIELD")["details"]["field"], "new_wallet.extra");
        agent.post("/me/wallets").json(&good).send().await?.ok(201);
        Ok(())
    })
}

#[test]
fn the_first_well_formed_attempt_uses_both_challenges_up_good_or_bad() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for spoilt in ["existing_wallet", "new_wallet"] {
            for member in ["signature", "nonce"] {
                let new = Wallet::evm();
                let good = agent.link_request(&new).await?;
                let mut bad = good.clone();
                let signer = if spoilt == "new_wallet" { &new } else { &agent.wallet };
                bad[spoilt][member] = if member == "nonce" { json!("0".repeat(32)) } else { json!(signer.sign("another text")) };
                let reply = agent.post("/me/wallets").json(&bad).send().await?;
                let (status, code) = if member == "nonce" { (400, "CHALLENGE_INVALID") } else { (401, "SIGNATURE_INVALID") };
                assert_eq!(reply.refused(status, code)["details"]["proof"], spoilt);
                // Neither half of what was presented is worth anything any more.
                let fresh = agent.link_request(&new).await?;
                for old in ["existing_wallet", "new_wallet"] {
                    if old == spoilt && member == "nonce" {
                        continue;
                    }
                    let mut mixed = agent.link_request(&new).await?;
                    mixed[old] = good[old].clone();
                    let reply = agent.post("/me/wallets").json(&mixed).send().await?;
                    assert_eq!(reply.refused(400, "CHALLENGE_INVALID")["details"]["proof"], old);
                }
                agent.post("/me/wallets").json(&fresh).send().await?.ok(201);
                agent.post("/me/wallets").json(&fresh).send().await?.refused(400, "CHALLENGE_INVALID");
            }
        }
        Ok(())
    })
}

#[test]
fn the_wallet_routes_need_a_key() -> Outcome {
    shared(async |world| {
        let id = "0198c0de-0000-7000-8000-000000000000";
        for (method, path) in [
            (http::Method::GET, "/me/wallets".to_owned()),
            (http::Method::POST, "/me/wallets".to_owned()),
            (http::Method::GET, format!("/me/wallets/{id}")),
            (http::Method::PATCH, format!("/me/wallets/{id}")),
        ] {
            world.client.request(method, &path).json(&json!({})).send().await?.refused(401, "UNAUTHORIZED");
        }
        let agent = world.agent().await?;
        agent.delete("/me/wallets").send().await?.refused(405, "METHOD_NOT_ALLOWED");
        // The guides abbreviate this path.
        let reply = agent.patch("/me/wallets").json(&json!({})).send().await?;
        assert!(reply.refused(405, "METHOD_NOT_ALLOWED").to_string().contains("/me/wallets/:id"), "{}", reply.text());
        Ok(())
    })
}

#[test]
fn a_key_that_may_only_read_links_and_changes_nothing() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let body = json!({ "name": "Reader", "scopes": ["read"] });
        let made = agent.post("/api-keys").json(&body).send().await?;
        let reader = text(made.ok(201), "api_key");
        let id = text(at(&agent.issued, "/wallets/0"), "id");
        let path = format!("/me/wallets/{id}");
        for readable in ["/me/wallets", &path] {
            world.client.get(readable).key(reader).send().await?.ok(200);
        }
        let link = agent.link_request(&Wallet::evm()).await?;
        let change = agent.change_request(&agent.wallet, id, &json!({ "default_for": ["payment"] })).await?;
        for body in [&link, &json!({})] {
            let reply = world.client.post("/me/wallets").key(reader).json(body).send().await?;
            assert_eq!(reply.refused(403, "INSUFFICIENT_SCOPE")["details"]["required_scope"], "write");
        }
        let reply = world.client.request(http::Method::PATCH, &path).key(reader).json(&change).send().await?;
        reply.refused(403, "INSUFFICIENT_SCOPE");
        // Nothing was used up.
        agent.post("/me/wallets").json(&link).send().await?.ok(201);
        agent.patch(&path).json(&change).send().await?.ok(200);
        Ok(())
    })
}
