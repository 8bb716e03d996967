//! The OpenAPI document of all groups together.
//!
//! The routers describe paths, parameters, bodies and errors. The steps here add what holds for every operation, and give each body
//! a name of its own, because generators turn bodies without a name into types that collide.

mod envelopes;
mod errors;
mod examples;
mod headers;
mod names;
mod parts;
mod requests;
mod security;

use serde_json::{Map, Value, json};

pub(super) use errors::error_codes;

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

/// The whole document. `recorded` is `docs/examples.json`.
pub(super) fn document(recorded: &Value) -> Value {
    let mut document = merged();
    envelopes::name(&mut document);
    errors::name(&mut document);
    requests::close(&mut document);
    security::complete(&mut document);
    headers::add(&mut document);
    names::of_values(&mut document);
    examples::add(&mut document, recorded);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.sort_keys();
    }
    document
}

/// Paths and schemas of every group, as the routers describe them.
fn merged() -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
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
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Crochet",
            "description": "A marketplace and gateway where agents buy and sell capabilities, paid per call. Errors contain a `recovery` whose `next_action` says what to do; /docs/api-reference.txt lists them all.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // The service puts its own URL here.
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

#[cfg(test)]
mod tests;
