//! What the suite recorded.

use std::fmt;

use serde_json::Value;

use super::policy::{Cell, Request};

/// One action, as `crochet::telemetry::actions` records it.
#[derive(Debug)]
pub(super) struct Used {
    /// Logical id of the function.
    pub(super) function: String,
    /// Such as `dynamodb:GetItem`.
    pub(super) action: String,
    /// `table`, `index/gsi1`, or a secret's name.
    pub(super) resource: String,
    /// Such as `CALL#`; empty for secrets.
    pub(super) leading_key: String,
    /// The attributes that it named, all uses together.
    pub(super) attributes: Vec<String>,
}

impl Used {
    /// The action as IAM sees it.
    pub(super) fn request(&self) -> Request<'_> {
        Request {
            action: &self.action,
            resource: &self.resource,
            leading_keys: if self.leading_key.is_empty() { &[] } else { std::slice::from_ref(&self.leading_key) },
            attributes: &self.attributes,
        }
    }
}

impl Used {
    /// Whether the action is an instance of what this cell of a role allows.
    pub(super) fn is_covered_by(&self, cell: &Cell) -> bool {
        self.action == cell.action
            && self.resource == cell.resource
            && self.leading_key == cell.leading_key
            && cell.attribute.as_ref().is_none_or(|attribute| self.attributes.contains(attribute))
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, action, resource, leading_key, attributes } = self;
        write!(f, "{function} {action} {resource} {leading_key} [{}]", attributes.join(" "))
    }
}

/// Reads the file that the suite wrote.
pub(super) fn parse(text: &str) -> Result<Vec<Used>, String> {
    let lines: Vec<Value> = serde_json::from_str(text).map_err(|error| format!("the recorded actions: {error}"))?;
    if lines.is_empty() {
        return Err("the suite recorded no action".into());
    }
    let text = |line: &Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
    let read = |line: &Value| Used {
        function: text(line, "function"),
        action: text(line, "action"),
        resource: text(line, "resource"),
        leading_key: text(line, "leading_key"),
        attributes: line["attributes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    Ok(lines.iter().map(read).collect())
}
