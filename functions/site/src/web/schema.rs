//! JSON Schemas as tables, and examples of what fits them.

use crochet_domain::listing::Listing;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::part::{code, sheet};
use crate::foreign;

/// Rows of a table, and levels below the root. What is deeper or longer is in the JSON.
const MAX_ROWS: usize = 60;
const MAX_DEPTH: usize = 4;
/// Values of an `enum` that are named.
const MAX_VALUES: usize = 6;

/// What is sent: the input schema and its example.
pub(crate) fn of_input(listing: &Listing) -> Markup {
    let about = html! { p { "JSON Schema 2020-12, checked by the gateway." } };
    let caption = "A body that does not fit is refused before any money is asked for.";
    let content = html! {
        div.flow {
            @match parsed(listing.input_schema.as_deref()) {
                Some(schema) => { (table(&schema, caption)) }
                None => { p.soft { "This listing has no input schema: the gateway forwards any JSON." } }
            }
            @if let Some(value) = parsed(listing.example_request.as_deref()) { (code("input-example", &html! { "A body that works, says the seller" }, &html! { (pretty(&value)) })) }
        }
    };
    sheet("input", "What you send", &about, &content)
}

/// What comes back: the output schema and its example.
pub(crate) fn of_output(listing: &Listing) -> Markup {
    let about = html! { p { "In " code { "data.seller_response" } "." } };
    let caption = "The seller promises this shape; Crochet passes on what was answered.";
    let content = html! {
        div.flow {
            @match parsed(listing.output_schema.as_deref()) {
                Some(schema) => { (table(&schema, caption)) }
                None => { p.soft { "The seller promises no shape. The answer is JSON." } }
            }
            @if let Some(value) = parsed(listing.example_response.as_deref()) { (code("output-example", &html! { "An answer to it, says the seller" }, &html! { (pretty(&value)) })) }
        }
    };
    sheet("output", "What comes back", &about, &content)
}

fn parsed(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

fn pretty(value: &Value) -> String {
    foreign::cleaned(&format!("{value:#}"))
}

/// One line of a schema's table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    path: String,
    kind: String,
    is_required: bool,
    meaning: String,
}

/// A schema as a table.
fn table(schema: &Value, caption: &str) -> Markup {
    table_within(schema, schema, caption)
}

