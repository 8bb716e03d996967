//! `POST /sandbox/pay`, with transactions that are put together and signed here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use crochet_client::{SandboxControls, Wallet};
use ed25519_dalek::Signer;
use k256::ecdsa::SigningKey;
use reqwest::Method;
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};

use super::{ask, parts, quote_body, status};

/// A part of a Solana transaction that a test changes.
#[derive(Default)]
struct Change {
    version: Option<u8>,
    blockhash: [u8; 1],
    data: Option<fn(&mut Vec<u8>)>,
    swap_accounts: bool,
    read_only: bool,
    twice: bool,
}

fn sound() -> Change {
    Change { version: Some(0x80), blockhash: [7], ..Change::default() }
}

/// A transaction with the instruction of a step, signed by `wallet`, which pays for it.
fn solana(wallet: &Wallet, step: &Value, change: &Change) -> Vec<u8> {
    let asked = &step["items"][0]["data"]["instructions"][0];
    let key = |name: &Value| bs58::decode(name.as_str().expect("text")).into_vec().expect("base58");
    let payer = bs58::decode(wallet.address()).into_vec().expect("base58");
    let accounts: Vec<(Vec<u8>, bool)> = asked["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|account| (key(&account["pubkey"]), account["isWritable"] == true))
        .collect();
    let mut keys = vec![payer.clone()];
    // Writable ones first; the program is read only.
    for writable in [true, false] {
        for (account, is_writable) in &accounts {
            if *is_writable == writable && !keys.contains(account) {
                keys.push(account.clone());
            }
        }
    }
    keys.push(key(&asked["programId"]));
    let others = &keys[1..];
    let writable = accounts.iter().filter(|(account, writable)| *writable && others.contains(account)).count();
    let read_only = others.len() - if change.read_only { 0 } else { writable };
    let place = |key: &Vec<u8>| u8::try_from(keys.iter().position(|known| known == key).expect("listed")).expect("a place");
    let byte = |count: usize| u8::try_from(count).expect("a short list");

    let mut data = hex::decode(asked["data"].as_str().expect("text")).expect("hex");
    if let Some(edit) = change.data {
        edit(&mut data);
    }
    let mut places: Vec<u8> = accounts.iter().map(|(account, _)| place(account)).collect();
    if change.swap_accounts {
        places.swap(1, 2);
    }
    let mut instruction = vec![byte(keys.len() - 1), byte(places.len())];
    instruction.extend(&places);
    instruction.push(byte(data.len()));
    instruction.extend(&data);

    let mut message: Vec<u8> = change.version.into_iter().collect();
    message.extend([1, 0, byte(read_only), byte(keys.len())]);
    message.extend(keys.concat());
    message.extend(change.blockhash.repeat(32));
    message.push(if change.twice { 2 } else { 1 });
    message.extend(&instruction);
    if change.twice {
        message.extend(&instruction);
    }
    if change.version.is_some() {
        message.push(0);
    }
    let signature = ed25519_dalek::SigningKey::from_bytes(&wallet.secret()).sign(&message).to_bytes();
    [vec![1], signature.to_vec(), message].concat()
}

fn rlp(bytes: &[u8], is_list: bool) -> Vec<u8> {
    let base = if is_list { 0xc0 } else { 0x80 };
    if !is_list && bytes.len() == 1 && bytes[0] < 0x80 {
        return bytes.to_vec();
    }
    if let Ok(short @ ..56) = u8::try_from(bytes.len()) {
        return [&[base + short], bytes].concat();
    }
    let length = short(bytes.len() as u128);
    [&[base + 55 + u8::try_from(length.len()).expect("short")], &length[..], bytes].concat()
}

fn short(number: u128) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// The transaction of a step, after `edit`, signed by `wallet`.
fn evm(wallet: &Wallet, step: &Value, nonce: u128, edit: impl Fn(&mut Value)) -> String {
    let mut asked = step["items"][0]["data"].clone();
    edit(&mut asked);
    let bytes = |name: &str| hex::decode(asked[name].as_str().expect("text").trim_start_matches("0x")).expect("hex");
    let number =
        |name: &str| asked[name].as_str().and_then(|text| text.parse().ok()).or(asked[name].as_u64().map(u128::from)).expect(name);
    let numbers = [number("chainId"), nonce, number("maxPriorityFeePerGas"), number("maxFeePerGas"), number("gas")];
    let mut members: Vec<Vec<u8>> = numbers.into_iter().map(|number| rlp(&short(number), false)).collect();
    members.push(rlp(&bytes("to"), false));
    members.push(rlp(&short(number("value")), false));
    members.push(rlp(&bytes("data"), false));
    members.push(rlp(&[], true));
    let hash = Keccak256::digest([vec![2], rlp(&members.concat(), true)].concat());
    let key = SigningKey::from_slice(&wallet.secret()).expect("a key");
    let (signature, recovery) = key.sign_prehash_recoverable(&hash);
    members.push(rlp(&short(u128::from(recovery.to_byte())), false));
    for half in signature.to_bytes().chunks(32) {
        let trimmed: Vec<u8> = half.iter().copied().skip_while(|byte| *byte == 0).collect();
        members.push(rlp(&trimmed, false));
    }
    format!("0x02{}", hex::encode(rlp(&members.concat(), true)))
}

/// A quote to pay from this wallet, in USDC or the native coin.
async fn quoted(sandbox: &SandboxControls, wallet: &Wallet, native: bool) -> (String, Value) {
    let mut body = quote_body();
    body["user"] = wallet.address().into();
    body["refundTo"] = wallet.address().into();
    let (chain, currency) = match (wallet.currency(), native) {
        ("SOL", true) => (792_703_809, "11111111111111111111111111111111"),
        ("SOL", false) => (792_703_809, super::USDC_ON_SOLANA),
        (_, true) => (8_453, "0x0000000000000000000000000000000000000000"),
        (_, false) => (8_453, "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"),
    };
    body["originChainId"] = chain.into();
    body["originCurrency"] = currency.into();
    if wallet.currency() == "SOL" && !native {
        // Another chain, as the same token on the same chain is a send.
        body["destinationChainId"] = 8_453.into();
        body["destinationCurrency"] = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913".into();
        body["recipient"] = super::EVM.into();
    }
    let quote = ask(sandbox, &body).await;
    (quote.text_at("/steps/0/requestId").expect("an id"), quote.json["steps"].clone())
}

async fn pay(sandbox: &SandboxControls, transactions: Value) -> (u16, Value) {
    let request = sandbox.request(Method::POST, "/sandbox/pay").json(&json!({ "transactions": transactions }));
    let reply = request.send().await.expect("an answer");
    (reply.status, reply.json)
}

/// Refused, with this in the message, and nothing is paid.
async fn refused(sandbox: &SandboxControls, id: &str, transactions: Value, says: &str) {
    let (code, reply) = pay(sandbox, transactions).await;
    assert!(matches!(code, 400 | 404), "{says}: {reply}");
    assert!(reply["message"].as_str().is_some_and(|message| message.contains(says)), "{says}: {reply}");
    assert_eq!(status(sandbox, id).await["status"], "waiting", "{says}");
}

#[tokio::test]
async fn a_signed_solana_transaction_pays_its_quote_once() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let wallet = Wallet::solana();
    for native in [true, false] {
        for version in [Some(0x80), None] {
            let (id, steps) = quoted(&sandbox, &wallet, native).await;
            let signed = solana(&wallet, &steps[0], &Change { version, ..sound() });
            let text = if native { BASE64.encode(&signed) } else { bs58::encode(&signed).into_string() };
            let (code, reply) = pay(&sandbox, json!([text])).await;
            assert_eq!((code, &reply["request"]["status"]), (200, &json!("success")), "{reply}");
            assert_eq!(reply["transaction_ids"], json!([bs58::encode(&signed[1..65]).into_string()]));
            assert_eq!(status(&sandbox, &id).await["status"], "success");
            assert_eq!(pay(&sandbox, json!([text])).await.0, 409, "a second deposit");
        }
    }
}

