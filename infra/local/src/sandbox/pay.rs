//! `POST /sandbox/pay`: pays a quote with the signed transactions of its steps, as a chain would.
//!
//! Every step's transaction must be there, signed by the payer and with the instruction or call of the step. Balances, fees and the
//! age of a blockhash are not checked: there is no chain.

mod evm;
mod reader;
mod solana;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::controls::{Reply, Wrong, read, view};
use super::payment::{Change, Payment, Status};
use super::state::Sandbox;
use super::steps::steps;

/// Length of the order's id, which ends the data of every deposit.
const ORDER_BYTES: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayBody {
    /// Solana: base64 or base58. EVM: `0x` and hex.
    transactions: Vec<String>,
}

/// Pays a quote. The reply names the transactions as the chain would.
pub(super) async fn pay(State(sandbox): State<Sandbox>, body: Bytes) -> Reply {
    let body: PayBody = read(&body)?;
    let sent = body.transactions.iter().map(|text| Transaction::parse(text)).collect::<Result<Vec<_>, _>>().map_err(Wrong::body)?;
    let last = sent.last().ok_or_else(|| Wrong::body("transactions: at least one"))?;
    let id = last.order().ok_or_else(|| Wrong::body("transactions: the last one is no deposit to this provider"))?;
    let payment = sandbox.known(&id).ok_or_else(|| Wrong::unknown(&id))?;
    let now_ms = sandbox.now_ms();
    if payment.status(now_ms) != Status::Waiting {
        return Err(Wrong::conflict(format!("{id} has a deposit already: it would be sent back")));
    }
    let asked = steps(&payment.terms, &id, &sandbox.controls_url());
    check(&sent, &asked, &payment).map_err(Wrong::body)?;
    sandbox.change(&id, deposited(&payment, now_ms));
    let webhooks = sandbox.announce().await;
    let payment = sandbox.payment(&id).ok_or_else(|| Wrong::unknown(&id))?;
    let ids: Vec<String> = sent.iter().map(Transaction::id).collect();
    Ok(Json(json!({ "request": view(&payment, sandbox.now_ms()), "transaction_ids": ids, "webhooks": webhooks })))
}

/// What becomes of a quote when its deposit is seen: after its `ttl`, the provider refunds it.
fn deposited(payment: &Payment, now_ms: i64) -> Change {
    let is_late = payment.expires_ms().is_some_and(|expires_ms| expires_ms < now_ms);
    Change {
        at_ms: now_ms,
        status: if is_late { Status::Refund } else { Status::Success },
        record_after_ms: None,
        output: None,
        recipient: None,
        fail_reason: is_late.then(|| "TTL_EXPIRED".into()),
        fill: None,
        superseded_by: None,
        announced: false,
    }
}

enum Transaction {
    Solana(solana::Transaction),
    Evm(evm::Transaction),
}

impl Transaction {
    /// Parses a transaction and verifies its signatures.
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(digits) = text.strip_prefix("0x") {
            let bytes = hex::decode(digits).map_err(|_| "transactions: 0x must be followed by hex")?;
            return evm::Transaction::parse(&bytes).map(Self::Evm);
        }
        // Base58 may look like base64, but the bytes differ.
        let base58 = || bs58::decode(text).into_vec().ok().and_then(|bytes| solana::Transaction::parse(&bytes).ok());
        let bytes = match BASE64.decode(text) {
            Ok(bytes) => bytes,
            Err(_) => bs58::decode(text).into_vec().map_err(|_| "transactions: base64 or base58 (Solana), or 0x and hex (EVM)")?,
        };
        let parsed = solana::Transaction::parse(&bytes);
        parsed.or_else(|error| base58().ok_or(error)).map(Self::Solana)
    }

    /// The order that it pays, if it is a deposit.
    fn order(&self) -> Option<String> {
        let data = match self {
            Self::Solana(transaction) => transaction.deposit()?.data.as_slice(),
            Self::Evm(transaction) => &transaction.data,
        };
        let order = data.len().checked_sub(ORDER_BYTES)?;
        Some(format!("0x{}", hex::encode(&data[order..])))
    }

    fn id(&self) -> String {
        match self {
            Self::Solana(transaction) => transaction.id(),
            Self::Evm(transaction) => transaction.id(),
        }
    }
}

/// Whether these transactions carry out the steps, in order.
fn check(sent: &[Transaction], steps: &Value, payment: &Payment) -> Result<(), String> {
    let steps = steps.as_array().map(Vec::as_slice).unwrap_or_default();
    if sent.len() != steps.len() {
        return Err(format!("transactions: one for each of the {} steps, in their order", steps.len()));
    }
    let mut nonce = None;
    for (transaction, step) in sent.iter().zip(steps) {
        let asked = &step["items"][0]["data"];
        let name = step["id"].as_str().unwrap_or_default();
        match transaction {
            Transaction::Solana(transaction) => transaction.carries_out(&asked["instructions"][0], &payment.terms.user),
            Transaction::Evm(transaction) => {
                let follows = nonce.is_none_or(|before| transaction.nonce > before);
                nonce = Some(transaction.nonce);
                let order = if follows { Ok(()) } else { Err("its nonce must be greater than the one before".to_owned()) };
                order.and_then(|()| transaction.carries_out(asked))
            }
        }
        .map_err(|difference| format!("step {name}: {difference}"))?;
    }
    Ok(())
}
