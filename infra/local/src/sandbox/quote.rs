//! `POST /quote/v2`: prices and stores a payment.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::faults::{Mode, Route};
use super::payment::Payment;
use super::price::{Terms, price};
use super::refusal::Refusal;
use super::request::QuoteRequest;
use super::state::Sandbox;
use super::steps::{EVM_DEPOSITORY, SVM_DEPOSITORY, steps};
use super::tokens::{self, Amount, Token, usd};

pub(super) async fn quote(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(trouble) = sandbox.trouble(Route::Quote).await {
        return trouble;
    }
    match answer(&sandbox, &headers, &body) {
        Ok(reply) => (StatusCode::OK, Json(reply)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn answer(sandbox: &Sandbox, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    sandbox.check_key(headers, false)?;
    let as_received: Box<RawValue> = serde_json::from_slice(body).map_err(|_| Refusal::malformed("Body is not valid JSON"))?;
    let value: Value = serde_json::from_str(as_received.get()).map_err(|_| Refusal::malformed("Body is not valid JSON"))?;
    let request = QuoteRequest::read(&value)?;
    let (input, execution_micros, app_fees) = price(&request.wanted, sandbox.execution_micros().into())?;
    let mut terms = Terms {
        user: request.user,
        recipient: request.recipient,
        refund_to: request.refund_to,
        referrer: request.referrer,
        ttl: request.ttl,
        input,
        output: request.wanted.output,
        execution_micros,
        app_fees,
    };
    let fault = sandbox.fault_of_quote(&terms.user);
    if let Some(mode) = fault {
        distort(&mut terms, mode);
    }
    let fresh = sandbox.new_id();
    // The fault of a reused id: the newest payment's id is returned, and nothing is stored.
    let replayed = if fault == Some(Mode::ReplayId) { sandbox.newest_id() } else { None };
    let id = replayed.clone().unwrap_or(fresh);
    let reply = reply(&terms, &id, &sandbox.controls_url());
    if replayed.is_none() {
        sandbox.note_key(&id, headers);
        sandbox.remember(Payment::new(id, sandbox.now_ms(), as_received, terms));
    }
    Ok(reply)
}

/// Applies a fault to the terms of a quote.
fn distort(terms: &mut Terms, mode: Mode) {
    match mode {
        Mode::WrongRecipient => terms.recipient = stranger(terms.output.token.chain_id).to_owned(),
        Mode::SmallerOutput => terms.output.units = terms.output.units.saturating_sub(1),
        Mode::WrongCurrency => terms.output = Amount { token: other_token(terms.output.token), units: terms.output.units },
        Mode::Down | Mode::Slow | Mode::Garbage | Mode::ReplayId | Mode::TooLow | Mode::NoRoute => {}
    }
}

/// An address that no test uses.
pub(super) fn stranger(chain_id: u64) -> &'static str {
    if tokens::is_evm(chain_id) {
        "0x0000000000000000000000000000000000bad000"
    } else {
        "DZuyd1ctzUF8wqXQ8Zfu7pYtQY8SGphWvty3qhLRxxzV"
    }
}

/// The other token of the same chain.
pub(super) fn other_token(token: &'static Token) -> &'static Token {
    let native = if token.is_evm() { "0x0000000000000000000000000000000000000000" } else { "11111111111111111111111111111111" };
    Token::find(token.chain_id, native).unwrap_or(token)
}

fn reply(terms: &Terms, id: &str, controls: &str) -> Value {
    let origin = terms.input.token;
    let fee = |micros: u128| origin.worth(micros).json();
    let gas = other_token(origin).worth(if origin.is_evm() { 600 } else { 750 });
    json!({
        "steps": steps(terms, id, controls),
        "fees": {
            "gas": gas.json(),
            "relayer": fee(terms.execution_micros),
            "relayerGas": fee(0),
            "relayerService": fee(terms.execution_micros),
            "app": fee(terms.app_micros()),
            "subsidized": fee(0),
        },
        "details": {
            "operation": terms.operation(),
            "sender": terms.user,
            "recipient": terms.recipient,
            "currencyIn": terms.input.json(),
            "currencyOut": terms.output.json(),
            "refundCurrency": terms.input.json(),
            "totalImpact": { "usd": minus(terms.execution_micros + terms.app_micros()), "percent": "0.00" },
            "swapImpact": { "usd": "0.000000", "percent": "0.00" },
            "expandedPriceImpact": {
                "swap": { "usd": "0.000000" },
                "execution": { "usd": minus(terms.execution_micros) },
                "relay": { "usd": "0.000000" },
                "app": { "usd": minus(terms.app_micros()) },
                "sponsored": { "usd": "0.000000" },
            },
            "rate": rate(terms),
            "slippageTolerance": {
                "total": "0",
                "origin": { "usd": "0.000000", "value": "0", "percent": "0.00" },
                "destination": { "usd": "0.000000", "value": "0", "percent": "0.00" },
            },
            "timeEstimate": 2,
            "userBalance": "100000000000",
            "isFixedRate": false,
            "route": route(terms),
        },
        "protocol": {
            "v2": {
                "orderId": id,
                "hubType": "onchain",
                "paymentDetails": {
                    "chainId": if origin.is_evm() { "base" } else { "solana" },
                    "depository": if origin.is_evm() { EVM_DEPOSITORY } else { SVM_DEPOSITORY },
                    "currency": origin.address,
                    "amount": terms.input.units.to_string(),
                },
            },
        },
    })
}

/// The provider's `route` object: what goes in and comes out on both sides.
pub(super) fn route(terms: &Terms) -> Value {
    json!({
        "origin": { "inputCurrency": terms.input.json(), "outputCurrency": terms.input.json(), "router": "relay" },
        "destination": { "inputCurrency": terms.output.json(), "outputCurrency": terms.output.json(), "router": "relay" },
    })
}

/// Output for one whole unit of input, fees included, with six decimals.
pub(super) fn rate(terms: &Terms) -> String {
    let input = terms.input.units.max(1);
    let whole_output = terms.output.units * 10_u128.pow(terms.input.token.decimals) / input;
    usd(whole_output * 1_000_000 / 10_u128.pow(terms.output.token.decimals))
}

/// A cost in the provider's format: negative unless zero.
pub(super) fn minus(micros: u128) -> String {
    if micros == 0 { usd(0) } else { format!("-{}", usd(micros)) }
}
