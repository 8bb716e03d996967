//! The measurements.

use crochet_tests::{CostBudget, Failure, Outcome, Reply, World};

pub(super) struct Figures<'a> {
    pub(super) world: &'a World,
    pub(super) rows: Vec<(CostBudget, String)>,
}

impl Figures<'_> {
    /// Records the cost of the request behind this reply.
    pub(super) fn note(&mut self, scenario: &str, reply: &Reply) -> Outcome {
        let costs = self.world.costs().ok_or_else(|| Failure::new("costs are kept by a stack of this process only"))?;
        let (row, path) = costs.of(scenario, reply).ok_or_else(|| Failure::new(format!("{scenario}: no cost was noted")))?;
        match self.rows.iter_mut().find(|(known, _)| known.scenario == scenario) {
            Some(known) if known.0.is_exceeded_by(&row) => {}
            Some(known) => *known = (row, path),
            None => self.rows.push((row, path)),
        }
        Ok(())
    }

    /// The first row that exceeds its budget or has none.
    pub(super) fn broken(&self, promised: &[CostBudget]) -> Option<String> {
        let holds = |measured: &CostBudget| {
            promised.iter().any(|promise| promise.scenario == measured.scenario && !promise.is_exceeded_by(measured))
        };
        self.rows.iter().find(|(row, _)| !holds(row)).map(|(row, path)| format!("{row} {path}"))
    }

    pub(super) fn table(&self) -> String {
        let mut table = String::from("| scenario | trips | RCU | WCU | path |\n|---|---|---|---|---|\n");
        for (row, path) in &self.rows {
            table.push_str(&format!("{row} {path} |\n"));
        }
        table
    }
}
