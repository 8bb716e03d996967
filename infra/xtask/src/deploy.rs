//! `cargo xtask deploy`, `smoke`, `put-secret` and `teardown`: a deployment on AWS, from the first to the last day.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::project::{Project, read, write};
use crate::{command, tools};

/// Deploys the working tree: checks, builds, shows what will change, deploys on approval, and makes an authenticated call.
///
/// The first time, SAM asks for the parameters and saves the answers in `samconfig.toml`, under the environment's name.
///
/// # Errors
/// The step that failed. What was deployed before stays, because CloudFormation rolls back by itself.
pub(crate) fn deploy(project: &Project, environment: &str) -> Result<(), String> {
    let environment = Environment::new(project, environment)?;
    step("preflight");
    environment.deployment("preflight", &[], None)?;
    step("dependencies as locked");
    // SAM passes no options on to cargo. A lock file that needs a change fails here, before anything is built.
    command::run(&mut project.cargo(&["fetch", "--locked", "--quiet"]))?;
    step("sam build");
    command::run(&mut environment.sam(&["build", "--template-file", "template.yaml"])?)?;
    release(project)?;
    step("sam deploy");
    let mut sam = environment.sam(&["deploy", "--confirm-changeset", "--no-fail-on-empty-changeset"])?;
    if !environment.is_known()? {
        sam.args(["--guided", "--stack-name", &format!("crochet-{}", environment.name)]);
    }
    if let Some(commit) = commit(project) {
        sam.args(["--tags", &format!("commit={commit}")]);
    }
    command::interact(&mut sam)?;
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

/// Deletes the stack and, unless `keep_data`, everything that outlives it and costs money: the table and the secrets.
///
/// # Errors
/// If the stack's name is not typed in, or AWS refuses.
pub(crate) fn teardown(project: &Project, environment: &str, keep_data: bool) -> Result<(), String> {
    let environment = Environment::new(project, environment)?;
    let retained = command::capture(&mut environment.python("retained", &[])?)?;
    let known: serde_json::Value = serde_json::from_str(&retained).map_err(|error| format!("retained: {error}"))?;
    let (stack, region) = (known["stack"].as_str().unwrap_or_default(), known["region"].as_str().unwrap_or_default());
    let data = if keep_data { "Its table and secrets stay, and are billed." } else { "Its table and all secrets go, too." };
    println!("This deletes the stack {stack} in {region}. {data}\nType the stack's name to go on:");
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed).map_err(|error| error.to_string())?;
    if typed.trim() != stack {
        return Err("nothing was deleted".into());
    }
    let mut sam = project.command(tools::sam_programs(project)?.join("sam"));
    command::interact(sam.args(["delete", "--no-prompts", "--stack-name", stack, "--region", region]))?;
    if keep_data {
        println!("The table {} and the secrets are left.", known["table"].as_str().unwrap_or_default());
        return Ok(());
    }
    environment.deployment("delete-retained", &[], Some(&retained))
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
    sam.args(["deploy", "--guided", "--template-file", "template.yaml"]).current_dir(&directory);
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

/// An environment of `samconfig.toml`.
struct Environment<'a> {
    project: &'a Project,
    name: &'a str,
}

impl<'a> Environment<'a> {
    fn new(project: &'a Project, name: &'a str) -> Result<Self, String> {
        let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_word && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= 20 {
            Ok(Self { project, name })
        } else {
            Err(format!(
                "`{name}` is no name of an environment: use up to 20 lower-case letters, digits and hyphens, such as `prod`"
            ))
        }
    }

    /// Whether its answers were saved.
    fn is_known(&self) -> Result<bool, String> {
        let section = format!("[{}.deploy.parameters]", self.name);
        Ok(read(&self.project.root.join("samconfig.toml"))?.lines().any(|line| line.trim() == section))
    }

    /// A SAM command with the settings of this environment.
    fn sam(&self, arguments: &[&str]) -> Result<Command, String> {
        let programs = tools::sam_programs(self.project)?;
        let mut sam = self.project.command(programs.join("sam"));
        sam.args(arguments).env("SAM_CLI_TELEMETRY", "0");
        // `build` is the same for every environment, and its settings are those of `default`.
        if arguments.first() != Some(&"build") {
            sam.args(["--config-env", self.name]);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)));
        sam.env("PATH", path.map_err(|error| format!("PATH: {error}"))?);
        Ok(sam)
    }

    /// A command of `infra/tools/deployment.py`, in the environment of the SAM CLI.
    fn python(&self, action: &str, more: &[&str]) -> Result<Command, String> {
        let mut python = self.project.command(tools::sam_programs(self.project)?.join("python"));
        python.arg(self.project.root.join("infra/tools/deployment.py")).arg(action).arg(self.name).args(more);
        Ok(python)
    }

    fn deployment(&self, action: &str, more: &[&str], input: Option<&str>) -> Result<(), String> {
        let mut python = self.python(action, more)?;
        match input {
            None => command::run(&mut python),
            Some(input) => {
                let mut child = python.stdin(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
                child
                    .stdin
                    .take()
                    .map_or(Ok(()), |mut pipe| pipe.write_all(input.as_bytes()))
                    .map_err(|error| error.to_string())?;
                let status = child.wait().map_err(|error| error.to_string())?;
                if status.success() { Ok(()) } else { Err(format!("{action}: {status}")) }
            }
        }
    }
}

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
        "Deployed. The stack's tag `commit` says what runs.\n\
        To roll back, check out the commit that ran before and run `cargo xtask deploy {environment}` again. The table and the \
        secrets stay as they are.\n\
        An alarm in the first minutes goes back by itself. While CloudFormation deploys, `aws cloudformation cancel-update-stack` goes back to what ran before."
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

    #[test]
    fn an_environment_is_one_word() {
        let project = Project { root: "/".into(), target: "/".into() };
        for good in ["prod", "eu-west-2", "p"] {
            assert!(Environment::new(&project, good).is_ok(), "{good}");
        }
        for bad in ["", "Prod", "a b", "2nd", "a.b", "--help", "a-very-very-long-name"] {
            assert!(Environment::new(&project, bad).is_err(), "{bad}");
        }
    }
}
