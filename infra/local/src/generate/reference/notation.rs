//! Shapes of JSON in a short notation: `{id, count: int, tags?: [string]}`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use super::operation::resolve;

/// Enumerations longer than this are not spelled out.
const MAX_SPELLED: usize = 10;

/// Writes shapes, and keeps the names of the types that they use.
pub(super) struct Notation<'a> {
    document: &'a Value,
    /// Types that a shape has named. A definition is empty until it is written.
    used: BTreeMap<String, String>,
    /// Members that were described before, without `?`.
    described: BTreeSet<String>,
    /// The bodies of requests that were described, each with the route that takes it.
    bodies: BTreeMap<String, String>,
}

impl<'a> Notation<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self { document, used: BTreeMap::new(), described: BTreeSet::new(), bodies: BTreeMap::new() }
    }

    pub(super) fn document(&self) -> &'a Value {
        self.document
    }

    /// Whether this member was described before, with or without `?`.
    pub(super) fn is_known(&mut self, member: &str) -> bool {
        !self.described.insert(member.replacen('?', "", 1))
    }

    /// The route that was described to take a body of this shape before. If there is none, `route` is kept.
    pub(super) fn taken_before(&mut self, shape: &str, route: String) -> Option<&str> {
        if self.bodies.contains_key(shape) {
            return self.bodies.get(shape).map(String::as_str);
        }
        self.bodies.insert(shape.to_owned(), route);
        None
    }

    /// The type of a value. Empty for a string without limits.
    pub(super) fn kind(&mut self, schema: &'a Value) -> String {
        let document = self.document;
        if let Some(one) = only_alternative_to_null(schema) {
            return self.kind(one);
        }
        let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let resolved = resolve(document, schema);
        if let Some(values) = resolved["enum"].as_array().filter(|values| values.len() <= MAX_SPELLED) {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            return values.iter().map(text).collect::<Vec<_>>().join("|");
        }
        let is_composed = ["properties", "oneOf", "anyOf", "allOf"].iter().any(|part| !resolved[*part].is_null());
        if let (Some(name), true) = (name, is_composed) {
            self.used.entry(name.to_owned()).or_default();
            return name.to_owned();
        }
        let plain = match plain_type(resolved) {
            Some("array") => match self.kind(&resolved["items"]) {
                item if item.is_empty() => "[string]".to_owned(),
                item => format!("[{item}]"),
            },
            _ if is_composed => self.shape(resolved),
            Some("integer") => "int".to_owned(),
            Some("number") => "number".to_owned(),
            Some("boolean") => "bool".to_owned(),
            Some("string") => String::new(),
            Some("object") => "object".to_owned(),
            _ => "any".to_owned(),
        };
        let limits = limits(resolved);
        [plain, limits].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// An object's members, or its alternatives.
    pub(super) fn shape(&mut self, schema: &'a Value) -> String {
        for part in ["oneOf", "anyOf"] {
            if let Some(ways) = schema[part].as_array() {
                return ways.iter().map(|way| self.kind(way)).collect::<Vec<_>>().join(" | ");
            }
        }
        let members = self.members(schema);
        if members.is_empty() { self.kind(schema) } else { format!("{{{}}}", members.join(", ")) }
    }

    fn members(&mut self, schema: &'a Value) -> Vec<String> {
        let document = self.document;
        let mut members = Vec::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            members.extend(self.members(resolve(document, part)));
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            members.push(self.member(schema, name, property));
        }
        members
    }

    /// One member: its name, `?` if it may be null or left out, and its type.
    pub(super) fn member(&mut self, of: &Value, name: &str, schema: &'a Value) -> String {
        let required = of["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name));
        let optional = if required && !may_be_null(schema) { "" } else { "?" };
        match self.kind(schema) {
            kind if kind.is_empty() => format!("{name}{optional}"),
            kind => format!("{name}{optional}: {kind}"),
        }
    }

    /// The definitions of all types that were named, and of those that they name.
    pub(super) fn types(&mut self) -> String {
        while let Some(name) = self.used.iter().find(|(_, text)| text.is_empty()).map(|(name, _)| name.clone()) {
            let schema = &self.document["components"]["schemas"][name.as_str()];
            let text = self.shape(schema);
            self.used.insert(name, text);
        }
        let mut out = String::new();
        for (name, text) in &self.used {
            let _ = writeln!(out, "{name} {text}");
        }
        out
    }
}

/// The schema beside null, where there is exactly one.
fn only_alternative_to_null(schema: &Value) -> Option<&Value> {
    let ways = ["oneOf", "anyOf"].iter().find_map(|part| schema[*part].as_array())?;
    let mut others = ways.iter().filter(|way| way["type"] != "null");
    let one = others.next()?;
    (ways.len() > 1 && others.next().is_none()).then_some(one)
}

fn may_be_null(schema: &Value) -> bool {
    let is_null = |value: &Value| value == "null";
    let ways = ["oneOf", "anyOf"].iter().filter_map(|part| schema[*part].as_array()).flatten();
    schema["type"].as_array().is_some_and(|names| names.iter().any(is_null)) || ways.into_iter().any(|way| is_null(&way["type"]))
}

fn plain_type(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// `1..80` for lengths, values and numbers of items; `= x` for a default.
fn limits(schema: &Value) -> String {
    let first = |names: [&str; 3]| names.iter().map(|name| &schema[*name]).find(|value| !value.is_null());
    let (least, most) = (first(["minLength", "minimum", "minItems"]), first(["maxLength", "maximum", "maxItems"]));
    let mut out = match (least, most) {
        (least, Some(most)) => format!("{}..{most}", least.map_or_else(|| "0".to_owned(), Value::to_string)),
        // That nothing is negative goes without saying.
        (Some(least), None) if *least != 0 => format!("{least}.."),
        (_, None) => String::new(),
    };
    if !schema["default"].is_null() {
        let _ = write!(out, "{}= {}", if out.is_empty() { "" } else { " " }, schema["default"]);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shapes_are_short_and_name_their_types() {
        let document = json!({ "components": { "schemas": {
            "Amount": { "type": "object", "required": ["micros"], "properties": { "micros": { "type": "integer" } } },
            "State": { "type": "string", "enum": ["on", "off"] },
        } } });
        let schema = json!({
            "type": "object",
            "required": ["id", "price", "state", "note"],
            "properties": {
                "id": { "type": "string" },
                "price": { "$ref": "#/components/schemas/Amount" },
                "owes": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Amount" }] },
                "state": { "$ref": "#/components/schemas/State" },
                "note": { "type": ["string", "null"], "maxLength": 80 },
                "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 3 },
                "limit": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 },
            },
        });
        let mut notation = Notation::new(&document);
        let shape = notation.shape(&schema);
        assert_eq!(
            shape,
            "{id, price: Amount, owes?: Amount, state: on|off, note?: 0..80, tags?: [string] 0..3, limit?: int 1..100 = 20}"
        );
        assert_eq!(notation.types(), "Amount {micros: int}\n");
    }
}
