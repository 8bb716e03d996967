//! `cargo xtask test`: every test that this machine can run, and a list of those that it cannot.

use crate::dynamodb_local::Database;
use crate::project::Project;
use crate::report::Report;
use crate::suite::{self, Clients};
use crate::{alarms, command, deploy, edge, faults, figures, imports, roles, sam, schemathesis, supply, template, tools, watch};

/// Crates that must not be in the dependency tree, because they slow down cold starts. ring replaces them.
const UNWANTED: [&str; 2] = ["aws-lc-sys", "openssl-sys"];

/// What this command does not test.
const LIMITS: [&str; 3] = [
    "the whole suite on cargo lambda watch and through sam local: cargo xtask test --watch, cargo xtask test --sam",
    "IAM policies and API Gateway's own limits and responses: they need a deployment",
    "TransactionConflict under real contention: no local engine raises it, so the tests inject it",
];

/// The options of `test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    what: What,
    /// Black-box tests whose name contains this.
    filter: Option<&'a str>,
}

/// What to run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Every test and check.
    #[default]
    Everything,
    /// Only the black-box suite, on the embedded database.
    Embedded,
    /// Only the black-box suite, on `cargo lambda watch`.
    Watch,
    /// Only the black-box suite, built by SAM and run through `sam local`.
    Sam,
}

impl<'a> Options<'a> {
    /// Parses the arguments of `test`.
    ///
    /// # Errors
    /// On an unknown option, two filters, or options that exclude each other.
    pub(crate) fn parse(words: &[&'a str]) -> Result<Self, String> {
        let mut options = Self::default();
        for word in words {
            let what = match *word {
                "--embedded" => What::Embedded,
                "--watch" => What::Watch,
                "--sam" => What::Sam,
                option if option.starts_with('-') => return Err(format!("test has no option `{option}`")),
                filter if options.filter.is_none() => {
                    options.filter = Some(filter);
                    continue;
                }
                _ => return Err("test takes one filter".into()),
            };
            if options.what != What::Everything {
                return Err("--embedded, --watch and --sam exclude each other".into());
            }
            options.what = what;
        }
        Ok(options)
    }
}

/// Runs the tests. `Ok(false)` means that a step failed and the summary names it.
///
/// # Errors
/// If one suite was asked for, and it cannot run or fails.
pub(crate) fn run(project: &Project, options: &Options<'_>) -> Result<bool, String> {
    let filter = options.filter;
    match options.what {
        What::Everything => return Ok(everything(project, filter)),
        What::Embedded => suite::run(project, &Clients::installed(project), filter, None)?,
        What::Watch => {
            let (clients, database) = (Clients::install(project)?, Database::start(project)?);
            let places = watch::test(project, &clients, filter, database.endpoint.as_deref())?;
            println!("{}\n  on cargo lambda watch and {}", places.told(), database.is);
        }
        What::Sam => {
            let (clients, database) = (Clients::install(project)?, Database::start(project)?);
            let places = sam::test(project, &clients, filter, database.endpoint.as_deref())?;
            println!("{}\n  through sam local and on {}", places.told(), database.is);
        }
    }
    Ok(true)
}

fn everything(project: &Project, filter: Option<&str>) -> bool {
    let mut report = Report::new(strict());
    static_checks(project, &mut report);
    unit_tests(project, &mut report);
    // Kept until the end, because the smoke tests use it too.
    let database = black_box(project, &mut report, filter);
    report.step("literal agents and histories, on the embedded database", || faults::sample(project));
    let endpoint = database.as_ref().and_then(|database| database.endpoint.as_deref());
    report.step("restore drill: a copy of the table goes on where it was", || restore_drill(project, endpoint));
    generated_files(project, &mut report);
    report.step("requests made of the OpenAPI document", || schemathesis::run(project, &schemathesis::Options::default()));
    template_checks(project, &mut report);
    let clients = Clients::installed(project);
    report.step("smoke tests on cargo lambda watch", || watch::test(project, &clients, Some("smoke"), endpoint));
    if let Some(filter) = filter {
        report.note(format!("Black-box tests: only those whose name contains `{filter}`"));
    }
    let is = database.as_ref().map_or("could not be started", |database| database.is.as_str());
    report.note(format!("DynamoDB: {is}"));
    drop(database);
    report.finish(&LIMITS)
}

/// Whether a step that cannot run on this machine counts as failed.
fn strict() -> bool {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|given| given == value);
    is("CI", "true") || is("CROCHET_REQUIRE_DYNAMODB_LOCAL", "1")
}

