//! The routes of the API, from the OpenAPI document.

use std::sync::LazyLock;

use serde_json::Value;

use crate::documents::OPENAPI;

/// The path of the reference.
pub(crate) const PATH: &str = "/docs/api-reference";

/// The OpenAPI document.
pub(crate) static SPECIFICATION: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap_or_default());

/// One route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) described: &'static Value,
}

impl Operation {
    /// Where its page is.
    pub(crate) fn page(&self) -> String {
        format!("{PATH}/{}", self.id)
    }
}

/// All routes, in the order of the document.
pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    let paths = SPECIFICATION["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, operations)| {
        operations.as_object().into_iter().flatten().map(move |(method, described)| {
            let text = |name: &str| described[name].as_str().unwrap_or_default();
            Operation {
                method: upper(method),
                path,
                id: text("operationId"),
                summary: text("summary"),
                description: text("description"),
                tag: described["tags"][0].as_str().unwrap_or_default(),
                described,
            }
        })
    })
}

fn upper(method: &str) -> &'static str {
    match method {
        "get" => "GET",
        "post" => "POST",
        "put" => "PUT",
        "patch" => "PATCH",
        _ => "DELETE",
    }
}
