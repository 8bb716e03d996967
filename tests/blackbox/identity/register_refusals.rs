//! `POST /register` and `POST /auth/recover`: invalid signatures, nonces and proofs of work.

use crochet_tests::{Agent, Outcome, Replies, Wallet, World, isolated, list, shared, text};
use k256::ecdsa::Signature;
use serde_json::{Value, json};

/// A valid registration.
async fn good(world: &World, wallet: &Wallet) -> Result<Value, crochet_tests::Failure> {
    let mut body = world.client.proof(wallet, "register", &Value::Null).await?;
    body["display_name"] = "Good".into();
    Ok(body)
}

fn with_member(body: &Value, member: &str, value: impl Into<Value>) -> Value {
    let mut changed = body.clone();
    changed[member] = value.into();
    changed
}

fn evm_parts(signature: &str) -> (Signature, u8) {
    let bytes = hex::decode(signature.trim_start_matches("0x")).expect("the client signs in hex");
    (Signature::from_slice(&bytes[..64]).expect("a signature"), bytes[64])
}

fn evm_text(signature: &Signature, v: u8) -> String {
    format!("0x{}{v:02x}", hex::encode(signature.to_bytes()))
}

#[test]
fn high_s_is_refused() -> Outcome {
    shared(async |world| {
        let body = good(world, &Wallet::evm()).await?;
        let (low, v) = evm_parts(text(&body, "signature"));
        let (r, s) = low.split_scalars();
        let high = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes())?;
        // The same point, with the other parity: every lax verifier recovers the wallet from it.
        let body = with_member(&body, "signature", evm_text(&high, 55 - v));
        world.client.post("/register").json(&body).send().await?.refused(401, "SIGNATURE_INVALID");
        Ok(())
    })
}

#[test]
fn v_outside_0_1_27_28_is_refused() -> Outcome {
    shared(async |world| {
        for offset in [2_u8, 4, 26, 29 - 27, 35 - 27, 228] {
            let body = good(world, &Wallet::evm()).await?;
            let (signature, v) = evm_parts(text(&body, "signature"));
            let odd = (v - 27).wrapping_add(27).wrapping_add(offset);
            let body = with_member(&body, "signature", evm_text(&signature, odd));
            let reply = world.client.post("/register").json(&body).send().await?;
            assert!(matches!(reply.status, 400 | 401), "v = {odd}: {}", reply.text());
        }
        // The wrong parity is somebody else's signature.
        let body = good(world, &Wallet::evm()).await?;
        let (signature, v) = evm_parts(text(&body, "signature"));
        let body = with_member(&body, "signature", evm_text(&signature, 55 - v));
        world.client.post("/register").json(&body).send().await?.refused(401, "SIGNATURE_INVALID");
        Ok(())
    })
}

#[test]
fn malformed_signatures_are_refused() -> Outcome {
    shared(async |world| {
        let zeros = |bytes: usize| format!("0x{}", "00".repeat(bytes));
        for wallet in [Wallet::evm(), Wallet::solana()] {
            let body = good(world, &wallet).await?;
            let right = text(&body, "signature").to_owned();
            let wrong = [
                String::new(),
                "nonsense".into(),
                right[..right.len() - 2].to_owned(),
                format!("{right}00"),
                zeros(64),
                zeros(65),
                zeros(66),
                format!("0x{}", "ff".repeat(65)),
                "x".repeat(10_000),
            ];
            for signature in wrong {
                let body = with_member(&good(world, &wallet).await?, "signature", signature.clone());
                let reply = world.client.post("/register").json(&body).send().await?;
                assert!(matches!(reply.status, 400 | 401), "{signature}: {}", reply.text());
                let code = reply.code().to_owned();
                reply.refused(reply.status, &code);
            }
        }
        Ok(())
    })
}

