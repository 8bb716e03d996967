//! Wallets that are contracts (ERC-1271, ERC-6492), on a real EVM node.

use crochet_tests::{Client, EvmChain, Failure, Outcome, Replies, Reply, Setup, Wallet, World, contracts, list, text, with_setup};
use serde_json::{Value, json};

/// A stack that uses this node.
fn asking(url: &str) -> Setup {
    Setup::settings(&[("CROCHET_EVM_RPC_URL", url)])
}

/// An owner's signature, as bytes.
fn signed(owner: &Wallet, message: &str) -> Vec<u8> {
    hex::decode(owner.sign(message).trim_start_matches("0x")).expect("hex")
}

/// A proof for `address`, signed by `sign`.
async fn proof(
    client: &Client,
    address: &str,
    purpose: &str,
    fields: &Value,
    sign: impl Fn(&str) -> Vec<u8>,
) -> Result<Value, Failure> {
    let challenge = client.challenge(address, purpose, fields).await?;
    let mut body = json!({ "wallet_address": address, "nonce": challenge.nonce,
        "signature": format!("0x{}", hex::encode(sign(&challenge.message))) });
    if let Some(work) = &challenge.pow {
        body["pow_nonce"] = work.solve().into();
    }
    Ok(body)
}

async fn register(client: &Client, address: &str, sign: impl Fn(&str) -> Vec<u8>) -> Result<Reply, Failure> {
    let mut body = proof(client, address, "register", &Value::Null, sign).await?;
    body["display_name"] = "A contract".into();
    Ok(client.post("/register").json(&body).send().await?)
}

async fn recover(client: &Client, address: &str, sign: impl Fn(&str) -> Vec<u8>) -> Result<Reply, Failure> {
    let body = proof(client, address, "recover", &Value::Null, sign).await?;
    Ok(client.post("/auth/recover").json(&body).send().await?)
}

/// Runs a test on a stack that uses the suite's node. Skips it without a node.
fn on_chain(test: impl AsyncFnOnce(&World, &EvmChain) -> Outcome) -> Outcome {
    let Some(chain) = EvmChain::shared() else { return Ok(()) };
    with_setup(asking(chain.url()), async |world| test(world, chain).await)
}

#[test]
fn a_contracts_owner_registers_recovers_and_links_it() -> Outcome {
    on_chain(async |world, chain| {
        let owner = Wallet::evm();
        let account = chain.deploy(&contracts::owned_by(owner.address())).await?;
        let sign = |message: &str| signed(&owner, message);
        let reply = register(&world.client, &account, sign).await?;
        let data = reply.ok(201);
        assert_eq!(text(&list(data, "wallets")[0], "address").to_lowercase(), account);
        recover(&world.client, &account, sign).await?.ok(200);
        // Linked to another profile: both sign.
        let agent = world.agent().await?;
        let second = chain.deploy(&contracts::owned_by(owner.address())).await?;
        let fields = json!({ "profile_id": agent.profile_id, "new_wallet_address": second });
        let body = json!({
            "existing_wallet": world.client.proof(&agent.wallet, "link_wallet", &fields).await?,
            "new_wallet": proof(&world.client, &second, "link_wallet", &fields, sign).await?,
        });
        agent.post("/me/wallets").json(&body).send().await?.ok(201);
        let reply = recover(&world.client, &second, sign).await?;
        assert_eq!(reply.ok(200)["profile"]["id"], agent.profile_id);
        Ok(())
    })
}

#[test]
fn nobody_but_its_owner_speaks_for_a_contract() -> Outcome {
    on_chain(async |world, chain| {
        let (owner, other) = (Wallet::evm(), Wallet::evm());
        let account = chain.deploy(&contracts::owned_by(owner.address())).await?;
        let refused = async |sign: &dyn Fn(&str) -> Vec<u8>| -> Outcome {
            register(&world.client, &account, sign).await?.refused(401, "SIGNATURE_INVALID");
            Ok(())
        };
        refused(&|message| signed(&other, message)).await?;
        refused(&|message| signed(&owner, &format!("{message}\n"))).await?;
        refused(&|message| signed(&owner, message)[..64].to_vec()).await?;
        refused(&|message| [signed(&owner, message), vec![0]].concat()).await?;
        refused(&|_| Vec::new()).await?;
        // The owner's key is no key of the contract, and the contract's word is none for the owner's own address.
        register(&world.client, owner.address(), |message| signed(&other, message)).await?.refused(401, "SIGNATURE_INVALID");
        register(&world.client, &account, |message| signed(&owner, message)).await?.ok(201);
        Ok(())
    })
}

