//! The advice of a reply, read as a program reads it.

use crochet_client::Reply;
use serde_json::Value;

/// What a reply says to do next.
#[derive(Debug, Clone)]
pub(super) struct Advice {
    /// The reply's code, or an empty text.
    pub(super) code: String,
    /// `recovery.next_action`.
    pub(super) action: String,
    /// `recovery.retry_after_seconds`, or `data.retry_after_seconds` of a 202.
    pub(super) wait: Option<i64>,
    /// `error.details`.
    pub(super) details: Value,
    /// `data.payment`.
    pub(super) payment: Value,
    preserve: Vec<String>,
    discard: Vec<String>,
}

impl Advice {
    /// The advice of a failure or of a 202, which says only how long to wait.
    pub(super) fn of(reply: &Reply) -> Self {
        let recovery = &reply.error()["recovery"];
        let names = |member: &str| {
            let names = recovery[member].as_array().into_iter().flatten();
            names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
        };
        Self {
            code: reply.code().to_owned(),
            action: recovery["next_action"].as_str().unwrap_or_default().to_owned(),
            wait: recovery["retry_after_seconds"].as_i64().or(reply.data()["retry_after_seconds"].as_i64()),
            details: reply.error()["details"].clone(),
            payment: reply.data()["payment"].clone(),
            preserve: names("preserve"),
            discard: names("discard"),
        }
    }

    /// Whether a value must be sent again.
    pub(super) fn preserves(&self, value: &str) -> bool {
        self.preserve.iter().any(|name| name == value)
    }

    /// Whether a value must not be sent again.
    pub(super) fn discards(&self, value: &str) -> bool {
        self.discard.iter().any(|name| name == value)
    }

    /// Whether `details.unknown_headers` names this header.
    pub(super) fn is_told_of(&self, header: &str) -> bool {
        let named = self.details["unknown_headers"].as_array().into_iter().flatten();
        named.filter_map(Value::as_str).any(|name| name.eq_ignore_ascii_case(header))
    }

    /// The id of the payment in `data.payment`.
    pub(super) fn offered(&self) -> Option<&str> {
        self.payment["relay_request_id"].as_str()
    }

    /// The request id of a call that closed undelivered, so that what was paid for it is owed.
    pub(super) fn undelivered(&self) -> Option<&str> {
        let closed = if self.code == "CALL_UNDELIVERED" { "request_id" } else { "undelivered_request_id" };
        self.details[closed].as_str()
    }

    /// Whether `details` names this id anywhere.
    pub(super) fn names(&self, id: &str) -> bool {
        contains(&self.details, id)
    }
}

fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| contains(item, text)),
        Value::Object(members) => members.values().any(|member| contains(member, text)),
        _ => false,
    }
}

/// What a request of the agent carries beside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sending {
    /// `X-Crochet-Relay-Request-Id`.
    pub(super) id: Option<String>,
    /// `Idempotency-Key`.
    pub(super) key: Option<String>,
    /// `X-Crochet-Origin-Currency`.
    pub(super) currency: Option<String>,
}

impl Sending {
    /// Drops what the advice discards.
    pub(super) fn discard(&mut self, advice: &Advice) {
        for (name, value) in
            [("relay_request_id", &mut self.id), ("idempotency_key", &mut self.key), ("origin_currency", &mut self.currency)]
        {
            if advice.discards(name) {
                *value = None;
            }
        }
    }

    /// Drops the id and the key unless the advice preserves them: what is not mentioned may be dropped, and that costs more.
    pub(super) fn keep_only_preserved(&mut self, advice: &Advice) {
        if !advice.preserves("relay_request_id") {
            self.id = None;
        }
        if !advice.preserves("idempotency_key") {
            self.key = None;
        }
    }
}

/// Counts how often the same advice came in a row.
#[derive(Debug, Default)]
pub(super) struct Loops {
    last: (String, String, Option<i64>),
    in_a_row: u32,
    without_wait: u32,
}

impl Loops {
    /// Notes an advice. Returns how often it came in a row, and how often of these it named no time to wait.
    pub(super) fn note(&mut self, advice: &Advice) -> (u32, u32) {
        let same = self.last.0 == advice.code && self.last.1 == advice.action;
        self.in_a_row = if same { self.in_a_row + 1 } else { 1 };
        self.without_wait = match (same, advice.wait) {
            (_, Some(_)) => 0,
            (true, None) => self.without_wait + 1,
            (false, None) => 1,
        };
        self.last = (advice.code.clone(), advice.action.clone(), advice.wait);
        (self.in_a_row, self.without_wait)
    }
}
