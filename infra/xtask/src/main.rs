//! `cargo xtask …`: the developer's commands. `cargo xtask help` lists them.

mod background;
mod command;
mod dynamodb_local;
mod forward;
mod go;
mod imports;
mod net;
mod project;
mod report;
mod sam;
mod stack;
mod suite;
mod template;
mod test;
mod tools;
mod watch;

use std::process::ExitCode;

use project::Project;

const HELP: &str = "\
cargo xtask <command>

  test [filter]             everything: format, lints, dependencies, unit tests, the black-box suite on the real
                            DynamoDB Local, generated files, the SAM template, and a smoke run on cargo lambda watch
  test --sam [filter]       the same, then `sam build` and a smoke run through `sam local start-api` (needs Docker)
  test --embedded [filter]  the black-box suite alone, on the embedded database: the loop in which one works
  watch-smoke [filter]      the smoke run on cargo lambda watch alone (filter: `smoke` unless given)
  bench catalog [listings]  how quick the catalogue is with 100,000 listings, cold and warm, and what it needs (optimised)
  generate [--check]        writes the generated files; with --check, fails when one is stale
  help                      this text

filter picks black-box tests whose name contains it.

Environment
  CROCHET_DYNAMODB_ENDPOINT           a DynamoDB to test on, instead of starting DynamoDB Local
  CI=true or CROCHET_REQUIRE_DYNAMODB_LOCAL=1
                                      nothing may stay unproved for want of a tool: what cannot run is a failure
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command. `Ok(false)` is a failure that was already told.
fn dispatch(arguments: &[String]) -> Result<bool, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(true)
        }
        ["test", rest @ ..] => {
            let options = test::Options::parse(rest)?;
            test::run(&Project::locate()?, &options)
        }
        ["watch-smoke"] => watch_smoke("smoke"),
        ["watch-smoke", filter] => watch_smoke(filter),
        ["cycles"] => imports::check(&Project::locate()?).map(|()| true),
        ["bench", "catalog"] => bench(&["bench"]),
        ["bench", "catalog", listings] => bench(&["bench", listings]),
        ["generate"] => generate(&["generate"]),
        ["generate", "--check"] => generate(&["generate", "--check"]),
        _ => Err(format!("unknown command `{}`\n\n{HELP}", words.join(" "))),
    }
}

fn watch_smoke(filter: &str) -> Result<bool, String> {
    let project = Project::locate()?;
    let clients = suite::Clients::install(&project)?;
    watch::smoke(&project, &clients, filter, None).map(|()| true)
}

fn bench(arguments: &[&str]) -> Result<bool, String> {
    let project = Project::locate()?;
    let run = ["run", "--quiet", "--profile", "measured", "--bin", "crochet-local", "--"];
    command::run(project.cargo(&run).args(arguments)).map(|()| true)
}

fn generate(arguments: &[&str]) -> Result<bool, String> {
    let project = Project::locate()?;
    command::run(project.local_stack().args(arguments)).map(|()| true)
}
