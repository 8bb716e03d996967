//! What a deployed function may do with the table, by template.yaml, and what requests to DynamoDB need.
//!
//! The local stack has no IAM. So a test records the requests of a function, and looks each of them up here.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::failure::Failure;

/// The right to do one thing with one type of key, or with an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    action: String,
    /// The leading key's type, such as `CALL#*`, or the index's name.
    on: String,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.on)
    }
}

/// The rights that template.yaml gives a function on the table. It must state them as the template does: one policy, whose statements
/// list actions, the table or its indexes, and the leading keys.
///
/// # Errors
/// If the template has no such function, or none of its statements is about the table.
pub fn rights_of(function: &str) -> Result<BTreeSet<Right>, Failure> {
    let template = include_str!("../../template.yaml");
    let head = format!("  {function}:");
    let lines = template.lines().skip_while(|line| **line != head).skip(1);
    let block: Vec<&str> = lines.take_while(|line| line.starts_with("   ") || line.trim().is_empty()).collect();
    let mut rights = BTreeSet::new();
    for statement in block.split(|line| line.trim().starts_with("- Sid:")).skip(1) {
        let words = || statement.iter().flat_map(|line| line.split([' ', '"', ',', '[', ']'])).filter(|word| !word.is_empty());
        let actions: Vec<&str> = words().filter(|word| word.starts_with("dynamodb:") && !word.ends_with(':')).collect();
        let keys = words().filter(|word| word.ends_with("#*"));
        let indexes = words().filter_map(|word| word.strip_prefix("${TableArn.Value}/index/"));
        for on in keys.chain(indexes) {
            rights.extend(actions.iter().map(|action| Right { action: (*action).to_owned(), on: on.to_owned() }));
        }
    }
    if rights.is_empty() { Err(Failure::new(format!("template.yaml gives {function} no rights"))) } else { Ok(rights) }
}

/// The rights that a request to DynamoDB needs.
#[must_use]
pub fn rights_for(operation: &str, request: &Value) -> BTreeSet<Right> {
    match operation {
        "BatchGetItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            let keys = tables.flat_map(|(_, wanted)| wanted["Keys"].as_array().into_iter().flatten());
            keys.map(|key| right(operation, &key["PK"])).collect()
        }
        "TransactWriteItems" => {
            let parts = request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
            parts.map(|(kind, part)| right(&format!("{kind}Item"), named_by(part))).collect()
        }
        "Query" => match request["IndexName"].as_str() {
            Some(index) => BTreeSet::from([Right { action: "dynamodb:Query".to_owned(), on: index.to_owned() }]),
            None => BTreeSet::from([right(operation, &request["ExpressionAttributeValues"][":pk"])]),
        },
        _ => BTreeSet::from([right(operation, named_by(request))]),
    }
}

fn named_by(request: &Value) -> &Value {
    let item = if request["Item"].is_null() { &request["Key"] } else { &request["Item"] };
    &item["PK"]
}

fn right(operation: &str, key: &Value) -> Right {
    let key = key["S"].as_str().unwrap_or_default();
    let on = key.split_once('#').map_or_else(String::new, |(kind, _)| format!("{kind}#*"));
    Right { action: format!("dynamodb:{operation}"), on }
}
