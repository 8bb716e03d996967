//! A route in the long form: every parameter and field with its description, and an example where the document has one.

use std::collections::HashSet;
use std::fmt::Write;

use serde_json::Value;

use super::example;
use super::operation::{Operation, description, one_line, resolve};
use crate::generate::openapi;

/// Columns of a wrapped line.
const WIDTH: usize = 128;

/// Maximum depth of printed schemas. openapi.json has the rest.
const DEPTH: usize = 5;

/// The page so far. A schema is printed once and referred to by name afterwards.
pub(super) struct Page<'a> {
    document: &'a Value,
    shown: HashSet<String>,
}

impl<'a> Page<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self { document, shown: HashSet::new() }
    }

    pub(super) fn write(&mut self, out: &mut String, operation: &Operation<'a>) {
        let (method, path, described): (_, _, &'a Value) = (&operation.method, operation.path, operation.described);
        let _ = write!(out, "\n### {method} {path}\n\n");
        for text in [&described["summary"], &described["description"]] {
            for line in text.as_str().unwrap_or_default().lines() {
                let _ = writeln!(out, "{line}");
            }
        }
        let _ = writeln!(out, "\n    Auth: {}", operation.auth());
        for parameter in described["parameters"].as_array().into_iter().flatten() {
            let required = if parameter["required"] == true { ", required" } else { "" };
            let (name, place) = (parameter["name"].as_str().unwrap_or_default(), parameter["in"].as_str().unwrap_or_default());
            let _ = writeln!(out, "    {name} ({place}{required}): {}", text_of(&parameter["description"]));
        }
        let body = &described["requestBody"]["content"]["application/json"];
        if !body["schema"].is_null() {
            let _ = writeln!(out, "    Body:");
            self.fields(out, &body["schema"], 8, 0);
            example_of(out, "Example of a request", body);
        }
        for (status, response) in described["responses"].as_object().into_iter().flatten() {
            if status.starts_with('2') || status == "402" {
                let _ = writeln!(out, "    {status}: {}", text_of(&response["description"]));
                // What is referred to is sent by every route of a kind.
                let headers = response["headers"].as_object().into_iter().flatten().filter(|(_, header)| header["$ref"].is_null());
                for (name, header) in headers {
                    let _ = writeln!(out, "        header {name}: {}", text_of(&header["description"]));
                }
                let body = &response["content"]["application/json"];
                self.fields(out, &body["schema"], 8, 0);
                example_of(out, "Example of this reply", body);
            }
        }
        errors(out, self.document, described);
    }

    fn fields(&mut self, out: &mut String, schema: &'a Value, indent: usize, depth: usize) {
        let document = self.document;
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
            let has_fields = !resolve(document, schema)["properties"].is_null();
            if has_fields && !self.shown.insert(name.to_owned()) {
                let _ = writeln!(out, "{}({name}, as above)", " ".repeat(indent));
                return;
            }
        }
        let schema = resolve(document, schema);
        if depth >= DEPTH {
            return;
        }
        if schema["type"] == "array" {
            return self.fields(out, &schema["items"], indent, depth);
        }
        for part in ["allOf", "oneOf", "anyOf"].iter().flat_map(|name| schema[*name].as_array().into_iter().flatten()) {
            self.fields(out, part, indent, depth);
        }
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let optional = if required.contains(&name.as_str()) { "" } else { "?" };
            let _ = write!(out, "{}{name}{optional} ({})", " ".repeat(indent), kind(document, property));
            let _ = match description(document, property) {
                text if text.is_empty() => writeln!(out),
                text => writeln!(out, ": {text}"),
            };
            // The members of an error are described once, at the beginning.
            if name != "error" {
                self.fields(out, property, indent + 4, depth + 1);
            }
        }
    }
}

fn text_of(value: &Value) -> String {
    one_line(value.as_str().unwrap_or_default())
}

fn example_of(out: &mut String, title: &str, body: &Value) {
    if let Some(example) = example::of(body) {
        let _ = writeln!(out, "    {title}:\n        {example}");
    }
}

/// The codes of the route's errors, wrapped.
fn errors(out: &mut String, document: &Value, described: &Value) {
    let codes = openapi::error_codes(document, described);
    let mut line = "    Errors:".to_owned();
    for (i, code) in codes.iter().enumerate() {
        let comma = if i + 1 < codes.len() { "," } else { "" };
        if line.len() + code.len() + 2 > WIDTH {
            let _ = writeln!(out, "{line}");
            line = " ".repeat(7);
        }
        let _ = write!(line, " {code}{comma}");
    }
    let _ = writeln!(out, "{line}");
}

/// A member's type, or its possible values.
fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    if schema["enum"].as_array().is_some_and(|texts| texts.len() > 20) {
        return "one of the codes below".into();
    }
    if let Some(texts) = schema["enum"].as_array() {
        let text = |text: &Value| text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        return texts.iter().map(text).collect::<Vec<_>>().join(" | ");
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        if let Some(ways) = schema[part].as_array() {
            let mut ways: Vec<String> = ways.iter().map(|way| kind(document, way)).collect();
            ways.dedup();
            return ways.join(" | ");
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("array of {}", kind(document, &schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => "any".into(),
    }
}