fn static_checks(project: &Project, report: &mut Report) {
    report.step("format", || command::run(&mut project.cargo(&["fmt", "--all", "--", "--check"])));
    for name in UNWANTED {
        report.step(&format!("{name} is not in the tree"), || absent(project, name));
    }
    report.step("licences, bans and sources of dependencies", || supply::deny(project));
    report.step("bill of materials", || supply::bill_of_materials(project, &project.target.join("xtask/sbom.cdx.json")));
    report.step("rules for the SAM files", || template::check(project));
    report.step("every alarm has its entry in the runbook", || alarms::check(project));
    report.step("the edge is one that CloudFront takes", || edge::check(project));
    report.step("no import cycles", || imports::check(project));
    report.step("lints", || {
        command::run(&mut project.cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
}

fn absent(project: &Project, name: &str) -> Result<(), String> {
    let tree = command::output(&mut project.cargo(&["tree", "--workspace", "--target", "all", "--invert", name]))?;
    let told = String::from_utf8_lossy(&tree.stderr);
    if tree.status.success() {
        return Err(format!("{name} is in the tree:\n{}", String::from_utf8_lossy(&tree.stdout)));
    }
    // This failure is the expected one. Any other, such as a broken manifest, proves nothing.
    if told.contains("did not match any packages") { Ok(()) } else { Err(format!("cargo tree: {told}")) }
}

fn unit_tests(project: &Project, report: &mut Report) {
    report.step("unit tests (xtask's own included)", || {
        command::run(&mut project.cargo(&["test", "--quiet", "--workspace", "--lib", "--bins"]))
    });
    report.step("examples in documentation", || command::run(&mut project.cargo(&["test", "--quiet", "--workspace", "--doc"])));
}

fn black_box(project: &Project, report: &mut Report, filter: Option<&str>) -> Option<Database> {
    let mut clients = report.step("install clients in Python, JavaScript and Go", || Clients::install(project));
    if let Some(clients) = &mut clients {
        report.step("lint the OpenAPI document, generate and compile clients", || clients.generate(project));
    }
    if clients.as_ref().is_some_and(|clients| !clients.have_go()) {
        report.note("Endpoint in Go: not run, because this machine has no Go 1.21 or later".to_owned());
    }
    let database = report.step("start DynamoDB", || Database::start(project))?;
    if let Some(why) = &database.stand_in {
        report.not_proved("behaviour on the real DynamoDB Local", why);
    }
    if tools::chromium().is_none() {
        report.not_proved("passkeys in a real browser", "no Chromium on this machine");
    }
    report.step(&format!("black-box suite on {}", database.is), || {
        suite::run(project, &clients.unwrap_or_default(), filter, database.endpoint.as_deref())
    });
    // A run of part of the suite shows only that what it used is allowed.
    report.step("roles: what the functions used is what they are allowed", || {
        roles::check(project, &suite::actions(project), filter.is_none()).map(|table| println!("{table}"))
    });
    Some(database)
}

fn restore_drill(project: &Project, dynamodb: Option<&str>) -> Result<(), String> {
    let mut drill = project.local_stack();
    drill.arg("restore-drill");
    if let Some(endpoint) = dynamodb {
        drill.env("CROCHET_DYNAMODB_ENDPOINT", endpoint);
    }
    command::run(&mut drill)
}

fn generated_files(project: &Project, report: &mut Report) {
    report.step("figures are those of the measured units", || figures::check(project));
    report.step("generated files are fresh", || command::run(project.local_stack().args(["generate", "--check"])));
}

fn template_checks(project: &Project, report: &mut Report) {
    report.step("sam validate --lint (cfn-lint)", || template::validate(project));
    report.step("preflight and its sisters, on an AWS that is played", || deploy::test_programs(project));
    report.step("sam deploy --guided, up to AWS", || deploy::guided_reaches_aws(project));
    report.step("checkov", || template::checkov(project));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_options() {
        assert_eq!(Options::parse(&[]).expect("nothing"), Options::default());
        let options = Options::parse(&["--embedded", "register"]).expect("a filter");
        assert_eq!(options, Options { what: What::Embedded, filter: Some("register") });
        for wrong in [&["--fast"][..], &["a", "b"], &["--sam", "--embedded"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
