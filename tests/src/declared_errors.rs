//! Checks that a route answers only the errors that it declares in `docs/openapi.json`.

use std::sync::LazyLock;

use crochet_client::Reply;
use serde_json::Value;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../docs/openapi.json")).expect("docs/openapi.json is JSON"));

/// Fails the test for an error whose code the route does not declare. Paths and methods without a route are not checked.
pub(crate) fn check(reply: &Reply) {
    let (method, path) = reply.request().split_once(' ').unwrap_or_default();
    if reply.code().is_empty() {
        return;
    }
    if let Some(operation) = operation(method, path) {
        let declared = declared(operation);
        assert!(declared.contains(&reply.code()), "{method} {path} does not declare {}: {}", reply.code(), reply.text());
    }
}

/// The path of the document that a request fits, and its operation.
pub(crate) fn route(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let operation = operation(method, path)?;
    let paths = DOCUMENT["paths"].as_object()?;
    let (template, _) = paths.iter().find(|(_, operations)| {
        operations.as_object().into_iter().flatten().any(|(_, one)| one["operationId"] == operation["operationId"])
    })?;
    Some((template, operation))
}

/// The operation that answers a request. A literal segment takes precedence over a parameter, and GET answers HEAD.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    let paths = DOCUMENT["paths"].as_object()?;
    let exact = paths.get(path).map(|operations| &operations[&method]);
    let matching = || paths.iter().find(|(template, _)| fits(template, path)).map(|(_, operations)| &operations[&method]);
    exact.or_else(matching).filter(|operation| operation.is_object())
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, segment)| part == segment || (part.starts_with('{') && !segment.is_empty()))
}

/// Every code that the operation's responses allow.
fn declared(operation: &'static Value) -> Vec<&'static str> {
    let schemas = operation["responses"].as_object().into_iter().flatten().map(|(_, response)| {
        let schema = &response["content"]["application/json"]["schema"];
        match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => DOCUMENT.pointer(pointer).unwrap_or(&Value::Null),
            None => schema,
        }
    });
    let codes = |schema: &'static Value| schema["properties"]["error"]["properties"]["code"]["enum"].as_array();
    schemas.filter_map(codes).flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_declares_errors() {
        for (path, operations) in DOCUMENT["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                assert!(declared(operation).contains(&"INTERNAL_ERROR"), "{method} {path}");
            }
        }
    }

    #[test]
    fn a_402_of_the_gateway_describes_its_payment() {
        let response = &DOCUMENT["paths"]["/api/v1/gateway/{listing_id}"]["post"]["responses"]["402"];
        let schema = &response["content"]["application/json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/PaymentRequiredEnvelope");
    }

    #[test]
    fn a_request_finds_its_operation() {
        let found = |method, path| operation(method, path).map(|operation| &operation["operationId"]);
        assert_eq!(found("HEAD", "/api/v1/listings/some-slug"), Some(&Value::from("get_listing")));
        assert_eq!(found("POST", "/api/v1/listings/challenge"), Some(&Value::from("create_listing_challenge")));
        assert_eq!(found("GET", "/api/v1/listings/"), None);
        assert_eq!(found("PUT", "/api/v1/me"), None);
    }
}
