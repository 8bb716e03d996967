//! The API reference as text, made from the OpenAPI document and the error catalogue.

use std::fmt::Write;

use crochet::http::Code;
use crochet::http::limits;
use serde_json::Value;

const OPENING: &str = include_str!("opening.txt");

/// The whole text.
pub(super) fn text(document: &Value) -> String {
    let mut out = OPENING.to_owned();
    let mut tag = String::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let group = operation["tags"][0].as_str().unwrap_or("Documents");
            if group != tag {
                let _ = write!(out, "\n\n{}\n{}\n", group.to_uppercase(), "=".repeat(group.len()));
                group.clone_into(&mut tag);
            }
            route(&mut out, document, &method.to_uppercase(), path, operation);
        }
    }
    limits_table(&mut out);
    errors(&mut out);
    actions(&mut out);
    out
}

fn route(out: &mut String, document: &Value, method: &str, path: &str, operation: &Value) {
    let _ = write!(out, "\n{method} {path}\n");
    let auth = if operation["security"].as_array().is_some_and(|s| !s.is_empty()) { "API key" } else { "none" };
    for text in [&operation["summary"], &operation["description"]] {
        for line in text.as_str().unwrap_or_default().lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
    let _ = writeln!(out, "    Auth: {auth}");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let required = if parameter["required"] == true { ", required" } else { "" };
        let _ = writeln!(
            out,
            "    {} ({}{required}): {}",
            parameter["name"].as_str().unwrap_or_default(),
            parameter["in"].as_str().unwrap_or_default(),
            one_line(&parameter["description"])
        );
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        let _ = writeln!(out, "    Body: {}", one_line(&operation["requestBody"]["description"]));
        fields(out, document, body, 8, 0);
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if status == "default" {
            continue;
        }
        let _ = writeln!(out, "    {status}: {}", one_line(&response["description"]));
        fields(out, document, &response["content"]["application/json"]["schema"], 8, 0);
    }
}

/// Schemas nested deeper than this are left to openapi.json.
const DEPTH: usize = 5;

fn fields(out: &mut String, document: &Value, schema: &Value, indent: usize, depth: usize) {
    let schema = resolve(document, schema);
    if depth >= DEPTH {
        return;
    }
    if schema["type"] == "array" {
        return fields(out, document, &schema["items"], indent, depth);
    }
    for part in ["allOf", "oneOf", "anyOf"].iter().flat_map(|name| schema[*name].as_array().into_iter().flatten()) {
        fields(out, document, part, indent, depth);
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let resolved = resolve(document, property);
        let described = if property["description"].is_string() { property } else { resolved };
        let _ = writeln!(out, "{}{name}{optional}: {}", " ".repeat(indent), one_line(&described["description"]));
        fields(out, document, property, indent + 4, depth + 1);
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    }
}

fn one_line(text: &Value) -> String {
    text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn heading(out: &mut String, title: &str) {
    let _ = write!(out, "\n\n{title}\n{}\n", "=".repeat(title.len()));
}

fn limits_table(out: &mut String) {
    heading(out, "LIMITS");
    let _ = writeln!(
        out,
        "\nExact, per window. Limited routes answer with the RateLimit and RateLimit-Policy fields; a 429 has Retry-After.\n"
    );
    for limit in limits::ALL {
        let _ = writeln!(out, "    {:<16} {:>5} in {:>6} s", limit.name, limit.quota, limit.window_seconds);
    }
}

fn errors(out: &mut String) {
    heading(out, "ERROR CODES");
    for code in Code::ALL {
        let advice = code.advice();
        let _ = write!(out, "\n#error-{}\n", code.as_str());
        let _ = writeln!(out, "    {} {}", code.status().as_u16(), code.message());
        let _ = writeln!(out, "    next_action: {} (retryable: {})", advice.next_action, advice.retryable);
        let _ = writeln!(out, "    {}", advice.summary);
        for (name, values) in [("preserve", advice.preserve), ("discard", advice.discard)] {
            if !values.is_empty() {
                let _ = writeln!(out, "    {name}: {}", values.join(", "));
            }
        }
    }
}

/// Actions that an error of some code may carry instead of its usual one.
const FURTHER_ACTIONS: &[(&str, &str)] = &[
    ("choose_another_listing", "PAYMENT_ROUTE_MINIMUM_NOT_MET, PAYMENT_ROUTE_UNAVAILABLE"),
    ("send_body_to_be_quoted", "PAYMENT_REQUIRED"),
];

fn actions(out: &mut String) {
    heading(out, "NEXT ACTIONS");
    let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.advice().next_action).collect();
    names.extend(FURTHER_ACTIONS.iter().map(|(name, _)| *name));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let mut codes: Vec<&str> =
            Code::ALL.iter().filter(|code| code.advice().next_action == name).map(|code| code.as_str()).collect();
        codes.extend(FURTHER_ACTIONS.iter().filter(|(action, _)| *action == name).map(|(_, codes)| *codes));
        let _ = write!(out, "\n#action-{name}\n    Of: {}\n", codes.join(", "));
        for code in Code::ALL.iter().filter(|code| code.advice().next_action == name) {
            let _ = writeln!(out, "    {}: {}", code.as_str(), code.advice().summary);
        }
    }
}
