//! Requests: objects refuse fields that they do not have, and parameters are never null.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::envelopes::schemas;
use super::parts::{operations, referred};

/// What the payment provider sends. It may add members at any time, which strict clients must accept.
const PROVIDERS: &[&str] = &["PaymentStep", "PaymentStepItem", "StepTransaction", "StepInstruction", "StepAccount", "StepCheck"];

/// Closes the objects of request bodies, and takes `null` out of the types of parameters and bodies.
pub(super) fn close(document: &mut Value) {
    let mut open = Vec::new();
    for (_, operation) in operations(document) {
        if let Some(schema) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
            // A body that may be left out is not null.
            without_null(schema);
            collect(schema, &mut open);
        }
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            without_null(&mut parameter["schema"]);
        }
    }
    for name in PROVIDERS {
        if let Some(schema) = schemas(document).get_mut(*name) {
            schema["additionalProperties"] = json!(true);
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let Some(schema) = schemas(document).get_mut(&name) else { continue };
        if schema["type"] == "object" {
            schema["additionalProperties"] = json!(false);
        }
        collect(schema, &mut open);
    }
}

/// The names of the schemas that a schema refers to.
fn collect(schema: &Value, names: &mut Vec<String>) {
    names.extend(referred(schema).map(str::to_owned));
    match schema {
        Value::Object(members) => members.values().for_each(|member| collect(member, names)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

/// A parameter is sent or left out. `null` would be the text "null".
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(ways) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        ways.retain(|way| way["type"] != "null");
        if let [only] = ways.as_slice() {
            *schema = only.clone();
        }
    }
}
