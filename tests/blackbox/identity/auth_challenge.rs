//! `POST /auth/challenge`.

use crochet_tests::{Outcome, Replies, Setup, Wallet, is_time, list, members, shared, solve, text, with_setup};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[test]
fn a_challenge_has_a_message_a_nonce_an_expiry_and_work() -> Outcome {
    shared(async |world| {
        for wallet in [Wallet::evm(), Wallet::solana()] {
            for purpose in ["register", "recover"] {
                let body = json!({ "wallet_address": wallet.address(), "purpose": purpose });
                let reply = world.client.post("/auth/challenge").json(&body).send().await?;
                let data = reply.ok(200);
                // Flat: no resource name around it.
                for member in ["message", "nonce", "expires_at", "expires_in", "pow"] {
                    assert!(data.get(member).is_some(), "{member} is missing: {data}");
                }
                assert_eq!(data["expires_in"], 300);
                assert!(is_time(&data["expires_at"]), "{data}");
                assert_eq!(members(&data["pow"]), ["algorithm", "challenge", "difficulty", "rule"]);
                assert_eq!(data["pow"]["algorithm"], "sha256");
            }
        }
        Ok(())
    })
}

#[test]
fn the_purpose_is_register_by_default() -> Outcome {
    shared(async |world| {
        let wallet = Wallet::solana();
        let reply = world.client.post("/auth/challenge").json(&json!({ "wallet_address": wallet.address() })).send().await?;
        let data = reply.ok(200);
        let work = crochet_tests::Pow::read(&data["pow"])?;
        let body = json!({
            "wallet_address": wallet.address(), "signature": wallet.sign(text(data, "message")), "nonce": data["nonce"],
            "pow_nonce": work.solve(), "display_name": "Default",
        });
        world.client.post("/register").json(&body).send().await?.ok(201);
        Ok(())
    })
}

#[test]
fn the_message_is_a_caip_122_text() -> Outcome {
    shared(async |world| {
        let domain = world.client.base().trim_start_matches("http://").to_owned();
        for (wallet, chain) in [(Wallet::evm(), "Ethereum"), (Wallet::solana(), "Solana")] {
            let challenge = world.client.challenge(wallet.address(), "register", &Value::Null).await?;
            let lines: Vec<&str> = challenge.message.lines().collect();
            let host = lines[0].strip_suffix(&format!(" wants you to sign in with your {chain} account:"));
            assert!(host.is_some(), "{}", lines[0]);
            if world.costs().is_some() {
                assert_eq!(host, Some(domain.as_str()), "the domain is the configured public URL's");
            }
            assert_eq!(lines[1], wallet.address());
            assert!(lines[2].is_empty() && !lines[3].is_empty() && lines[4].is_empty(), "{}", challenge.message);
            for (line, name) in
                lines[5..].iter().zip(["URI: ", "Version: 1", "Chain ID: ", "Nonce: ", "Issued At: ", "Expiration Time: "])
            {
                assert!(line.starts_with(name), "{line} should begin with {name}");
            }
            assert!(challenge.message.contains(&format!("Nonce: {}", challenge.nonce)));
            assert!(challenge.message.contains(&format!("Expiration Time: {}", text(&challenge.data, "expires_at"))));
        }
        Ok(())
    })
}

#[test]
fn the_domain_never_comes_from_a_request_header() -> Outcome {
    shared(async |world| {
        let body = json!({ "wallet_address": Wallet::evm().address() });
        let request = world.client.post("/auth/challenge").json(&body);
        let request = request.header("host", "evil.example").header("x-forwarded-host", "evil.example");
        let reply = request.header("origin", "https://evil.example").header("forwarded", "host=evil.example").send().await?;
        reply.ok(200);
        assert!(!reply.text().contains("evil.example"), "{}", reply.text());
        Ok(())
    })
}

#[test]
fn an_error_links_to_the_configured_public_url_only() -> Outcome {
    shared(async |world| {
        let reply = world.client.get("/me").header("host", "evil.example").send().await?;
        reply.refused(401, "UNAUTHORIZED");
        assert!(!reply.text().contains("evil.example"), "{}", reply.text());
        Ok(())
    })
}

#[test]
fn proof_of_work_is_sha256_with_zeros_of_the_challenge_and_the_nonce_4_locally() -> Outcome {
    // The stack's own figure: an empty setting counts as unset.
    with_setup(Setup::settings(&[("CROCHET_POW_DIFFICULTY", "4")]), async |world| {
        let challenge = world.client.challenge(Wallet::solana().address(), "register", &Value::Null).await?;
        let pow = challenge.pow.ok_or_else(|| crochet_tests::Failure::new("no work"))?;
        assert_eq!(pow.difficulty, 4);
        let hash = Sha256::digest(format!("{}{}", pow.challenge, solve(&pow.challenge, 4)));
        assert!(hex::encode(hash).starts_with("0000"));
        world.agent().await?;
        Ok(())
    })
}

