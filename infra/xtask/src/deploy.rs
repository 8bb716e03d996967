//! `cargo xtask deploy`, `smoke`, `put-secret`, `admin` and `teardown`: a deployment on AWS, from the first to the last day.

mod admin;
mod environment;
mod teardown;

use std::path::Path;
use std::process::Command;

pub(crate) use admin::admin;
use environment::Environment;
pub(crate) use teardown::teardown;

use crate::project::{Project, read, write};
use crate::{command, tools};

/// Deploys the working tree: checks, builds, shows what will change, deploys on approval, and makes an authenticated call.
///
/// The first time, SAM asks for the parameters and saves the answers in `samconfig.toml`, under the environment's name. They are checked
/// before anything is deployed.
///
/// # Errors
/// The step that failed. What was deployed before stays, because CloudFormation rolls back by itself.
pub(crate) fn deploy(project: &Project, environment: &str) -> Result<(), String> {
    let environment = Environment::new(project, environment)?;
    step("preflight");
    command::run(&mut environment.preflight(&[])?)?;
    step("dependencies as locked");
    // SAM passes no options on to cargo. A lock file that needs a change fails here, before anything is built.
    command::run(&mut project.cargo(&["fetch", "--locked", "--quiet"]))?;
    step("sam build");
    command::run(&mut environment.sam(&["build", "--template-file", "template.yaml"])?)?;
    release(project)?;
    let tags: Vec<String> = commit(project).into_iter().flat_map(|commit| ["--tags".into(), format!("commit={commit}")]).collect();
    if !environment.is_known()? {
        step("sam deploy --guided: asks for the parameters, deploys nothing");
        let mut sam = environment.sam(&["deploy", "--guided", "--no-execute-changeset"])?;
        sam.args(["--stack-name", &format!("crochet-{}", environment.name)]);
        command::interact(sam.args(&tags))?;
        if !environment.is_known()? {
            return Err(format!("the answers were not saved: samconfig.toml has no section {}", environment.section()));
        }
        step("preflight of the answers");
        command::run(&mut environment.preflight(&["first"])?)?;
    }
    step("sam deploy");
    let mut sam = environment.sam(&["deploy", "--confirm-changeset", "--no-fail-on-empty-changeset"])?;
    command::interact(sam.args(&tags))?;
    smoke(project, environment.name)?;
    println!("\n{}", roll_back(environment.name));
    Ok(())
}

/// Gives what was built a release of its own. Otherwise SAM would publish no version for a change of parameters alone, and callers would
/// stay with the old ones.
fn release(project: &Project) -> Result<(), String> {
    let built = project.root.join(".aws-sam/build/template.yaml");
    let seconds = std::time::UNIX_EPOCH.elapsed().map_err(|error| error.to_string())?.as_secs();
    write(&built, &released(&read(&built)?, seconds)?)
}

/// The template with this release.
fn released(template: &str, seconds: u64) -> Result<String, String> {
    const UNRELEASED: &str = "CROCHET_RELEASE: unreleased";
    if template.matches(UNRELEASED).count() != 1 {
        return Err(format!("template.yaml must say `{UNRELEASED}` once"));
    }
    Ok(template.replace(UNRELEASED, &format!("CROCHET_RELEASE: r{seconds}")))
}

/// Makes an authenticated call to a deployment, up to its 402.
///
/// # Errors
/// The first unexpected reply.
pub(crate) fn smoke(project: &Project, environment: &str) -> Result<(), String> {
    let environment = Environment::new(project, environment)?;
    step("smoke test");
    let url = command::capture(&mut environment.python("url", &[])?)?;
    command::run(project.local_stack().args(["smoke", url.trim()]))
}

/// Sets a field of one of the stack's own secrets. The value is read from standard input and never shown.
///
/// # Errors
/// Without a value, or if no secret of the stack has the field.
pub(crate) fn put_secret(project: &Project, environment: &str, field: &str) -> Result<(), String> {
    let environment = Environment::new(project, environment)?;
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        println!("Paste the value of {field} and press Enter:");
    }
    command::interact(&mut environment.python("put-secret", &[field])?)
}

/// Runs `sam deploy --guided` with the default answers against an address where nobody listens: every question must be answered
/// before SAM looks for AWS.
///
/// # Errors
/// If a question is asked again, or is about authentication.
pub(crate) fn guided_reaches_aws(project: &Project) -> Result<(), String> {
    const NOBODY: &str = "http://127.0.0.1:9";
    // In a directory of its own, since SAM saves the answers.
    let directory = project.target.join("xtask/guided");
    for (file, to) in [("template.yaml", ""), ("samconfig.toml", ""), ("infra/alarms.yaml", "infra"), ("infra/edge.yaml", "infra")]
    {
        crate::project::copy(&project.root.join(file), &directory.join(to))?;
    }
    let mut sam = project.command(tools::sam_programs(project)?.join("sam"));
    sam.args(["deploy", "--guided", "--no-execute-changeset", "--template-file", "template.yaml"]).current_dir(&directory);
    sam.envs([("SAM_CLI_TELEMETRY", "0"), ("AWS_ENDPOINT_URL", NOBODY), ("AWS_MAX_ATTEMPTS", "1")]);
    sam.envs([("AWS_ACCESS_KEY_ID", "none"), ("AWS_SECRET_ACCESS_KEY", "none"), ("AWS_REGION", "us-east-1")]);
    // Stack name and region come first, then the parameters; the only one without a default is the first.
    let answers = format!("\n\n{FEE_WALLET}\n{}", "\n".repeat(100));
    let told = command::with_input(&mut sam, &answers)?;
    if let Some(question) = told.lines().find(|line| line.contains("has no authentication")) {
        return Err(format!("sam asks: {question}"));
    }
    if told.contains(&format!("Could not connect to the endpoint URL: \"{NOBODY}")) {
        return Ok(());
    }
    Err(format!("sam deploy --guided did not get as far as AWS:\n{told}"))
}

/// A fee wallet for commands that deploy nothing.
const FEE_WALLET: &str = "0x000000000000000000000000000000000000dEaD";

fn step(name: &str) {
    println!("==> {name}");
}

/// The commit of the working tree, if it is one.
fn commit(project: &Project) -> Option<String> {
    let mut git = Command::new("git");
    let told = command::capture(git.args(["rev-parse", "--short=12", "HEAD"]).current_dir(Path::new(&project.root))).ok()?;
    Some(told.trim().to_owned())
}

fn roll_back(environment: &str) -> String {
    format!(
        "Deployed. The stack's tag `commit` says what runs. Commit samconfig.toml: without its answers, nobody else can deploy.\n\
        To roll back, check out the commit that ran before, set `Rollout=AllAtOnce` in parameter_overrides of samconfig.toml, and run \
        `cargo xtask deploy {environment}` again. With another value, CodeDeploy refuses while one of its alarms is on. The table and \
        the secrets stay as they are.\n\
        An alarm in the first minutes goes back by itself. While CloudFormation deploys, `aws cloudformation cancel-update-stack` goes \
        back to what ran before."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_deployment_is_a_release_of_its_own() {
        let template = include_str!("../../../template.yaml");
        let [one, next] = [1, 2].map(|seconds| released(template, seconds).expect("a template"));
        assert!(one != next && one.contains("CROCHET_RELEASE: r1\n"));
        assert!(released(&one, 2).is_err());
    }
}
