//! `cargo xtask admin`: `crochet-admin` with the environment of a deployment.

use std::collections::BTreeMap;

use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use super::environment::Environment;
use crate::command;
use crate::project::{Project, read};

/// Variables that are outputs of the stack.
const OUTPUTS: [(&str, &str); 5] = [
    ("CROCHET_TABLE", "TableName"),
    ("CROCHET_PUBLIC_URL", "PublicUrl"),
    ("CROCHET_SECRET_PREFIX", "SecretPrefix"),
    ("CROCHET_AUDIT_LOG", "AuditLogName"),
    ("CROCHET_NODE_SECRET_ID", "NodeSecretArn"),
];

/// Runs a command of `crochet-admin` on a deployment, with the settings that its stack tells. `--table NAME` in front of the command
/// stands for another table, such as one that is being restored.
///
/// # Errors
/// If the stack cannot be read, or the command fails.
pub(crate) fn admin(project: &Project, environment: &str, words: &[&str]) -> Result<(), String> {
    let (table, words) = match words {
        ["--table", table, rest @ ..] => (Some(*table), rest),
        words => (None, words),
    };
    let environment = Environment::new(project, environment)?;
    let told = command::capture(&mut environment.python("admin-env", &[])?)?;
    let about: Value = serde_json::from_str(&told).map_err(|error| format!("admin-env: {error}"))?;
    let mut settings = settings(&read(&project.root.join("template.yaml"))?, &about)?;
    if let Some(table) = table {
        settings.insert("CROCHET_TABLE".into(), table.into());
    }
    let mut admin = project.cargo(&["run", "--quiet", "--bin", "crochet-admin", "--"]);
    command::interact(admin.args(words).envs(settings))
}

/// The environment of the stack's functions, as far as it follows from what the stack says about itself: parameters and outputs.
///
/// # Errors
/// If the template cannot be read, or an output is missing.
fn settings(template: &str, about: &Value) -> Result<BTreeMap<String, String>, String> {
    let documents = YamlLoader::load_from_str(template).map_err(|error| format!("template.yaml: {error}"))?;
    let template = documents.first().ok_or("template.yaml is empty")?;
    let variables =
        template["Globals"]["Function"]["Environment"]["Variables"].as_hash().ok_or("template.yaml names no settings")?;
    let output = |name: &str| {
        let found = about["outputs"][name].as_str();
        found.ok_or_else(|| format!("the stack {} has no output {name}", about["stack"].as_str().unwrap_or_default()))
    };
    let mut settings = BTreeMap::new();
    for (variable, value) in variables {
        let (Some(variable), Some(named)) = (variable.as_str(), value.as_str()) else { continue };
        // A secret `X` is the output `XArn`.
        if template["Resources"][named]["Type"].as_str() == Some("AWS::SecretsManager::Secret") {
            settings.insert(variable.to_owned(), output(&format!("{named}Arn"))?.to_owned());
        } else if template["Parameters"][named] != Yaml::BadValue {
            let value = about["parameters"][named].as_str();
            let value = value.ok_or_else(|| format!("the stack has no parameter {named}"))?;
            settings.insert(variable.to_owned(), value.to_owned());
        }
    }
    for (variable, name) in OUTPUTS {
        settings.insert(variable.to_owned(), output(name)?.to_owned());
    }
    for (variable, field) in [("CROCHET_STACK", "stack"), ("AWS_REGION", "region")] {
        settings.insert(variable.to_owned(), about[field].as_str().unwrap_or_default().to_owned());
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../../template.yaml");

    fn template() -> Yaml {
        YamlLoader::load_from_str(TEMPLATE).expect("YAML").remove(0)
    }

    /// A stack that has every parameter and output, each with its name as its value.
    fn about() -> Value {
        let names = |section: &str| -> serde_json::Map<String, Value> {
            let template = template();
            let names = template[section].as_hash().expect("a mapping").keys();
            names.filter_map(|name| name.as_str().map(|name| (name.to_owned(), name.into()))).collect()
        };
        serde_json::json!({ "stack": "s", "region": "r", "parameters": names("Parameters"), "outputs": names("Outputs") })
    }

    #[test]
    fn every_setting_of_the_functions_is_filled_in() {
        let settings = settings(TEMPLATE, &about()).expect("settings");
        // Given by no parameter, and empty in a deployment.
        let fixed = [
            "CROCHET_RELEASE",
            "CROCHET_DYNAMODB_ENDPOINT",
            "CROCHET_SECRETS_ENDPOINT",
            "CROCHET_API_URL",
            "CROCHET_INSECURE_ENDPOINTS",
            "CROCHET_RATE_LIMITS",
            "CROCHET_CLOCK",
        ];
        let template = template();
        let variables = template["Globals"]["Function"]["Environment"]["Variables"].as_hash().expect("settings");
        for name in variables.keys().filter_map(Yaml::as_str) {
            assert_ne!(settings.contains_key(name), fixed.contains(&name), "{name}");
        }
        for (name, value) in [
            ("CROCHET_TABLE", "TableName"),
            ("CROCHET_KEYRING_SECRET_ID", "KeyringSecretArn"),
            ("CROCHET_RECEIPT_SECRET_ID", "ReceiptsSecretArn"),
            ("CROCHET_NODE_SECRET_ID", "NodeSecretArn"),
            ("CROCHET_AUDIT_LOG", "AuditLogName"),
            ("CROCHET_UNIT_FEE_MICROS", "UnitFeeMicros"),
            ("CROCHET_FEE_BPS", "FeeBps"),
            ("CROCHET_STACK", "s"),
            ("AWS_REGION", "r"),
        ] {
            assert_eq!(settings.get(name).map(String::as_str), Some(value), "{name}");
        }
    }

    #[test]
    fn a_stack_without_an_output_is_no_deployment() {
        let mut about = about();
        about["outputs"]["AuditLogName"] = Value::Null;
        assert!(settings(TEMPLATE, &about).is_err_and(|problem| problem.contains("AuditLogName")));
    }
}
