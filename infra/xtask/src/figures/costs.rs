//! What a kind of call costs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::deployment::Functions;

/// A measured row: trips, and the words of its path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    trips: f64,
    reads: f64,
    writes: f64,
    path: String,
}

impl Row {
    /// The same with a sealed endpoint, if the path says at its end what that takes: `…; sealed: 6 trips, 13 units`.
    fn sealed(&self) -> Option<Self> {
        let (path, sealed) = self.path.split_once("; sealed: ")?;
        let (trips, writes) = sealed.strip_suffix(" units")?.split_once(" trips, ")?;
        Some(Self { trips: trips.parse().ok()?, reads: self.reads, writes: writes.parse().ok()?, path: path.to_owned() })
    }
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
            if let Some(sealed) = row.sealed() {
                rows.insert(format!("{name}, sealed"), sealed);
            }
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
    /// The row or function that it names and that does not exist.
    pub(super) fn all(sheet: &Value, rows: &Rows, functions: &Functions) -> Result<Vec<Self>, String> {
        sheet["calls"].as_array().into_iter().flatten().map(|call| Self::read(sheet, call, rows, functions)).collect()
    }

    fn read(sheet: &Value, call: &Value, rows: &Rows, functions: &Functions) -> Result<Self, String> {
        let price = |name: &str| sheet["usd"][name].as_f64().unwrap_or_default();
        let assumed = |name: &str| sheet["assumed"][name].as_f64().unwrap_or_default();
        let mut kind = Self {
            name: call["name"].as_str().unwrap_or_default().to_owned(),
            writes: call["counted_write_units"].as_f64().unwrap_or_default(),
            ..Self::default()
        };
        let function = call["function"].as_str().and_then(|name| functions.get(name));
        let function = function.ok_or_else(|| format!("infra/prices.json names no function of the template for {}", kind.name))?;
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
            + kind.ms / 1e3 * function.memory_gb() * price("lambda_gb_second") * 1e6;
        kind.api = kind.requests * price("api_requests_per_million");
        kind.logs = kind.requests * logs(sheet);
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
        let Self { name, reads, writes, database, lambda, api, logs, transfer, secrets, .. } = self;
        let (thousand, million) = (self.per_million() / 1e3, self.per_million());
        format!(
            "| {name} | {reads} | {writes} | {database:.2} | {lambda:.2} | {api:.2} | {logs:.2} | {transfer:.2} | {secrets:.2} | \
             {thousand:.4} | {million:.2} |\n"
        )
    }
}

/// Micro-dollars for the log lines and traces of one execution.
pub(super) fn logs(sheet: &Value) -> f64 {
    let price = |name: &str| sheet["usd"][name].as_f64().unwrap_or_default();
    let assumed = |name: &str| sheet["assumed"][name].as_f64().unwrap_or_default();
    assumed("log_bytes_per_request") / 1e9 * price("log_gb") * 1e6 + assumed("traced_share") * price("traces_per_million")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::deployment::Function;
    use super::*;

    const PAGE: &str = "<!-- costs -->\n| scenario | trips | RCU | WCU | path |\n|---|---|---|---|---|\n| paid | 3 | 2 | 4 | batch, status, seller |\n<!-- /costs -->";

    fn functions() -> Functions {
        let function = |memory_mb| Function { memory_mb, runs: 0.0 };
        Functions::from([("Small".to_owned(), function(256.0)), ("Large".to_owned(), function(1024.0))])
    }

    fn kinds(sheet: &Value, page: &str) -> Result<Vec<Kind>, String> {
        Kind::all(sheet, &Rows::parse(page).expect("rows"), &functions())
    }

    #[test]
    fn a_call_costs_its_units_at_the_prices_of_the_sheet() {
        let sheet = json!({
            "usd": { "read_units_per_million": 1.0, "write_units_per_million": 10.0, "api_requests_per_million": 1.0 },
            "assumed": { "database_trip_ms": 10, "provider_trip_ms": 100, "seller_trip_ms": 1000 },
            "calls": [{ "name": "paid", "function": "Small", "requests": ["paid", "paid"] }],
        });
        let kinds = self::kinds(&sheet, PAGE).expect("kinds");
        assert_eq!((kinds[0].reads, kinds[0].writes, kinds[0].ms), (4.0, 8.0, 2_220.0));
        assert!((kinds[0].per_million() - 86.0).abs() < 1e-9);
        let unknown = json!({ "calls": [{ "name": "x", "function": "Small", "requests": ["free"] }] });
        assert!(self::kinds(&unknown, PAGE).is_err());
    }

    #[test]
    fn a_call_runs_with_the_memory_of_its_function() {
        let call = |function: &str| json!({ "name": function, "function": function, "requests": ["paid"] });
        let sheet = |functions: &[&str]| {
            json!({
                "usd": { "lambda_gb_second": 0.00001 },
                "assumed": { "seller_trip_ms": 1000 },
                "calls": functions.iter().map(|function| call(function)).collect::<Vec<_>>(),
            })
        };
        let kinds = self::kinds(&sheet(&["Small", "Large"]), PAGE).expect("kinds");
        assert!((kinds[0].lambda - 2.5).abs() < 1e-9 && (kinds[1].lambda - 10.0).abs() < 1e-9, "{kinds:?}");
        assert!(self::kinds(&sheet(&["Huge"]), PAGE).is_err());
    }

    #[test]
    fn a_row_may_say_what_a_sealed_endpoint_takes() {
        let page = PAGE.replace("batch, status, seller", "gate, secret, put; sealed: 1 trips, 3 units");
        let rows = Rows::parse(&page).expect("rows");
        let sealed = Row { trips: 1.0, reads: 2.0, writes: 3.0, path: "gate, secret, put".into() };
        assert_eq!(rows.get("paid, sealed"), Ok(&sealed));
        assert_eq!(rows.get("paid").map(|row| row.writes), Ok(4.0));
        assert!(Rows::parse(PAGE).expect("rows").get("paid, sealed").is_err());
    }
}
