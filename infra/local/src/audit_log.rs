//! CloudWatch Logs, as far as the operator's audit trail needs it: streams are created, and lines are appended to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Name of the log group.
pub const AUDIT_LOG: &str = "crochet-audit";
/// Prefix of the header that names an operation.
const TARGET: &str = "Logs_20140328.";

/// The trail, in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct AuditLog(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

impl AuditLog {
    /// All lines, oldest first within a stream.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().flatten().cloned().collect()
    }

    /// Answers a request, if it is for CloudWatch Logs. Whatever would change the trail is refused, as the operator's policy does.
    pub(crate) fn respond(&self, headers: &HeaderMap, body: &[u8]) -> Option<Response> {
        let operation = headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TARGET)?;
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let stream = request["logStreamName"].as_str().unwrap_or_default().to_owned();
        if request["logGroupName"] != AUDIT_LOG {
            return Some(refused("ResourceNotFoundException"));
        }
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match operation {
            "CreateLogStream" if streams.contains_key(&stream) => refused("ResourceAlreadyExistsException"),
            "CreateLogStream" => {
                streams.insert(stream, Vec::new());
                Json(json!({})).into_response()
            }
            "PutLogEvents" => match streams.get_mut(&stream) {
                Some(lines) => {
                    let events = request["logEvents"].as_array().into_iter().flatten();
                    lines.extend(events.filter_map(|event| event["message"].as_str().map(str::to_owned)));
                    Json(json!({})).into_response()
                }
                None => refused("ResourceNotFoundException"),
            },
            _ => refused("AccessDeniedException"),
        })
    }
}

fn refused(kind: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "__type": kind, "message": kind }))).into_response()
}