#[tokio::test]
async fn a_solana_transaction_that_a_chain_or_the_provider_would_refuse_pays_nothing() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let wallet = Wallet::solana();
    let (id, steps) = quoted(&sandbox, &wallet, true).await;
    let signed = |change: &Change| json!([BASE64.encode(solana(&wallet, &steps[0], change))]);
    for (change, says) in [
        (Change { blockhash: [0], ..sound() }, "blockhash"),
        (Change { version: Some(0x81), ..sound() }, "version 0"),
        (Change { data: Some(|data| data[8] ^= 1), ..sound() }, "amount"),
        (Change { data: Some(|data| data[0] ^= 1), ..sound() }, "function"),
        (Change { swap_accounts: true, ..sound() }, "account"),
        (Change { read_only: true, ..sound() }, "isWritable"),
        (Change { twice: true, ..sound() }, "two instructions"),
        (Change { data: Some(|data| data[20] ^= 1), ..sound() }, "was quoted"),
    ] {
        refused(&sandbox, &id, signed(&change), says).await;
    }
    let another = Wallet::solana();
    refused(&sandbox, &id, json!([BASE64.encode(solana(&another, &steps[0], &sound()))]), "must sign").await;
    let good = solana(&wallet, &steps[0], &sound());
    for at in [1, 40, 70, 100, 200, good.len() - 20] {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert_eq!(pay(&sandbox, json!([BASE64.encode(&changed)])).await.0, 400, "byte {at}");
    }
    for length in 0..good.len() {
        assert_eq!(pay(&sandbox, json!([BASE64.encode(&good[..length])])).await.0, 400, "{length} bytes");
    }
    refused(&sandbox, &id, json!([BASE64.encode([&good[..], &[0]].concat())]), "after its end").await;
    refused(&sandbox, &id, json!([BASE64.encode(vec![1; 1_300])]), "1232").await;
    refused(&sandbox, &id, json!([]), "at least one").await;
    let good = BASE64.encode(good);
    refused(&sandbox, &id, json!([good, good]), "one for each").await;
    sandbox.forget(&id).await.expect("forgotten");
    assert_eq!(pay(&sandbox, json!([good])).await.0, 404);
    sandbox.recall(&id).await.expect("known");
    // After the ttl, the deposit is sent back.
    sandbox.advance_clock(601_000).await.expect("moved");
    let (_, late) = pay(&sandbox, json!([good])).await;
    assert_eq!((&late["request"]["status"], &late["request"]["filled"]), (&json!("refund"), &json!(false)));
    assert_eq!(status(&sandbox, &id).await["failReason"], "TTL_EXPIRED");
}

