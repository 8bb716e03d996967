//! Requests made of the OpenAPI document, good and bad, sent to a local stack. Schemathesis makes them and judges the replies with all
//! of its checks; `infra/tools/schemathesis.toml` lists the exceptions.

use std::process::Command;
use std::time::Duration;

use crate::background::Background;
use crate::openapi_tools::OpenapiTools;
use crate::project::Project;
use crate::{command, net};

/// Exceptions and settings.
const SETTINGS: &str = "infra/tools/schemathesis.toml";
/// Cases of a run without `--cases`.
const CASES: u32 = 2_000;
/// Cases that follow from the document alone: each boundary of each parameter and field.
const FIXED_CASES: u32 = 1_900;
/// Operations, over which the other cases are spread.
const OPERATIONS: u32 = 50;
/// Time for the stack to start.
const START: Duration = Duration::from_secs(60);
/// What the stack prints before its buyer's key.
const KEY: &str = "Buyer key";

/// The options of `schemathesis`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How many requests to make, about.
    cases: u32,
    /// Repeats a run.
    seed: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        // The same cases on every run of CI.
        Self { cases: CASES, seed: Some("1".into()) }
    }
}

impl Options {
    /// Parses the arguments of `schemathesis`. `CROCHET_SEED` repeats a run.
    ///
    /// # Errors
    /// On an unknown option, or no number.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let seed = std::env::var("CROCHET_SEED").ok();
        match words {
            [] => Ok(Self { cases: CASES, seed }),
            ["--cases", number] => {
                let cases = number.parse().ok().filter(|cases| *cases > 0);
                Ok(Self { cases: cases.ok_or("--cases requires a number")?, seed })
            }
            other => Err(format!("schemathesis has no option `{}`", other.join(" "))),
        }
    }

    /// Random cases of each operation.
    fn per_operation(&self) -> u32 {
        (self.cases.saturating_sub(FIXED_CASES) / OPERATIONS).max(1)
    }
}

/// Starts a stack and tests it.
///
/// # Errors
/// If a check fails that is no exception, or something cannot be started.
pub(crate) fn run(project: &Project, options: &Options) -> Result<(), String> {
    let tools = OpenapiTools::install(project)?;
    command::run(&mut project.cargo(&["build", "--quiet", "--bin", "crochet-local"]))?;
    let base = net::free_ports(5)?;
    let mut stack = project.command(project.binary("crochet-local"));
    // One line a request would be the longest log of all.
    stack.env("CROCHET_PORT", base.to_string()).env("CROCHET_LOG", "error");
    let mut stack = Background::start("crochet-local", &stack, &project.log("schemathesis-stack")?)?;
    let log = project.target.join("xtask/schemathesis-stack.log");
    let key = stack.wait(START, || {
        let said = crate::project::read(&log).ok()?;
        said.lines().find_map(|line| Some(line.trim().strip_prefix(KEY)?.trim().to_owned()))
    })?;
    let mut test = Command::new(tools.python.with_file_name("schemathesis"));
    test.arg("--config-file").arg(project.root.join(SETTINGS)).arg("run").arg(project.root.join("docs/openapi.json"));
    test.args(["--url", &format!("http://localhost:{base}"), "--phases", "examples,coverage,fuzzing"]);
    // One worker: its imports are not safe for threads. Without `--checks`, all checks apply that the settings do not except.
    test.args(["--max-examples", &options.per_operation().to_string(), "--workers", "1", "--continue-on-failure", "--no-color"]);
    if let Some(seed) = &options.seed {
        test.args(["--seed", seed]);
    }
    let directory = project.target.join("xtask");
    test.env("CROCHET_KEY", key).current_dir(directory);
    command::run(&mut test)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most exceptions that there may be.
    const MAX_EXCEPTIONS: usize = 30;

    #[test]
    fn cases_are_spread_over_the_operations() {
        let cases = |words: &[&str]| Options::parse(words).map(|options| options.per_operation());
        assert_eq!((cases(&[]), cases(&["--cases", "20000"])), (Ok(2), Ok(362)));
        assert!(cases(&["--cases"]).is_err() && cases(&["--cases", "0"]).is_err() && cases(&["--fast"]).is_err());
    }

    #[test]
    fn exceptions_are_few_and_each_has_its_reason() {
        let settings = include_str!("../../tools/schemathesis.toml");
        let mut exceptions = 0;
        let mut before = "";
        for line in settings.lines() {
            if line == "[[operations]]" {
                exceptions += 1;
                assert!(before.starts_with("# "), "an exception has no reason before `{line}`");
            }
            before = line;
        }
        assert!((1..=MAX_EXCEPTIONS).contains(&exceptions), "{exceptions} exceptions");
    }
}
