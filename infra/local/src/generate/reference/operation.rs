//! The operations of the OpenAPI document, in the order of the reference, and how its schemas are read.

use serde_json::Value;

/// A method and a path, with what the OpenAPI document says of them.
pub(super) struct Operation<'a> {
    pub(super) method: String,
    pub(super) path: &'a str,
    pub(super) described: &'a Value,
}

impl Operation<'_> {
    /// The accepted kinds of authentication. Any one is enough.
    pub(super) fn auth(&self) -> String {
        let one = |way: &Value| {
            let (name, scopes) = way.as_object()?.iter().next()?;
            let scopes: Vec<&str> = scopes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let name = if name == "session" { "session" } else { "key" };
            Some([&[name], &scopes[..]].concat().join(" "))
        };
        let ways: Vec<String> = self.described["security"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|way| one(way).unwrap_or_else(|| "none".into()))
            .collect();
        if ways.is_empty() { "none".to_owned() } else { ways.join(", or ") }
    }
}

/// The groups in the order of the reference. Groups that are not listed follow, in the order of the document.
const ORDER: [&str; 5] = ["Catalog", "Gateway and payments", "Identity", "Listings", "Reviews and statistics"];

/// Groups and their operations. Documents are listed at `/docs`.
pub(super) fn groups(document: &Value) -> Vec<(&str, Vec<Operation<'_>>)> {
    let mut groups: Vec<(&str, Vec<Operation<'_>>)> = ORDER.iter().map(|name| (*name, Vec::new())).collect();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, described) in operations.as_object().into_iter().flatten() {
            let Some(group) = described["tags"][0].as_str().filter(|group| *group != "Documents") else { continue };
            let operation = Operation { method: method.to_uppercase(), path, described };
            match groups.iter_mut().find(|(name, _)| *name == group) {
                Some((_, operations)) => operations.push(operation),
                None => groups.push((group, vec![operation])),
            }
        }
    }
    groups.retain(|(_, operations)| !operations.is_empty());
    groups
}

pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    }
}

/// A member's description: its own, that of the schema it refers to, or that of the one alternative to null.
pub(super) fn description(document: &Value, member: &Value) -> String {
    let alternatives = member["oneOf"].as_array().into_iter().flatten();
    let text =
        [member, resolve(document, member)].into_iter().chain(alternatives).find_map(|schema| schema["description"].as_str());
    one_line(text.unwrap_or_default())
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
