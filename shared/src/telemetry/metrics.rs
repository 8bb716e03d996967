//! Metrics, as lines of the log in CloudWatch's embedded metric format. Only a deployed function writes them.
//!
//! A metric that an alarm or the dashboard uses is here, and what one may want to ask once is in the log lines of the requests: each
//! metric costs money every month.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// Namespace of all metrics. The only dimension is the stack.
pub const NAMESPACE: &str = "Crochet";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Requests to the gateway function.
    GatewayRequests,
    /// Failures of ours among them: a status of 500 or above that is none of `UpstreamErrors`.
    GatewayServerErrors,
    /// Replies of any function with a status of 500 or above that a seller, the payment provider or a wallet's chain caused, or that the
    /// operator chose by closing something; and calls at an endpoint whose secret is lost.
    UpstreamErrors,
    /// First requests of new instances, all functions.
    ColdStarts,
    /// Profiles that were registered.
    Registrations,
    /// Calls that were quoted.
    CallsQuoted,
    /// Calls whose payment was booked.
    CallsSettled,
    /// What they cost, in micro-dollars.
    MoneySettled,
    /// Calls that were delivered.
    CallsDelivered,
    /// Paid calls that were closed without a delivery.
    CallsUndelivered,
    /// What is owed for them, in micro-dollars.
    MoneyOwed,
    /// Debts that have become overdue.
    DebtsOverdue,
    /// Requests to the payment provider.
    ProviderRequests,
    /// Those without a usable reply: none in time, a status of 500 or above, 401, 403 or 429, or one that cannot be parsed; and those that
    /// were not sent, because our key cannot be read.
    ProviderFailures,
    /// How long the provider took.
    ProviderTime,
    /// How long the oldest call, debt or refund has been due when a sweep began.
    OldestDue,
    /// Sweeps that came to their end.
    Sweeps,
    /// Age of the catalogue's snapshot after a run of its writer.
    SnapshotAge,
    /// How much of the caps of endpoint secrets is used, in percent: of the day's, or of that in all.
    EndpointSecretsUsed,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 19] = [
        Self::GatewayRequests,
        Self::GatewayServerErrors,
        Self::UpstreamErrors,
        Self::ColdStarts,
        Self::Registrations,
        Self::CallsQuoted,
        Self::CallsSettled,
        Self::MoneySettled,
        Self::CallsDelivered,
        Self::CallsUndelivered,
        Self::MoneyOwed,
        Self::DebtsOverdue,
        Self::ProviderRequests,
        Self::ProviderFailures,
        Self::ProviderTime,
        Self::OldestDue,
        Self::Sweeps,
        Self::SnapshotAge,
        Self::EndpointSecretsUsed,
    ];

    /// Its name in CloudWatch.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Its unit in CloudWatch. Money has none there.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::ProviderTime => "Milliseconds",
            Self::OldestDue | Self::SnapshotAge => "Seconds",
            Self::MoneySettled | Self::MoneyOwed => "None",
            _ => "Count",
        }
    }
}

/// Writes measured values. On a machine that is no deployed function, it does nothing.
pub fn emit(measured: &[(Metric, i64)]) {
    if let Some(stack) = stack()
        && !measured.is_empty()
    {
        let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
        println!("{}", line(stack, u64::try_from(ms).unwrap_or(0), measured));
    }
}

/// The stack of a deployed function.
fn stack() -> Option<&'static str> {
    static STACK: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let is_local = std::env::var("AWS_SAM_LOCAL").is_ok() || std::env::var("AWS_LAMBDA_INITIALIZATION_TYPE").is_err();
        std::env::var("CROCHET_STACK").ok().filter(|stack| !stack.is_empty() && !is_local)
    };
    STACK.get_or_init(read).as_deref()
}

fn line(stack: &str, ms: u64, measured: &[(Metric, i64)]) -> Value {
    let mut line = Map::new();
    let metrics: Vec<Value> = measured.iter().map(|(metric, _)| json!({ "Name": metric.name(), "Unit": metric.unit() })).collect();
    let described = json!([{ "Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics }]);
    line.insert("_aws".to_owned(), json!({ "Timestamp": ms, "CloudWatchMetrics": described }));
    line.insert("Stack".to_owned(), stack.into());
    for (metric, value) in measured {
        line.insert(metric.name(), (*value).into());
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_describes_its_values_with_their_units() {
        let line = line("crochet-prod", 7, &[(Metric::ProviderTime, 120), (Metric::MoneySettled, 951_000)]);
        assert_eq!(
            (&line["Stack"], &line["ProviderTime"], &line["MoneySettled"]),
            (&json!("crochet-prod"), &json!(120), &json!(951_000))
        );
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(described["Metrics"][0], json!({ "Name": "ProviderTime", "Unit": "Milliseconds" }));
        assert_eq!(described["Dimensions"], json!([["Stack"]]));
    }

    #[test]
    fn every_metric_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<String> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
