//! Compares the roles of `template.yaml` with what the functions asked of AWS while the black-box suite ran.

mod policy;
mod used;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::project::{Project, read};
use policy::{Cell, Role};
use used::Used;

/// What a run of the suite does not reach, because only a race or a lost reply leads there: function, action, resource, leading key.
/// Each must be allowed all the same.
const RARE: [([&str; 4], &str); 6] = [
    (["Gateway", "dynamodb:DeleteItem", "table", "CALL#"], "a call whose record could not be written is removed again"),
    (["Gateway", "dynamodb:UpdateItem", "table", "SESSION#"], "the use of a session is noted when it was last noted long ago"),
    (
        ["GatewaySweeper", "dynamodb:PutItem", "table", "BUYER#"],
        "a call that its record had left is put back when its fill comes late",
    ),
    (["Reviews", "dynamodb:UpdateItem", "table", "SESSION#"], "the use of a session is noted when it was last noted long ago"),
    (["ReviewsScoreRun", "dynamodb:GetItem", "table", "STATS#"], FOLDED),
    (["ReviewsScoreRun", "dynamodb:DeleteItem", "table", "STATS#"], FOLDED),
];
const FOLDED: &str = "a day that is replaced is folded first, if sweeps have failed since it was over";

/// Compares and returns the table. With `complete`, what is allowed and was not used is a difference too; a filtered run of the suite
/// proves only that what was used is allowed.
///
/// # Errors
/// The table, if there is a difference; or a file that cannot be read.
pub(crate) fn check(project: &Project, actions: &Path, complete: bool) -> Result<String, String> {
    let roles = policy::roles(&read(&project.root.join("template.yaml"))?)?;
    let used = used::parse(&read(actions)?)?;
    let comparison = Comparison::of(&roles, &used, complete);
    let table = comparison.table();
    if comparison.difference() == 0 { Ok(table) } else { Err(table) }
}

/// One line of the table: a function's action on a resource.
type Line = (String, String, String);

#[derive(Debug, Default)]
struct Comparison {
    lines: BTreeMap<Line, BTreeSet<String>>,
    missing: Vec<String>,
    unused: Vec<String>,
}

impl Comparison {
    fn of(roles: &[Role], used: &[Used], complete: bool) -> Self {
        let mut comparison = Self::default();
        for action in used {
            let key = (action.function.clone(), action.action.clone(), action.resource.clone());
            comparison.lines.entry(key).or_default().insert(action.leading_key.clone());
            let role = roles.iter().find(|role| role.function == action.function);
            if !role.is_some_and(|role| role.allows(&action.request())) {
                comparison.missing.push(action.to_string());
            }
        }
        if complete {
            for role in roles {
                for cell in role.cells() {
                    if !is_used(&role.function, &cell, used) {
                        comparison.unused.push(format!("{} {cell}", role.function));
                    }
                }
            }
        }
        comparison
    }

    fn difference(&self) -> usize {
        self.missing.len() + self.unused.len()
    }

    fn table(&self) -> String {
        let mut lines = vec![format!("{:<16} {:<34} {:<20} leading keys", "function", "action", "resource")];
        for ((function, action, resource), keys) in &self.lines {
            let keys = keys.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            lines.push(format!("{function:<16} {action:<34} {resource:<20} {keys}").trim_end().to_owned());
        }
        lines.extend(self.missing.iter().map(|line| format!("USED, NOT ALLOWED  {line}")));
        lines.extend(self.unused.iter().map(|line| format!("ALLOWED, NOT USED  {line}")));
        let used: usize = self.lines.values().map(BTreeSet::len).sum();
        lines.push(format!("{used} actions used; difference {}", self.difference()));
        lines.join("\n")
    }
}