#[test]
fn small_order_keys_are_refused() -> Outcome {
    shared(async |world| {
        // The identity, and a point of order 8: lax verifiers take a zero signature of theirs for any message.
        let order_8 = hex::decode("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")?;
        let mut identity = [0_u8; 32];
        identity[0] = 1;
        for key in [identity.to_vec(), order_8, [0_u8; 32].to_vec()] {
            let address = bs58::encode(&key).into_string();
            let asked = json!({ "wallet_address": address });
            let challenge = world.client.post("/auth/challenge").json(&asked).send().await?;
            if challenge.status == 400 {
                challenge.refused(400, "INVALID_WALLET_ADDRESS");
                continue;
            }
            let data = challenge.ok(200);
            let mut signature = identity.to_vec();
            signature.extend([0_u8; 32]);
            let body = json!({
                "wallet_address": address, "signature": bs58::encode(signature).into_string(), "nonce": data["nonce"],
                "pow_nonce": crochet_tests::Pow::read(&data["pow"])?.solve(), "display_name": "Nobody",
            });
            let reply = world.client.post("/register").json(&body).send().await?;
            assert!(matches!(reply.status, 400 | 401), "{}", reply.text());
        }
        Ok(())
    })
}

#[test]
fn another_wallets_signature_is_refused() -> Outcome {
    shared(async |world| {
        for (wallet, other) in [(Wallet::evm(), Wallet::evm()), (Wallet::solana(), Wallet::solana())] {
            let challenge = world.client.challenge(wallet.address(), "register", &Value::Null).await?;
            let mut body = challenge.answer(&wallet);
            body["signature"] = other.sign(&challenge.message).into();
            body["display_name"] = "Thief".into();
            world.client.post("/register").json(&body).send().await?.refused(401, "SIGNATURE_INVALID");
        }
        // A challenge that somebody else asked for, signed well by its presenter.
        let (wallet, other) = (Wallet::solana(), Wallet::solana());
        let challenge = world.client.challenge(wallet.address(), "register", &Value::Null).await?;
        let mut body = challenge.answer(&other);
        body["display_name"] = "Thief".into();
        let reply = world.client.post("/register").json(&body).send().await?;
        assert!(matches!(reply.code(), "CHALLENGE_INVALID" | "SIGNATURE_INVALID"), "{}", reply.text());
        Ok(())
    })
}

#[test]
fn a_signature_over_another_text_is_refused() -> Outcome {
    shared(async |world| {
        let wallet = Wallet::solana();
        let challenge = world.client.challenge(wallet.address(), "register", &Value::Null).await?;
        let mut body = challenge.answer(&wallet);
        body["signature"] = wallet.sign(&format!("{}\n", challenge.message)).into();
        body["display_name"] = "Sloppy".into();
        world.client.post("/register").json(&body).send().await?.refused(401, "SIGNATURE_INVALID");
        Ok(())
    })
}

/// Correctly signed challenges of every other purpose, as bodies for this purpose.
async fn borrowed(world: &World, agent: &Agent, but: &str) -> Result<Vec<(String, Value)>, crochet_tests::Failure> {
    let wallet_id = &list(&agent.issued, "wallets")[0]["id"];
    let new = Wallet::evm();
    let purposes = [
        ("register", Value::Null),
        ("recover", Value::Null),
        ("link_wallet", json!({ "profile_id": agent.profile_id, "new_wallet_address": new.address() })),
        ("update_wallet", json!({ "profile_id": agent.profile_id, "wallet_id": wallet_id, "change": { "status": "disabled" } })),
        ("claim_agent", json!({ "profile_id": agent.profile_id, "operator_id": agent.profile_id })),
    ];
    let mut bodies = Vec::new();
    for (purpose, fields) in purposes.into_iter().filter(|(purpose, _)| *purpose != but) {
        let mut body = world.client.proof(&agent.wallet, purpose, &fields).await?;
        // Challenges without work are presented with some all the same.
        if body.get("pow_nonce").is_none() {
            body["pow_nonce"] = "0".into();
        }
        bodies.push((purpose.to_owned(), body));
    }
    Ok(bodies)
}

#[test]
fn a_signature_for_one_thing_is_refused_for_every_other() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        for (purpose, body) in borrowed(world, &agent, "recover").await? {
            let reply = world.client.post("/auth/recover").json(&body).send().await?;
            assert!(matches!(reply.status, 400 | 401), "{purpose}: {}", reply.text());
            let code = reply.code().to_owned();
            assert!(matches!(code.as_str(), "CHALLENGE_INVALID" | "SIGNATURE_INVALID" | "POW_INVALID"), "{purpose}: {code}");
            reply.refused(reply.status, &code);
        }
        for (purpose, mut body) in borrowed(world, &agent, "register").await? {
            body["display_name"] = "Borrowed".into();
            let reply = world.client.post("/register").json(&body).send().await?;
            assert!(matches!(reply.status, 400 | 401), "{purpose}: {}", reply.text());
        }
        Ok(())
    })
}

