//! The OpenAPI document of all groups together.

use crochet::http::Code;
use serde_json::{Value, json};

/// The groups and their routers, in the order of the reference.
pub(super) fn groups() -> [(&'static str, utoipa::openapi::OpenApi); 6] {
    [
        ("identity", crochet_identity::openapi()),
        ("catalog", crochet_catalog::openapi()),
        ("listings", crochet_listings::openapi()),
        ("gateway", crochet_gateway::openapi()),
        ("reviews", crochet_reviews::openapi()),
        ("site", crochet_site::openapi()),
    ]
}

/// One document: paths and schemas of every group, the error envelope on every operation, and how to authenticate.
pub(super) fn document() -> Value {
    let mut paths = serde_json::Map::new();
    let mut schemas = serde_json::Map::new();
    for (_, group) in groups() {
        let group = serde_json::to_value(group).unwrap_or_default();
        for (path, operations) in group["paths"].as_object().into_iter().flatten() {
            let merged = paths.entry(path.clone()).or_insert_with(|| json!({}));
            if let (Some(merged), Some(operations)) = (merged.as_object_mut(), operations.as_object()) {
                merged.extend(operations.clone());
            }
        }
        schemas.extend(group["components"]["schemas"].as_object().cloned().unwrap_or_default());
    }
    for (path, operations) in &mut paths {
        if !path.starts_with("/api/v1") || path.ends_with(".json") {
            continue;
        }
        for operation in operations.as_object_mut().into_iter().flat_map(|operations| operations.values_mut()) {
            for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
                if status.starts_with('2') {
                    envelope(&mut response["content"]["application/json"]["schema"]);
                }
            }
        }
    }
    let errors = error_envelope();
    if let Some(payment_required) = schemas.get_mut("PaymentRequiredEnvelope") {
        payment_required["properties"]["error"] = errors["properties"]["error"].clone();
        payment_required["properties"]["error"]["properties"]["code"]["enum"] = json!([Code::PaymentRequired.as_str()]);
    }
    schemas.insert("ErrorEnvelope".into(), errors);
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Crochet",
            "description": "A marketplace and gateway where agents buy and sell capabilities, paid per call. Errors contain a `recovery` whose `next_action` says what to do; /docs/api-reference.txt lists them all.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "{PUBLIC_URL}" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": crochet_domain::session::COOKIE, "description": "A person's session cookie, set by logging in with a passkey. Requests that change something must come from a page of this deployment." },
                "api_key": { "type": "http", "scheme": "bearer", "bearerFormat": "am_k_…", "description": "The authorization_header that POST /register or POST /auth/recover returned." },
            },
        },
    })
}

/// The codes of the errors that an operation declares, by status. What describes an error ends by narrowing `error.code`.
pub(super) fn error_codes<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a str> {
    let codes = |response: &'a Value| {
        let schema = &response["content"]["application/json"]["schema"];
        let narrowed = match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
            None => &schema["allOf"][1],
        };
        let codes = &narrowed["properties"]["error"]["properties"]["code"]["enum"];
        codes.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>()
    };
    operation["responses"].as_object().into_iter().flatten().flat_map(|(_, response)| codes(response)).collect()
}

/// Handlers describe `data`; replies wrap it in the envelope.
fn envelope(schema: &mut Value) {
    let is_whole = schema["$ref"].as_str().is_some_and(|name| name.ends_with("Envelope"));
    if schema.is_object() && !is_whole {
        *schema = json!({
            "type": "object",
            "required": ["success", "data"],
            "properties": { "success": { "type": "boolean", "const": true }, "data": schema.take() },
        });
    }
}

fn error_envelope() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "type": "object",
        "required": ["success", "error"],
        "properties": {
            "success": { "type": "boolean", "const": false },
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": { "type": "string", "enum": codes },
                    "message": { "type": "string", "description": "One English sentence that says what to do." },
                    "details": { "type": "object", "description": "What exactly was wrong." },
                    "recovery": {
                        "type": "object",
                        "properties": {
                            "retryable": { "type": "boolean" },
                            "next_action": { "type": "string" },
                            "summary": { "type": "string" },
                            "preserve": { "type": "array", "items": { "type": "string" } },
                            "discard": { "type": "array", "items": { "type": "string" } },
                            "retry_after_seconds": { "type": ["integer", "null"] },
                            "retry_same_route": { "type": "boolean" },
                            "use_new_idempotency_key": { "type": "boolean" },
                            "docs_url": { "type": "string" },
                            "reference_url": { "type": "string" },
                        },
                    },
                },
            },
            "data": { "type": "object", "description": "`data.payment` of a 402, next to the error." },
        },
    })
}
