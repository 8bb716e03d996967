//! `cargo xtask teardown`: the last day of a deployment.

use serde_json::Value;

use super::environment::Environment;
use crate::project::Project;
use crate::{command, tools};

/// Deletes the stack and, unless `keep_data`, what outlives it: the table, the secrets and the audit trail. It can be repeated: what the
/// stack leaves is noted in `target/xtask` before anything is deleted, and that file goes last.
///
/// # Errors
/// If the stack's name is not typed in, or AWS refuses.
pub(crate) fn teardown(project: &Project, environment: &str, keep_data: bool) -> Result<(), String> {
    let environment = Environment::new(project, environment)?;
    let file = project.target.join("xtask").join(format!("retained-{}.json", environment.name));
    let file = file.to_str().ok_or("the target directory's name is no UTF-8")?;
    let told = command::capture(&mut environment.python("retained", &[file])?)?;
    let left: Value = serde_json::from_str(&told).map_err(|error| format!("retained: {error}"))?;
    let text = |field: &str| left[field].as_str().unwrap_or_default();
    let (stack, is_gone) = (text("stack"), left["gone"].as_bool() == Some(true));
    if is_gone && keep_data {
        println!("The stack {stack} is gone. {}", kept(&left, environment.name));
        return Ok(());
    }
    println!("{}{}\nType the stack's name to go on:", question(&left, keep_data), stays(&left));
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed).map_err(|error| error.to_string())?;
    if typed.trim() != stack {
        return Err("nothing was deleted".into());
    }
    if !is_gone {
        let mut sam = project.command(tools::sam_programs(project)?.join("sam"));
        sam.env("SAM_CLI_TELEMETRY", "0");
        command::interact(sam.args(["delete", "--no-prompts", "--stack-name", stack, "--region", text("region")]))?;
    }
    if keep_data {
        println!("{}", kept(&left, environment.name));
        return Ok(());
    }
    command::run(&mut environment.python("delete-retained", &[file])?)?;
    print!("{}", stays(&left).trim_start());
    Ok(())
}

/// What a teardown never deletes, because the stack does not know it, and what deletes it.
fn stays(left: &Value) -> String {
    let region = left["region"].as_str().unwrap_or_default();
    let tables: Vec<&str> = left["other_tables"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut told = format!(
        "\nThe packages of its functions stay in the bucket of the stack aws-sam-cli-managed-default in {region}, as old versions below \
        {}/. They cost cents: delete them there if nobody needs them.\n",
        left["stack"].as_str().unwrap_or_default()
    );
    if !tables.is_empty() {
        let of = format!("--region {region} --table-name TABLE");
        told += &format!(
            "\nTables that the stack made before stay, and are billed: {}. Of each, if nobody needs it: \
            `aws dynamodb update-table --no-deletion-protection-enabled {of}`, then `aws dynamodb delete-table {of}`.\n",
            tables.join(", ")
        );
    }
    if left["edge_elsewhere"].as_bool() == Some(true) {
        told += "\nThe edge is a stack of its own (infra/edge.yaml, in us-east-1). It stays, and is billed: \
            `aws cloudformation delete-stack --region us-east-1 --stack-name EDGE`.\n";
    }
    told
}

/// What will be deleted.
fn question(left: &Value, keep_data: bool) -> String {
    let text = |field: &str| left[field].as_str().unwrap_or("unknown");
    let (stack, region) = (text("stack"), text("region"));
    let what = format!("table {}, secrets and audit trail", text("table"));
    match (left["gone"].as_bool() == Some(true), keep_data) {
        (true, _) => format!("The stack {stack} in {region} is gone already. This deletes what it has left: its {what}."),
        (false, true) => format!("This deletes the stack {stack} in {region}. Its {what} stay, and are billed."),
        (false, false) => format!("This deletes the stack {stack} in {region}. Its {what} go, too."),
    }
}

/// What is left, and how to delete it.
fn kept(left: &Value, environment: &str) -> String {
    let text = |field: &str| left[field].as_str().unwrap_or("unknown");
    let secrets = left["secrets"].as_array().map_or(0, Vec::len);
    format!(
        "Left are the table {}, {secrets} secrets of the stack, those named {}*, and the audit trail {}. \
        `cargo xtask teardown {environment}` deletes them, as long as target/xtask/retained-{environment}.json is there.",
        text("table"),
        text("prefix"),
        text("audit")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_question_says_what_goes() {
        let left =
            |gone: bool| json!({ "stack": "crochet-prod", "region": "eu-west-1", "table": "t", "secrets": ["a"], "gone": gone });
        let both = question(&left(false), false);
        assert!(both.contains("stack crochet-prod in eu-west-1. Its table t, secrets and audit trail go, too."), "{both}");
        assert!(question(&left(false), true).ends_with("stay, and are billed."));
        assert!(question(&left(true), false).contains("is gone already"));
        assert!(kept(&left(true), "prod").contains("cargo xtask teardown prod"));
    }

    #[test]
    fn what_the_stack_does_not_know_is_told() {
        let told = stays(&json!({ "stack": "crochet-prod", "other_tables": [], "edge_elsewhere": false }));
        assert!(told.contains("old versions below crochet-prod/") && !told.contains("Tables"), "{told}");
        let told = stays(&json!({ "region": "eu-west-1", "other_tables": ["crochet-prod-Table-OLD"], "edge_elsewhere": true }));
        assert!(told.contains("crochet-prod-Table-OLD") && told.contains("delete-table --region eu-west-1"), "{told}");
        assert!(told.contains("--region us-east-1 --stack-name EDGE"), "{told}");
    }
}