#[test]
fn a_nonce_works_once() -> Outcome {
    shared(async |world| {
        let wallet = Wallet::solana();
        let body = good(world, &wallet).await?;
        world.client.post("/register").json(&body).send().await?.ok(201);
        let reply = world.client.post("/register").json(&body).send().await?;
        reply.refused(400, "CHALLENGE_INVALID");
        let recovery = world.client.proof(&wallet, "recover", &Value::Null).await?;
        world.client.post("/auth/recover").json(&recovery).send().await?.ok(200);
        world.client.post("/auth/recover").json(&recovery).send().await?.refused(400, "CHALLENGE_INVALID");
        Ok(())
    })
}

#[test]
fn a_nonce_works_once_in_parallel_too() -> Outcome {
    shared(async |world| {
        let agent = world.agent().await?;
        let body = world.client.proof(&agent.wallet, "recover", &Value::Null).await?;
        let replies = futures::future::try_join_all((0..12).map(|_| world.client.post("/auth/recover").json(&body).send())).await?;
        assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
        Ok(())
    })
}

#[test]
fn a_challenge_is_used_up_by_the_first_well_formed_attempt_good_or_bad() -> Outcome {
    shared(async |world| {
        let wallet = Wallet::solana();
        for (member, value, status, code) in [
            ("signature", Wallet::solana().sign("x"), 401, "SIGNATURE_INVALID"),
            ("pow_nonce", "wrong!".into(), 400, "POW_INVALID"),
        ] {
            let body = good(world, &wallet).await?;
            world.client.post("/register").json(&with_member(&body, member, value)).send().await?.refused(status, code);
            world.client.post("/register").json(&body).send().await?.refused(400, "CHALLENGE_INVALID");
        }
        Ok(())
    })
}

#[test]
fn a_malformed_attempt_does_not_use_a_challenge_up() -> Outcome {
    shared(async |world| {
        let body = good(world, &Wallet::solana()).await?;
        let mut nameless = body.clone();
        nameless["display_name"] = Value::Null;
        let malformed = [
            nameless,
            with_member(&body, "colour", "red"),
            with_member(&body, "pow_nonce", "0".repeat(65)),
            with_member(&body, "role", "king"),
        ];
        for attempt in malformed {
            let reply = world.client.post("/register").json(&attempt).send().await?;
            assert_eq!(reply.status, 400, "{}", reply.text());
        }
        world.client.post("/register").json(&body).send().await?.ok(201);
        Ok(())
    })
}

#[test]
fn wrong_work_is_refused() -> Outcome {
    shared(async |world| {
        // The work of another challenge.
        let (one, other) = (Wallet::solana(), Wallet::solana());
        let body = good(world, &one).await?;
        let borrowed = good(world, &other).await?;
        let reply =
            world.client.post("/register").json(&with_member(&body, "pow_nonce", borrowed["pow_nonce"].clone())).send().await?;
        // One in 256 nonces happens to solve this challenge as well.
        if reply.status != 201 {
            reply.refused(400, "POW_INVALID");
        }
        let body = good(world, &other).await?;
        let mut without = body.clone();
        if let Some(members) = without.as_object_mut() {
            members.remove("pow_nonce");
        }
        assert_eq!(world.client.post("/register").json(&without).send().await?.status, 400);
        Ok(())
    })
}

#[test]
fn unknown_nonces_are_refused() -> Outcome {
    shared(async |world| {
        let body = good(world, &Wallet::solana()).await?;
        for nonce in ["0".repeat(32), "nothing".to_owned(), "x".repeat(5_000), "../..".to_owned()] {
            let reply = world.client.post("/register").json(&with_member(&body, "nonce", nonce.clone())).send().await?;
            assert_eq!(reply.status, 400, "{nonce}: {}", reply.text());
        }
        Ok(())
    })
}

#[test]
fn a_challenge_lives_five_minutes() -> Outcome {
    isolated(async |world| {
        let (on_time, late) = (Wallet::solana(), Wallet::solana());
        let (first, second) = (good(world, &on_time).await?, good(world, &late).await?);
        world.later(290).await?;
        world.client.post("/register").json(&first).send().await?.ok(201);
        world.later(11).await?;
        world.client.post("/register").json(&second).send().await?.refused(400, "CHALLENGE_INVALID");
        Ok(())
    })
}
