//! Which quota bites first.

use serde_json::Value;

use super::costs::Kind;

/// Minutes of a month.
const MINUTES: f64 = 30.0 * 24.0 * 60.0;

/// The share of a quota that the busiest minute takes.
fn share(sheet: &Value, quota: &Value, paid: &Kind, volume: u64) -> Result<f64, String> {
    let peak = volume as f64 / MINUTES * sheet["assumed"]["peak_over_average"].as_f64().unwrap_or(1.0);
    let name = quota["name"].as_str().unwrap_or_default();
    let per_call = match quota["per"].as_str() {
        Some("paid call") => 1.0,
        Some("request") => paid.requests,
        Some("write unit") => paid.writes,
        // Executions at the same time: calls per minute times their time in minutes.
        Some("execution") => paid.ms / 60_000.0,
        _ => return Err(format!("infra/prices.json: {name} counts something unknown")),
    };
    let limit = quota["per_minute"].as_f64().or_else(|| quota["concurrent"].as_f64());
    Ok(peak * per_call / limit.ok_or_else(|| format!("infra/prices.json: {name} has no limit"))?)
}

fn quotas(sheet: &Value) -> impl Iterator<Item = &Value> {
    sheet["quotas"].as_array().into_iter().flatten()
}

/// The quota of which the largest share is taken, with that share.
///
/// # Errors
/// What is wrong with the sheet.
pub(super) fn first(sheet: &Value, paid: &Kind, volume: u64) -> Result<String, String> {
    let mut most = (0.0, String::new());
    for quota in quotas(sheet) {
        let share = share(sheet, quota, paid, volume)?;
        if share > most.0 {
            let name = quota["name"].as_str().unwrap_or_default();
            most = (share, format!("{name}: {:.0} %", share * 100.0));
        }
    }
    Ok(most.1)
}

/// All quotas with their shares, as a table.
///
/// # Errors
/// What is wrong with the sheet.
pub(super) fn table(sheet: &Value, paid: &Kind, volumes: &[(u64, &str)]) -> Result<String, String> {
    let heads: Vec<&str> = volumes.iter().map(|(_, name)| *name).collect();
    let mut table = format!("| quota | {} | how it is raised |\n|---|{}---|\n", heads.join(" | "), "---|".repeat(heads.len()));
    for quota in quotas(sheet) {
        let mut shares = Vec::new();
        for (volume, _) in volumes {
            shares.push(format!("{:.1} %", share(sheet, quota, paid, *volume)? * 100.0));
        }
        let text = |field: &str| quota[field].as_str().unwrap_or_default();
        table.push_str(&format!("| {} | {} | {} |\n", text("name"), shares.join(" | "), text("raise")));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_quota_with_the_largest_share_bites_first() {
        let sheet = json!({
            "assumed": { "peak_over_average": 2 },
            "quotas": [
                { "name": "a", "per": "paid call", "per_minute": 10 },
                { "name": "b", "per": "write unit", "per_minute": 10 },
            ],
        });
        let paid = Kind { writes: 5.0, ..Kind::default() };
        assert_eq!(first(&sheet, &paid, 43_200).expect("a quota"), "b: 100 %");
    }
}
