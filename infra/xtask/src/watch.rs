//! Smoke tests on `cargo lambda watch`: the Lambda runtime, its events and its routing.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::background::Background;
use crate::project::Project;
use crate::stack::Parts;
use crate::suite::{self, Clients, RunningStack};
use crate::{command, net, template, tools};

/// Timeout for a function's first reply. The first call starts its process.
const FIRST_ANSWER: Duration = Duration::from_secs(120);

/// Runs the suite's tests that match `filter` on functions under `cargo lambda watch`.
///
/// # Errors
/// If something does not build or start, or a test fails.
pub(crate) fn smoke(project: &Project, clients: &Clients, filter: &str, dynamodb: Option<&str>) -> Result<(), String> {
    let programs = tools::sam_programs(project)?;
    command::run(&mut project.cargo(&["build", "--quiet", "--workspace", "--bins"]))?;
    let parts = Parts::start(project, dynamodb)?;
    let mut watch = Background::start("cargo lambda watch", &command(project, &programs, &parts), &project.log("watch")?)?;
    watch.wait(FIRST_ANSWER, || net::answers(parts.base))?;
    for function in template::functions(project)? {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, parts.base));
        let path = format!("/lambda-url/{function}/api/v1/health");
        let answers = || net::get(address, &path, FIRST_ANSWER).filter(|answer| answer.status < 500);
        watch.wait(FIRST_ANSWER, answers).map_err(|problem| format!("function `{function}`: {problem}"))?;
    }
    let stack = RunningStack {
        base: parts.url(0),
        sandbox: parts.url(1),
        seller: parts.url(2),
        dynamodb: parts.dynamodb(),
        table: parts.table(),
    };
    suite::run_against(project, clients, filter, &stack).map_err(|problem| format!("{problem}\n{}", watch.last_words()))
}

fn command(project: &Project, programs: &Path, parts: &Parts) -> Command {
    let mut watch = project.command(programs.join("cargo-lambda"));
    watch.args(["lambda", "watch", "--ignore-changes", "--disable-cors", "--concurrency", "4"]);
    watch.args(["-A", "127.0.0.1", "-P", &parts.base.to_string()]);
    watch.envs(parts.exports.iter().map(|(name, value)| (name, value)));
    watch
}
