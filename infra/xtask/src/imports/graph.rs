//! Cycles of a directed graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One file, and a file that it imports.
pub(super) type Step = (usize, usize);

/// What each node points to.
type Edges = BTreeMap<usize, BTreeSet<usize>>;

/// Shortest cycles, of which no two share an edge. An edge comes with the step that it stands for; a cycle is made of those.
pub(super) fn cycles(edges: impl Iterator<Item = (Step, Step)>) -> Vec<Vec<Step>> {
    let mut steps = BTreeMap::new();
    let mut graph = Edges::new();
    for ((from, to), step) in edges {
        graph.entry(from).or_default().insert(to);
        steps.entry((from, to)).or_insert(step);
    }
    let around = |(from, to): &Step| path(&graph, *to, *from);
    let found: BTreeSet<(usize, Vec<usize>)> =
        steps.keys().filter_map(around).map(|cycle| (cycle.len(), from_its_lowest(cycle))).collect();
    let mut shown = BTreeSet::new();
    let mut cycles = Vec::new();
    for (_, cycle) in found {
        let edges: Vec<Step> = (0..cycle.len()).map(|n| (cycle[n], cycle[(n + 1) % cycle.len()])).collect();
        if !edges.iter().any(|edge| shown.contains(edge)) {
            cycles.push(edges.iter().map(|edge| steps[edge]).collect());
            shown.extend(edges);
        }
    }
    cycles
}

/// A shortest path between two nodes, both included.
fn path(graph: &Edges, from: usize, to: usize) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::from([(from, from)]);
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        if node == to {
            let mut path = vec![to];
            while path[path.len() - 1] != from {
                path.push(came_from[&path[path.len() - 1]]);
            }
            path.reverse();
            return Some(path);
        }
        for next in graph.get(&node).into_iter().flatten() {
            came_from.entry(*next).or_insert_with(|| {
                queue.push_back(*next);
                node
            });
        }
    }
    None
}

/// The same cycle, from its lowest node on.
fn from_its_lowest(mut cycle: Vec<usize>) -> Vec<usize> {
    let lowest = (0..cycle.len()).min_by_key(|n| cycle[*n]).unwrap_or(0);
    cycle.rotate_left(lowest);
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edges: &[Step]) -> Vec<Vec<Step>> {
        cycles(edges.iter().map(|edge| (*edge, *edge)))
    }

    #[test]
    fn each_cycle_is_found_once_and_the_shortest_first() {
        assert_eq!(found(&[(1, 2), (2, 3), (3, 1), (4, 1), (4, 5)]), [vec![(1, 2), (2, 3), (3, 1)]]);
        assert_eq!(found(&[(1, 2), (2, 1), (2, 3), (3, 1)]), [vec![(1, 2), (2, 1)]]);
        assert_eq!(found(&[(1, 2), (2, 1), (3, 4), (4, 3)]).len(), 2);
        assert!(found(&[(1, 2), (2, 3), (1, 3)]).is_empty());
    }
}
