//! Errors: one named schema for each set of codes that a status can have.

use std::collections::{BTreeMap, BTreeSet};

use crochet::http::Code;
use serde_json::{Map, Value, json};

use super::envelopes::schemas;
use super::parts::{operations, pascal, reference};

/// Codes that come together wherever a request is parsed or authenticated, under one word.
const TOGETHER: &[(&str, &[&str])] = &[
    ("InvalidBody", &["INVALID_JSON", "UNKNOWN_FIELD", "INVALID_REQUEST"]),
    ("InvalidQuery", &["UNKNOWN_FIELD", "INVALID_REQUEST"]),
    ("Unauthenticated", &["UNAUTHORIZED", "INVALID_API_KEY"]),
];

/// A schema that is named after more than this many words is named after its operation.
const WORDS: usize = 3;

/// Names the schemas of errors and describes what they share.
pub(super) fn name(document: &mut Value) {
    let mut named = Map::new();
    let names = names(document);
    for (_, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            let codes = declared_codes(response);
            let Some(name) = names.get(&(status.clone(), codes.clone())).map(|name| name.of(&id, status)) else { continue };
            named.insert(name.clone(), envelope(&codes));
            response["content"]["application/json"]["schema"] = reference(&name);
        }
    }
    let schemas = schemas(document);
    if let Some(payment_required) = schemas.get_mut("PaymentRequiredEnvelope") {
        payment_required["properties"]["error"] = error(&[Code::PaymentRequired.as_str().to_owned()]);
    }
    schemas.extend(named);
    let all: Vec<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    schemas.insert("ErrorEnvelope".into(), envelope(&all));
    schemas.insert("Recovery".into(), recovery());
    schemas.insert(
        "ErrorDetails".into(),
        json!({ "type": "object", "description": "What exactly was wrong. The members depend on the code." }),
    );
}

/// The codes of the errors that an operation declares, in the order of their statuses.
pub(in crate::generate) fn error_codes<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a str> {
    let codes = |response: &'a Value| {
        let schema = &response["content"]["application/json"]["schema"];
        let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        let schema = pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema);
        let codes = &schema["properties"]["error"]["properties"]["code"]["enum"];
        codes.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>()
    };
    operation["responses"].as_object().into_iter().flatten().flat_map(|(_, response)| codes(response)).collect()
}

/// How a set of codes is named.
enum Name {
    /// By its codes.
    Codes(String),
    /// By its operation and status.
    Operation,
}

impl Name {
    fn of(&self, operation: &str, status: &str) -> String {
        match self {
            Self::Codes(name) => name.clone(),
            Self::Operation => format!("{}{status}Error", pascal(operation)),
        }
    }
}

/// A name for each status and its codes. Two statuses never share a name, because a code has one status.
fn names(document: &mut Value) -> BTreeMap<(String, Vec<String>), Name> {
    let mut sets = BTreeSet::new();
    for (_, operation) in operations(document) {
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            let codes = declared_codes(response);
            if !codes.is_empty() {
                sets.insert((status.clone(), codes));
            }
        }
    }
    sets.into_iter()
        .map(|set| {
            let name = name_of(&set.1);
            (set, name)
        })
        .collect()
}

fn name_of(codes: &[String]) -> Name {
    let mut rest: Vec<&str> = codes.iter().map(String::as_str).collect();
    let mut words = Vec::new();
    for (word, together) in TOGETHER {
        if together.iter().all(|code| rest.contains(code)) {
            rest.retain(|code| !together.contains(code));
            words.push((*word).to_owned());
        }
    }
    words.extend(rest.into_iter().map(pascal));
    if words.len() > WORDS { Name::Operation } else { Name::Codes(format!("{}Error", words.join("Or"))) }
}

/// The codes of a response as its route declares them: next to the envelope that all errors have.
fn declared_codes(response: &Value) -> Vec<String> {
    let narrowed = &response["content"]["application/json"]["schema"]["allOf"][1];
    let codes = narrowed["properties"]["error"]["properties"]["code"]["enum"].as_array();
    codes.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn envelope(codes: &[String]) -> Value {
    json!({
        "type": "object",
        "description": "An error.",
        "required": ["success", "error"],
        "properties": { "success": { "type": "boolean", "description": "Always `false`." }, "error": error(codes) },
    })
}

fn error(codes: &[String]) -> Value {
    json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": { "type": "string", "enum": codes },
            "message": { "type": "string", "description": "One English sentence that says what to do." },
            "details": reference("ErrorDetails"),
            "recovery": reference("Recovery"),
        },
    })
}

fn recovery() -> Value {
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let described = |mut schema: Value, text: &str| {
        schema["description"] = text.into();
        schema
    };
    json!({
        "type": "object",
        "description": "How to get out of the error.",
        "required": ["retryable", "next_action", "summary", "preserve", "discard", "retry_after_seconds", "docs_url", "reference_url"],
        "properties": {
            "retryable": { "type": "boolean", "description": "Whether the same request can succeed later." },
            "next_action": { "type": "string", "description": "What to do next, as one word." },
            "summary": { "type": "string", "description": "What to do next, as a sentence." },
            "preserve": described(texts(), "What to send again as it was."),
            "discard": described(texts(), "What not to send again."),
            "retry_after_seconds": { "type": ["integer", "null"], "description": "Seconds to wait first." },
            "retry_same_route": { "type": "boolean" },
            "use_new_idempotency_key": { "type": "boolean" },
            "docs_url": { "type": "string" },
            "reference_url": { "type": "string" },
        },
    })
}
