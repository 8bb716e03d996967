//! What a kind of call costs.

use std::collections::BTreeMap;

use serde_json::Value;

/// A measured row: trips, and the words of its path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    trips: f64,
    reads: f64,
    writes: f64,
    path: String,
}

/// The rows of the cost table, by scenario.
#[derive(Debug, Default)]
pub(super) struct Rows(BTreeMap<String, Row>);

impl Rows {
    /// Reads the table between its markers.
    ///
    /// # Errors
    /// The row that cannot be read.
    pub(super) fn parse(page: &str) -> Result<Self, String> {
        let table = page.split("<!-- costs -->").nth(1).and_then(|rest| rest.split("<!-- /costs -->").next());
        let mut rows = BTreeMap::new();
        for line in table.ok_or("the page has no table of costs")?.lines().filter(|line| line.starts_with("| ")).skip(1) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [name, trips, reads, writes, path] = cells[..] else {
                return Err(format!("a row of costs has other columns: {line}"));
            };
            let number = |text: &str| text.parse::<f64>().map_err(|_| format!("{text} in the row of {name} is no number"));
            let row = Row { trips: number(trips)?, reads: number(reads)?, writes: number(writes)?, path: path.to_owned() };
            rows.insert(name.to_owned(), row);
        }
        Ok(Self(rows))
    }

    fn get(&self, name: &str) -> Result<&Row, String> {
        self.0.get(name).ok_or_else(|| format!("infra/prices.json names the row {name}, which does not exist"))
    }
}

/// A kind of call: what one of it takes, and what that costs in micro-dollars.
#[derive(Debug, Clone, Default)]
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) requests: f64,
    pub(super) reads: f64,
    pub(super) writes: f64,
    /// Time of all its executions in milliseconds.
    pub(super) ms: f64,
    pub(super) database: f64,
    pub(super) lambda: f64,
    pub(super) api: f64,
    pub(super) logs: f64,
    pub(super) transfer: f64,
    pub(super) secrets: f64,
}

impl Kind {
    /// All kinds of the price sheet.
    ///
    /// # Errors
    /// The row that it names and that does not exist.
    pub(super) fn all(sheet: &Value, rows: &Rows) -> Result<Vec<Self>, String> {
        sheet["calls"].as_array().into_iter().flatten().map(|call| Self::read(sheet, call, rows)).collect()
    }

    fn read(sheet: &Value, call: &Value, rows: &Rows) -> Result<Self, String> {
        let price = |name: &str| sheet["usd"][name].as_f64().unwrap_or_default();
        let assumed = |name: &str| sheet["assumed"][name].as_f64().unwrap_or_default();
        let mut kind = Self {
            name: call["name"].as_str().unwrap_or_default().to_owned(),
            writes: call["counted_write_units"].as_f64().unwrap_or_default(),
            ..Self::default()
        };
        for name in call["requests"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let row = rows.get(name)?;
            kind.requests += 1.0;
            kind.reads += row.reads;
            kind.writes += row.writes;
            let trips =
                |words: &[&str]| row.path.split(", ").filter(|trip| words.iter().any(|word| trip.contains(word))).count() as f64;
            let (provider, seller) = (trips(&["quote,", "quote", "status"]).min(1.0), trips(&["seller"]));
            kind.ms += (row.trips - provider - seller).max(0.0) * assumed("database_trip_ms");
            kind.ms += provider * assumed("provider_trip_ms") + seller * assumed("seller_trip_ms");
        }
        // Prices per million are micro-dollars for one.
        kind.database = kind.reads * price("read_units_per_million") + kind.writes * price("write_units_per_million");
        kind.lambda = kind.requests * price("lambda_requests_per_million")
            + kind.ms / 1e3 * assumed("memory_gb") * price("lambda_gb_second") * 1e6;
        kind.api = kind.requests * price("api_requests_per_million");
        kind.logs = kind.requests
            * (assumed("log_bytes_per_request") / 1e9 * price("log_gb") * 1e6
                + assumed("traced_share") * price("traces_per_million"));
        kind.transfer = kind.requests * assumed("reply_bytes") / 1e9 * price("transfer_gb") * 1e6;
        kind.secrets = call["secrets"].as_f64().unwrap_or_default() * price("secret_month") * 1e6;
        Ok(kind)
    }

    /// USD for a million.
    pub(super) fn per_million(&self) -> f64 {
        self.database + self.lambda + self.api + self.logs + self.transfer + self.secrets
    }

    /// The line of the table. Parts are USD for a million.
    pub(super) fn line(&self) -> String {
        let Self { name, reads, writes, database, lambda, api, logs, transfer, .. } = self;
        let (thousand, million) = (self.per_million() / 1e3, self.per_million());
        format!(
            "| {name} | {reads} | {writes} | {database:.2} | {lambda:.2} | {api:.2} | {logs:.2} | {transfer:.2} | {thousand:.4} | {million:.2} |\n"
        )
    }
}

/// USD that a deployment costs in a month without any call.
pub(super) fn fixed(sheet: &Value) -> f64 {
    let price = |name: &str| sheet["usd"][name].as_f64().unwrap_or_default();
    let assumed = |name: &str| sheet["assumed"][name].as_f64().unwrap_or_default();
    let runs = assumed("scheduled_runs_per_month");
    let scheduled = runs / 1e6 * price("lambda_requests_per_million")
        + runs * assumed("scheduled_run_ms") / 1e3 * assumed("scheduled_memory_gb") * price("lambda_gb_second")
        + runs * assumed("scheduled_read_units_per_run") / 1e6 * price("read_units_per_million");
    assumed("alarms") * price("alarm_month")
        + assumed("metrics") * price("metric_month")
        + assumed("stack_secrets") * price("secret_month")
        + price("dashboard_month")
        + scheduled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGE: &str = "<!-- costs -->\n| scenario | trips | RCU | WCU | path |\n|---|---|---|---|---|\n| paid | 3 | 2 | 4 | batch, status, seller |\n<!-- /costs -->";

    #[test]
    fn a_call_costs_its_units_at_the_prices_of_the_sheet() {
        let sheet = json!({
            "usd": { "read_units_per_million": 1.0, "write_units_per_million": 10.0, "api_requests_per_million": 1.0 },
            "assumed": { "database_trip_ms": 10, "provider_trip_ms": 100, "seller_trip_ms": 1000 },
            "calls": [{ "name": "paid", "requests": ["paid", "paid"] }],
        });
        let kinds = Kind::all(&sheet, &Rows::parse(PAGE).expect("rows")).expect("kinds");
        assert_eq!((kinds[0].reads, kinds[0].writes, kinds[0].ms), (4.0, 8.0, 2_220.0));
        assert!((kinds[0].per_million() - 86.0).abs() < 1e-9);
        let unknown = json!({ "calls": [{ "name": "x", "requests": ["free"] }] });
        assert!(Kind::all(&unknown, &Rows::parse(PAGE).expect("rows")).is_err());
    }
}