#[test]
fn only_one_word_of_magic_is_a_yes() -> Outcome {
    on_chain(async |world, chain| {
        let yes = chain.deploy(&contracts::always_yes()).await?;
        register(&world.client, &yes, |_| vec![1, 2, 3]).await?.ok(201);
        for (what, code) in [
            ("no", contracts::always_no()),
            ("a revert", contracts::reverts()),
            ("a revert with a yes in it", contracts::reverts_with_yes()),
            ("all gas burnt", contracts::burns_gas()),
            ("an endless loop", contracts::loops()),
            ("nothing", contracts::yes_in(0)),
            ("four bytes", contracts::yes_in(4)),
            ("31 bytes", contracts::yes_in(31)),
            ("33 bytes", contracts::yes_in(33)),
            ("two words", contracts::yes_in(64)),
            ("a megabyte", contracts::yes_in(1 << 20)),
            ("memory that nobody has", contracts::yes_in(u32::MAX)),
            ("dirt in the word", contracts::yes_with_dirt()),
            ("a number", contracts::yes_as_a_number()),
            ("the signature", contracts::echoes()),
            ("a yes for simulations", contracts::trusts_simulations()),
            ("a yes with a write", contracts::writes()),
        ] {
            let account = chain.deploy(&code).await?;
            let reply = register(&world.client, &account, |_| vec![0xab; 65]).await?;
            assert_eq!((reply.status, reply.code()), (401, "SIGNATURE_INVALID"), "{what}: {}", reply.text());
            reply.refused(401, "SIGNATURE_INVALID");
        }
        Ok(())
    })
}

/// A factory, the calldata that creates an owner's wallet, and the wallet's address.
async fn promised(chain: &EvmChain, owner: &Wallet) -> Result<(String, Vec<u8>, String), Failure> {
    let factory = chain.deploy(&contracts::factory()).await?;
    let creation = contracts::deployment(&contracts::owned_by(owner.address()));
    let address = chain.call(&factory, &creation).await?;
    Ok((factory, creation, format!("0x{}", hex::encode(&address[12..]))))
}

#[test]
fn a_wallet_that_is_not_deployed_yet_registers_and_stays_undeployed() -> Outcome {
    on_chain(async |world, chain| {
        let owner = Wallet::evm();
        let (factory, creation, account) = promised(chain, &owner).await?;
        let sign = |message: &str| contracts::wrap(&factory, &creation, &signed(&owner, message));
        register(&world.client, &account, |message| signed(&owner, message)).await?.refused(401, "SIGNATURE_INVALID");
        register(&world.client, &account, sign).await?.ok(201);
        assert!(chain.code(&account).await?.is_empty(), "asking leaves nothing on the chain");
        // Once it is there, both the wrapped and the bare signature will do.
        chain.send(json!({ "to": factory, "data": format!("0x{}", hex::encode(&creation)) })).await?;
        assert!(!chain.code(&account).await?.is_empty());
        recover(&world.client, &account, sign).await?.ok(200);
        recover(&world.client, &account, |message| signed(&owner, message)).await?.ok(200);
        Ok(())
    })
}

#[test]
fn a_wrapper_that_does_not_bring_the_wallet_proves_nothing() -> Outcome {
    on_chain(async |world, chain| {
        let (owner, thief) = (Wallet::evm(), Wallet::evm());
        let (factory, creation, account) = promised(chain, &owner).await?;
        let (reverting, looping) = (chain.deploy(&contracts::reverts()).await?, chain.deploy(&contracts::loops()).await?);
        let thiefs = contracts::deployment(&contracts::owned_by(thief.address()));
        let nobody = format!("0x{}", "11".repeat(20));
        for (what, wrapped) in [
            ("a factory that reverts", (&reverting, &creation, &owner)),
            ("a factory that loops", (&looping, &creation, &owner)),
            ("a factory that is none", (&nobody, &creation, &owner)),
            ("another wallet", (&factory, &thiefs, &thief)),
            ("nothing to create", (&factory, &Vec::new(), &owner)),
            ("another's signature", (&factory, &creation, &thief)),
        ] {
            let (factory, creation, signer) = wrapped;
            let sign = |message: &str| contracts::wrap(factory, creation, &signed(signer, message));
            let reply = register(&world.client, &account, sign).await?;
            assert_eq!((reply.status, reply.code()), (401, "SIGNATURE_INVALID"), "{what}: {}", reply.text());
        }
        // One wrapper is taken off; what the wallet gets is then no signature of its owner's.
        let nested =
            |message: &str| contracts::wrap(&factory, &creation, &contracts::wrap(&factory, &creation, &signed(&owner, message)));
        register(&world.client, &account, nested).await?.refused(401, "SIGNATURE_INVALID");
        // Nor does a wrapper turn a key's signature into a contract's.
        let sign = |message: &str| contracts::wrap(&factory, &creation, &signed(&owner, message));
        register(&world.client, owner.address(), sign).await?.refused(401, "SIGNATURE_INVALID");
        register(&world.client, &account, sign).await?.ok(201);
        Ok(())
    })
}

