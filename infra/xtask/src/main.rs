//! `cargo xtask …`: the developer's commands. `cargo xtask help` lists them.

mod alarms;
mod background;
mod cold_starts;
mod command;
mod deploy;
mod dynamodb_local;
mod edge;
mod faults;
mod figures;
mod forward;
mod generated_clients;
mod go;
mod imports;
mod net;
mod openapi_tools;
mod places;
mod project;
mod report;
mod roles;
mod sam;
mod schemathesis;
mod stack;
mod suite;
mod supply;
mod template;
mod test;
mod tools;
mod watch;

use std::process::ExitCode;

use project::Project;

const HELP: &str = "\
cargo xtask <command>

  test [filter]             everything: format, lints, dependencies, unit tests, the black-box suite on the real
                            DynamoDB Local, generated files, the SAM template, and smoke tests on cargo lambda watch
  test --embedded [filter]  only the black-box suite, on the embedded database, for everyday work
  test --watch [filter]     only the black-box suite, on cargo lambda watch and the real DynamoDB Local
  test --sam [filter]       only the black-box suite, after `sam build`, through `sam local` and on the real DynamoDB Local
                            (infra/tools/container-engine gives a Debian machine the container engine that it needs)
  watch                     the functions on cargo lambda watch, with everything that they need (CROCHET_PORT, default 9000)
  faults                    every fault of every outbound request of every kind of call, on the embedded database
  faults --agent N          N seeded runs of an agent that obeys every reply to the letter
  faults --runs N           N seeded histories of buyers, sellers and faults, against a model
  deploy ENV [--change PARAMETER]...
                            deploys the working tree: preflight, build, change set, deployment, smoke test; --change lets a
                            parameter differ from the deployed one that must not by accident, such as ExistingTableName
  smoke ENV                 only the smoke test of a deployment: an authenticated call, up to its 402
  put-secret ENV FIELD      sets a field of a secret of the deployment, such as relay_api_key, from standard input
  admin ENV [--table NAME] COMMAND
                            a command of the operator, crochet-admin, on a deployment; `admin ENV --help` lists them
  teardown ENV [--keep-data]
                            deletes a deployment with its table, secrets and audit trail
  ledger-check [--endpoint URL] [--table NAME]
                            adds up the whole ledger of a table again (default: that of the stack that `cargo run` started)
  bench catalog [listings]  benchmarks the catalogue, cold and warm, in an optimized build (default: 100,000 listings)
  score-attack              plays the attacks on the score, prints what they cost, and writes docs/score/attacks.md and its plots
  openapi-clients           lints the OpenAPI document, then generates and compiles clients, with which the suite pays
  record-examples           records docs/examples.json from a running stack, then writes the generated files
  schemathesis [--cases N]  tests the API with about N requests that are made of its OpenAPI document (default: 2,000)
  generate [--check]        writes the generated files; with --check, fails if one is stale
  roles FILE                compares the template's roles with the actions that a run of the whole suite recorded in FILE
                            (CROCHET_TEST_ACTIONS)
  figures                   writes docs/internals/figures.md: what calls cost, and which quota bites first (infra/prices.json)
  cold-starts               builds the functions with SAM, and measures their sizes and cold starts for that page
  sbom FILE                 writes the bill of materials of the shipped functions (CycloneDX)
  cycles                    lists import cycles between source files, and fails if there are any
  help                      prints this text

filter selects black-box tests by a part of their name.

Environment
  CROCHET_DYNAMODB_ENDPOINT           DynamoDB endpoint to test on, instead of starting DynamoDB Local
  CROCHET_SEED                        the only seed of `faults --agent` or `faults --runs`: repeats a run that failed
  CROCHET_FIRST_SEED                  their first seed (default 1): goes on with runs that were interrupted
  CI=true or CROCHET_REQUIRE_DYNAMODB_LOCAL=1
                                      a step that cannot run on this machine is a failure
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

/// Runs one command. `Ok(false)` is a failure that was already printed.
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
        ["watch"] => watch::run(&Project::locate()?).map(|()| true),
        ["faults", rest @ ..] => {
            let options = faults::Options::parse(rest)?;
            faults::run(&Project::locate()?, &options).map(|()| true)
        }
        ["ledger-check", ..] => ledger_check(&words),
        ["deploy", environment, changes @ ..] => deploy::deploy(&Project::locate()?, environment, changes).map(|()| true),
        ["smoke", environment] => deploy::smoke(&Project::locate()?, environment).map(|()| true),
        ["put-secret", environment, field] => deploy::put_secret(&Project::locate()?, environment, field).map(|()| true),
        ["admin", environment, words @ ..] => deploy::admin(&Project::locate()?, environment, words).map(|()| true),
        ["teardown", environment] => deploy::teardown(&Project::locate()?, environment, false).map(|()| true),
        ["teardown", environment, "--keep-data"] => deploy::teardown(&Project::locate()?, environment, true).map(|()| true),
        ["roles", actions] => {
            println!("{}", roles::check(&Project::locate()?, actions.as_ref(), true)?);
            Ok(true)
        }
        ["sbom", file] => supply::bill_of_materials(&Project::locate()?, file.as_ref()).map(|()| true),
        ["figures"] => figures::run(&Project::locate()?).map(|()| true),
        ["cold-starts"] => cold_starts::run(&Project::locate()?).map(|()| true),
        ["cycles"] => imports::check(&Project::locate()?).map(|()| true),
        ["bench", "catalog"] => bench(&["bench"]),
        ["bench", "catalog", listings] => bench(&["bench", listings]),
        ["score-attack"] => score_attack(),
        ["openapi-clients"] => openapi_clients(),
        ["record-examples"] => record_examples(),
        ["schemathesis", rest @ ..] => {
            let options = schemathesis::Options::parse(rest)?;
            schemathesis::run(&Project::locate()?, &options).map(|()| true)
        }
        ["generate"] => generate(&["generate"]),
        ["generate", "--check"] => generate(&["generate", "--check"]),
        _ => Err(format!("unknown command `{}`\n\n{HELP}", words.join(" "))),
    }
}

fn bench(arguments: &[&str]) -> Result<bool, String> {
    let project = Project::locate()?;
    let run = ["run", "--quiet", "--profile", "measured", "--bin", "crochet-local", "--"];
    command::run(project.cargo(&run).args(arguments)).map(|()| true)
}

fn score_attack() -> Result<bool, String> {
    let project = Project::locate()?;
    command::run(&mut project.cargo(&["run", "--quiet", "--bin", "score-attack"])).map(|()| true)
}

fn ledger_check(arguments: &[&str]) -> Result<bool, String> {
    let project = Project::locate()?;
    command::run(project.local_stack().args(arguments)).map(|()| true)
}

fn openapi_clients() -> Result<bool, String> {
    let project = Project::locate()?;
    suite::Clients::install(&project)?.generate(&project).map(|()| true)
}

fn record_examples() -> Result<bool, String> {
    let project = Project::locate()?;
    let test = "system::examples::the_kept_examples_are_what_the_service_replies";
    let mut suite = project.cargo(&["test", "--quiet", "--workspace", "--test", "blackbox", "--", "--exact", test]);
    command::run(suite.env("CROCHET_RECORD_EXAMPLES", "1"))?;
    generate(&["generate"])
}

fn generate(arguments: &[&str]) -> Result<bool, String> {
    let project = Project::locate()?;
    command::run(project.local_stack().args(arguments)).map(|()| true)
}
