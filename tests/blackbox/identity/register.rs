//! `POST /register`: valid registrations.

use crochet_tests::{Outcome, Replies, Wallet, is_time, is_uuid, list, members, shared, text};
use serde_json::{Value, json};

#[test]
fn a_registration_answers_201_with_profile_wallets_key_and_the_header_to_use() -> Outcome {
    shared(async |world| {
        for (wallet, chain) in [(Wallet::evm(), "evm"), (Wallet::solana(), "solana")] {
            let mut body = world.client.proof(&wallet, "register", &Value::Null).await?;
            body["display_name"] = "Ada".into();
            body["description"] = "Counts.".into();
            let reply = world.client.post("/register").json(&body).send().await?;
            let data = reply.ok(201);
            assert_eq!(members(data), ["api_key", "authorization_header", "key", "profile", "wallets"]);
            let profile = &data["profile"];
            assert_eq!(
                members(profile),
                [
                    "account_type",
                    "created_at",
                    "description",
                    "display_name",
                    "id",
                    "is_verified",
                    "operator",
                    "owes",
                    "role",
                    "score",
                    "tier"
                ]
            );
            assert!(is_uuid(&profile["id"]) && is_time(&profile["created_at"]), "{profile}");
            let expected = json!({ "account_type": "agent", "display_name": "Ada", "description": "Counts.", "role": "both",
                "score": 400, "tier": "Moderate", "is_verified": false, "operator": null, "owes": null });
            for (member, value) in expected.as_object().into_iter().flatten() {
                assert_eq!(&profile[member], value, "profile.{member}");
            }
            let wallets = list(data, "wallets");
            assert_eq!(wallets.len(), 1);
            assert_eq!(members(&wallets[0]), ["address", "capabilities", "chain", "created_at", "default_for", "id", "status"]);
            assert_eq!((&wallets[0]["chain"], &wallets[0]["status"]), (&json!(chain), &json!("active")));
            assert_eq!(wallets[0]["address"], wallet.address());
            assert_eq!(sorted(&wallets[0]["capabilities"]), ["auth", "payment", "payout", "recovery"]);
            assert!(is_uuid(&wallets[0]["id"]));
            let key = &data["key"];
            assert_eq!(members(key), ["created_at", "expires_at", "id", "last_used_at", "name", "prefix", "scopes"]);
            assert_eq!(sorted(&key["scopes"]), ["read", "write"]);
            assert!(text(key, "id").starts_with("key_"), "{key}");
            let api_key = text(data, "api_key");
            assert_eq!(data["authorization_header"], format!("Bearer {api_key}"));
            assert!(api_key.starts_with(text(key, "prefix")), "the prefix is the key's beginning");
            world.client.get("/me").header("authorization", text(data, "authorization_header")).send().await?.ok(200);
        }
        Ok(())
    })
}

fn sorted(value: &Value) -> Vec<String> {
    let mut texts: Vec<String> = value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    texts.sort();
    texts
}

#[test]
fn keys_are_am_k_and_48_base62_characters_and_the_last_six_are_a_checksum() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let rest = agent.api_key.strip_prefix("am_k_").unwrap_or_default().to_owned();
        assert_eq!(rest.len(), 10 + 32 + 6, "{}", rest.len());
        assert!(rest.bytes().all(|b| b.is_ascii_alphanumeric()), "Base62");
        Ok(())
    })
}

#[test]
fn roles_are_buyer_seller_provider_or_both() -> Outcome {
    shared(async |world| {
        for (asked, given) in [("buyer", "buyer"), ("seller", "seller"), ("provider", "seller"), ("both", "both")] {
            let fields = json!({ "display_name": "Role", "role": asked });
            let agent = world.client.register_with(&Wallet::solana(), &fields).await?;
            assert_eq!(agent.issued["profile"]["role"], given);
        }
        let mut body = world.client.proof(&Wallet::solana(), "register", &Value::Null).await?;
        body["display_name"] = "Role".into();
        body["role"] = "king".into();
        world.client.post("/register").json(&body).send().await?.refused(400, "INVALID_REQUEST");
        Ok(())
    })
}

#[test]
fn all_four_capabilities_unless_fewer_are_asked_for() -> Outcome {
    shared(async |world| {
        let fields = json!({ "display_name": "Few", "capabilities": ["auth", "recovery"] });
        let agent = world.client.register_with(&Wallet::solana(), &fields).await?;
        assert_eq!(sorted(&list(&agent.issued, "wallets")[0]["capabilities"]), ["auth", "recovery"]);
        Ok(())
    })
}

#[test]
fn every_well_formed_spelling_of_a_signature_is_taken() -> Outcome {
    shared(async |world| {
        // Solana: hex as well as base58.
        let wallet = Wallet::solana();
        let mut body = world.client.proof(&wallet, "register", &Value::Null).await?;
        let bytes = bs58::decode(text(&body, "signature")).into_vec()?;
        body["signature"] = hex::encode(bytes).into();
        body["display_name"] = "Hex".into();
        world.client.post("/register").json(&body).send().await?.ok(201);
        // EVM: v is 0 or 1 as well as 27 or 28.
        let wallet = Wallet::evm();
        let mut body = world.client.proof(&wallet, "register", &Value::Null).await?;
        let signature = text(&body, "signature").to_owned();
        let v = if signature.ends_with("1b") { "00" } else { "01" };
        body["signature"] = format!("{}{v}", &signature[..signature.len() - 2]).into();
        body["display_name"] = "Small v".into();
        world.client.post("/register").json(&body).send().await?.ok(201);
        Ok(())
    })
}

#[test]
fn an_evm_address_is_the_same_wallet_in_any_case() -> Outcome {
    shared(async |world| {
        let wallet = Wallet::evm();
        world.client.register(&wallet, "Cased").await?;
        let lower = wallet.address().to_lowercase();
        let challenge = world.client.challenge(&lower, "register", &Value::Null).await?;
        let mut body = challenge.answer(&wallet);
        body["wallet_address"] = lower.into();
        body["display_name"] = "Again".into();
        world.client.post("/register").json(&body).send().await?.refused(409, "WALLET_ALREADY_REGISTERED");
        Ok(())
    })
}

#[test]
fn a_wallet_belongs_to_one_profile_and_the_way_out_is_to_recover() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let mut body = world.client.proof(&agent.wallet, "register", &Value::Null).await?;
        body["display_name"] = "Twice".into();
        let reply = world.client.post("/register").json(&body).send().await?;
        let error = reply.refused(409, "WALLET_ALREADY_REGISTERED");
        assert!(text(&error["recovery"], "summary").contains("/auth/recover"), "{error}");
        // Following it literally leads out.
        world.client.recover(&agent.wallet, false).await?.get("/me").send().await?.ok(200);
        Ok(())
    })
}

#[test]
fn of_parallel_registrations_of_one_wallet_one_wins() -> Outcome {
    shared(async |world| {
        let wallet = Wallet::solana();
        let mut bodies = Vec::new();
        for _ in 0..8 {
            let mut body = world.client.proof(&wallet, "register", &Value::Null).await?;
            body["display_name"] = "Racer".into();
            bodies.push(body);
        }
        let replies =
            futures::future::try_join_all(bodies.iter().map(|body| world.client.post("/register").json(body).send())).await?;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert!(matches!(reply.status, 409 | 503), "{}", reply.text());
        }
        Ok(())
    })
}
