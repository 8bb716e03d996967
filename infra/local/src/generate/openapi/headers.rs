//! Headers of responses that the service sends on every route, on every limited route, or with every status of a kind.

use serde_json::{Value, json};

use super::errors::error_codes;
use super::parts::operations;

/// Describes the headers that no single route decides. Those of single routes are described there.
pub(super) fn add(document: &mut Value) {
    document["components"]["headers"] = json!({
        "RequestId": { "description": "The id of this request. Name it when you report a problem.", "schema": { "type": "string" } },
        "RetryAfter": { "description": "Seconds to wait before the next attempt.", "schema": { "type": "integer", "minimum": 0 } },
        "RateLimit": { "description": "What is left of the limit that counts this request: its name, `r` requests, `t` seconds.", "schema": { "type": "string" } },
        "RateLimitPolicy": { "description": "The limit that counts this request: its name, `q` requests in `w` seconds.", "schema": { "type": "string" } },
        "WwwAuthenticate": { "description": "The scheme that is missing: `Bearer`.", "schema": { "type": "string" } },
    });
    let described = document.clone();
    for (path, operation) in operations(document) {
        let codes = error_codes(&described, operation);
        let is_limited = path.starts_with("/api/") && codes.contains(&"RATE_LIMITED");
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            let mut header = |name: &str, component: &str| {
                response["headers"][name] = json!({ "$ref": format!("#/components/headers/{component}") });
            };
            header("X-Request-Id", "RequestId");
            if is_limited {
                header("RateLimit", "RateLimit");
                header("RateLimit-Policy", "RateLimitPolicy");
            }
            if matches!(status.as_str(), "202" | "429" | "502" | "503" | "504") {
                header("Retry-After", "RetryAfter");
            }
            if status == "401" {
                header("WWW-Authenticate", "WwwAuthenticate");
            }
        }
    }
}
