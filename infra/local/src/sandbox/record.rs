//! The record of a payment in `GET /requests/v3`, the only reply with recipient and amount.

use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::{Value, json};

use super::facts::Facts;
use super::faults::Mode;
use super::payment::{Payment, Status};
use super::price::{AppFee, Terms};
use super::quote::{minus, other_token, rate, route, stranger};
use super::tokens::{Amount, usd};

/// One record of `/requests/v3`.
pub(super) fn record_json(payment: &Payment, now_ms: i64, fault: Option<Mode>) -> Value {
    let mut facts = Facts::of(payment, payment.recorded(now_ms));
    match fault {
        Some(Mode::WrongRecipient) => facts.recipient = stranger(facts.output.token.chain_id),
        Some(Mode::SmallerOutput) => facts.output.units = facts.output.units.saturating_sub(1),
        Some(Mode::WrongCurrency) => facts.output.token = other_token(facts.output.token),
        _ => {}
    }
    let terms = &payment.terms;
    let at = |ms: i64| rfc3339(from_unix_ms(ms));
    json!({
        "id": payment.id,
        "status": facts.status,
        "user": terms.user,
        "sender": terms.user,
        "recipient": facts.recipient,
        "refundTo": terms.refund_to,
        "supersededByRequestId": facts.superseded_by(),
        "depositAddress": null,
        "requestType": request_type(terms),
        "data": data_json(&facts),
        "protocol": {
            "orderId": payment.id,
            "hubType": "onchain",
            "isWithdrawable": false,
            "settlement": settlement(&facts),
        },
        "features": if terms.app_fees.is_empty() { json!([]) } else { json!(["app_fees"]) },
        "createdAt": at(payment.quoted_at_ms),
        "updatedAt": at(facts.updated_at_ms()),
    })
}

/// The transactions of the payout and of the refund.
fn settlement(facts: &Facts<'_>) -> Value {
    let terms = &facts.payment.terms;
    let leg = |chain_id: u64, hash: String| json!({ "chainId": chain_id, "transactionId": hash });
    let mut hashes = facts.out_hashes().into_iter();
    let fill = if facts.filled { hashes.next() } else { None };
    let fills: Vec<Value> = fill.map(|hash| leg(terms.output.token.chain_id, hash)).into_iter().collect();
    let refunds: Vec<Value> = hashes.map(|hash| leg(terms.input.token.chain_id, hash)).collect();
    json!({ "destination": { "fills": fills, "refunds": refunds } })
}

fn request_type(terms: &Terms) -> &'static str {
    match (terms.operation(), terms.same_chain()) {
        ("send", _) => "Send",
        ("bridge", _) => "Bridge",
        (_, true) => "Same-chain Swap",
        (_, false) => "Crosschain Swap",
    }
}

fn data_json(facts: &Facts<'_>) -> Value {
    let terms = &facts.payment.terms;
    let origin = terms.input.token;
    let cost = |micros: u128| {
        let amount = origin.worth(micros);
        json!({ "usd": minus(micros), "amount": amount.units.to_string(), "amountFormatted": amount.formatted() })
    };
    let fees = json!({
        "swap": cost(0),
        "execution": cost(terms.execution_micros),
        "platform": cost(0),
        "app": cost(terms.app_micros()),
        "sponsored": cost(0),
    });
    let app_fee = |fee: &AppFee| {
        let amount = origin.worth(fee.micros);
        json!({
            "recipient": fee.recipient,
            "bps": fee.bps.to_string(),
            "amount": amount.units.to_string(),
            "amountFormatted": amount.formatted(),
            "amountUsd": usd(fee.micros),
        })
    };
    let app_fees: Vec<Value> = terms.app_fees.iter().map(app_fee).collect();
    let actual_app_fees = if facts.filled { app_fees.clone() } else { Vec::new() };
    let refunded = (facts.status == Status::Refund).then(|| terms.input.json());
    json!({
        "slippageTolerance": "0",
        "failReason": facts.fail_reason(),
        "refundFailReason": null,
        "usesExternalLiquidity": false,
        "timeEstimate": 2,
        "triggeredByFastFill": null,
        "inTxs": in_transactions(facts),
        "outTxs": out_transactions(facts),
        "appFees": { "quoted": app_fees, "actual": actual_app_fees, "currency": origin.json() },
        "fees": { "quoted": fees, "actual": if facts.filled { fees.clone() } else { json!({}) }, "currency": origin.json() },
        "platformFee": null,
        "referrer": terms.referrer,
        "route": {
            "includedSwapSources": [],
            "includedOriginSwapSources": [],
            "includedDestinationSwapSources": [],
            "quoted": route(terms),
            "actual": actual_route(facts),
        },
        "quoteOraclePrice": null,
        "refundCurrencyData": refunded,
        "externalMetadata": { "moonpayId": null },
    })
}

/// The executed route: empty before the deposit. Like the provider's, it repeats the quoted one if nothing was executed.
fn actual_route(facts: &Facts<'_>) -> Value {
    if !facts.deposited {
        return Value::Null;
    }
    let mut actual = route(&facts.payment.terms);
    actual["rate"] = rate(&facts.payment.terms).into();
    if facts.filled {
        actual["destination"] =
            json!({ "inputCurrency": facts.output.json(), "outputCurrency": facts.output.json(), "router": "relay" });
    } else if facts.status == Status::Success {
        actual["destination"] = Value::Null;
    }
    actual
}

fn in_transactions(facts: &Facts<'_>) -> Vec<Value> {
    let terms = &facts.payment.terms;
    let hashes = facts.in_hashes();
    hashes.iter().map(|hash| transaction(facts, hash, &terms.input, &terms.user, true)).collect()
}

fn out_transactions(facts: &Facts<'_>) -> Vec<Value> {
    let terms = &facts.payment.terms;
    let mut hashes = facts.out_hashes().into_iter();
    let mut transactions = Vec::new();
    if facts.filled
        && let Some(hash) = hashes.next()
    {
        transactions.push(transaction(facts, &hash, &facts.output, facts.recipient, false));
    }
    let refund_to = terms.refund_to.as_deref().unwrap_or(&terms.user);
    transactions.extend(hashes.map(|hash| transaction(facts, &hash, &terms.input, refund_to, false)));
    transactions
}

fn transaction(facts: &Facts<'_>, hash: &str, moved: &Amount, address: &str, leaves: bool) -> Value {
    let sign = if leaves { "-" } else { "" };
    let data = if moved.token.native { json!({}) } else { json!({ "tokenKind": "ft", "tokenAddress": moved.token.address }) };
    json!({
        "txHash": hash,
        "fee": "5000",
        "feeUsd": usd(750),
        "block": 46_479_163,
        "type": "onchain",
        "chainId": moved.token.chain_id,
        "timestamp": facts.updated_at_ms() / 1_000,
        "status": "success",
        "data": {},
        "stateChanges": [{
            "address": address,
            "change": {
                "kind": if moved.token.native { "native" } else { "token" },
                "data": data,
                "balanceDiff": format!("{sign}{}", moved.units),
            },
        }],
    })
}
