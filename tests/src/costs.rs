//! What routes cost, and what ARCHITECTURE.md says they may cost.

use std::fmt;

use crochet_client::Reply;

/// What the stack has noted of the cost of requests.
#[derive(Debug, Clone)]
pub struct Costs(crochet::app::CostLog);

/// A row of the table: what a route may cost.
#[derive(Debug, Clone, PartialEq)]
pub struct CostBudget {
    /// What is done.
    pub scenario: String,
    /// Round trips, one after another.
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
    /// Whether another measurement costs more than this.
    #[must_use]
    pub fn is_exceeded_by(&self, measured: &Self) -> bool {
        measured.trips > self.trips || measured.read_units > self.read_units || measured.write_units > self.write_units
    }
}

impl Costs {
    pub(crate) fn new(log: crochet::app::CostLog) -> Self {
        Self(log)
    }

    /// The cost of the request that this is the answer to, as a row of the table, and its path from part to part.
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

/// The table between `<!-- costs -->` and `<!-- /costs -->`; none where the document has no such place.
#[must_use]
pub fn cost_budgets(document: &str) -> Option<Vec<CostBudget>> {
    let (_, rest) = document.split_once("<!-- costs -->")?;
    let (table, _) = rest.split_once("<!-- /costs -->")?;
    Some(table.lines().filter_map(row).collect())
}

/// A row of figures; headings have none.
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
