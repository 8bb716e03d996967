//! The last 10,000 calls that the seller received.

use std::collections::{HashMap, VecDeque};

use axum::body::Bytes;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Maximum number of kept calls. The oldest is dropped first.
const CAPACITY: usize = 10_000;
/// Maximum size of all kept bodies, in bytes.
const BODY_CAPACITY: usize = 256 * 1024 * 1024;

/// One received call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// By the stack's clock.
    pub(super) received_at: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) webhook_id: Option<String>,
    pub(super) verified: bool,
    /// Number of calls with this id to this path, including this one. [`Log::add`] sets it.
    pub(super) nth: u64,
}

impl Call {
    pub(super) fn json(&self) -> Value {
        let mut headers = Map::new();
        for name in self.headers.keys() {
            let values: Vec<String> = self.headers.get_all(name).iter().map(|value| lossy(value.as_bytes())).collect();
            headers.insert(name.to_string(), values.join(", ").into());
        }
        // Every name and value, for tests that look for a repeated header.
        let all: Vec<Value> = self.headers.iter().map(|(name, value)| json!([name.as_str(), lossy(value.as_bytes())])).collect();
        json!({
            "received_at": self.received_at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": headers,
            "header_list": all,
            "body": lossy(&self.body),
            "body_base64": STANDARD.encode(&self.body),
            "webhook_id": self.webhook_id,
            "verified": self.verified,
            "nth": self.nth,
        })
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Calls, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    calls: VecDeque<Call>,
    body_bytes: usize,
    /// Calls in the log by id and path.
    counts: HashMap<(String, String), u64>,
}

impl Log {
    /// Adds a call. Returns the number of calls with its id to its path, or 1 for a call without an id.
    pub(super) fn add(&mut self, mut call: Call) -> u64 {
        call.nth = 1;
        if let Some(id) = &call.webhook_id {
            let count = self.counts.entry((id.clone(), call.path.clone())).or_default();
            *count += 1;
            call.nth = *count;
        }
        let nth = call.nth;
        self.body_bytes += call.body.len();
        self.calls.push_back(call);
        while self.calls.len() > CAPACITY || (self.body_bytes > BODY_CAPACITY && self.calls.len() > 1) {
            self.drop_oldest();
        }
        nth
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.calls.pop_front() else {
            return;
        };
        self.body_bytes -= oldest.body.len();
        let Some(id) = oldest.webhook_id else { return };
        let key = (id, oldest.path);
        // A count is dropped with the last call that it counts.
        if self.counts.get(&key) == Some(&oldest.nth) {
            self.counts.remove(&key);
        }
    }

    /// Deletes all calls.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The calls that `wanted` accepts, oldest first, and how many of them came with each id.
    pub(super) fn list(&self, wanted: impl Fn(&Call) -> bool) -> Value {
        let mut counts: Map<String, Value> = Map::new();
        let mut calls = Vec::new();
        for call in self.calls.iter().filter(|call| wanted(call)) {
            calls.push(call.json());
            if let Some(id) = &call.webhook_id {
                let count = counts.get(id).and_then(Value::as_u64).unwrap_or(0) + 1;
                counts.insert(id.clone(), count.into());
            }
        }
        json!({ "total": calls.len(), "counts": counts, "calls": calls })
    }
}
