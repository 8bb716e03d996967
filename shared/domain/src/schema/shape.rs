//! What a schema asks of a checker, told from its text: which subschemas lead to which, and how often each may be asked.
//!
//! An edge stays *in place* where both subschemas look at the same value (`allOf`, `$ref`, …), and goes *down* where the
//! second looks at a member of it (`properties`, `items`, …). Endless work comes from circles that stay in place, and from
//! subschemas that name each other twice, level after level.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{SchemaError, place};

/// Longest way in place: it becomes that many frames of the stack, for every level of the body.
const MAX_CHAIN: usize = 16;
/// How often subschemas may be asked about one value, all together.
const MAX_EVALUATIONS: u64 = 5_000;
/// Patterns of a schema: every name of a body may meet each of them.
const MAX_PATTERNS: usize = 100;

const IN_PLACE: &[&str] = &["not", "if", "then", "else"];
const IN_PLACE_LISTS: &[&str] = &["allOf", "anyOf", "oneOf"];
const DOWN: &[&str] =
    &["additionalProperties", "unevaluatedProperties", "propertyNames", "items", "contains", "unevaluatedItems", "contentSchema"];
const UNUSED_MAPS: &[&str] = &["$defs", "definitions"];

/// The subschemas of a schema and the ways between them.
#[derive(Debug, Default)]
pub(super) struct Shape {
    nodes: Vec<Node>,
    /// Every node after those that lead to it in place.
    order: Vec<usize>,
}

#[derive(Debug, Default)]
struct Node {
    in_place: Vec<usize>,
    /// To members of one name each.
    named: BTreeMap<String, usize>,
    /// To members of any name.
    unnamed: Vec<usize>,
}

struct Reference {
    from: usize,
    to: String,
}

struct Walk<'a> {
    root: &'a Value,
    nodes: Vec<Node>,
    known: HashMap<String, usize>,
    anchors: HashMap<String, usize>,
    references: Vec<Reference>,
    patterns: usize,
}

impl Shape {
    /// Reads the shape of a schema.
    ///
    /// # Errors
    /// Where it leads out of its document, names a draft inside, goes in circles, or asks too much.
    pub(super) fn of(root: &Value) -> Result<Self, SchemaError> {
        let mut walk =
            Walk { root, nodes: Vec::new(), known: HashMap::new(), anchors: HashMap::new(), references: Vec::new(), patterns: 0 };
        walk.visit(root, String::new())?;
        while let Some(reference) = walk.references.pop() {
            let target = walk.resolve(&reference.to)?;
            walk.nodes[reference.from].in_place.push(target);
        }
        let mut shape = Self { nodes: walk.nodes, order: Vec::new() };
        shape.order = shape.in_place_order()?;
        // A schema without circles runs out of levels by itself. One with circles is remembered by the checker as it goes
        // round, and only its first levels have to be small.
        let levels = if shape.is_circular() { 2 } else { super::super::json::MAX_NESTING };
        if shape.levels(levels).any(|asked| asked > MAX_EVALUATIONS) {
            return Err(SchemaError::new("its subschemas refer to each other so often that checking would take too long"));
        }
        Ok(shape)
    }

    /// How often subschemas may be asked along one path into a body of this depth: an upper bound.
    pub(super) fn evaluations(&self, depth: usize) -> u64 {
        self.levels(depth).fold(0, u64::saturating_add)
    }

    /// How often subschemas may be asked about one value of each level, from the whole body down.
    fn levels(&self, depth: usize) -> impl Iterator<Item = u64> {
        let mut asked = vec![0_u64; self.nodes.len()];
        if let Some(root) = asked.first_mut() {
            *root = 1;
        }
        (0..=depth).map(move |_| {
            for &node in &self.order {
                for &target in &self.nodes[node].in_place {
                    asked[target] = asked[target].saturating_add(asked[node]);
                }
            }
            let total = asked.iter().copied().fold(0, u64::saturating_add);
            asked = self.below(&asked);
            total
        })
    }

    /// How often each subschema may be asked about a value one level further down. Members of different names are different
    /// values, so the busiest name counts.
    fn below(&self, asked: &[u64]) -> Vec<u64> {
        let mut by_name: BTreeMap<&str, HashMap<usize, u64>> = BTreeMap::new();
        let mut below = vec![0_u64; asked.len()];
        for (node, &times) in self.nodes.iter().zip(asked).filter(|(_, times)| **times > 0) {
            for (name, &target) in &node.named {
                let entry = by_name.entry(name).or_default().entry(target).or_default();
                *entry = entry.saturating_add(times);
            }
        }
        for (target, times) in by_name.into_values().flatten() {
            below[target] = below[target].max(times);
        }
        for (node, &times) in self.nodes.iter().zip(asked) {
            for &target in &node.unnamed {
                below[target] = below[target].saturating_add(times);
            }
        }
        below
    }

