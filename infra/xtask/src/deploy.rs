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
/// before anything is deployed. `changes` are options of the preflight: `--change PARAMETER` lets one change that must not by accident.
///
/// # Errors
/// The step that failed. What was deployed before stays, because CloudFormation rolls back by itself.
pub(crate) fn deploy(project: &Project, environment: &str, changes: &[&str]) -> Result<(), String> {
    let environment = Environment::new(project, environment)?;
    step("preflight");
    command::run(&mut environment.preflight(changes)?)?;
    step("dependencies as locked");
    // SAM passes no options on to cargo. A lock file that needs a change fails here, before anything is built.
    command::run(&mut project.cargo(&["fetch", "--locked", "--quiet"]))?;
    let built_for = environment.architecture()?;
    build(&environment, &built_for)?;
    let tags = tags(&environment)?;
    let tag_options = tag_options(&tags);
    if !environment.is_known()? {
        step("sam deploy --guided: asks for the parameters, deploys nothing");
        let mut sam = environment.sam(&["deploy", "--guided", "--no-execute-changeset"])?;
        sam.args(["--stack-name", &format!("crochet-{}", environment.name)]);
        command::interact(sam.args(&tag_options))?;
        if !environment.is_known()? {
            return Err(format!("the answers were not saved: samconfig.toml has no section {}", environment.section()));
        }
        step("preflight of the answers");
        command::run(&mut environment.preflight(&["first"])?)?;
    }
    let architecture = environment.architecture()?;
    if architecture != built_for {
        build(&environment, &architecture)?;
    }
    step("sam deploy");
    let mut sam = environment.sam(&["deploy", "--confirm-changeset", "--no-fail-on-empty-changeset"])?;
    command::interact(sam.args(&tag_options)).map_err(|problem| {
        format!("{problem}\nIf an alarm is on that this is to mend, deploy with Rollout=AllAtOnce in parameter_overrides of samconfig.toml.")
    })?;
    let smoke = smoke(project, environment.name);
    println!("\n{}", roll_back(environment.name, &tags));
    smoke.map_err(|problem| format!("{problem}\nThe deployment stands, and its smoke test fails. {MAY_FAIL_BECAUSE}"))
}

/// What a smoke test may fail for although the deployment is sound.
const MAY_FAIL_BECAUSE: &str = "If nobody has pointed the name in DomainName or PublicUrl at it yet: the stack's outputs DomainTarget \
    and EdgeTarget say where to. Or if you have closed registrations or listings: `cargo xtask admin ENV switches` says so. Then run \
    `cargo xtask smoke ENV`.";

/// Builds the functions for a processor.
fn build(environment: &Environment<'_>, architecture: &str) -> Result<(), String> {
    step(&format!("sam build for {architecture}"));
    let mut sam = environment.sam(&["build", "--template-file", "template.yaml"])?;
    command::run(sam.args(["--parameter-overrides", &format!("Architecture={architecture}")]))?;
    release(environment.project)
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

/// Runs the tests of the programs that ask AWS. AWS is played.
///
/// # Errors
/// If SAM cannot be installed, or a test fails.
pub(crate) fn test_programs(project: &Project) -> Result<(), String> {
    let mut python = project.command(tools::sam_programs(project)?.join("python"));
    // Imports would leave files beside them.
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    command::run(python.args(["-m", "unittest", "discover", "--quiet", "--start-directory", "infra/tools/tests"]))
}

/// A fee wallet for commands that deploy nothing.
const FEE_WALLET: &str = "0x000000000000000000000000000000000000dEaD";

fn step(name: &str) {
    println!("==> {name}");
}

/// The tags of the next deployment: its commit, and the one to go back to. None if the working tree is no git repository.
fn tags(environment: &Environment<'_>) -> Result<Vec<String>, String> {
    let Some(commit) = commit(&environment.project.root) else { return Ok(Vec::new()) };
    let told = command::capture(&mut environment.python("tags", &[&commit])?)?;
    Ok(told.lines().map(str::to_owned).collect())
}

/// Options of `sam deploy`, which takes all tags after one `--tags`: of two such options, the last would count.
fn tag_options(tags: &[String]) -> Vec<&str> {
    let option = (!tags.is_empty()).then_some("--tags");
    option.into_iter().chain(tags.iter().map(String::as_str)).collect()
}

/// The commit of a working tree, as `git describe` names it, with `-dirty` if something else than the answers differs from it.
fn commit(root: &Path) -> Option<String> {
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        command::capture(git.args(words).current_dir(root)).ok()
    };
    let named = git(&["describe", "--always", "--abbrev=12"])?;
    // A file that git does not know may be compiled in as well.
    let changed = git(&["status", "--porcelain", "--", ".", ":!samconfig.toml"])?;
    Some(format!("{}{}", named.trim(), if changed.trim().is_empty() { "" } else { "-dirty" }))
}

