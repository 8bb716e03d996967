//! The graph of a schema's subschemas, and how much work validation with it can take.
//!
//! An edge is *in place* if both subschemas apply to the same value (`allOf`, `$ref`, …), and leads *down* if the second applies to
//! a member of it (`properties`, `items`, …). Endless work comes from circles of edges in place, and from subschemas that refer to
//! each other twice, level after level.

use std::collections::{BTreeMap, HashMap};

use super::error::SchemaError;
use crate::json::MAX_NESTING;

/// Maximum length of a path of edges in place. Validation recurses that deeply for every level of the body.
const MAX_CHAIN: usize = 16;
/// Maximum number of evaluations of subschemas for one value.
const MAX_EVALUATIONS: u64 = 5_000;

/// The subschemas of a schema and the edges between them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// Topological order along the edges in place.
    order: Vec<usize>,
}

/// A subschema, with its edges to others.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Edges in place.
    pub(super) in_place: Vec<usize>,
    /// Edges down, each to the member of one name.
    pub(super) named: BTreeMap<String, usize>,
    /// Edges down to members of any name.
    pub(super) unnamed: Vec<usize>,
}

impl Graph {
    /// Checks the graph of a schema.
    ///
    /// # Errors
    /// If references form a circle within one value, or if validation could take too long.
    pub(super) fn new(nodes: Vec<Node>) -> Result<Self, SchemaError> {
        let mut graph = Self { nodes, order: Vec::new() };
        graph.order = graph.in_place_order()?;
        // A schema without circles runs out of levels by itself. For one with circles, the validator remembers what it has
        // checked, so only the first levels have to be small.
        let levels = if graph.is_circular() { 2 } else { MAX_NESTING };
        if graph.levels(levels).any(|evaluations| evaluations > MAX_EVALUATIONS) {
            return Err(SchemaError::new("its subschemas refer to each other so often that checking would take too long"));
        }
        Ok(graph)
    }

    /// Upper bound of the evaluations along one path into a body of this depth.
    pub(super) fn evaluations(&self, depth: usize) -> u64 {
        self.levels(depth).fold(0, u64::saturating_add)
    }

    /// Upper bound of the evaluations for one value of each level, from the whole body down.
    fn levels(&self, depth: usize) -> impl Iterator<Item = u64> {
        let mut evaluations = vec![0_u64; self.nodes.len()];
        if let Some(root) = evaluations.first_mut() {
            *root = 1;
        }
        (0..=depth).map(move |_| {
            for &node in &self.order {
                for &target in &self.nodes[node].in_place {
                    evaluations[target] = evaluations[target].saturating_add(evaluations[node]);
                }
            }
            let total = evaluations.iter().copied().fold(0, u64::saturating_add);
            evaluations = self.below(&evaluations);
            total
        })
    }

    /// Upper bound of the evaluations of each subschema one level further down. Members of different names are different values,
    /// so only the busiest name counts.
    fn below(&self, evaluations: &[u64]) -> Vec<u64> {
        let mut by_name: BTreeMap<&str, HashMap<usize, u64>> = BTreeMap::new();
        let mut below = vec![0_u64; evaluations.len()];
        for (node, &count) in self.nodes.iter().zip(evaluations).filter(|(_, count)| **count > 0) {
            for (name, &target) in &node.named {
                let entry = by_name.entry(name).or_default().entry(target).or_default();
                *entry = entry.saturating_add(count);
            }
        }
        for (target, count) in by_name.into_values().flatten() {
            below[target] = below[target].max(count);
        }
        for (node, &count) in self.nodes.iter().zip(evaluations) {
            for &target in &node.unnamed {
                below[target] = below[target].saturating_add(count);
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

    /// The longest path in place from `node`. The limit on its length also finds circles.
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

    /// Whether any subschema leads back to itself, along edges of any kind.
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
