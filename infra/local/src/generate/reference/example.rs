//! Examples of requests and replies on one line: those of the OpenAPI document or, without one, what the schema requires.

use serde_json::{Map, Value, json};

use super::operation::resolve;

/// Longer texts are cut in the short form.
const MAX_TEXT: usize = 12;
/// Members that are shown of a body that requires none.
const MAX_MEMBERS: usize = 3;

/// The example of a request body, with what the body must have. None if it need not have anything.
pub(super) fn request(document: &Value, body: &Value) -> Option<String> {
    let given = of(body).map(|example| cut(&needed(document, &body["schema"], example)));
    let example = given.unwrap_or_else(|| required(document, &body["schema"], "", 0));
    let is_empty = example.is_null() || example.as_object().is_some_and(Map::is_empty);
    (!is_empty).then(|| example.to_string())
}

/// The members of an example that its schema requires or, if it requires none, the first few.
fn needed(document: &Value, schema: &Value, example: Value) -> Value {
    let schema = resolve(document, schema);
    let Value::Object(members) = example else { return example };
    let names: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let most = if names.is_empty() { MAX_MEMBERS } else { usize::MAX };
    members
        .into_iter()
        .filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()))
        .take(most)
        .collect::<Map<_, _>>()
        .into()
}

/// The example that the document gives for a body.
pub(super) fn of(body: &Value) -> Option<Value> {
    let one = &body["example"];
    let several = body["examples"].as_object().and_then(|examples| examples.values().next()).map(|example| &example["value"]);
    [Some(one), several].into_iter().flatten().find(|example| !example.is_null()).cloned()
}

/// The same with long texts cut.
fn cut(example: &Value) -> Value {
    match example {
        Value::String(text) => match text.char_indices().nth(MAX_TEXT) {
            Some((end, _)) => format!("{}…", &text[..end]).into(),
            None => example.clone(),
        },
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), cut(value))).collect(),
        _ => example.clone(),
    }
}

/// A value with what its schema requires.
fn required(document: &Value, schema: &Value, name: &str, depth: usize) -> Value {
    let schema = resolve(document, schema);
    if !schema["example"].is_null() {
        return cut(&schema["example"]);
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    if let Some(known) = KNOWN.iter().find(|(known, _)| *known == name) {
        return serde_json::from_str(known.1).unwrap_or_default();
    }
    match schema["type"].as_str() {
        Some("string") => json!("…"),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        _ if depth > 2 => json!({}),
        _ => {
            let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            names
                .map(|name| (name.to_owned(), required(document, &schema["properties"][name], name, depth + 1)))
                .collect::<Map<_, _>>()
                .into()
        }
    }
}

/// Values for members that have no example of their own, as JSON.
const KNOWN: [(&str, &str); 12] = [
    ("wallet_address", "\"7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV\""),
    ("signature", "\"5hV9…\""),
    ("nonce", "\"b3f1…\""),
    ("pow_nonce", "\"70212\""),
    ("display_name", "\"My agent\""),
    ("name", "\"Word counter\""),
    ("description", "\"Counts the words of a text.\""),
    ("pricing_model", "\"free\""),
    ("api_key", "\"am_k_…\""),
    ("challenge", "\"9c0d…\""),
    ("ceremony_id", "\"…\""),
    ("credential", "{}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_what_is_required_and_one_of_the_document_comes_first() {
        let schema = json!({ "type": "object", "required": ["nonce", "n"], "properties": {
            "nonce": { "type": "string" }, "n": { "type": "integer" }, "left_out": { "type": "string" } } });
        let body = json!({ "schema": schema });
        assert_eq!(request(&json!({}), &body).as_deref(), Some("{\"nonce\":\"b3f1…\",\"n\":1}"));
        let given = json!({ "schema": schema, "example": { "n": 2, "left_out": "x", "nonce": "a".repeat(60) } });
        assert_eq!(request(&json!({}), &given), Some(format!("{{\"n\":2,\"nonce\":\"{}…\"}}", "a".repeat(MAX_TEXT))));
        let named =
            json!({ "schema": { "type": "object" }, "examples": { "usual": { "value": { "a": 1, "b": 2, "c": 3, "d": 4 } } } });
        assert_eq!(request(&json!({}), &named).as_deref(), Some("{\"a\":1,\"b\":2,\"c\":3}"));
        assert_eq!(request(&json!({}), &json!({ "schema": { "type": "object" } })), None);
    }
}