#[test]
fn a_malformed_wrapper_is_refused_before_the_chain_is_asked() -> Outcome {
    // The node is nobody: whatever is asked of it would be a 503.
    with_setup(asking("http://127.0.0.1:9"), async |world| {
        let account = format!("0x{}", "22".repeat(20));
        let factory = format!("0x{}", "33".repeat(20));
        let good = contracts::wrap(&factory, &[1; 40], &[2; 65]);
        let body = good.len() - 32;
        for cut in [1, 31, 32, 64, 96, body] {
            let bad = [&good[..body - cut], &good[body..]].concat();
            register(&world.client, &account, |_| bad.clone()).await?.refused(401, "SIGNATURE_INVALID");
        }
        for (at, value) in [(0, 1), (63, 0x80), (33, 1), (95, 0), (96, 0xff), (127, 80), (191, 1)] {
            let mut bad = good.clone();
            bad[at] = value;
            register(&world.client, &account, |_| bad.clone()).await?.refused(401, "SIGNATURE_INVALID");
        }
        register(&world.client, &account, |_| good.clone()).await?.refused(503, "CHAIN_UNAVAILABLE");
        Ok(())
    })
}

#[test]
fn signatures_may_have_16384_characters_and_only_where_a_node_is_set() -> Outcome {
    on_chain(async |world, chain| {
        let yes = chain.deploy(&contracts::always_yes()).await?;
        let mut body = proof(&world.client, &yes, "register", &Value::Null, |_| vec![7; 8_192]).await?;
        body["display_name"] = "Long".into();
        world.client.post("/register").json(&body).send().await?.refused(400, "INVALID_REQUEST");
        // A refusal for its form uses nothing up.
        body["signature"] = format!("0x{}", "07".repeat(8_191)).into();
        world.client.post("/register").json(&body).send().await?.ok(201);
        Ok(())
    })?;
    with_setup(Setup::default(), async |world| {
        let account = format!("0x{}", "22".repeat(20));
        register(&world.client, &account, |_| vec![7; 100]).await?.refused(400, "INVALID_REQUEST");
        register(&world.client, &account, |_| vec![7; 65]).await?.refused(401, "SIGNATURE_INVALID");
        Ok(())
    })
}

#[test]
fn a_delegated_account_is_its_keys_whatever_the_delegate_says() -> Outcome {
    on_chain(async |world, chain| {
        let (wallet, other) = (Wallet::evm(), Wallet::evm());
        let yes = chain.deploy(&contracts::always_yes()).await?;
        let delegation = [&[0xef, 0x01, 0x00][..], &hex::decode(yes.trim_start_matches("0x"))?].concat();
        chain.set_code(wallet.address(), &delegation).await?;
        assert_eq!(chain.code(wallet.address()).await?, delegation);
        register(&world.client, wallet.address(), |message| signed(&other, message)).await?.refused(401, "SIGNATURE_INVALID");
        register(&world.client, wallet.address(), |message| signed(&wallet, message)).await?.ok(201);
        Ok(())
    })
}

#[test]
fn plain_wallets_register_and_recover_as_ever() -> Outcome {
    on_chain(async |world, _| {
        for wallet in [Wallet::evm(), Wallet::solana()] {
            world.client.register(&wallet, "Plain").await?;
            world.client.recover(&wallet, false).await?.get("/me").send().await?.ok(200);
        }
        let (wallet, other) = (Wallet::evm(), Wallet::evm());
        register(&world.client, wallet.address(), |message| signed(&other, message)).await?.refused(401, "SIGNATURE_INVALID");
        Ok(())
    })
}
