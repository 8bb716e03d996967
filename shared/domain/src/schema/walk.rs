//! Walks over the text of a schema and builds its graph.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::error::SchemaError;
use super::graph::{Graph, Node};
use super::pattern;

/// Maximum number of patterns in a schema. Every name in a body may have to be matched against each of them.
const MAX_PATTERNS: usize = 100;

/// Keywords whose value is a subschema in place.
const IN_PLACE: &[&str] = &["not", "if", "then", "else"];
/// Keywords whose value is a list of subschemas in place.
const IN_PLACE_LISTS: &[&str] = &["allOf", "anyOf", "oneOf"];
/// Keywords whose value is a subschema for members of any name.
const DOWN: &[&str] =
    &["additionalProperties", "unevaluatedProperties", "propertyNames", "items", "contains", "unevaluatedItems", "contentSchema"];
/// Keywords whose value maps names to subschemas that apply only where they are referenced.
const DEFINITIONS: &[&str] = &["$defs", "definitions"];

/// A reference that is resolved after the walk, when all anchors are known.
struct Reference {
    from: usize,
    to: String,
}

/// The state of one walk over a schema.
struct Walk<'a> {
    root: &'a Value,
    nodes: Vec<Node>,
    /// Nodes by JSON Pointer.
    known: HashMap<String, usize>,
    anchors: HashMap<String, usize>,
    references: Vec<Reference>,
    /// Number of patterns.
    pattern_count: usize,
    /// Patterns, with the place of the first use of each.
    patterns: BTreeMap<String, String>,
}

/// Builds the graph of a schema.
///
/// # Errors
/// If the schema refers to another document, uses keywords of another draft, or is refused by [`Graph::new`].
pub(super) fn graph_of(root: &Value) -> Result<Graph, SchemaError> {
    let mut walk = Walk {
        root,
        nodes: Vec::new(),
        known: HashMap::new(),
        anchors: HashMap::new(),
        references: Vec::new(),
        pattern_count: 0,
        patterns: BTreeMap::new(),
    };
    walk.visit(root, String::new())?;
    while let Some(reference) = walk.references.pop() {
        let target = walk.resolve(&reference.to)?;
        walk.nodes[reference.from].in_place.push(target);
    }
    pattern::check(&walk.patterns)?;
    Graph::new(walk.nodes)
}

impl<'a> Walk<'a> {
    fn visit(&mut self, schema: &'a Value, pointer: String) -> Result<usize, SchemaError> {
        if let Some(known) = self.known.get(&pointer) {
            return Ok(*known);
        }
        let node = self.nodes.len();
        self.nodes.push(Node::default());
        self.known.insert(pointer.clone(), node);
        if let Value::Object(members) = schema {
            self.identifiers(members, node, &pointer)?;
            self.in_place(members, node, &pointer)?;
            self.down(members, node, &pointer)?;
        }
        Ok(node)
    }