    fn in_place_order(&self) -> Result<Vec<usize>, SchemaError> {
        let mut chains = vec![None; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        for node in 0..self.nodes.len() {
            self.chain(node, 0, &mut chains, &mut order)?;
        }
        order.reverse();
        Ok(order)
    }

    /// The longest way in place from `node`. A circle is as long as one likes, so the limit on length finds it.
    fn chain(&self, node: usize, above: usize, chains: &mut [Option<usize>], order: &mut Vec<usize>) -> Result<usize, SchemaError> {
        let known = chains[node];
        if above + known.unwrap_or(0) > MAX_CHAIN {
            return Err(SchemaError::new("its references go round in circles, or through more than 16 subschemas, for one value"));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        let mut longest = 0;
        for &target in &self.nodes[node].in_place {
            longest = longest.max(1 + self.chain(target, above + 1, chains, order)?);
        }
        chains[node] = Some(longest);
        order.push(node);
        Ok(longest)
    }

    /// Whether any subschema leads back to itself, on whatever way.
    fn is_circular(&self) -> bool {
        let targets =
            |node: &Node| node.in_place.iter().chain(node.named.values()).chain(&node.unnamed).copied().collect::<Vec<_>>();
        let mut incoming = vec![0_usize; self.nodes.len()];
        for target in self.nodes.iter().flat_map(targets) {
            incoming[target] += 1;
        }
        let mut free: Vec<usize> = (0..self.nodes.len()).filter(|node| incoming[*node] == 0).collect();
        let mut removed = 0;
        while let Some(node) = free.pop() {
            removed += 1;
            for target in targets(&self.nodes[node]) {
                incoming[target] -= 1;
                if incoming[target] == 0 {
                    free.push(target);
                }
            }
        }
        removed < self.nodes.len()
    }
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
            self.names(members, node, &pointer)?;
            self.in_place(members, node, &pointer)?;
            self.down(members, node, &pointer)?;
        }
        Ok(node)
    }

    /// Anchors, references, and what must not be named inside a document.
    fn names(&mut self, members: &'a Map<String, Value>, node: usize, pointer: &str) -> Result<(), SchemaError> {
        if members.contains_key("$id") {
            return Err(SchemaError::new(format_args!("{}: only the whole document may have an $id", place(pointer))));
        }
        if !pointer.is_empty() && members.contains_key("$schema") {
            return Err(SchemaError::new(format_args!("{}: only the whole document may have a $schema", place(pointer))));
        }
        if members.contains_key("$recursiveRef") {
            return Err(SchemaError::new(format_args!("{}: $recursiveRef belongs to another draft", place(pointer))));
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = members.get(keyword).and_then(Value::as_str) {
                self.anchors.insert(anchor.to_owned(), node);
            }
        }
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(reference) = members.get(keyword).and_then(Value::as_str) {
                let Some(to) = reference.strip_prefix('#') else {
                    return Err(SchemaError::new(format_args!(
                        "at {pointer:?}: {keyword} must stay inside the document: it must start with #"
                    )));
                };
                self.references.push(Reference { from: node, to: to.to_owned() });
            }
        }
        self.patterns += usize::from(members.contains_key("pattern"));
        self.patterns += members.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
        if self.patterns > MAX_PATTERNS {
            return Err(SchemaError::new("it has more than 100 patterns"));
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
            // No property is called like this: a slash is escaped in names only where they stand in a pointer.
            self.nodes[node].named.insert(format!("/{index}"), target);
        }
        for keyword in UNUSED_MAPS {
            self.visit_map(members, keyword, pointer)?;
        }
        Ok(())
    }

    fn visit_map(
        &mut self,
        members: &'a Map<String, Value>,
        keyword: &str,
        pointer: &str,
    ) -> Result<BTreeMap<String, usize>, SchemaError> {
        let mut targets = BTreeMap::new();
        for (name, schema) in members.get(keyword).and_then(Value::as_object).into_iter().flatten() {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            targets.insert(name.clone(), self.visit(schema, format!("{pointer}/{keyword}/{escaped}"))?);
        }
        Ok(targets)
    }

    fn resolve(&mut self, fragment: &str) -> Result<usize, SchemaError> {
        let nowhere = || SchemaError::new(format_args!("the reference #{fragment} leads nowhere in the document"));
        let decoded = percent_decoded(fragment).ok_or_else(nowhere)?;
        if !decoded.is_empty() && !decoded.starts_with('/') {
            return self.anchors.get(&decoded).copied().ok_or_else(nowhere);
        }
        let root = self.root;
        let schema = root.pointer(&decoded).filter(|schema| schema.is_object() || schema.is_boolean()).ok_or_else(nowhere)?;
        self.visit(schema, decoded)
    }
}

fn percent_decoded(text: &str) -> Option<String> {
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
