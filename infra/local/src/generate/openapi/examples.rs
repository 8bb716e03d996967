//! Examples of requests and replies, as `cargo xtask record-examples` recorded them from a running stack.

use serde_json::{Value, json};

use super::parts::operations;

/// Adds the recorded examples to every operation.
pub(super) fn add(document: &mut Value, recorded: &Value) {
    for (_, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let example = &recorded[id];
        let request = example["request"].clone();
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let value = match parameter["in"].as_str() {
                Some("path") => &request["path_parameters"][name],
                Some("query") => &request["query"][name],
                Some("header") => &request["headers"][name],
                _ => &Value::Null,
            };
            if !value.is_null() {
                parameter["example"] = value.clone();
            }
        }
        if let Some(body) = request.get("body")
            && let Some(content) = operation.pointer_mut("/requestBody/content/application~1json")
        {
            content["example"] = body.clone();
        }
        for (status, body) in example["responses"].as_object().into_iter().flatten() {
            let content = operation["responses"].get_mut(status).and_then(|response| response.get_mut("content"));
            for (_, media) in content.and_then(Value::as_object_mut).into_iter().flatten() {
                media["example"] = json!(body);
            }
        }
    }
}