    /// Collects anchors and references, and refuses keywords that are not supported.
    fn identifiers(&mut self, members: &'a Map<String, Value>, node: usize, pointer: &str) -> Result<(), SchemaError> {
        if members.contains_key("$id") {
            return Err(SchemaError::at(pointer, "only the whole document may have an $id"));
        }
        if !pointer.is_empty() && members.contains_key("$schema") {
            return Err(SchemaError::at(pointer, "only the whole document may have a $schema"));
        }
        if members.contains_key("$recursiveRef") {
            return Err(SchemaError::at(pointer, "$recursiveRef belongs to another draft"));
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = members.get(keyword).and_then(Value::as_str) {
                self.anchors.insert(anchor.to_owned(), node);
            }
        }
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(reference) = members.get(keyword).and_then(Value::as_str) {
                let Some(to) = reference.strip_prefix('#') else {
                    return Err(SchemaError::at(
                        pointer,
                        format_args!("{keyword} must point into the same document: it must start with #"),
                    ));
                };
                self.references.push(Reference { from: node, to: to.to_owned() });
            }
        }
        self.patterns(members, pointer)
    }

    fn patterns(&mut self, members: &'a Map<String, Value>, pointer: &str) -> Result<(), SchemaError> {
        let own = members.get("pattern").and_then(Value::as_str).map(|pattern| (pattern, "pattern"));
        let names = members.get("patternProperties").and_then(Value::as_object);
        let of_names = names.into_iter().flat_map(Map::keys).map(|pattern| (pattern.as_str(), "patternProperties"));
        for (pattern, keyword) in own.into_iter().chain(of_names) {
            self.pattern_count += 1;
            if self.pattern_count > MAX_PATTERNS {
                return Err(SchemaError::new("it has more than 100 patterns"));
            }
            self.patterns.entry(pattern.to_owned()).or_insert_with(|| format!("{pointer}/{keyword}"));
        }
        Ok(())
    }

    fn in_place(&mut self, members: &'a Map<String, Value>, node: usize, pointer: &str) -> Result<(), SchemaError> {
        for keyword in IN_PLACE {
            if let Some(schema) = members.get(*keyword) {
                let target = self.visit(schema, format!("{pointer}/{keyword}"))?;
                self.nodes[node].in_place.push(target);
            }
        }
        for keyword in IN_PLACE_LISTS {
            for (index, schema) in members.get(*keyword).and_then(Value::as_array).into_iter().flatten().enumerate() {
                let target = self.visit(schema, format!("{pointer}/{keyword}/{index}"))?;
                self.nodes[node].in_place.push(target);
            }
        }
        for (_, target) in self.visit_map(members, "dependentSchemas", pointer)? {
            self.nodes[node].in_place.push(target);
        }
        Ok(())
    }

    fn down(&mut self, members: &'a Map<String, Value>, node: usize, pointer: &str) -> Result<(), SchemaError> {
        for keyword in DOWN {
            if let Some(schema) = members.get(*keyword) {
                let target = self.visit(schema, format!("{pointer}/{keyword}"))?;
                self.nodes[node].unnamed.push(target);
            }
        }
        for (_, target) in self.visit_map(members, "patternProperties", pointer)? {
            self.nodes[node].unnamed.push(target);
        }
        let named = self.visit_map(members, "properties", pointer)?;
        self.nodes[node].named.extend(named);
        for (index, schema) in members.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let target = self.visit(schema, format!("{pointer}/prefixItems/{index}"))?;
            // No property has such a key, because a slash in a name is escaped.
            self.nodes[node].named.insert(format!("/{index}"), target);
        }
        for keyword in DEFINITIONS {
            self.visit_map(members, keyword, pointer)?;
        }
        Ok(())
    }

    /// Visits a map from names to subschemas. Returns the targets by name, escaped as in a JSON Pointer.
    fn visit_map(
        &mut self,
        members: &'a Map<String, Value>,
        keyword: &str,
        pointer: &str,
    ) -> Result<BTreeMap<String, usize>, SchemaError> {
        let mut targets = BTreeMap::new();
        for (name, schema) in members.get(keyword).and_then(Value::as_object).into_iter().flatten() {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            let target = self.visit(schema, format!("{pointer}/{keyword}/{escaped}"))?;
            targets.insert(escaped, target);
        }
        Ok(targets)
    }

    fn resolve(&mut self, fragment: &str) -> Result<usize, SchemaError> {
        let nowhere = || SchemaError::new(format_args!("the reference #{fragment} points to nothing in the document"));
        let decoded = percent_decode(fragment).ok_or_else(nowhere)?;
        if !decoded.is_empty() && !decoded.starts_with('/') {
            return self.anchors.get(&decoded).copied().ok_or_else(nowhere);
        }
        let root = self.root;
        let schema = root.pointer(&decoded).filter(|schema| schema.is_object() || schema.is_boolean()).ok_or_else(nowhere)?;
        self.visit(schema, decoded)
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
