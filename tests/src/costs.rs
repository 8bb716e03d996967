//! Measured costs of routes, and their budgets in ARCHITECTURE.md.

use std::fmt;

use crochet_client::Reply;

/// Measured costs of requests.
#[derive(Debug, Clone)]
pub struct Costs(crochet::app::CostLog);

/// A row of the table: the maximum cost of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct CostBudget {
    /// Name of the scenario.
    pub scenario: String,
    /// Serial round trips.
    pub trips: usize,
    /// DynamoDB read units.
    pub read_units: f64,
    /// DynamoDB write units.
    pub write_units: f64,
}

impl fmt::Display for CostBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} | {} | {} |", self.scenario, self.trips, self.read_units, self.write_units)
    }
}

impl CostBudget {
    /// Whether a measurement exceeds this budget.
    #[must_use]
    pub fn is_exceeded_by(&self, measured: &Self) -> bool {
        measured.trips > self.trips || measured.read_units > self.read_units || measured.write_units > self.write_units
    }
}

impl Costs {
    pub(crate) fn new(log: crochet::app::CostLog) -> Self {
        Self(log)
    }

    /// The cost of the request behind this reply, as a row of the table, and its round trips.
    #[must_use]
    pub fn of(&self, scenario: &str, reply: &Reply) -> Option<(CostBudget, String)> {
        let (_, cost) = self.0.of(reply.header("x-request-id"))?;
        let row = CostBudget {
            scenario: scenario.to_owned(),
            trips: cost.serial_trips,
            read_units: cost.read_units,
            write_units: cost.write_units,
        };
        Some((row, cost.path.join(", ")))
    }
}

/// The table between `<!-- costs -->` and `<!-- /costs -->`, if the document has one.
#[must_use]
pub fn cost_budgets(document: &str) -> Option<Vec<CostBudget>> {
    let (_, rest) = document.split_once("<!-- costs -->")?;
    let (table, _) = rest.split_once("<!-- /costs -->")?;
    Some(table.lines().filter_map(row).collect())
}

/// Parses a row. Headings are no rows.
fn row(line: &str) -> Option<CostBudget> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [scenario, trips, read_units, write_units, ..] = cells[..] else { return None };
    Some(CostBudget {
        scenario: scenario.to_owned(),
        trips: trips.parse().ok()?,
        read_units: read_units.parse().ok()?,
        write_units: write_units.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_and_written_alike() {
        let document = "x\n<!-- costs -->\n| scenario | trips | RCU | WCU |\n|---|---|---|---|\n| me | 1 | 2.5 | 1 |\n<!-- /costs -->\n| no | 1 | 1 | 1 |";
        let rows = cost_budgets(document).expect("a table");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].to_string(), "| me | 1 | 2.5 | 1 |");
        let worse = CostBudget { read_units: 3.0, ..rows[0].clone() };
        assert!(rows[0].is_exceeded_by(&worse) && !worse.is_exceeded_by(&rows[0]));
        assert!(cost_budgets("nothing").is_none());
    }
}