#[test]
fn the_statement_names_everything_that_is_authorised_when_a_wallet_is_linked() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let new = Wallet::evm();
        let fields = json!({ "profile_id": agent.profile_id, "new_wallet_address": new.address() });
        for signer in [&agent.wallet, &new] {
            let challenge = world.client.challenge(signer.address(), "link_wallet", &fields).await?;
            assert!(challenge.pow.is_none() && challenge.data["pow"].is_null(), "work is for register and recover");
            assert!(challenge.message.contains(&agent.profile_id), "{}", challenge.message);
            assert!(challenge.message.to_lowercase().contains(&new.address().to_lowercase()), "{}", challenge.message);
        }
        Ok(())
    })
}

#[test]
fn the_statement_names_the_wallet_and_the_change_when_a_wallet_is_updated() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let wallet_id = text(&list(&agent.issued, "wallets")[0], "id");
        let fields = json!({ "profile_id": agent.profile_id, "wallet_id": wallet_id, "change": { "status": "disabled" } });
        let challenge = world.client.challenge(agent.wallet.address(), "update_wallet", &fields).await?;
        for part in [agent.profile_id.as_str(), wallet_id, "disabled"] {
            assert!(challenge.message.contains(part), "{part} is missing: {}", challenge.message);
        }
        assert!(challenge.pow.is_none());
        Ok(())
    })
}

#[test]
fn the_statement_names_agent_and_operator_when_an_agent_is_claimed() -> Outcome {
    shared(async |world| {
        let (agent, operator) = (world.agent().await?, world.agent().await?);
        let fields = json!({ "profile_id": agent.profile_id, "operator_id": operator.profile_id });
        let challenge = world.client.challenge(agent.wallet.address(), "claim_agent", &fields).await?;
        assert!(challenge.message.contains(&agent.profile_id) && challenge.message.contains(&operator.profile_id));
        assert!(challenge.pow.is_none());
        Ok(())
    })
}

#[test]
fn a_purpose_needs_its_own_fields_and_no_others() -> Outcome {
    shared(async |world| {
        let address = Wallet::evm();
        let address = address.address();
        let id = "0198c0de-0000-7000-8000-000000000000";
        let wrong = [
            json!({ "wallet_address": address, "purpose": "steal" }),
            json!({ "wallet_address": address, "purpose": "link_wallet" }),
            json!({ "wallet_address": address, "purpose": "link_wallet", "profile_id": id }),
            json!({ "wallet_address": address, "purpose": "link_wallet", "profile_id": "x", "new_wallet_address": address }),
            json!({ "wallet_address": address, "purpose": "update_wallet", "profile_id": id, "wallet_id": id }),
            json!({ "wallet_address": address, "purpose": "claim_agent", "operator_id": id }),
            json!({ "wallet_address": address, "purpose": "register", "profile_id": id }),
            json!({ "purpose": "register" }),
            json!({ "wallet_address": 7 }),
            json!([]),
        ];
        for body in wrong {
            let reply = world.client.post("/auth/challenge").json(&body).send().await?;
            assert_eq!(reply.status, 400, "{body}: {}", reply.text());
            let code = reply.code().to_owned();
            reply.refused(400, &code);
        }
        Ok(())
    })
}

#[test]
fn the_chain_follows_from_the_address_and_other_texts_are_none() -> Outcome {
    shared(async |world| {
        let evm = Wallet::evm();
        let evm = evm.address();
        let wrong_checksum = if evm.contains('a') { evm.replace('a', "A") } else { evm.replace('A', "a") };
        let short_key = bs58::encode([7_u8; 31]).into_string();
        let long_key = bs58::encode([7_u8; 33]).into_string();
        let mut wrong = vec![
            String::new(),
            "0x".into(),
            evm[..41].to_owned(),
            format!("{evm}0"),
            evm.replace("0x", ""),
            evm.replace("0x", "0X"),
            format!(" {evm}"),
            "0xzz39Fd6e51aad88F6F4ce6aB8827279cffFb9226".into(),
            short_key,
            long_key,
            "O0Il".repeat(11),
            "x".repeat(5_000),
        ];
        // A mixed-case address carries a checksum; one without any letters cannot be misspelt this way.
        if wrong_checksum != evm
            && wrong_checksum.to_lowercase() != wrong_checksum
            && wrong_checksum.to_uppercase() != wrong_checksum
        {
            wrong.push(wrong_checksum);
        }
        for address in wrong {
            let body = json!({ "wallet_address": address });
            let reply = world.client.post("/auth/challenge").json(&body).send().await?;
            assert_eq!((reply.status, reply.code()), (400, "INVALID_WALLET_ADDRESS"), "{address}: {}", reply.text());
            reply.refused(400, "INVALID_WALLET_ADDRESS");
        }
        let lower = json!({ "wallet_address": evm.to_lowercase() });
        world.client.post("/auth/challenge").json(&lower).send().await?.ok(200);
        Ok(())
    })
}
