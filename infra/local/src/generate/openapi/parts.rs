//! Reading and naming the parts of the document.

use serde_json::{Value, json};

/// Every operation with its path.
pub(super) fn operations(document: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, operations)| {
        operations.as_object_mut().into_iter().flat_map(|operations| operations.values_mut()).map(move |o| (path.as_str(), o))
    })
}

/// `create_api_key` or `RATE_LIMITED` as `CreateApiKey` or `RateLimited`.
pub(super) fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase().to_string()).unwrap_or_default();
        first + &letters.as_str().to_ascii_lowercase()
    };
    name.split('_').map(capital).collect()
}

/// A reference to a schema of the document.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The name of the schema that this one refers to.
pub(super) fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}
