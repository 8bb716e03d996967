//! What is wrong with examples.

use serde_json::{Map, Value, json};

/// Every fault of the examples: an operation without a request or a reply, and a body or parameter that its schema refuses.
#[must_use]
pub fn faults(document: &Value, examples: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let operations = document["paths"].as_object().into_iter().flatten();
    for operation in operations.flat_map(|(_, operations)| operations.as_object().into_iter().flatten().map(|(_, one)| one)) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let example = &examples[id];
        let mut fault = |text: String| faults.push(format!("{id}: {text}"));
        if example["responses"].as_object().is_none_or(Map::is_empty) {
            fault("has no reply".into());
            continue;
        }
        let request = &example["request"];
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, place) = (parameter["name"].as_str().unwrap_or_default(), parameter["in"].as_str().unwrap_or_default());
            let value = match place {
                "path" => &request["path_parameters"][name],
                "query" => &request["query"][name],
                _ => &request["headers"][name],
            };
            if value.is_null() && parameter["required"] == true {
                fault(format!("has no {name}"));
            } else if !value.is_null() {
                check(document, &parameter["schema"], value).into_iter().for_each(|text| fault(format!("{name}: {text}")));
            }
        }
        let body = &operation["requestBody"];
        match request.get("body") {
            Some(sent) => {
                let schema = &body["content"]["application/json"]["schema"];
                check(document, schema, sent).into_iter().for_each(|text| fault(format!("request: {text}")));
            }
            None if body["required"] == true => fault("has no body".into()),
            None => {}
        }
        for (status, reply) in example["responses"].as_object().into_iter().flatten() {
            let response = &operation["responses"][status];
            if response.is_null() {
                fault(format!("{status} is not described"));
            }
            let media = response["content"].as_object().and_then(|content| content.values().next());
            let schema = media.map_or(&Value::Null, |media| &media["schema"]);
            check(document, schema, reply).into_iter().for_each(|text| fault(format!("{status}: {text}")));
        }
    }
    faults
}

fn check(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    whole.insert("components".into(), document["components"].clone());
    match jsonschema::draft202012::new(&json!(whole)) {
        Ok(schema) => schema.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect(),
        Err(error) => vec![format!("the schema is not valid: {error}")],
    }
}

/// Whether two values have the same members and types. Lists are compared by their first item.
#[must_use]
pub fn same_shape(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same_shape(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => match (one.first(), other.first()) {
            (Some(one), Some(other)) => same_shape(one, other),
            (one, other) => one.is_none() && other.is_none(),
        },
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}
