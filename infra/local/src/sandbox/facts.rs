//! What the provider's replies say about a payment at one moment.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::payment::{Change, Payment, Status};
use super::tokens::{Amount, is_evm};

/// The reply of `/intents/status/v3`. Like the provider's, it contains neither recipient nor amount.
pub(super) fn status_json(payment: &Payment, now_ms: i64) -> Value {
    let facts = Facts::of(payment, payment.current(now_ms));
    json!({
        "status": facts.status,
        "details": null,
        "inTxHashes": facts.in_hashes(),
        "txHashes": facts.out_hashes(),
        "updatedAt": facts.updated_at_ms(),
        "originChainId": payment.terms.input.token.chain_id,
        "destinationChainId": payment.terms.output.token.chain_id,
        "quoteCreatedAt": payment.quoted_at_ms,
        "failReason": facts.fail_reason().unwrap_or("N/A"),
        "refundFailReason": "N/A",
    })
}

/// The body of the webhook for the state at `now_ms`.
pub(super) fn webhook_json(payment: &Payment, now_ms: i64) -> Value {
    let status = status_json(payment, now_ms);
    json!({
        "event": "request.status.updated",
        "timestamp": now_ms,
        "data": {
            "status": status["status"],
            "inTxHashes": status["inTxHashes"],
            "txHashes": status["txHashes"],
            "updatedAt": status["updatedAt"],
            "originChainId": status["originChainId"],
            "destinationChainId": status["destinationChainId"],
            "depositAddress": null,
            "requestId": payment.id,
            "referrer": payment.terms.referrer,
            "details": null,
            "failReason": status["failReason"],
            "refundFailReason": status["refundFailReason"],
        },
    })
}

/// A payment as the provider's replies show it.
pub(super) struct Facts<'a> {
    pub(super) payment: &'a Payment,
    /// The change that is shown.
    change: Option<&'a Change>,
    pub(super) status: Status,
    pub(super) deposited: bool,
    /// Whether the seller was paid.
    pub(super) filled: bool,
    /// What was paid out, to whom.
    pub(super) output: Amount,
    pub(super) recipient: &'a str,
}

impl<'a> Facts<'a> {
    /// The payment after `change`. `None`: as it was quoted.
    pub(super) fn of(payment: &'a Payment, change: Option<&'a Change>) -> Self {
        let status = change.map_or(Status::Waiting, |change| change.status);
        let units = change.and_then(|change| change.output.as_deref()).and_then(|units| units.parse().ok());
        Self {
            payment,
            change,
            status,
            deposited: status != Status::Waiting,
            filled: change.is_some_and(Change::fills),
            output: Amount { token: payment.terms.output.token, units: units.unwrap_or(payment.terms.output.units) },
            recipient: change.and_then(|change| change.recipient.as_deref()).unwrap_or(&payment.terms.recipient),
        }
    }

    /// When the state changed, in Unix milliseconds.
    pub(super) fn updated_at_ms(&self) -> i64 {
        self.change.map_or(self.payment.quoted_at_ms, |change| change.at_ms)
    }

    pub(super) fn superseded_by(&self) -> Option<&str> {
        self.change?.superseded_by.as_deref()
    }

    pub(super) fn fail_reason(&self) -> Option<&str> {
        let change = self.change?;
        match (&change.fail_reason, self.status) {
            (Some(reason), _) => Some(reason),
            (None, Status::Failure | Status::Refund) => Some("UNKNOWN"),
            (None, _) => None,
        }
    }

    pub(super) fn in_hashes(&self) -> Vec<String> {
        if !self.deposited {
            return Vec::new();
        }
        vec![transaction_hash(&self.payment.id, "deposit", self.payment.terms.input.token.chain_id)]
    }

    pub(super) fn out_hashes(&self) -> Vec<String> {
        let terms = &self.payment.terms;
        let mut hashes = Vec::new();
        if self.filled {
            hashes.push(transaction_hash(&self.payment.id, "fill", terms.output.token.chain_id));
        }
        if self.status == Status::Refund {
            hashes.push(transaction_hash(&self.payment.id, "refund", terms.input.token.chain_id));
        }
        hashes
    }
}

/// A transaction hash in the chain's format, derived from payment and leg.
fn transaction_hash(id: &str, leg: &str, chain_id: u64) -> String {
    let first = Sha256::digest(format!("{id} {leg}"));
    if is_evm(chain_id) {
        return format!("0x{}", hex::encode(first));
    }
    bs58::encode([&first[..], &Sha256::digest(first)[..]].concat()).into_string()
}
