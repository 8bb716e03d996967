//! What a deployment costs in a month without any call.

use std::collections::BTreeSet;

use serde_json::Value;

use super::costs::Kind;
use super::deployment::{Deployment, Function, Functions};
use super::numbers::{amount, grouped};

/// A part of it, with its price.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    name: String,
    usd: f64,
}

/// All parts.
///
/// # Errors
/// A price or a scheduled function that the sheet does not have.
pub(super) fn parts(sheet: &Value, deployment: &Deployment, kinds: &[Kind]) -> Result<Vec<Part>, String> {
    let counted =
        |count: usize, name: String, price: &str| amount(sheet, "usd", price).map(|price| Part { name, usd: count as f64 * price });
    let Deployment { alarms, alarm_metrics, metrics, dashboards, secrets, functions } = deployment;
    let mut parts = vec![
        counted(*alarm_metrics, format!("{alarms} alarms, which look at {alarm_metrics} metrics"), "alarm_month")?,
        counted(*metrics, format!("{metrics} metrics of our own"), "metric_month")?,
        counted(*dashboards, format!("{dashboards} dashboard"), "dashboard_month")?,
        counted(*secrets, format!("{secrets} secrets of the stack"), "secret_month")?,
    ];
    parts.extend(scheduled(sheet, functions, kinds)?);
    Ok(parts)
}

/// The scheduled functions.
fn scheduled(sheet: &Value, functions: &Functions, kinds: &[Kind]) -> Result<Vec<Part>, String> {
    let assumed: Vec<&Value> = sheet["scheduled"].as_array().into_iter().flatten().collect();
    let named: BTreeSet<&str> = assumed.iter().filter_map(|run| run["function"].as_str()).collect();
    let planned: BTreeSet<&str> = functions.iter().filter(|(_, function)| function.runs > 0.0).map(|(name, _)| &**name).collect();
    if named != planned {
        return Err(format!("infra/prices.json has the scheduled functions {named:?}, and template.yaml has {planned:?}"));
    }
    assumed.into_iter().map(|run| scheduled_part(sheet, run, functions, kinds)).collect()
}

fn scheduled_part(sheet: &Value, run: &Value, functions: &Functions, kinds: &[Kind]) -> Result<Part, String> {
    let function = run["function"].as_str().unwrap_or_default();
    let Function { memory_mb, runs } = functions.get(function).ok_or_else(|| format!("there is no function {function}"))?;
    let number = |field: &str| run[field].as_f64().ok_or_else(|| format!("infra/prices.json: {function} has no {field}"));
    let price = |name: &str| amount(sheet, "usd", name);
    let (ms, reads) = (number("run_ms")?, number("read_units")?);
    // Prices per million are micro-dollars for one.
    let mut micros = price("lambda_requests_per_million")?
        + ms / 1e3 * memory_mb / 1024.0 * price("lambda_gb_second")? * 1e6
        + reads * price("read_units_per_million")?
        + super::costs::logs(sheet);
    let mut name = format!("{function}: {} runs of {ms} ms with {memory_mb} MB and {reads} read units", grouped(*runs));
    if let Some(like) = run["requests_like"].as_str() {
        let requests = number("requests")?;
        let kind = kinds.iter().find(|kind| kind.name == like).ok_or_else(|| format!("infra/prices.json has no call {like}"))?;
        micros += requests * kind.per_million();
        name.push_str(&format!(", and {requests} requests like a {like}"));
    }
    Ok(Part { name, usd: runs * micros / 1e6 })
}

/// USD of all parts.
pub(super) fn together(parts: &[Part]) -> f64 {
    parts.iter().map(|part| part.usd).sum()
}

/// The parts as a table.
pub(super) fn table(parts: &[Part]) -> String {
    let lines: String = parts.iter().map(|Part { name, usd }| format!("| {name} | {usd:.2} |\n")).collect();
    format!("| part | USD a month |\n|---|---|\n{lines}| together | {:.2} |\n", together(parts))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn functions(runs: f64) -> Functions {
        Functions::from([
            ("Sweeper".to_owned(), Function { memory_mb: 512.0, runs }),
            ("Site".to_owned(), Function { memory_mb: 256.0, runs: 0.0 }),
        ])
    }

    #[test]
    fn a_scheduled_function_costs_its_runs_with_its_memory() {
        let sheet = json!({
            "usd": { "lambda_requests_per_million": 1.0, "lambda_gb_second": 0.000_002, "read_units_per_million": 0.5 },
            "scheduled": [{ "function": "Sweeper", "run_ms": 1_000, "read_units": 4, "requests": 2, "requests_like": "page" }],
        });
        let page = Kind { name: "page".into(), api: 3.0, ..Kind::default() };
        let parts = scheduled(&sheet, &functions(1e6), &[page]).expect("parts");
        // A request, half a GB for a second, four reads, and two requests to the API.
        assert!((together(&parts) - (1.0 + 1.0 + 2.0 + 6.0)).abs() < 1e-9, "{parts:?}");
        assert_eq!(parts[0].name, "Sweeper: 1,000,000 runs of 1000 ms with 512 MB and 4 read units, and 2 requests like a page");
        assert!(scheduled(&sheet, &functions(1e6), &[]).is_err());
        assert!(scheduled(&sheet, &functions(0.0), &[]).is_err(), "it is not scheduled");
        assert!(scheduled(&json!({}), &functions(1e6), &[]).is_err(), "nothing is assumed of it");
    }

    #[test]
    fn an_alarm_costs_each_metric_that_it_looks_at() {
        let sheet = json!({ "usd": { "alarm_month": 0.1, "metric_month": 0.3, "dashboard_month": 3.0, "secret_month": 0.4 } });
        let (functions, alarms) = (Functions::new(), 2);
        let deployment = Deployment { functions, alarms, alarm_metrics: 10, metrics: 2, dashboards: 1, secrets: 5 };
        let parts = parts(&sheet, &deployment, &[]).expect("parts");
        assert!((together(&parts) - (1.0 + 0.6 + 3.0 + 2.0)).abs() < 1e-9, "{parts:?}");
        assert!(super::parts(&json!({}), &deployment, &[]).is_err(), "without prices");
    }
}