/// A schema as a table, whose references lead into `root`.
pub(crate) fn table_within(root: &Value, schema: &Value, caption: &str) -> Markup {
    let mut rows = Vec::new();
    walk(root, schema, "", 0, &mut rows);
    let more = rows.len().saturating_sub(MAX_ROWS);
    html! { @if rows.is_empty() {
        p.soft { (caption) ": " (kind_of(root, schema)) "." }
    } @else {
        table.stack {
            caption { (caption) }
            thead { tr { th scope="col" { "Field" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
            tbody { @for row in rows.iter().take(MAX_ROWS) { tr {
                th.any scope="row" { code { (foreign::line(&row.path)) } }
                td.any { code.soft { (foreign::line(&row.kind)) } @if row.is_required { " " span.tag { "required" } } }
                td { @if !row.meaning.is_empty() { (foreign::name(&row.meaning)) } }
            } } }
        }
        @if more > 0 { p.soft.small { "And " (more) " more, in the JSON." } }
    } }
}

fn walk(root: &Value, schema: &Value, path: &str, depth: usize, rows: &mut Vec<Row>) {
    let schema = resolved(root, schema);
    if depth > MAX_DEPTH || rows.len() > MAX_ROWS * 2 {
        return;
    }
    for part in ["allOf"].iter().filter_map(|name| schema[*name].as_array()).flatten() {
        walk(root, part, path, depth + 1, rows);
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let member = resolved(root, member);
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let shown = if member["items"].is_object() { format!("{path}[]") } else { path.clone() };
        rows.push(Row {
            path: shown.clone(),
            kind: kind_of(root, member),
            is_required: required.contains(&name.as_str()),
            meaning: meaning_of(root, member),
        });
        walk(root, member, &path, depth + 1, rows);
        if member["items"].is_object() {
            walk(root, &member["items"], &shown, depth + 1, rows);
        }
    }
    if path.is_empty() && schema["items"].is_object() {
        walk(root, &schema["items"], "[]", depth + 1, rows);
    }
}

/// The schema behind local references.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..8 {
        let target = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#')).and_then(|pointer| root.pointer(pointer));
        match target {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// `string, uri`, `integer, 1…500`, `array of string`, `"a" | "b"`.
pub(crate) fn kind_of(root: &Value, schema: &Value) -> String {
    let schema = resolved(root, schema);
    if let Some(values) = schema["enum"].as_array() {
        let mut names: Vec<String> = values.iter().take(MAX_VALUES).map(Value::to_string).collect();
        if values.len() > MAX_VALUES {
            names.push(format!("{} more", values.len() - MAX_VALUES));
        }
        return names.join(" | ");
    }
    if !schema["const"].is_null() {
        return schema["const"].to_string();
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(options) = schema[choice].as_array() {
            let mut kinds: Vec<String> = options.iter().map(|option| kind_of(root, option)).collect();
            kinds.dedup();
            return kinds.join(" | ");
        }
    }
    let mut kind = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ if schema["properties"].is_object() => "object".into(),
        _ => "any JSON".into(),
    };
    if kind == "array" && schema["items"].is_object() {
        kind = format!("array of {}", kind_of(root, &schema["items"]));
    }
    if let Some(format) = schema["format"].as_str() {
        kind = format!("{kind}, {format}");
    }
    let bound = |name: &str| schema[name].as_number().map(ToString::to_string);
    match (bound("minimum"), bound("maximum")) {
        (Some(min), Some(max)) => format!("{kind}, {min}…{max}"),
        (Some(min), None) => format!("{kind}, from {min}"),
        (None, Some(max)) => format!("{kind}, up to {max}"),
        (None, None) => kind,
    }
}

fn meaning_of(root: &Value, schema: &Value) -> String {
    let schema = resolved(root, schema);
    let mut meaning = schema["description"].as_str().or(schema["title"].as_str()).unwrap_or_default().to_owned();
    if !schema["default"].is_null() {
        if !meaning.is_empty() && !meaning.ends_with('.') {
            meaning.push('.');
        }
        meaning.push_str(&format!(" {} unless given.", schema["default"]));
    }
    meaning
}

/// A body for a call: the seller's example, or one made from the schema.
pub(crate) fn example(listing: &Listing) -> Value {
    parsed(listing.example_request.as_deref())
        .or_else(|| parsed(listing.input_schema.as_deref()).map(|schema| made(&schema, &schema, 0)))
        .unwrap_or_else(|| json!({}))
}

/// A value that is likely to fit a schema: its own example or default, or the least that it requires.
fn made(root: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(root, schema);
    let given = [&schema["const"], &schema["default"], &schema["examples"][0], &schema["enum"][0]];
    if let Some(value) = given.into_iter().find(|value| !value.is_null()) {
        return value.clone();
    }
    let kind = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or("object");
    match kind {
        "string" => "…".into(),
        "integer" | "number" => schema["minimum"].as_number().map_or(json!(1), |least| json!(least)),
        "boolean" => true.into(),
        "array" if schema["items"].is_object() && depth < MAX_DEPTH => json!([made(root, &schema["items"], depth + 1)]),
        "array" => json!([]),
        "object" if depth < MAX_DEPTH => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let members: Map<String, Value> =
                required.map(|name| (name.to_owned(), made(root, &schema["properties"][name], depth + 1))).collect();
            Value::Object(members)
        }
        "object" => json!({}),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_becomes_rows_and_an_example() {
        let schema = json!({
            "type": "object", "required": ["url", "page"],
            "properties": {
                "url": { "type": "string", "format": "uri", "description": "Where it lies" },
                "page": { "type": "integer", "minimum": 1, "maximum": 500, "default": 1 },
                "items": { "type": "array", "items": { "$ref": "#/$defs/item" } },
                "mode": { "enum": ["a", "b"] },
            },
            "$defs": { "item": { "type": "object", "properties": { "n": { "type": ["number", "null"] } } } },
        });
        let mut rows = Vec::new();
        walk(&schema, &schema, "", 0, &mut rows);
        let shown: Vec<String> =
            rows.iter().map(|row| format!("{} {} {} {}", row.path, row.kind, row.is_required, row.meaning)).collect();
        assert_eq!(
            shown,
            [
                "url string, uri true Where it lies",
                "page integer, 1…500 true  1 unless given.",
                "items[] array of object false ",
                "items[].n number | null false ",
                "mode \"a\" | \"b\" false ",
            ]
        );
        assert_eq!(made(&schema, &schema, 0), json!({ "url": "…", "page": 1 }));
        let endless = json!({ "$ref": "#" });
        walk(&endless, &endless, "", 0, &mut rows);
    }
}
