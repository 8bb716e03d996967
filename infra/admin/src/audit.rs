//! The audit trail: every command is written to a log group before it is carried out, and how it ended afterwards. The operator's
//! policy lets it append lines and nothing else.

mod aws_request;

use aws_config::SdkConfig;
use crochet::aws::sdk_config;
use crochet::telemetry::actions::record;
use crochet_domain::timestamp::{from_unix_ms, rfc3339};
use serde_json::{Value, json};

use aws_request::{Answer, Service, post};

/// The log group of a deployment's audit trail, and who writes there.
#[derive(Debug, Clone)]
pub struct AuditTrail {
    aws: SdkConfig,
    endpoint: Option<String>,
    group: String,
    actor: String,
}

impl AuditTrail {
    /// Connects to the log group `group`, for whoever these AWS credentials belong to. `endpoint` is that of a local stack.
    ///
    /// # Errors
    /// One sentence, if AWS does not say whose credentials these are.
    pub async fn connect(group: &str, endpoint: Option<&str>, now_ms: i64) -> Result<Self, String> {
        let aws = sdk_config(endpoint).await;
        let actor = match endpoint {
            Some(_) => "local".to_owned(),
            None => who(&aws, now_ms).await.map_err(|problem| format!("AWS does not say who you are: {problem}."))?,
        };
        Ok(Self { aws, endpoint: endpoint.map(str::to_owned), group: group.to_owned(), actor })
    }

    /// Writes that a command begins. Nothing may be done if this fails.
    ///
    /// # Errors
    /// One sentence.
    pub(crate) async fn begin(&self, command: &[String], now_ms: i64) -> Result<(), String> {
        let line = json!({ "at": rfc3339(from_unix_ms(now_ms)), "actor": self.actor, "command": command, "state": "begun" });
        let written = self.append(&line, now_ms).await;
        written.map_err(|problem| format!("Nothing was done, because the audit trail cannot be written: {problem}."))
    }

    /// Writes how it ended. `failure` is the sentence that the operator sees.
    ///
    /// # Errors
    /// One sentence.
    pub(crate) async fn end(&self, command: &[String], failure: Option<&str>, now_ms: i64) -> Result<(), String> {
        let state = if failure.is_some() { "failed" } else { "done" };
        let at = rfc3339(from_unix_ms(now_ms));
        let line = json!({ "at": at, "actor": self.actor, "command": command, "state": state, "failure": failure });
        let written = self.append(&line, now_ms).await;
        written.map_err(|problem| format!("The command is {state}, but the audit trail does not say so: {problem}."))
    }

    /// Appends a line to the stream of the month.
    async fn append(&self, line: &Value, now_ms: i64) -> Result<(), String> {
        let stream: String = rfc3339(from_unix_ms(now_ms)).chars().take(7).collect();
        let place = json!({ "logGroupName": self.group, "logStreamName": stream });
        let created = self.logs("CreateLogStream", &place, now_ms).await?;
        if !created.is_success && created.error() != "ResourceAlreadyExistsException" {
            return Err(format!("CloudWatch Logs answers {}", created.error()));
        }
        let mut lines = place;
        lines["logEvents"] = json!([{ "timestamp": now_ms, "message": line.to_string() }]);
        let put = self.logs("PutLogEvents", &lines, now_ms).await?;
        if !put.is_success {
            return Err(format!("CloudWatch Logs answers {}", put.error()));
        }
        match put.body["rejectedLogEventsInfo"].is_null() {
            true => Ok(()),
            false => Err("CloudWatch Logs refuses the time of this machine".to_owned()),
        }
    }

    async fn logs(&self, operation: &str, request: &Value, now_ms: i64) -> Result<Answer, String> {
        record(&format!("logs:{operation}"), "log/audit".to_owned(), "", []);
        let target = format!("Logs_20140328.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let service = Service { name: "logs", endpoint: self.endpoint.as_deref() };
        post(&service, &self.aws, &headers, request.to_string(), now_ms).await
    }
}

/// The ARN of whoever the credentials belong to. It needs no permission.
async fn who(aws: &SdkConfig, now_ms: i64) -> Result<String, String> {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
    let service = Service { name: "sts", endpoint: None };
    let answer = post(&service, aws, &headers, "Action=GetCallerIdentity&Version=2011-06-15".to_owned(), now_ms).await?;
    let arn = &answer.body["GetCallerIdentityResponse"]["GetCallerIdentityResult"]["Arn"];
    arn.as_str().map(str::to_owned).ok_or_else(|| "its answer names nobody".to_owned())
}