#[tokio::test]
async fn signed_evm_transactions_pay_their_quote() {
    let stack = parts(None).await;
    let sandbox = stack.sandbox();
    let wallet = Wallet::evm();
    let (id, steps) = quoted(&sandbox, &wallet, true).await;
    let sound = |_: &mut Value| {};
    let good = evm(&wallet, &steps[0], 0, sound);
    refused(&sandbox, &id, json!([evm(&Wallet::evm(), &steps[0], 0, sound)]), "`from`").await;
    for (field, value) in [
        ("value", json!("1")),
        ("chainId", json!(1)),
        ("to", json!("0x000000000000000000000000000000000000dead")),
        ("gas", json!("20999")),
        ("maxFeePerGas", json!("1")),
    ] {
        let says = if matches!(field, "gas" | "maxFeePerGas") { "gas" } else { field };
        let changed = evm(&wallet, &steps[0], 0, |asked| asked[field] = value.clone());
        refused(&sandbox, &id, json!([changed]), says).await;
    }
    let other_function = evm(&wallet, &steps[0], 0, |asked| {
        asked["data"] = asked["data"].as_str().expect("text").replacen("0x", "0x00", 1).into();
    });
    refused(&sandbox, &id, json!([other_function]), "`data`").await;
    let (code, reply) = pay(&sandbox, json!([good])).await;
    assert_eq!((code, &reply["request"]["status"]), (200, &json!("success")), "{reply}");
    assert_eq!(status(&sandbox, &id).await["status"], "success");

    let (id, steps) = quoted(&sandbox, &wallet, false).await;
    let (approve, deposit) = (evm(&wallet, &steps[0], 4, sound), evm(&wallet, &steps[1], 5, sound));
    refused(&sandbox, &id, json!([deposit]), "one for each").await;
    refused(&sandbox, &id, json!([deposit, approve]), "was quoted").await;
    refused(&sandbox, &id, json!([approve, evm(&wallet, &steps[1], 4, sound)]), "nonce").await;
    let cut = &deposit[..deposit.len() - 2];
    refused(&sandbox, &id, json!([approve, cut]), "short").await;
    refused(&sandbox, &id, json!([approve, format!("{deposit}00")]), "after its end").await;
    refused(&sandbox, &id, json!([approve, format!("0x01{}", &deposit[4..])]), "type 2").await;
    assert_eq!(pay(&sandbox, json!([approve, deposit])).await.0, 200);
    assert_eq!(status(&sandbox, &id).await["status"], "success");
}