/// Whether a run used what this cell of a role allows, or only a rare event would.
fn is_used(function: &str, cell: &Cell, used: &[Used]) -> bool {
    let is_rare =
        RARE.iter().any(|(rare, _)| *rare == [function, cell.action.as_str(), cell.resource.as_str(), cell.leading_key.as_str()]);
    is_rare || used.iter().any(|action| action.function == function && action.is_covered_by(cell))
}

#[cfg(test)]
mod tests {
    use super::policy::Request;
    use super::*;

    /// Function, action, resource, leading keys, attributes.
    type Move = (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

    fn roles() -> Vec<Role> {
        policy::roles(include_str!("../../../template.yaml")).expect("the template's roles")
    }

    fn allows(function: &str, action: &str, resource: &str, keys: &[&str], attributes: &[&str]) -> bool {
        let roles = roles();
        let role = roles.iter().find(|role| role.function == function).unwrap_or_else(|| panic!("no function {function}"));
        role.allows(&Request { action, resource, leading_keys: keys, attributes })
    }

    /// What an attacker would do who has taken over one function. The functions that dial sellers come first.
    #[test]
    fn forbidden_moves_are_refused() {
        let moves: [Move; 42] = [
            ("Gateway", "dynamodb:PutItem", "table", &["KEY#x"], &["PK", "SK", "hash"]),
            ("Gateway", "dynamodb:UpdateItem", "table", &["KEY#x"], &["PK", "SK", "scopes"]),
            ("Gateway", "dynamodb:PutItem", "table", &["PROFILE#x"], &["PK", "SK", "wallets"]),
            ("Gateway", "dynamodb:UpdateItem", "table", &["PROFILE#x"], &["PK", "SK", "wallets"]),
            ("Gateway", "dynamodb:PutItem", "table", &["LISTING#x"], &["PK", "SK", "endpoint"]),
            ("Gateway", "dynamodb:UpdateItem", "table", &["LISTING#x"], &["PK", "SK", "endpoint", "version"]),
            ("Gateway", "dynamodb:UpdateItem", "table", &["LISTING#x"], &["PK", "SK", "price"]),
            ("Identity", "dynamodb:PutItem", "table", &["LISTING#x"], &["PK", "SK"]),
            ("Gateway", "dynamodb:PutItem", "table", &["SESSION#x"], &["PK", "SK"]),
            ("Gateway", "secretsmanager:PutSecretValue", "crochet/listing/*", &[], &[]),
            ("Listings", "dynamodb:PutItem", "table", &["KEY#x"], &["PK", "SK", "hash"]),
            ("Listings", "dynamodb:UpdateItem", "table", &["PROFILE#x"], &["PK", "SK", "wallets"]),
            ("Listings", "dynamodb:GetItem", "table", &["CALL#x"], &[]),
            ("Listings", "secretsmanager:GetSecretValue", "crochet/provider", &[], &[]),
            ("Catalog", "dynamodb:Query", "index/gsi3", &["DUE#1"], &[]),
            ("Catalog", "dynamodb:GetItem", "table", &["PASSKEYS#x"], &[]),
            ("CatalogSnapshot", "dynamodb:PutItem", "table", &["LISTING#x"], &["PK", "SK"]),
            ("GatewaySweeper", "secretsmanager:GetSecretValue", "crochet/listing/*", &[], &[]),
            ("Identity", "secretsmanager:GetSecretValue", "crochet/keys", &[], &[]),
            ("Site", "dynamodb:GetItem", "table", &["CALL#x"], &[]),
            ("Site", "dynamodb:GetItem", "table", &["KEY#x"], &[]),
            ("Site", "dynamodb:Query", "index/gsi2", &["SELLER#x#2026-01-31"], &[]),
            ("Site", "dynamodb:Query", "index/gsi3", &["DUE#1"], &[]),
            ("Gateway", "dynamodb:PutItem", "table", &["REVIEW#x"], &["PK", "SK"]),
            ("Gateway", "dynamodb:PutItem", "table", &["SCORE#x"], &["PK", "SK"]),
            ("Gateway", "secretsmanager:GetSecretValue", "crochet/receipts", &[], &[]),
            ("Listings", "dynamodb:PutItem", "table", &["STATS#x"], &["PK", "SK"]),
            ("GatewaySweeper", "dynamodb:PutItem", "table", &["SCORE#x"], &["PK", "SK"]),
            ("Reviews", "dynamodb:PutItem", "table", &["SCORE#x"], &["PK", "SK"]),
            ("Reviews", "dynamodb:PutItem", "table", &["STATS#x"], &["PK", "SK"]),
            ("Reviews", "secretsmanager:GetSecretValue", "crochet/provider", &[], &[]),
            ("GatewaySweeper", "secretsmanager:GetSecretValue", "crochet/keys", &[], &[]),
            ("Gateway", "secretsmanager:PutSecretValue", "crochet/provider", &[], &[]),
            ("SecretSweeper", "secretsmanager:GetSecretValue", "crochet/keyring", &[], &[]),
            ("Catalog", "secretsmanager:GetSecretValue", "crochet/keyring", &[], &[]),
            ("ReviewsScoreRun", "dynamodb:PutItem", "table", &["REVIEW#x"], &["PK", "SK"]),
            ("ReviewsScoreRun", "secretsmanager:GetSecretValue", "crochet/receipts", &[], &[]),
            ("SecretSweeper", "secretsmanager:GetSecretValue", "crochet/listing/*", &[], &[]),
            ("OperatorPolicy", "logs:DeleteLogStream", "log/audit", &[], &[]),
            ("OperatorPolicy", "logs:PutRetentionPolicy", "log/audit", &[], &[]),
            ("OperatorPolicy", "dynamodb:PutItem", "table", &["KEY#x"], &["PK", "SK", "hash"]),
            ("OperatorPolicy", "secretsmanager:GetSecretValue", "crochet/listing/*", &[], &[]),
        ];
        for (function, action, resource, keys, attributes) in moves {
            assert!(
                !allows(function, action, resource, keys, attributes),
                "{function} may {action} {resource} {keys:?} {attributes:?}"
            );
        }
    }

    #[test]
    fn no_function_may_scan_or_touch_a_key_beside_an_allowed_one() {
        // Operators may: their lists are of the whole table.
        for role in roles().into_iter().filter(|role| !role.function.ends_with("Policy")) {
            let scan: Request<'_, &str> =
                Request { action: "dynamodb:Scan", resource: "table", leading_keys: &[], attributes: &[] };
            assert!(!role.allows(&scan), "{} may scan", role.function);
        }
        assert!(allows("Catalog", "dynamodb:BatchGetItem", "table", &["LISTING#a"], &[]));
        assert!(!allows("Catalog", "dynamodb:BatchGetItem", "table", &["LISTING#a", "SESSION#b"], &[]));
    }

    #[test]
    fn a_difference_is_told_in_both_directions() {
        let roles = policy::roles(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Policies:\n        - Statement:\n            - Effect: Allow\n              Action: [dynamodb:GetItem, dynamodb:PutItem]\n              Resource: !GetAtt TableArn.Value\n              Condition: { \"ForAllValues:StringLike\": { dynamodb:LeadingKeys: [\"A#*\"] } }\n",
        )
        .expect("roles");
        let used = used::parse(
            r#"[{"function":"F","action":"dynamodb:GetItem","resource":"table","leading_key":"A#","attributes":[]},
                {"function":"F","action":"dynamodb:GetItem","resource":"table","leading_key":"B#","attributes":[]}]"#,
        )
        .expect("actions");
        let comparison = Comparison::of(&roles, &used, true);
        assert_eq!((comparison.missing.len(), comparison.unused.len()), (1, 1), "{}", comparison.table());
        assert_eq!(Comparison::of(&roles, &used, false).difference(), 1);
    }
}
