//! What the sources say of a deployment: memory and schedules of its functions, and how many of what costs something each month.

use std::collections::{BTreeMap, BTreeSet};

use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlLoader};

use crate::project::{Project, read};

/// Hours of a month, as AWS counts.
const HOURS: f64 = 730.0;

/// A function of the template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Function {
    pub(super) memory_mb: f64,
    /// Scheduled runs in a month. 0 for a function without a schedule.
    pub(super) runs: f64,
}

impl Function {
    pub(super) fn memory_gb(&self) -> f64 {
        self.memory_mb / 1024.0
    }
}

/// The functions of the template, by name.
pub(super) type Functions = BTreeMap<String, Function>;

/// What a deployment consists of.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) functions: Functions,
    pub(super) alarms: usize,
    /// CloudWatch bills an alarm for each metric that it looks at.
    pub(super) alarm_metrics: usize,
    pub(super) dashboards: usize,
    pub(super) metrics: usize,
    pub(super) secrets: usize,
}

impl Deployment {
    /// Reads `template.yaml`, `infra/alarms.yaml` and the list of metrics.
    ///
    /// # Errors
    /// What cannot be read.
    pub(super) fn read(project: &Project) -> Result<Self, String> {
        let file = |path: &str| read(&project.root.join(path));
        let template = yaml("template.yaml", &file("template.yaml")?)?;
        let alarms = yaml("infra/alarms.yaml", &file("infra/alarms.yaml")?)?;
        let (alarm_count, alarm_metrics) = alarm_metrics(&alarms)?;
        Ok(Self {
            functions: functions(&template)?,
            alarms: alarm_count,
            alarm_metrics,
            dashboards: of_type(&alarms, "AWS::CloudWatch::Dashboard")?.count(),
            metrics: emitted(&file("shared/src/telemetry/metrics.rs")?)? + filtered(&alarms)?,
            secrets: of_type(&template, "AWS::SecretsManager::Secret")?.count(),
        })
    }
}

/// A template. Tags such as `!Ref` are left out.
fn yaml(name: &str, text: &str) -> Result<Yaml, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| format!("{name}: {error}"))?;
    documents.into_iter().next().ok_or_else(|| format!("{name} is empty"))
}

/// The resources of a type, by name.
fn of_type<'a>(template: &'a Yaml, wanted: &'a str) -> Result<impl Iterator<Item = (&'a str, &'a Yaml)>, String> {
    let resources: &Hash = template["Resources"].as_hash().ok_or("a template has no resources")?;
    let is_wanted = move |resource: &Yaml| resource["Type"].as_str() == Some(wanted);
    Ok(resources.iter().filter(move |(_, resource)| is_wanted(resource)).filter_map(|(name, found)| Some((name.as_str()?, found))))
}

fn functions(template: &Yaml) -> Result<Functions, String> {
    let usual = &template["Globals"]["Function"]["MemorySize"];
    let mut functions = Functions::new();
    for (name, function) in of_type(template, "AWS::Serverless::Function")? {
        let properties = &function["Properties"];
        let memory = properties["MemorySize"].as_i64().or_else(|| usual.as_i64());
        let memory_mb = memory.ok_or_else(|| format!("template.yaml says no memory of {name}"))? as f64;
        let events = properties["Events"].as_hash().into_iter().flatten().map(|(_, event)| event);
        let schedules = events.filter(|event| event["Type"].as_str() == Some("Schedule"));
        let mut runs = 0.0;
        for schedule in schedules {
            let text = schedule["Properties"]["Schedule"].as_str().unwrap_or_default();
            runs +=
                runs_per_month(text).ok_or_else(|| format!("template.yaml, {name}: figures cannot read the schedule {text}"))?;
        }
        functions.insert(name.to_owned(), Function { memory_mb, runs });
    }
    Ok(functions)
}

/// Runs of a schedule: a rate, or an expression that is for every hour or every day.
fn runs_per_month(schedule: &str) -> Option<f64> {
    let (kind, inner) = schedule.strip_suffix(')')?.split_once('(')?;
    let fields: Vec<&str> = inner.split_whitespace().collect();
    match (kind, &fields[..]) {
        ("rate", [every, unit]) => {
            let hours = match unit.trim_end_matches('s') {
                "minute" => 1.0 / 60.0,
                "hour" => 1.0,
                "day" => 24.0,
                _ => return None,
            };
            let every = every.parse::<f64>().ok().filter(|every| *every >= 1.0)?;
            Some(HOURS / hours / every)
        }
        ("cron", [minute, hour, days @ ..]) => {
            let is_number = |field: &str| field.parse::<u8>().is_ok();
            let is_every_day = days.len() == 4 && days.iter().all(|field| matches!(*field, "*" | "?"));
            match *hour {
                _ if !is_every_day || !is_number(minute) => None,
                "*" => Some(HOURS),
                hour if is_number(hour) => Some(HOURS / 24.0),
                _ => None,
            }
        }
        _ => None,
    }
}

