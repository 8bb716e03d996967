//! `cargo xtask figures`: what calls cost, which quota bites first, and how large the functions are, as a page.
//!
//! Units are those that the suite measures (`docs/internals/table-and-costs.md`), prices those of `infra/prices.json`. Memory, schedules, and
//! what is counted come from the templates.

mod costs;
mod deployment;
mod fixed;
mod functions;
mod numbers;
mod quotas;
mod storage;

use serde_json::Value;

use crate::project::{Project, read, write};
use costs::{Kind, Rows};
use deployment::Deployment;
use storage::Kept;

/// The last measurement of the functions.
pub(crate) const MEASURED: &str = "infra/functions.json";
/// Where the page is written.
const PAGE: &str = "docs/internals/figures.md";
/// Calls a month for which the page gives figures.
const VOLUMES: [(u64, &str); 3] = [(10_000, "10 thousand"), (1_000_000, "1 million"), (100_000_000, "100 million")];

/// Writes the page.
///
/// # Errors
/// If a file cannot be read, or names a row or price that does not exist.
pub(crate) fn run(project: &Project) -> Result<(), String> {
    let page = page(project)?;
    write(&project.root.join(PAGE), &page)?;
    println!("{PAGE}");
    Ok(())
}

/// Fails if the page is not what its sources say.
///
/// # Errors
/// If it is stale, or a source cannot be read.
pub(crate) fn check(project: &Project) -> Result<(), String> {
    let kept = read(&project.root.join(PAGE))?;
    if kept == page(project)? { Ok(()) } else { Err(format!("{PAGE} is stale: run cargo xtask figures")) }
}

fn page(project: &Project) -> Result<String, String> {
    let sheet = json(project, "infra/prices.json")?;
    let rows = Rows::parse(&read(&project.root.join("docs/internals/table-and-costs.md"))?)?;
    let deployment = Deployment::read(project)?;
    let kinds = Kind::all(&sheet, &rows, &deployment.functions)?;
    let parts = fixed::parts(&sheet, &deployment, &kinds)?;
    let kept = Kept::read(&sheet)?;
    let mut page = format!(
        "# Figures\n\nMade by `cargo xtask figures` from the units that the suite measures ([table and costs](table-and-costs.md)) and \
         the prices of\n`infra/prices.json`, as of {} in {}. Change the prices or the assumptions there. Memory, schedules, alarms, \
         metrics and secrets\nare those of `template.yaml`, `infra/alarms.yaml` and `shared/src/telemetry/metrics.rs`.\n",
        text(&sheet["as_of"]),
        text(&sheet["region"]),
    );
    page.push_str("\n## What a call costs\n\nUSD for each kind of call, without what is fixed.\n\n");
    page.push_str(
        "| call | RCU | WCU | database | Lambda | API Gateway | logs and traces | transfer | secrets | per 1,000 | per million |\n",
    );
    page.push_str("|---|---|---|---|---|---|---|---|---|---|---|\n");
    for kind in &kinds {
        page.push_str(&kind.line());
    }
    let paid = kinds.iter().find(|kind| kind.name == "paid call").ok_or("infra/prices.json has no paid call")?;
    page.push_str(
        "\nWrites of calls include those by which the sweeper counts them, which are assumed. Each call runs with the memory of its \
         function. A\nnew listing's figure includes the secret of its endpoint for the first month. A sealed endpoint (`EndpointSecrets`) has none.\n",
    );
    page.push_str(&format!(
        "\n## What is fixed\n\nUSD a month without any call, and without `infra/edge.yaml`. Time and read units of runs are assumed.\n\n{}",
        fixed::table(&parts)
    ));
    page.push_str("\n## What a month costs\n\nUSD for so many paid calls a month, evenly spread.\n\n");
    page.push_str(
        "| paid calls a month | fixed | calls | together | per 1,000 calls | stored after 12 months | then costs a month | the first quota that \
         bites |\n|---|---|---|---|---|---|---|---|\n",
    );
    let fixed = fixed::together(&parts);
    for (volume, name) in VOLUMES {
        let calls = paid.per_million() * volume as f64 / 1e6;
        let year = volume as f64 * 12.0;
        page.push_str(&format!(
            "| {name} | {fixed:.2} | {calls:.2} | {:.2} | {:.4} | {:.2} GB | {:.2} | {} |\n",
            fixed + calls,
            (fixed + calls) * 1e3 / volume as f64,
            kept.gigabytes(year),
            kept.usd_a_month(&sheet, year)?,
            quotas::first(&sheet, paid, volume)?,
        ));
    }
    page.push_str(
        "\nStorage is not in *together*, because it grows with every call. Nor is what counting costs at a few very busy sellers: [table and \
         costs](table-and-costs.md#what-scheduled-work-costs).\n",
    );
    page.push_str("\nThe same for each kind of call, in USD a month, without what is fixed:\n\n| calls a month |");
    VOLUMES.iter().for_each(|(_, name)| page.push_str(&format!(" {name} |")));
    page.push_str("\n|---|---|---|---|\n");
    for kind in &kinds {
        page.push_str(&format!("| {} |", kind.name));
        VOLUMES.iter().for_each(|(volume, _)| page.push_str(&format!(" {:.2} |", kind.per_million() * *volume as f64 / 1e6)));
        page.push('\n');
    }
    page.push_str(&format!("\n## What a paid call leaves\n\n{}", kept.section(&sheet)?));
    page.push_str(&format!(
        "\n## Which quota bites first\n\nShare of each quota in the busiest minute, which has {} times the average.\n\n",
        sheet["assumed"]["peak_over_average"]
    ));
    page.push_str(&quotas::table(&sheet, paid, &VOLUMES)?);
    page.push_str(&format!("\n## Assumptions\n\n{}", assumptions(&sheet)));
    page.push_str(&functions::section(&json(project, MEASURED)?));
    Ok(page)
}

fn json(project: &Project, file: &str) -> Result<Value, String> {
    serde_json::from_str(&read(&project.root.join(file))?).map_err(|error| format!("{file}: {error}"))
}

fn assumptions(sheet: &Value) -> String {
    let all = sheet["assumed"].as_object().into_iter().flatten();
    all.map(|(name, value)| format!("- {}: {value}\n", name.replace('_', " "))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
