//! The provider's steps for the payer, with well-formed transactions of the chain.
//!
//! Nobody needs funds: the transactions do nothing, and the description names the control that pays.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use super::price::Terms;

/// The provider's depository on Base (its list of addresses).
pub(super) const EVM_DEPOSITORY: &str = "0x4cd00e387622c35bddb9b4c962c136462338bc31";
/// The provider's depository program on Solana.
pub(super) const SVM_DEPOSITORY: &str = "99vQwtBwYtrqqD9YSXbdum3KBdxPAVxYTaQ3cfnJSrN2";
/// A vault of the sandbox.
const SVM_VAULT: &str = "7WGzTkSsDEtRysSVqTx4ztQ6ipDZvuTNVDcB2GLwwuQR";
const SVM_SYSTEM: &str = "11111111111111111111111111111111";
const SVM_TOKENS: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

/// The steps of a quote. `controls` is the sandbox's own address, `http://127.0.0.1:9001`.
pub(super) fn steps(terms: &Terms, id: &str, controls: &str) -> Value {
    let hint =
        format!("In this sandbox nothing needs signing: POST {controls}/sandbox/requests/{id} {{\"status\":\"success\"}} pays it.");
    let deposit = if terms.input.token.is_evm() { evm_deposit(terms, id) } else { solana_deposit(terms, id) };
    let symbol = terms.output.token.symbol;
    let deposit = json!({
        "id": "deposit",
        "action": "Confirm transaction in your wallet",
        "description": format!("Depositing funds to the relayer to execute the swap for {symbol}. {hint}"),
        "kind": "transaction",
        "requestId": id,
        "depositAddress": "",
        "items": [{
            "status": "incomplete",
            "data": deposit,
            "check": { "endpoint": format!("/intents/status/v3?requestId={id}"), "method": "GET" },
        }],
    });
    if !terms.input.token.is_evm() || terms.input.token.native {
        return json!([deposit]);
    }
    let approve = json!({
        "id": "approve",
        "action": "Confirm transaction in your wallet",
        "description": format!("Sign an approval for {}. {hint}", terms.input.token.symbol),
        "kind": "transaction",
        "requestId": id,
        "items": [{ "status": "incomplete", "data": evm_approval(terms) }],
    });
    json!([approve, deposit])
}

fn evm_transaction(terms: &Terms, to: &str, data: &str, value: u128) -> Value {
    json!({
        "from": terms.user,
        "to": to,
        "data": data,
        "value": value.to_string(),
        "chainId": terms.input.token.chain_id,
        "gas": "71000",
        "maxFeePerGas": "12205661",
        "maxPriorityFeePerGas": "2037863",
    })
}

fn evm_deposit(terms: &Terms, id: &str) -> Value {
    let user = word(&terms.user);
    let order = word(id);
    if terms.input.token.native {
        let data = format!("0x{}{user}{order}", selector("depositNative(address,bytes32)"));
        return evm_transaction(terms, EVM_DEPOSITORY, &data, terms.input.units);
    }
    let data = format!(
        "0x{}{user}{}{}{order}",
        selector("depositErc20(address,address,uint256,bytes32)"),
        word(terms.input.token.address),
        number(terms.input.units),
    );
    evm_transaction(terms, EVM_DEPOSITORY, &data, 0)
}

fn evm_approval(terms: &Terms) -> Value {
    let data = format!("0x{}{}{}", selector("approve(address,uint256)"), word(EVM_DEPOSITORY), number(terms.input.units));
    evm_transaction(terms, terms.input.token.address, &data, 0)
}

/// The first four bytes of the signature's hash: how a contract's function is called.
fn selector(signature: &str) -> String {
    hex::encode(&Keccak256::digest(signature.as_bytes())[..4])
}

/// An address or an id, left-padded to one word of the EVM.
fn word(hex: &str) -> String {
    format!("{:0>64}", hex.trim_start_matches("0x").to_ascii_lowercase())
}

fn number(units: u128) -> String {
    format!("{units:064x}")
}

/// One call of the depository program: Anchor's discriminator, the amount, the order's id.
fn solana_deposit(terms: &Terms, id: &str) -> Value {
    let token = terms.input.token;
    let function = if token.native { "global:deposit_native" } else { "global:deposit_token" };
    let mut data = Sha256::digest(function.as_bytes())[..8].to_vec();
    // The sandbox's greatest amount fits: 10^12 micro-dollars are below 2^63 lamports.
    data.extend(u64::try_from(terms.input.units).unwrap_or(u64::MAX).to_le_bytes());
    data.extend(hex::decode(id.trim_start_matches("0x")).unwrap_or_default());
    let mut keys = vec![key(&terms.user, true, true), key(&terms.user, false, false), key(SVM_VAULT, false, true)];
    if !token.native {
        keys.push(key(token.address, false, false));
        keys.push(key(SVM_TOKENS, false, false));
    }
    keys.push(key(SVM_SYSTEM, false, false));
    json!({
        "instructions": [{ "keys": keys, "programId": SVM_DEPOSITORY, "data": hex::encode(data) }],
        "addressLookupTableAddresses": [],
    })
}

fn key(pubkey: &str, signs: bool, writable: bool) -> Value {
    json!({ "pubkey": pubkey, "isSigner": signs, "isWritable": writable })
}
