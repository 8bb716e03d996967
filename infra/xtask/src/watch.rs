//! The functions under `cargo lambda watch`: the Lambda runtime, its events and its routing.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::background::Background;
use crate::places::Places;
use crate::project::Project;
use crate::stack::Parts;
use crate::suite::{self, Clients, Invoke, RunningStack};
use crate::{command, net, template, tools};

/// Timeout for a function's first reply. The first call starts its process.
const FIRST_ANSWER: Duration = Duration::from_secs(120);

/// The tests that are left out, with the reason of each.
const LEFT_OUT: &str = "infra/tools/watch-left-out.txt";

/// The usual base port of a stack, as for `cargo run`.
const PORT: u16 = 9000;

/// Runs the suite's tests that match `filter`, or all, on functions under `cargo lambda watch`. Returns which ran there.
///
/// # Errors
/// If something does not build or start, or a test fails.
pub(crate) fn test(project: &Project, clients: &Clients, filter: Option<&str>, dynamodb: Option<&str>) -> Result<Places, String> {
    let (parts, watch) = start(project, dynamodb)?;
    let stack = RunningStack {
        base: parts.public_url(),
        sandbox: parts.url(1),
        seller: parts.url(2),
        dynamodb: parts.dynamodb(),
        table: parts.table(),
        secrets: parts.url(4),
        invoke: Invoke::Url(parts.url(0)),
        own_address: Ipv4Addr::LOCALHOST.into(),
    };
    let outcome = suite::run_against(project, clients, filter, LEFT_OUT, &stack);
    outcome.map_err(|problem| format!("{problem}\n{}", watch.last_words()))
}

/// Starts the parts and the watcher, and waits until every function answers.
fn start(project: &Project, dynamodb: Option<&str>) -> Result<(Parts, Background), String> {
    let programs = tools::sam_programs(project)?;
    command::run(&mut project.cargo(&["build", "--quiet", "--workspace", "--bins"]))?;
    let parts = Parts::start(project, dynamodb)?;
    let mut command = command(project, &programs, &parts);
    let mut watch = Background::start("cargo lambda watch", command.arg("--ignore-changes"), &project.log("watch")?)?;
    watch.wait(FIRST_ANSWER, || net::answers(parts.base))?;
    for function in template::functions(project)? {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, parts.base));
        let path = format!("/lambda-url/{function}/api/v1/health");
        let answers = || net::get(address, &path, FIRST_ANSWER).filter(|answer| answer.status < 500);
        watch.wait(FIRST_ANSWER, answers).map_err(|problem| format!("function `{function}`: {problem}"))?;
    }
    Ok((parts, watch))
}

/// Runs the parts and the watcher until it is interrupted. A function is built when it is first called, and again when its source
/// changes.
///
/// # Errors
/// If something does not build or start.
pub(crate) fn run(project: &Project) -> Result<(), String> {
    let programs = tools::sam_programs(project)?;
    command::run(&mut project.cargo(&["build", "--quiet", "--workspace", "--bins"]))?;
    let base = match std::env::var("CROCHET_PORT") {
        Ok(port) => port.parse().map_err(|_| "CROCHET_PORT must be the first of five ports".to_owned())?,
        Err(_) => PORT,
    };
    let parts = Parts::start_at(project, base, None)?;
    println!("Crochet on cargo lambda watch; Ctrl-C stops it.\n");
    for (what, offset) in [("site and API", 0), ("sandbox Relay", 1), ("demo seller", 2), ("DynamoDB", 3), ("Secrets Manager", 4)] {
        println!("  {what:<16}{}", parts.url(offset));
    }
    println!();
    command::run(&mut command(project, &programs, &parts))
}

fn command(project: &Project, programs: &Path, parts: &Parts) -> Command {
    let mut watch = project.command(programs.join("cargo-lambda"));
    watch.args(["lambda", "watch", "--disable-cors", "--concurrency", "4"]);
    watch.args(["-A", "127.0.0.1", "-P", &parts.base.to_string()]);
    watch.envs(parts.exports.iter().map(|(name, value)| (name, value)));
    watch
}
