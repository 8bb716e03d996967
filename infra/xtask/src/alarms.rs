//! Checks `infra/alarms.yaml`: every alarm has its entry in `docs/runbook.md`, and watches a metric that exists.

use std::collections::BTreeSet;

use yaml_rust2::{Yaml, YamlLoader};

use crate::project::{Project, read};

/// What an entry of the runbook says.
const PARTS: [&str; 3] = ["**Means.** ", "**Look at.** ", "**Do.** "];

/// How late AWS's own metrics may come, as far as alarms are concerned.
const LATE_SECONDS: i64 = 300;

/// Checks the alarms.
///
/// # Errors
/// One line for each broken rule.
pub(crate) fn check(project: &Project) -> Result<(), String> {
    let file = |path: &str| read(&project.root.join(path));
    let problems = problems(&file("infra/alarms.yaml")?, &file("docs/runbook.md")?, &file("shared/src/telemetry/metrics.rs")?)?;
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn problems(template: &str, runbook: &str, metrics: &str) -> Result<Vec<String>, String> {
    let documents = YamlLoader::load_from_str(template).map_err(|error| format!("infra/alarms.yaml: {error}"))?;
    let resources = documents.first().and_then(|document| document["Resources"].as_hash()).ok_or("infra/alarms.yaml is empty")?;
    let is_alarm = |resource: &Yaml| resource["Type"].as_str() == Some("AWS::CloudWatch::Alarm");
    let alarms: BTreeSet<&str> =
        resources.iter().filter(|(_, resource)| is_alarm(resource)).filter_map(|(name, _)| name.as_str()).collect();
    let mut problems = Vec::new();
    let mut entries = BTreeSet::new();
    for entry in runbook.split("\n## ").skip(1) {
        let name = entry.lines().next().unwrap_or_default();
        entries.insert(name);
        problems.extend(PARTS.iter().filter(|part| !entry.contains(*part)).map(|part| format!("runbook, {name}: no {part}")));
    }
    problems.extend(alarms.difference(&entries).map(|name| format!("the alarm {name} has no entry in docs/runbook.md")));
    problems.extend(entries.difference(&alarms).map(|name| format!("docs/runbook.md has an entry for {name}, which is no alarm")));
    for name in &alarms {
        let text = format!("See docs/runbook.md, {name}.");
        let alarm = &resources[&Yaml::String((*name).to_owned())]["Properties"];
        if !alarm["AlarmDescription"].as_str().is_some_and(|description| description.ends_with(&text)) {
            problems.push(format!("{name}: its description must end with `{text}`"));
        }
        let mut own = Vec::new();
        own_metrics(alarm, &mut own);
        for metric in own.iter().filter(|metric| !metrics.contains(&format!("Self::{metric},"))) {
            problems.push(format!("{name} watches {metric}, which nobody writes"));
        }
        problems.extend(overlooks(alarm).then(|| {
            format!(
                "{name} takes a value that comes late for 0 (FILL): it must look back {LATE_SECONDS} seconds, for one datapoint"
            )
        }));
    }
    Ok(problems)
}

/// Whether an alarm never sees a value that comes late. `FILL(x, 0)` stands for it until then, so that nothing is missing that CloudWatch
/// would wait for; and an alarm does not look again at a period that it has left behind.
fn overlooks(alarm: &Yaml) -> bool {
    let metrics: Vec<&Yaml> = alarm["Metrics"].as_vec().into_iter().flatten().collect();
    let is_filled = metrics.iter().any(|metric| metric["Expression"].as_str().is_some_and(|text| text.contains("FILL(")));
    let period = metrics.iter().filter_map(|metric| metric["MetricStat"]["Period"].as_i64()).min().unwrap_or_default();
    let periods = alarm["EvaluationPeriods"].as_i64().unwrap_or_default();
    let needed = alarm["DatapointsToAlarm"].as_i64().unwrap_or(periods);
    is_filled && (period * periods < LATE_SECONDS || needed != 1)
}

/// The metrics of the namespace `Crochet` that an alarm watches.
fn own_metrics(yaml: &Yaml, found: &mut Vec<String>) {
    if yaml["Namespace"].as_str() == Some("Crochet") {
        found.extend(yaml["MetricName"].as_str().map(str::to_owned));
    }
    yaml.as_vec().into_iter().flatten().for_each(|item| own_metrics(item, found));
    yaml.as_hash().into_iter().flatten().for_each(|(_, value)| own_metrics(value, found));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALARM: &str = "Resources:\n  Old:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      \
        AlarmDescription: It is old. See docs/runbook.md, Old.\n      Namespace: Crochet\n      MetricName: Age\n";
    const RUNBOOK: &str = "# Runbook\n\n## Old\n\n**Means.** a\n\n**Look at.** b\n\n**Do.** c\n";

    #[test]
    fn the_alarms_are_as_they_should_be() {
        let (alarms, runbook) = (include_str!("../../alarms.yaml"), include_str!("../../../docs/runbook.md"));
        let metrics = include_str!("../../../shared/src/telemetry/metrics.rs");
        assert_eq!(problems(alarms, runbook, metrics).expect("a template"), Vec::<String>::new());
        let hasty = alarms.replace("EvaluationPeriods: 5\n      DatapointsToAlarm: 1", "EvaluationPeriods: 1");
        assert_eq!(problems(&hasty, runbook, metrics).expect("a template").len(), 3);
    }

    #[test]
    fn an_alarm_needs_an_entry_and_a_metric() {
        let told = |runbook: &str, metrics: &str| problems(ALARM, runbook, metrics).expect("a template");
        assert_eq!(told(RUNBOOK, "Self::Age,"), Vec::<String>::new());
        assert_eq!(told("# Runbook\n", "Self::Age,").len(), 1);
        assert_eq!(told(&RUNBOOK.replace("**Do.** ", ""), "Self::Age,").len(), 1);
        assert_eq!(told(&format!("{RUNBOOK}\n## New\n\n**Means.** **Look at.** **Do.** "), "Self::Age,").len(), 1);
        assert_eq!(told(RUNBOOK, "").len(), 1);
    }

    #[test]
    fn a_value_that_comes_late_is_seen() {
        let alarm = |period: u32, evaluated: &str, expression: &str| {
            let metrics = format!("[{{ Expression: \"{expression}\" }}, {{ MetricStat: {{ Period: {period} }} }}]");
            YamlLoader::load_from_str(&format!("{{ {evaluated}, Metrics: {metrics} }}")).expect("YAML").remove(0)
        };
        assert!(overlooks(&alarm(60, "EvaluationPeriods: 1", "FILL(a, 0) + FILL(b, 0)")));
        assert!(overlooks(&alarm(60, "EvaluationPeriods: 5", "FILL(a, 0)")), "five in a row");
        assert!(!overlooks(&alarm(60, "EvaluationPeriods: 5, DatapointsToAlarm: 1", "FILL(a, 0)")));
        assert!(!overlooks(&alarm(300, "EvaluationPeriods: 1", "FILL(a, 0)")));
        assert!(!overlooks(&alarm(60, "EvaluationPeriods: 1", "a")), "nothing stands for what is missing");
    }
}
