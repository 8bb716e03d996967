//! What a receipt says.

use crochet::config::Config;
use crochet_domain::call::{Call, CallState, Payment};
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::{Value, json};

/// Version of the claims.
const VERSION: u32 = 1;

/// The claims of the receipt for a call that has ended; `None` for another one.
pub(super) fn claims(call: &Call, config: &Config) -> Option<Value> {
    let response = match &call.state {
        CallState::Delivered { response } => response.as_ref().map(|response| response.sha256.clone()),
        CallState::Undelivered => None,
        _ => return None,
    };
    let moment = |ms: i64| rfc3339(from_unix_ms(ms));
    Some(json!({
        "iss": config.absolute(""),
        "sub": call.id.to_string(),
        // The same call always has the same claims.
        "iat": call.updated_ms.div_euclid(1_000),
        "receipt_version": VERSION,
        "status": call.state.as_str(),
        "buyer_id": call.buyer.to_string(),
        "seller_id": call.seller.to_string(),
        "listing": { "id": call.listing.id.to_string(), "slug": call.listing.slug, "name": call.listing.name },
        "price_micros": call.split.price.0,
        "fee_micros": call.split.fee.0,
        "currency": "USD",
        "request_sha256": call.body_sha256,
        "response_sha256": response,
        "seller_status_code": call.attempts.last().and_then(|attempt| attempt.seller_status_code),
        "payment": call.payment.as_ref().map(payment),
        "created_at": moment(call.created_ms),
        "settled_at": call.settled_ms.map(moment),
        "ended_at": moment(call.updated_ms),
    }))
}

fn payment(payment: &Payment) -> Value {
    json!({
        "provider": payment.provider,
        "id": payment.id,
        "origin_currency": payment.origin_currency,
        "from": payment.pay_from.address,
        "to": payment.expected.recipient,
        "chain_id": payment.expected.chain_id,
        "token": payment.expected.currency,
        "amount": payment.expected.output.to_string(),
    })
}
