//! The API reference as text, generated from the OpenAPI document and the error codes: a short form, which fits into a reader's
//! window, and a long one. Both are Markdown that reads as plain text.

mod brief;
mod codes;
mod example;
mod long;
mod notation;

use std::fmt::Write;

use serde_json::Value;

use notation::Notation;

const OPENING: &str = include_str!("opening.txt");

/// The short form. A test holds it to 48 KiB.
pub(super) fn short(document: &Value) -> String {
    let mut notation = Notation::new(document);
    let mut routes = String::new();
    for (group, operations) in groups(document) {
        let _ = write!(routes, "\n## {group}\n");
        for operation in &operations {
            brief::write(&mut routes, operation, &mut notation);
        }
    }
    let mut out = OPENING.replace("{FORM}", SHORT_FORM);
    out.push_str(&codes::limits());
    out.push_str(brief::LEGEND);
    out.push_str(&routes);
    out.push_str("\n## Types\n\n");
    out.push_str(&notation.types());
    out.push_str(&codes::short());
    out
}

/// The long form.
pub(super) fn long(document: &Value) -> String {
    let mut out = OPENING.replace("{FORM}", LONG_FORM);
    out.push_str(&codes::limits());
    let mut page = long::Page::new(document);
    for (group, operations) in groups(document) {
        let _ = write!(out, "\n\n## {group}\n");
        for operation in &operations {
            page.write(&mut out, operation);
        }
    }
    out.push_str(&codes::long());
    out
}

const SHORT_FORM: &str = "With every field of every reply described: {PUBLIC_URL}/docs/api-reference-full.txt.";
const LONG_FORM: &str = "This is the long form. Types instead of descriptions, in 48 KB: {PUBLIC_URL}/docs/api-reference.txt.";

/// A method and a path, with what the OpenAPI document says of them.
struct Operation<'a> {
    method: String,
    path: &'a str,
    described: &'a Value,
}

impl Operation<'_> {
    /// The accepted kinds of authentication. Any one is enough.
    fn auth(&self) -> String {
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
const ORDER: [&str; 4] = ["Catalog", "Gateway and payments", "Identity", "Listings"];

/// Groups and their operations. Documents are listed at `/docs`.
fn groups(document: &Value) -> Vec<(&str, Vec<Operation<'_>>)> {
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

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    }
}

/// A member's description: its own, that of the schema it refers to, or that of the one alternative to null.
fn description(document: &Value, member: &Value) -> String {
    let alternatives = member["oneOf"].as_array().into_iter().flatten();
    let text =
        [member, resolve(document, member)].into_iter().chain(alternatives).find_map(|schema| schema["description"].as_str());
    one_line(text.unwrap_or_default())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