/// How many alarms there are, and how many metrics they look at. One with metric math looks at each that it names.
fn alarm_metrics(template: &Yaml) -> Result<(usize, usize), String> {
    let (mut alarms, mut metrics) = (0, 0);
    for (_, alarm) in of_type(template, "AWS::CloudWatch::Alarm")? {
        alarms += 1;
        metrics += match alarm["Properties"]["Metrics"].as_vec() {
            Some(entries) => entries.iter().filter(|entry| !entry["MetricStat"].is_badvalue()).count(),
            None => 1,
        };
    }
    Ok((alarms, metrics))
}

/// Metrics that filters of logs make. Filters may share one.
fn filtered(template: &Yaml) -> Result<usize, String> {
    let mut metrics = BTreeSet::new();
    for (_, filter) in of_type(template, "AWS::Logs::MetricFilter")? {
        for made in filter["Properties"]["MetricTransformations"].as_vec().into_iter().flatten() {
            metrics.insert((made["MetricNamespace"].as_str(), made["MetricName"].as_str()));
        }
    }
    Ok(metrics.len())
}

/// Metrics in `Metric::ALL`.
fn emitted(source: &str) -> Result<usize, String> {
    let all = source.split("pub const ALL").nth(1).and_then(|rest| rest.split("];").next());
    Ok(all.ok_or("shared/src/telemetry/metrics.rs has no list of all metrics")?.matches("Self::").count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_own_memory_or_that_of_all() {
        let template = "Globals: { Function: { MemorySize: 256 } }\nResources:\n  \
            Small: { Type: AWS::Serverless::Function, Properties: { Role: !Ref Role } }\n  \
            Large:\n    Type: AWS::Serverless::Function\n    Properties:\n      MemorySize: 1769\n      Events:\n        \
            Now: { Type: Schedule, Properties: { Schedule: rate(5 minutes) } }\n        Any: { Type: HttpApi }\n  \
            Key: { Type: AWS::SecretsManager::Secret }\n";
        let parsed = yaml("template", template).expect("a template");
        let functions = functions(&parsed).expect("functions");
        assert_eq!(functions["Small"], Function { memory_mb: 256.0, runs: 0.0 });
        assert_eq!(functions["Large"], Function { memory_mb: 1769.0, runs: 8_760.0 });
        assert_eq!((functions.len(), of_type(&parsed, "AWS::SecretsManager::Secret").expect("resources").count()), (2, 1));
        let unclear = yaml("template", &template.replace("rate(5 minutes)", "at noon")).expect("a template");
        assert!(super::functions(&unclear).is_err());
        let no_memory = yaml("template", &template.replace("MemorySize: 256", "Timeout: 1")).expect("a template");
        assert!(super::functions(&no_memory).is_err());
    }

    #[test]
    fn schedules_are_counted_in_months_of_730_hours() {
        let runs = |schedule: &str| runs_per_month(schedule).map(|runs| runs.round() as u64);
        assert_eq!(runs("rate(1 minute)"), Some(43_800));
        assert_eq!(runs("rate(5 minutes)"), Some(8_760));
        assert_eq!(runs("rate(2 hours)"), Some(365));
        assert_eq!(runs("rate(1 day)"), Some(30));
        assert_eq!(runs("cron(20 * * * ? *)"), Some(730));
        assert_eq!(runs("cron(20 4 * * ? *)"), Some(30));
        for unknown in ["cron(*/5 * * * ? *)", "cron(0 * ? * MON *)", "cron(0 *)", "rate(0 days)", "rate(1 week)", "daily", ""] {
            assert_eq!(runs(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_alarm_counts_once_for_each_metric_that_it_looks_at() {
        let template = "Resources:\n  Plain: { Type: AWS::CloudWatch::Alarm, Properties: { MetricName: A } }\n  \
            Math:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      Metrics:\n        - { Id: sum, Expression: !Sub a + b }\n        \
            - { Id: a, MetricStat: { Stat: Sum } }\n        - { Id: b, MetricStat: { Stat: Sum } }\n  Topic: { Type: AWS::SNS::Topic }\n";
        assert_eq!(alarm_metrics(&yaml("alarms", template).expect("a template")), Ok((2, 3)));
    }

    #[test]
    fn filters_of_one_metric_count_once() {
        let filter = |name: &str, metric: &str| {
            format!(
                "  {name}: {{ Type: AWS::Logs::MetricFilter, Properties: {{ MetricTransformations: [{{ MetricNamespace: !Sub \
                 \"Crochet/${{Stack}}\", MetricName: {metric} }}] }} }}\n"
            )
        };
        let template = format!("Resources:\n{}{}{}", filter("A", "Lines"), filter("B", "Lines"), filter("C", "Others"));
        assert_eq!(filtered(&yaml("alarms", &template).expect("a template")), Ok(2));
        assert_eq!(emitted("pub const ALL: [Self; 2] = [\n Self::A,\n Self::B,\n];\n Self::A"), Ok(2));
        assert!(emitted("nothing").is_err());
    }
}
