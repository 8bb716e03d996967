use super::parts::{operations, referred};
use super::*;

fn whole() -> Value {
    document(&Value::Null)
}

/// Calls `check` with every object of the document.
fn each(value: &Value, check: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            check(members);
            members.values().for_each(|member| each(member, check));
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, check)),
        _ => {}
    }
}

#[test]
fn no_schema_uses_what_generators_cannot_read() {
    each(&whole(), &mut |object| assert!(!object.contains_key("const"), "{object:?}"));
}

#[test]
fn every_body_of_ours_has_a_name_and_every_name_is_there() {
    let mut document = whole();
    let described = document.clone();
    each(&described, &mut |object| {
        if let Some(pointer) = object.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
            assert!(described.pointer(pointer).is_some(), "{pointer}");
        }
    });
    for (path, operation) in operations(&mut document) {
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            let schema = &response["content"]["application/json"]["schema"];
            let is_document = path.ends_with(".json") && status == "200";
            assert!(schema.is_null() || is_document || referred(schema).is_some(), "{path} {status}: {schema}");
        }
    }
}

#[test]
fn an_operation_says_who_may_call_it_and_with_which_scope() {
    for (path, operation) in operations(&mut whole()) {
        let ways = operation["security"].as_array().expect("security");
        for scopes in ways.iter().filter_map(|way| way.get("api_key")) {
            assert_eq!(scopes.as_array().map(Vec::len), Some(1), "{path} {}", operation["operationId"]);
        }
    }
}

#[test]
fn names_are_made_of_codes() {
    let name = |codes: &[&str]| {
        let mut document = json!({ "paths": { "/": { "get": { "operationId": "read_it", "responses": { "400": {
            "content": { "application/json": { "schema": { "allOf": [{}, { "properties": { "error": { "properties": { "code": { "enum": codes } } } } }] } } }
        } } } } }, "components": { "schemas": {} } });
        errors::name(&mut document);
        let schema = &document["paths"]["/"]["get"]["responses"]["400"]["content"]["application/json"]["schema"];
        referred(schema).unwrap_or_default().to_owned()
    };
    assert_eq!(name(&["RATE_LIMITED"]), "RateLimitedError");
    assert_eq!(name(&["INVALID_JSON", "UNKNOWN_FIELD", "INVALID_REQUEST", "INVALID_SCHEMA"]), "InvalidBodyOrInvalidSchemaError");
    assert_eq!(name(&["A", "B", "C", "D"]), "ReadIt400Error");
}

#[test]
fn no_two_types_of_a_generated_client_have_the_same_name() {
    let mut document = whole();
    let names: Vec<String> = envelopes::schemas(&mut document).keys().cloned().collect();
    for name in &names {
        // In Go, `NewKey` is the constructor of `Key`.
        assert!(!names.contains(&format!("New{name}")), "New{name}");
    }
    let mut values = Vec::new();
    for schema in envelopes::schemas(&mut document).values() {
        values.extend(schema["x-enum-varnames"].as_array().cloned().unwrap_or_default());
    }
    let count = values.len();
    values.sort_by_key(ToString::to_string);
    values.dedup();
    assert_eq!(values.len(), count);
    assert!(values.contains(&json!("CALL_STATUS_PENDING")), "{values:?}");
}