/// How to go back from a deployment with these tags. The answers stay: those of that time may name another table or wallet.
fn roll_back(environment: &str, tags: &[String]) -> String {
    let before = tags.iter().find_map(|tag| tag.strip_prefix("commit-before="));
    let clean = before.map_or("COMMIT", |before| before.strip_suffix("-dirty").unwrap_or(before));
    let dirty =
        before.filter(|before| before.ends_with("-dirty")).map_or("", |_| " What ran before had changes that were not committed.");
    format!(
        "Deployed. The stack's tag `commit` says what runs, and `commit-before` what ran before. Commit samconfig.toml now: without its \
        answers, nobody else can deploy, and the way back takes them from that commit.\n\
        To go back to the code of before, and keep the answers of now: `git checkout --detach {clean}`, then `git checkout '@{{-1}}' -- \
        samconfig.toml`. Set `Rollout=AllAtOnce` in its parameter_overrides, and run `cargo xtask deploy {environment}`. With another value, \
        CodeDeploy refuses while one of its alarms is on. The table and the secrets stay as they are.{dirty}\n\
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

    #[test]
    fn all_tags_are_one_option() {
        assert_eq!(tag_options(&["commit=b".to_owned(), "commit-before=a".to_owned()]), ["--tags", "commit=b", "commit-before=a"]);
        assert!(tag_options(&[]).is_empty());
    }

    #[test]
    fn the_way_back_leaves_the_answers_alone() {
        let tags = |before: &str| ["commit=b".to_owned(), format!("commit-before={before}")];
        let told = roll_back("prod", &tags("v1-2-gabc"));
        assert!(told.contains("`git checkout --detach v1-2-gabc`, then `git checkout '@{-1}' -- samconfig.toml`"), "{told}");
        assert!(!told.contains("not committed"), "{told}");
        let told = roll_back("prod", &tags("abc-dirty"));
        assert!(told.contains("--detach abc`") && told.contains("not committed"), "{told}");
        assert!(roll_back("prod", &[]).contains("--detach COMMIT`"));
    }

    #[test]
    fn a_commit_says_whether_more_than_the_answers_has_changed() {
        let root = std::env::temp_dir().join(format!("crochet-commit-{}", std::process::id()));
        let write = |file: &str, text: &str| std::fs::write(root.join(file), text).expect("a file");
        let git = |words: &[&str]| {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]);
            command::capture(git.args(words).current_dir(&root)).expect("git")
        };
        std::fs::create_dir_all(&root).expect("a directory");
        git(&["init", "--quiet"]);
        write("samconfig.toml", "a");
        write("code", "a");
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message", "a"]);
        write("samconfig.toml", "b");
        let clean = commit(&root).expect("a commit");
        write("code", "b");
        let dirty = commit(&root).expect("a commit");
        std::fs::remove_dir_all(&root).expect("removed");
        assert!(!clean.contains("dirty"), "{clean}");
        assert_eq!(dirty, format!("{clean}-dirty"));
    }
}
